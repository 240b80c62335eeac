"""The FRAM driver against the simulated chip, and the chip against the data sheet's rules (DS501-00032)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.fram import SIZE, Fram, FramError
from drivers.sim import fram_chip
from drivers.sim.fram_chip import FramChip, PowerLost

# Codes as the data sheet has them, apart from those of driver and chip.
CODES = {
    "WREN": 0x06, "WRDI": 0x04, "RDSR": 0x05, "WRSR": 0x01, "READ": 0x03, "WRITE": 0x02, "RDID": 0x9F, "SLEEP": 0xB9,
}  # fmt: skip


def status(chip: FramChip) -> int:
    return chip.xfer2([0x05, 0])[1]


def test_the_table_of_commands_is_the_data_sheets() -> None:
    rows = re.findall(r"\| (\w+) +\| ([0-9A-F]{2})H +\|", fram_chip.__doc__ or "")
    assert {name: int(code, 16) for name, code in rows} == CODES


def test_who_is_there_and_what_is_written_is_read() -> None:
    fram = Fram(FramChip(), "bus")
    assert fram.part == "MB85RS2MTA"
    for address, data in ((0, b"a"), (SIZE - 3, b"end"), (70_000, bytes(range(256)) * 12), (5, b"")):
        fram.write(address, data)
        assert fram.read(address, len(data)) == data
    for address, count in ((SIZE, 1), (-1, 2), (SIZE - 2, 3)):
        with pytest.raises(ValueError, match="are not in an FRAM of 262144 bytes"):
            fram.read(address, count)


def test_nothing_is_written_without_wren_and_wel_falls_with_chip_select() -> None:
    chip = FramChip()
    write = [0x02, 0, 0, 7, 0xAA]
    chip.xfer2(write)
    assert chip.memory[7] == 0, "no WREN"
    chip.xfer2([0x06])
    assert status(chip) == 0x02
    chip.xfer2(write)
    assert (chip.memory[7], status(chip)) == (0xAA, 0)
    chip.xfer2([0x02, 0, 0, 7, 0xBB])
    assert chip.memory[7] == 0xAA, "WEL was cleared by the write before"
    for clears in ([0x04], [0x02], [0x02, 0, 0, 7], [0x01, 0]):
        chip.xfer2([0x06])
        assert status(chip) & 2
        chip.xfer2(clears)
        assert not status(chip) & 2, clears
    chip.xfer2([0x06])
    for keeps in ([0x05, 0], [0x9F, 0], [0x03, 0, 0, 0, 0], [0xEE, 1, 2]):
        chip.xfer2(keeps)
        assert status(chip) & 2, keeps
    chip.power_on()
    assert not status(chip) & 2


def test_addresses_have_18_bits_and_go_round() -> None:
    chip = FramChip()
    chip.xfer2([0x06])
    chip.xfer2([0x02, 0xFF, 0xFF, 0xFF, 1, 2, 3])
    assert (chip.memory[-1], chip.memory[0], chip.memory[1]) == (1, 2, 3)
    assert chip.xfer2([0x03, 0x03, 0xFF, 0xFF, 0, 0, 0])[4:] == [1, 2, 3]


@pytest.mark.parametrize(("bits", "first"), [(0, SIZE), (1, 0x30000), (2, 0x20000), (3, 0)])
def test_block_protection_and_its_end(bits: int, first: int) -> None:
    chip = FramChip()
    chip.xfer2([0x06])
    chip.xfer2([0x01, bits << 2 | 0x73])
    assert status(chip) == bits << 2 | 0x70, "WEL cannot be written, bit 0 is 0"
    for address in (0, 0x1FFFF, 0x20000, 0x2FFFF, 0x30000, SIZE - 1):
        chip.xfer2([0x06])
        chip.xfer2([0x02, *address.to_bytes(3, "big"), 0x55])
        assert (chip.memory[address] == 0x55) == (address < first)
    Fram(chip, "bus").write(SIZE - 1, b"\x66")
    assert chip.memory[-1] == 0x66


def test_a_protection_that_cannot_be_taken_away_is_told() -> None:
    chip = FramChip()
    chip.xfer2([0x06])
    chip.xfer2([0x01, 0x8C])
    chip.wp = False
    with pytest.raises(FramError, match=r"the FRAM on bus is write-protected: connect its WP pin to 3\.3 V"):
        Fram(chip, "bus")


def test_it_sleeps_and_the_first_command_only_wakes_it() -> None:
    chip = FramChip()
    chip.xfer2([0xB9])
    assert chip.xfer2([0x9F, 0, 0, 0, 0])[1:] == [0xFF] * 4
    assert chip.xfer2([0x9F, 0, 0, 0, 0])[1:] == [0x04, 0x7F, 0x48, 0x03]


class Wire:
    """What a bus gives where no such chip is."""

    def __init__(self, reply: list[int] | OSError) -> None:
        self.reply = reply

    def xfer2(self, data: list[int]) -> list[int]:
        if isinstance(self.reply, OSError):
            raise self.reply
        return (self.reply * len(data))[: len(data)]

    def close(self) -> None: ...


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (
            [0x00],
            "bus is not there: nothing answers, it must be MB85RS2MT or MB85RS2MTA; check the wiring and",
        ),
        ([0xFF], "nothing answers"),
        ([0x9D, 0x60], "a chip answers with the identity 60 9d 60 9d"),
        (OSError(5, "Input/output error"), "the FRAM on bus cannot be reached: Input/output error"),
    ],
)
def test_what_is_no_fram_is_told(reply: list[int] | OSError, said: str) -> None:
    with pytest.raises(FramError, match=said):
        Fram(Wire(reply), "bus")


def test_a_chip_that_does_not_keep_what_is_written_is_told() -> None:
    chip = FramChip()
    fram = Fram(chip, "bus")

    class Deaf(bytearray):
        def __setitem__(self, key: object, value: object) -> None: ...

    chip.memory = Deaf(SIZE)
    with pytest.raises(FramError, match="does not keep what is written: check its supply"):
        fram.write(0, b"x")
    del chip
    dead = FramChip()
    fram = Fram(dead, "bus")
    dead.xfer2 = Wire([0]).xfer2  # type: ignore[method-assign]
    with pytest.raises(FramError, match="takes no writes"):
        fram.write(0, b"x")


@settings(max_examples=150)
@given(st.binary(min_size=1, max_size=60), st.integers(0, 300), st.integers(0, SIZE - 60))
def test_power_cut_at_any_byte_leaves_a_beginning_and_touches_nothing_else(data: bytes, cut: int, address: int) -> None:
    chip = FramChip()
    fram = Fram(chip, "bus")
    before = bytes(chip.memory)
    chip.power_left = cut
    done = False
    try:
        fram.write(address, data)
        done = True
    except PowerLost:
        pass
    chip.power_on()
    assert not status(chip) & 2
    there = bytes(chip.memory)
    beginnings = (before[:address] + data[:k] + before[address + k :] for k in range(len(data) + 1))
    assert any(there == beginning for beginning in beginnings)
    assert not done or there[address : address + len(data)] == data


def test_its_cells_outlive_the_process(tmp_path: Path) -> None:
    file = tmp_path / "fram.bin"
    Fram(FramChip(file), "bus").write(SIZE - 4, b"kept")  # and never closed
    chip = FramChip(file)
    assert Fram(chip, "bus").read(SIZE - 4, 4) == b"kept"
    chip.xfer2([0x06])
    chip.xfer2([0x01, 0x04])
    assert FramChip(file).status == 0x04
    chip.close()
