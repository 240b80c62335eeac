"""Programs written by DGCOM, by our own commands: read back the same, old or new wherever it breaks, and to no other
make a byte that is not publicly described (X-2, decision 130)."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import pytest
from broken_writes import BrokenWrites, assert_one_turn, loaded
from cut_line import CutLine
from dgcom_host import Host, Refused, over, total
from dgcom_programmer_bench import DgcomProgrammerBench
from own_file import own_file
from psem_client import S, VirtualLine

from rig.daemon.protocol import WriteProgram
from rig.program.build import load_program
from rig.reader.connecting import Approach, WrongPassword
from rig.reader.meter import MeterAccess
from rig.reader.meter_program import NotWritten, ProgramError, ProgramRefused
from rig.reader.passwords import Passwords
from rig.reader.programming import check_program, write_program

EXAMPLES = Path(__file__).parents[3] / "rig" / "program" / "examples"

A = "[meter]\nfirmware = '7.16'\nserial = '1'\n"
B = "[meter]\nfirmware = '7.16'\nserial = '2'\n[security]\nlevel_4 = '444444'\n"


@pytest.mark.parametrize("name", [path.stem for path in sorted(EXAMPLES.glob("*.toml"))])
def test_an_example_into_a_blank_meter(tmp_path: Path, name: str) -> None:
    path = EXAMPLES / f"{name}.toml"
    program, text = load_program(path), path.read_bytes()
    blank = f"[meter]\nfirmware = '7.16'\ncurrent_class = {program.file.meter.current_class}\n"
    bench = DgcomProgrammerBench(blank, tmp_path)
    try:
        assert bench.write(program, text) == f"written and read back: {program.digest}"
        assert bench.digest == program.digest
        bench.password(program.file.security.level_4)
        assert program.digest in check_program(bench.access, program)
        other, _ = loaded(tmp_path, "[meter]\nserial = '1'\n")
        with pytest.raises(NotWritten, match=rf"has program {program.digest}, this is {other.digest}: .*\[meter\]"):
            check_program(bench.access, other)
    finally:
        bench.close()


# --- breaks ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DgcomProgrammerBench]:
    bench = DgcomProgrammerBench(A, tmp_path_factory.mktemp("programming"))
    yield bench
    bench.close()


def reset(bench: DgcomProgrammerBench) -> None:
    """Have the first program, whatever the meter has."""
    bench.line.left = None
    bench.line.on_cut = lambda: None
    bench.line.line.to_client = bench.line.line.to_device = lambda data: data
    bench.line.pause(60)
    if bench.digest != loaded(bench.folder, A)[0].digest:
        bench.write_beside("444444", A)
    bench.password("000000")
    bench.meter.asked.clear()


@pytest.fixture
def writes(bench: DgcomProgrammerBench, tmp_path: Path) -> BrokenWrites:
    return BrokenWrites(bench, tmp_path, A, B, lambda: reset(bench))


@pytest.mark.parametrize("port_dies", [False, True], ids=["the line is cut", "the port dies"])
def test_old_or_new_wherever_it_breaks(writes: BrokenWrites, port_dies: bool) -> None:
    """A sample of the bytes."""
    whole = writes.places()
    places = [whole[150], *whole[317:340:14], whole[-200]]
    assert set(writes.broken_at(places, port_dies=port_dies)) == {"old", "new"}


@pytest.mark.slow
@pytest.mark.parametrize("port_dies", [False, True], ids=["the line is cut", "the port dies"])
def test_old_or_new_at_every_byte(writes: BrokenWrites, port_dies: bool) -> None:
    assert_one_turn(writes.broken_at(writes.places(), port_dies=port_dies))


def test_an_answer_that_is_lost_does_not_write_twice(bench: DgcomProgrammerBench, tmp_path: Path) -> None:
    """The host asks again after two seconds, and the meter says what became of it."""
    reset(bench)
    dropped = 0

    def without_the_answer(data: bytes) -> bytes:
        nonlocal dropped
        if data == b"\x33" and any(isinstance(asked, WriteProgram) for asked in bench.meter.asked) and not dropped:
            dropped += 1
            return b""
        return data

    bench.line.line.to_client = without_the_answer
    program, text = loaded(tmp_path, B)
    assert bench.write(program, text) == f"written and read back: {program.digest}"
    assert dropped == 1
    assert sum(isinstance(asked, WriteProgram) for asked in bench.meter.asked) == 1


def test_damage_both_ways_is_repaired(bench: DgcomProgrammerBench, tmp_path: Path) -> None:
    """One byte in sixty of a command's or a packet's is another one; of the wake-up and the status bytes none is."""
    reset(bench)
    noise = random.Random(3)

    def spoil(data: bytes) -> bytes:
        if len(data) < 4 or noise.random() > len(data) / 60:
            return data
        at = noise.randrange(1, len(data))
        return data[:at] + bytes((data[at] ^ 1 << noise.randrange(8),)) + data[at + 1 :]

    bench.line.line.to_device = spoil
    program, text = loaded(tmp_path, B)
    assert bench.write(program, text) == f"written and read back: {program.digest}"


def test_a_line_that_stays_cut(bench: DgcomProgrammerBench, writes: BrokenWrites, tmp_path: Path) -> None:
    """Nobody can know, and that is said."""
    whole = writes.places()
    reset(bench)
    bench.line.left = whole[-200]

    def cut_again() -> None:
        bench.line.left = 0

    bench.line.on_cut = cut_again
    with pytest.raises(NotWritten, match="Nobody knows which of both programs"):
        bench.write(*loaded(tmp_path, B))


# --- refusals --------------------------------------------------------------------------------------------------


def test_what_a_meter_refuses_changes_nothing(bench: DgcomProgrammerBench, tmp_path: Path) -> None:
    reset(bench)
    before = bench.digest
    with pytest.raises(ProgramRefused, match=r"has the program it had.*current_class is 200"):
        bench.write(*loaded(tmp_path, "[meter]\nform = '2S'\ncurrent_class = 200\n"))
    with pytest.raises(ProgramError, match="65537 bytes"):
        bench.write(loaded(tmp_path, A)[0], b"#" * 65537)
    bench.password("ABCDEF")
    with pytest.raises(WrongPassword):
        bench.write(*loaded(tmp_path, B))
    assert bench.digest == before


def test_a_reader_may_not_write(bench: DgcomProgrammerBench, tmp_path: Path) -> None:
    reset(bench)
    bench.write(*loaded(tmp_path, B.replace("level_4", "level_1 = '111111'\nlevel_4")))
    before = bench.digest
    bench.password("111111")
    with pytest.raises(NotWritten, match=r"refused to take a part of a program.*has the program that it had before"):
        bench.write(*loaded(tmp_path, A))
    assert bench.digest == before


SEALED = """
[meter]
firmware = "7.18"
serial = "1"
[demand]
quantities = ["kW delivered"]
[security]
seal = true
level_1 = "111111"
level_2 = "222222"
level_3 = "333333"
level_4 = "444444"
"""


def test_a_sealed_meter_takes_a_tariff_and_no_metrology(tmp_path: Path) -> None:
    """As it does by every other way in: 7.18's protection against reprogramming under seal."""
    bench = DgcomProgrammerBench(SEALED, tmp_path)
    try:
        bench.password("444444")
        before = bench.digest
        with pytest.raises(ProgramRefused, match=r"has the program it had.*seal"):
            bench.write(*loaded(tmp_path, SEALED.replace('"kW delivered"', '"kVA"')))
        assert bench.digest == before
        program, text = loaded(tmp_path, SEALED + '[self_read]\nschedule = "monthly"\nday = 1\n')
        assert bench.write(program, text) == f"written and read back: {program.digest}"
        assert bench.digest == program.digest != before
    finally:
        bench.close()


# --- commands, by a host of the public description ---------------------------------------------------------------


def stage(host: Host, text: bytes, begin: int = 0) -> None:
    for at in range(begin, len(text), 6):
        host.command(0xE0, struct.pack("<H", at) + text[at : at + 6])


def test_each_command_as_documented(bench: DgcomProgrammerBench, tmp_path: Path) -> None:
    reset(bench)
    host = Host(over(bench.line.line))
    text = B.encode()
    check = len(text).to_bytes(3, "little") + struct.pack("<I", crc32(text))
    assert host.command(0x6F, b"AE0764") == b"    " + b"gir 4670-EA"
    assert host.command(0x6F).rstrip(b" \0")[::-1].strip() == b"1"
    for opcode in (0xE0, 0xE1, 0xE2, 0xE3):
        with pytest.raises(Refused):
            host.command(opcode)  # without a level
    assert host.command(0xFF, b"\0\0\0") == b"\xdd"
    with pytest.raises(Refused):
        host.command(0xE0, struct.pack("<H", 6) + b"abcdef")  # a gap
    with pytest.raises(Refused):
        host.command(0xE1, check)  # nothing is staged
    stage(host, text)
    with pytest.raises(Refused):
        host.command(0xE1, check[:3] + b"\0\0\0\0")
    why = host.command(0xE2)
    assert why[4 : 4 + struct.unpack_from("<I", why)[0]] == b"what was staged is not what the command says"
    with pytest.raises(Refused):
        host.command(0xE1, check)  # it is gone
    stage(host, text)
    bench.line.pause(7)  # the session is over
    assert host.command(0xFF, b"\0\0\0") == b"\xdd"
    with pytest.raises(Refused):
        host.command(0xE1, check)
    stage(host, text)
    stage(host, text, 60)  # parts that come again
    assert host.command(0xE1, check) == b""
    assert bench.digest == loaded(bench.folder, B)[0].digest
    with pytest.raises(Refused):
        host.command(0xE3)  # a new program, and its level is to be proven
    assert host.command(0xFF, b"\x44\x44\x44") == b"\xdd"
    block = host.command(0xE3)
    size = struct.unpack_from("<I", block)[0]
    assert block[4:16].decode() == bench.digest
    assert b'"serial":"2"' in block[16 : 4 + size]
    assert b"444444" not in block


class OtherMakersS4:
    """A meter of DGCOM as its public description has it, which ignores parameters that a command has not."""

    baud = 9600
    next_ns = None

    def __init__(self) -> None:
        self.heard = bytearray()
        self.woken = self.ready = False
        self.coming = b""
        self.commands: list[bytes] = []

    def feed(self, data: bytes, now_ns: int) -> None:
        for byte in data:
            if self.woken and byte == 0xAA and not self.heard:
                self.coming += b"\xaa"
                self.woken, self.ready = False, True
            elif self.ready:
                self.heard.append(byte)
                if len(self.heard) == 11:
                    body, self.heard, self.ready = bytes(self.heard[:9]), bytearray(), False
                    self.commands.append(body)
                    self.coming += self._answer(body[0])
            elif byte == 0x55:
                self.coming += b"\x55"
                self.woken = True

    def _answer(self, opcode: int) -> bytes:
        block = {0x08: b"\x34\x50", 0x6F: b"12345678".rjust(15)[::-1]}.get(opcode)
        if opcode == 0xFF:
            return b"\xdd"
        if block is None:
            return b"\x33" if opcode == 0x79 else b"\xcc"
        packet = bytes((len(block),)) + block
        return b"\x33" + packet + total(packet)

    def tick(self, now_ns: int) -> None: ...

    def output(self, now_ns: int) -> bytes:
        data, self.coming = self.coming, b""
        return data


def test_another_makers_meter_is_sent_nothing_of_ours(tmp_path: Path) -> None:
    device = OtherMakersS4()
    line = CutLine(VirtualLine(device))
    own_file(tmp_path / "password", "123456")
    passwords = Passwords(tmp_path / "password")
    access = MeterAccess("optical", Approach(), passwords, line.open, line.pause)
    with pytest.raises(ProgramError, match="no command is publicly described that writes a program"):
        write_program(access, *loaded(tmp_path, A), lambda at, of: None)
    with pytest.raises(ProgramError, match="only this rig's own meters take one"):
        check_program(access, loaded(tmp_path, A)[0])
    assert {command[0] for command in device.commands} == {0x08, 0x6F, 0xFF, 0x79}
    assert line.line.now_ns < 300 * S
