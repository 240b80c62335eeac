"""The board of tests/rig/outside_kill_bench.py: it lives on, and counts for itself what it sees at its pins.

    python -m tests.rig.outside_board RIG_TOML WITNESS

Constant load near MAX, inputs at 10 closures a second, switches of the display moving, all by a plan that is a
function of the board's time alone. What is counted at the pins, by code that knows nothing of the product, is in the
file WITNESS.
"""

from __future__ import annotations

import mmap
import struct
import sys
from fractions import Fraction
from pathlib import Path

from drivers.sim.board import SimulatedBoard
from drivers.sim.hands import Hands
from drivers.sim.pins import VirtualPin
from drivers.sim.synthetic import SyntheticLoad
from drivers.sim.waves import LoadState, Step, Wave, current
from gateware.chain import Chain
from rig.hardware.board_process import simulate
from rig.hardware.config import Config, HardwareConfig, load
from rig.hardware.hardware import Hardware
from rig.hardware.selection import program_of
from rig.hardware.simulation import simulated_hardware
from rig.load.connected import MeteringPoint

SECOND, MILLISECOND = 10**9, 10**6
UTC_NS = 1_772_409_600 * SECOND
"""2026-03-02T00:00:00Z, a Monday: the time of day at the board's reset."""

QUIET_NS = 15 * SECOND
QUIET_MARGIN_NS = 600 * MILLISECOND
"""No input closes so near to a multiple of that: intervals end there, and the bench stops there to compare."""

PERIOD_NS = 100 * MILLISECOND
CLOSED_NS = 40 * MILLISECOND
FIRST_NS = {"input1": 3 * SECOND + 7 * MILLISECOND, "input2": 3 * SECOND + 53 * MILLISECOND}


class RoomyChain(Chain):
    """A build with room for a minute of records, more than any board has, so that none is merged while nobody reads,
    however busy the computer is: what merging costs is another test's."""

    def __post_init__(self) -> None:
        """More than the netlist can address."""


CHAIN = RoomyChain(record_slots=4096)

WITNESS = ("LED", "KYZ1", "KYZ2", "KYZ3", "KYZ4", "input1", "input2", "wrong")
LAYOUT = struct.Struct("<8q")


def closings(name: str, until_ns: int) -> list[int]:
    """The instants at which an input closes, up to one."""
    instants = range(FIRST_NS[name], until_ns, PERIOD_NS)
    return [at for at in instants if min(at % QUIET_NS, -at % QUIET_NS) > QUIET_MARGIN_NS]


def plan(hands: Hands, until_ns: int) -> None:
    """Plan what all contacts do: inputs, the cover taken off, SCROLL pressed, the magnet passing by.

    None of it brings the alternate sequence, in which the LED would show what is displayed.
    """
    for name in FIRST_NS:
        for at_ns in closings(name, until_ns):
            hands.press(name, at_ns, CLOSED_NS)
    hands.operate("cover", SECOND)
    for at_ns in range(4 * SECOND, until_ns, 5300 * MILLISECOND):
        hands.press("scroll", at_ns, 300 * MILLISECOND)
    for at_ns in range(9 * SECOND, until_ns, 41 * SECOND):
        hands.press("magnet", at_ns, SECOND)


def full_load(f_mod: Fraction) -> SyntheticLoad:
    """277 V, 19.8 A a phase, lagging by 20°: 99 % of MAX of class 20, and vars for the other outputs."""
    volts = [Wave(277.0, angle) for angle in (0.0, -120.0, 120.0)]
    return SyntheticLoad(f_mod, (Step(0.0, LoadState(tuple(volts), tuple(current(19.8, 20.0, v) for v in volts))),))


def parts(config: Config, current_class: int) -> tuple[Hardware, SimulatedBoard]:
    """The board, in this process."""
    load_source = full_load(CHAIN.tick_hz)
    hardware, board, _ = simulated_hardware(config, current_class, load_source, begin_utc_ns=UTC_NS, chain=CHAIN)
    return hardware, board


class Witness:
    """Counts of flashes, of closures of the other contact, and of closings of inputs, in a file mapped into memory.

    "wrong" counts what no counter may see: both contacts of an output closed, or one closed twice running.
    """

    def __init__(self, path: Path, wired: HardwareConfig) -> None:
        path.write_bytes(bytes(LAYOUT.size))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), LAYOUT.size)
        self._counts = dict.fromkeys(WITNESS, 0)
        self._levels: dict[int, bool] = {}
        self._last: dict[str, int] = {}
        self._pins: dict[int, tuple[str, int]] = {wired.led_pin: ("LED", wired.led_pin)}
        for name in ("KYZ1", "KYZ2", "KYZ3", "KYZ4"):
            y, z = getattr(wired, f"{name.lower()}_y_pin"), getattr(wired, f"{name.lower()}_z_pin")
            self._pins |= {y: (name, z), z: (name, y)}
            self._last[name] = z  # an output at rest for the first time begins with K-Y
        self._inputs = {wired.input1_pin: "input1", wired.input2_pin: "input2"}

    def see(self, pin: int, high: bool) -> None:
        """A pin changes."""
        self._levels[pin] = high
        if pin in self._inputs and not high:
            self._counts[self._inputs[pin]] += 1
        elif pin in self._pins and high:
            name, other = self._pins[pin]
            if name == "LED":
                self._counts[name] += 1
            else:
                self._counts["wrong"] += self._levels.get(other, False)
                self._counts[name] += self._last[name] != pin
                self._last[name] = pin
        self._map[:] = LAYOUT.pack(*self._counts.values())


def read_witness(path: Path) -> dict[str, int]:
    """What has been counted so far."""
    return dict(zip(WITNESS, LAYOUT.unpack(path.read_bytes()), strict=True))


def main() -> None:
    config, until_ns = load(Path(sys.argv[1])), int(float(sys.argv[3]) * SECOND)
    witness = Witness(Path(sys.argv[2]), config.hardware)
    change_state = VirtualPin._change_state

    def changed(pin: VirtualPin, value: bool) -> bool:
        done: bool = change_state(pin, value)
        if done:
            witness.see(int(pin.info.name.removeprefix("GPIO")), bool(value))
        return done

    def made(config: Config, point: MeteringPoint) -> tuple[Hardware, SimulatedBoard]:
        hardware, board = parts(config, point.current_class)
        assert isinstance(hardware.hands, Hands)
        plan(hardware.hands, until_ns)
        VirtualPin._change_state = changed  # type: ignore[method-assign]
        return hardware, board

    assert config.simulation.board is not None
    current_class = program_of(config).metering.current_class
    path = Path(config.simulation.board)
    simulate(config, MeteringPoint(current_class), path, made, UTC_NS, lambda: print("ready", flush=True))


if __name__ == "__main__":
    main()
