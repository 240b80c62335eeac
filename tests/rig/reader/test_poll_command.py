"""`rig poll` over pseudo-terminals joined by the simulated RS-485 line: real ports, pyserial at both ends (X-3)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from own_file import own_file
from port_bench import PortBench

from drivers.sim.pty_bus import PtyBus
from drivers.sim.serial_bus import Noise
from rig.communication.port.line import LineError, SerialLine
from rig.hardware.config import PortConfig
from rig.reader.line_poll import LinePoll
from rig.reader.reading_file import load_reading
from tests.rig.conftest import Ending

PROGRAM = """
[meter]
serial = "LINE 7"
[security]
level_1 = "111111"
"""
PORT = '[[ports]]\nname = "line{address}"\nkind = "rs-485"\naddress = {address}\ndevice = "{device}"\n'
OPTICAL = '[[ports]]\nname = "optical"\nkind = "optical"\ndevice = "pty"\n'


@pytest.fixture
def bus() -> Iterator[PtyBus]:
    bus = PtyBus(3, Noise(0.05, 3))
    yield bus
    bus.close()


@pytest.fixture
def bench(bus: PtyBus, tmp_path: Path) -> Iterator[PortBench]:
    """A meter with two ports on the line, of addresses 1 and 2; nobody has 3. Its optical port is there to be found."""
    ports = OPTICAL + "".join(PORT.format(address=k, device=bus.paths[k]) for k in (1, 2))
    bench = PortBench(tmp_path, PROGRAM, ports)
    yield bench
    bench.close()


def test_a_line_is_polled_and_who_does_not_answer_is_named(
    bench: PortBench, bus: PtyBus, tmp_path: Path, command_line: Callable[..., Ending]
) -> None:
    own_file(tmp_path / "key", "111111\n")
    out = tmp_path / "out"
    ended = command_line(
        "poll", bus.paths[0], "--addresses", "1-3", "--only", "ST1,ST5", "--rounds", 2,
        "--password-file", tmp_path / "key", "--folder", out, "--json",
    )  # fmt: skip
    assert ended.status == 1, ended.err
    assert "1 of 3 meters was not read: address 3; the list says why" in ended.err
    found = json.loads(ended.out)
    assert [meter["came"] for meter in found] == ["read", "read", "no answer"]
    for address in (1, 2):
        reading = load_reading(out / f"meter-{address}.json")
        assert (reading.address, reading.protocol, reading.simulated) == (address, "C12.21", True)
        serial = reading.table(5)
        assert serial is not None
        assert serial.rstrip(b"\x00 ") == b"LINE 7"
    assert not (out / "meter-3.json").exists()
    assert command_line("poll", bus.paths[0], "--addresses", "1-300").status == 2
    without = command_line("poll", bus.paths[0], "--addresses", "2", "--only", "ST1,ST5")
    assert without.status == 1
    assert "  2  refused         2 tables    1 round " in without.out
    assert without.out.rstrip().endswith("says what it is and gives no more: give a password that reads it")
    for folder, said in ((tmp_path / "key", "it is a file"), (tmp_path / "a" / "b", "No such file or directory")):
        ended = command_line("poll", bus.paths[0], "--addresses", "1", "--folder", folder)
        assert (ended.status, ended.out) == (2, "")
        assert f"the folder {folder} cannot be made ({said})" in ended.err


def test_ctrl_c_leaves_the_readings_of_those_that_were_read(
    bench: PortBench, bus: PtyBus, tmp_path: Path, command_line: Callable[..., Ending], monkeypatch: pytest.MonkeyPatch
) -> None:
    poll = LinePoll._poll

    def interrupts(self: LinePoll, meter: Any) -> None:
        if meter.address == 2:
            raise KeyboardInterrupt
        poll(self, meter)

    monkeypatch.setattr(LinePoll, "_poll", interrupts)
    own_file(tmp_path / "key", "111111\n")
    ended = command_line(
        "poll", bus.paths[0], "--addresses", "1,2", "--only", "ST1,ST5", "--password-file", tmp_path / "key",
        "--folder", tmp_path / "out",
    )  # fmt: skip
    assert (ended.status, ended.out) == (130, "")
    assert f"interrupted before all meters were asked; 1 of 2 readings are in {tmp_path / 'out'}" in ended.err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["meter-1.json"]
    assert load_reading(tmp_path / "out" / "meter-1.json").address == 1


@pytest.mark.parametrize("direction", ["kernel", "rts"])
def test_a_terminal_that_has_no_driver_to_switch_is_refused(bus: PtyBus, direction: str) -> None:
    port = PortConfig("line", "rs-485", bus.paths[1], address=1, direction=direction)  # type: ignore[arg-type]
    with pytest.raises(LineError, match=f'cannot switch its direction by {direction}: give ports.direction "adapter"'):
        SerialLine(port, 9600)
