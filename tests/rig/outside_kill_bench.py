"""A metering process killed with SIGKILL at any instant, over and over, judged from outside (S-3, P-2, P-5).

    python -m tests.rig.outside_kill_bench FOLDER KILLS SEED [SECONDS]

The simulated board lives on in its own process (tests/rig/outside_board.py). Each metering process takes over from the
one before and meters in real time until it is killed. It is forked from this one, which has loaded everything, so that
most of the time is metering; what a start from nothing costs, tests/rig/takeover_bench.py measures.

What is compared, and with what:

- at each kill: the board's own counts at its pins never exceed what the meter was asked for, and are behind by no more
  than the constant latency holds;
- now and then, after an orderly end: flashes and transitions, counted by the board and by the FPGA's counters, equal
  register over constant exactly; closings of inputs equal the plan's;
- at the end: registers, demand, recorder and outputs equal those of a meter that was never disturbed, on the same board
  in one process, record for record.

Only one thing is taken from the clocks: the computer's time of day is the board's crystal's, in both, so that a window
is at the same instant of UTC in both, to the ns.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from bisect import bisect_right
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import msgspec

import rig.service.board
from drivers.clock import Clock
from drivers.counters import PulseCounters
from drivers.spi_link import SpiLink
from rig.hardware.config import Config, load
from rig.hardware.realtime import PRIORITY
from rig.hardware.selection import open_hardware, program_of
from rig.meter.meter import MeterState, RunningState
from rig.service.board_time import BoardTime
from rig.service.running import Running, decoded_running
from rig.service.service import Service
from rig.store.ring import StateRing
from rig.store.store import Store
from tests.rig.outside_board import QUIET_NS, SECOND, closings, read_witness

PROGRAM = """
[meter]
ks_wh = "0.36"
[clock]
zone = "UTC"
[demand]
method = "block"
allow_short_interval = true
interval_minutes = 1
[recorder]
interval_minutes = 1
channels = [
    { metric = "kWh delivered", pulse = "0.1" },
    { metric = "kvarh lagging", pulse = "0.1" },
    { metric = "input 1", pulse = "1" },
    { metric = "input 2", pulse = "1" },
]
[[inputs]]
name = "IN1"
function = "record"
weight = "1"
[[inputs]]
name = "IN2"
function = "record"
weight = "1"
[[outputs]]
name = "KYZ1"
function = "pulses"
kp_wh = "0.082"
[[outputs]]
name = "KYZ2"
function = "pulses"
quantity = "kWh delivered"
kp_wh = "0.085"
[[outputs]]
name = "KYZ3"
function = "pulses"
quantity = "kVAh rms"
kp_wh = "0.087"
[[outputs]]
name = "KYZ4"
function = "pulses"
quantity = "kVAh td lagging"
kp_wh = "0.09"
"""
CONSTANTS = {"LED": (0, 360_000_000), "KYZ1": (0, 82_000_000), "KYZ2": (0, 85_000_000), "KYZ3": (2, 87_000_000)}
CONSTANTS["KYZ4"] = (3, 90_000_000)
"""By output the place of its energy in the first quadrant, and its constant in nWh, as PROGRAM has them."""

RIG = """
[simulation]
board = "board.sock"
sensors = "ideal"
[meter]
program = "meter.toml"
store = "store"
ring = "meter.ring"
"""
IN_FLIGHT = 20
"""Pulses of an output that may be on their way: 0.12 s of latency, windows, and a slow poll, at 53 a second."""

SETTLES_NS = 4_000_000
"""A closing counts once it has stood for 3 ms, and is looked for 1 ms later (drivers/pulse_inputs.py)."""

MOST_ALIVE_S = 0.7
FIRST_ALIVE_S = 0.12
"""The first meter dies before its first pulse, or just after: what outputs never did is then taken over."""

ORDERLY = 50
"""Every so many kills the meter ends in good order, and all is compared exactly."""


class CrystalTime(BoardTime):
    """The clock's ns and the board's ticks are of one crystal, and both began at 0; the time of day is theirs too."""

    def __init__(self, link: SpiLink, clock: Clock, tick_hz: Any) -> None:
        super().__init__(link, clock, tick_hz)

    def begin(self) -> int:
        return self.read()[0]

    def begin_at(self, tick: int, now_ns: int) -> None:
        """They began at 0."""

    def go_on(self, tick: int, now_ns: int) -> None:
        """Nothing is to be learnt of it."""

    def compare(self) -> None:
        """They agree."""


@dataclass(frozen=True)
class Place:
    """The files of a bench."""

    folder: Path

    def prepare(self) -> None:
        (self.folder / "meter.toml").write_text(PROGRAM)
        (self.folder / "rig.toml").write_text(RIG)

    @property
    def config(self) -> Config:
        return load(self.folder / "rig.toml")

    @property
    def witness(self) -> dict[str, int]:
        return read_witness(self.folder / "witness")

    @property
    def running(self) -> Running | None:
        """What the ring holds; None before the first state."""
        ring = StateRing(self.folder / "meter.ring")
        state = ring.newest
        ring.close()
        return None if state is None else decoded_running(state)


def meter(place: Place, pipe: int) -> None:
    """Meter until killed, or in good order until the next quiet time after SIGTERM; tell when it has begun."""
    stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: stop.append(number))
    config = place.config
    program = program_of(config)
    assert config.meter.store is not None
    hardware = open_hardware(config, program.metering.current_class)
    service = Service(hardware, config, program, Store.open(Path(config.meter.store)))
    with suppress(OSError):  # as the daemon has it (rig/hardware/realtime.py)
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    if not service.took_over:
        PulseCounters(hardware.link).open()
    service.begin()
    note = {"took_over": service.took_over, "utc_ns": service.meter.billing.now_ns}
    told = False
    newest_ns = 0
    while not (stop and newest_ns % QUIET_NS > QUIET_NS - SECOND * 3 // 10):
        for result in service.run(hardware.clock.now_ns() + SECOND // 20):
            if not told:
                note |= {"faults": [fault.label for fault in result.window.faults], "tick": result.window.tick_start}
                os.write(pipe, msgspec.json.encode(note))
                told = True
            assert result.window.record.windows == 1, "the board has room for all: nothing is merged"
            newest_ns = int(result.window.tick_end * SECOND / hardware.link.identity.tick_hz)
    service.finish()
    counters = {each.counter.name: [each.pulses, each.illegal] for each in PulseCounters(hardware.link).read()}
    hardware.close()
    (place.folder / "fpga").write_bytes(msgspec.json.encode(counters))


def forked(place: Place) -> tuple[int, int]:
    """A metering process, and what it tells through."""
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reads)
        status = 1
        try:
            meter(place, writes)
            status = 0
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(writes)
    return child, reads


def told(reads: int, wait_s: float) -> dict[str, Any] | None:
    """What it has told within a time."""
    ready, _, _ = select.select([reads], [], [], wait_s)
    return msgspec.json.decode(os.read(reads, 4096)) if ready else None


class Bench:
    """One board and the meters on it. `found` counts what was wrong; all of it must be 0."""

    def __init__(self, place: Place, rng: Random) -> None:
        self._place, self._rng = place, rng
        self.found: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        self.first_tick: int | None = None
        self.first_utc_ns = 0
        self.start_s: list[float] = []

    def kill(self) -> None:
        """Start a meter and kill it at a random instant, most often once it has begun."""
        child, reads = forked(self._place)
        begun_s = time.monotonic()
        if self.first_tick is None or self._rng.random() < 0.8:
            self._note(told(reads, 60), begun_s)
        first = self.done["kills"] == 0
        while first and self._place.running is None:  # one killed before that would leave an outage
            time.sleep(0.001)
        time.sleep(self._rng.uniform(0, FIRST_ALIVE_S if first else MOST_ALIVE_S))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reads)
        self.done["kills"] += 1
        self._look()

    def _note(self, note: dict[str, Any] | None, begun_s: float) -> None:
        assert note is not None, "the meter did not begin"
        self.start_s.append(time.monotonic() - begun_s)
        if self.first_tick is None:
            self.first_tick, self.first_utc_ns = note["tick"], note["utc_ns"]
        else:
            self.done["took over"] += note["took_over"]
            self.found["starts that did not take over"] += not note["took_over"]
            self.found["records missing or doubled"] += len(note["faults"])

    def _look(self) -> None:
        """What the board has seen at its pins, beside what the meter was asked for."""
        seen, running = self._place.witness, self._place.running
        if running is None:
            return
        for output, asked in running.asked.items():
            behind = asked - seen[output.label]
            self.found["pulses seen that no register has"] += behind < 0
            self.found["pulses far behind"] += behind > IN_FLIGHT
        self.found["contacts both closed"] += seen["wrong"]

    def end_in_order(self) -> Running:
        """Start a meter, end it in good order, compare everything; what it left."""
        child, reads = forked(self._place)
        self._note(told(reads, 60), time.monotonic())
        os.kill(child, signal.SIGTERM)
        _, status = os.waitpid(child, 0)
        os.close(reads)
        assert status == 0, f"the meter ended with {status}"
        running, seen = self._place.running, self._place.witness
        assert running is not None
        billing = running.saved.meter.billing
        assert billing.registers is not None
        counters = json.loads((self._place.folder / "fpga").read_text())
        for name, (kind, constant) in CONSTANTS.items():
            register = sum(billing.registers.energy[kind::4])
            due = register // constant
            self.found["pulses off, of the board's count"] += abs(due - seen[name])
            # To the FPGA's counter of two contacts the first closure is no change from the other one.
            self.found["pulses off, of the FPGA's count"] += abs(due - counters[name][0] - (name != "LED"))
            # After an orderly end, which opens it, each output closes the contact again that it had closed last.
            again = self.done["compared exactly"] * (name != "LED")
            self.found["closures of one contact twice running"] += abs(counters[name][1] - again)
            self.done[f"{name} pulses"] = due
        for number, name in enumerate(("input1", "input2")):
            planned = bisect_right(closings(name, running.polled_ns), running.polled_ns - SETTLES_NS)
            self.found["input pulses off"] += abs(billing.inputs[number] - planned)
            self.found["input pulses off, of the board's count"] += abs(billing.inputs[number] - seen[name])
            self.done[f"{name} pulses"] = planned
        self.done["compared exactly"] += 1
        return running


def state_of(running: Running) -> dict[str, Any]:
    """What must equal an undisturbed meter's: registers, demand, recorder, rates, inputs, and the outputs' pulses."""
    return plain(running.saved.meter, running.meter)


def plain(state: MeterState, running: RunningState) -> dict[str, Any]:
    """As plain data, but for up to when the calendar was looked at, which each save does."""
    billing = msgspec.to_builtins(state.billing, str_keys=True)
    del billing["followed_ns"]
    outputs = msgspec.to_builtins(state.outputs, str_keys=True)
    return {"billing": billing, "outputs": outputs, "clock": msgspec.to_builtins(running.clock)}


def undisturbed(place: Place, first_tick: int, utc_ns: int, last_tick: int) -> dict[str, Any]:
    """The same of a meter on the same board in this process, from its first window, at a time of day, to the end of the
    last record."""
    from tests.rig import outside_board

    config = place.config
    program = program_of(config)
    hardware, _ = outside_board.parts(config, program.metering.current_class)
    outside_board.plan(hardware.hands, int(last_tick / hardware.link.identity.tick_hz * SECOND) + SECOND)  # type: ignore[arg-type]
    service = Service(hardware, config, program)
    hardware.clock.utc_ns = lambda: utc_ns  # type: ignore[method-assign]
    service.begin(first_tick)
    for result in service.run(1 << 62):
        if result.window.tick_end == last_tick:
            break
    service._attend_front()
    running = service.meter.running
    assert running is not None
    return plain(service.meter.state, running)


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """Where two trees of plain data differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = one.keys() | other.keys()
        return [d for key in sorted(keys) for d in differences(one.get(key), other.get(key), f"{path}.{key}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [d for k, (a, b) in enumerate(zip(one, other, strict=True)) for d in differences(a, b, f"{path}[{k}]")]
    return [] if one == other else [f"{path}: {one!r} and {other!r}"[:300]]


def run(folder: Path, kills: int, seed: int, most_s: float) -> dict[str, Any]:
    """Kill so many meters, or as many as the time allows; what was found."""
    until_s = time.monotonic() + most_s
    rig.service.board.BoardTime = CrystalTime  # type: ignore[misc]
    policy = os.sched_getscheduler(0), os.sched_getparam(0)
    with suppress(OSError):  # so that a busy computer does not make the dead times long; below board and meter
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY - 2))
    place = Place(folder)
    place.prepare()
    words = ("-m", "tests.rig.outside_board", folder / "rig.toml", folder / "witness", most_s + 300)
    with subprocess.Popen([sys.executable, *map(str, words)], stdout=subprocess.PIPE, text=True) as board:
        try:
            assert board.stdout is not None
            assert board.stdout.readline() == "ready\n"
            bench = Bench(place, Random(seed))
            for number in range(kills):
                if time.monotonic() > until_s:
                    break
                bench.kill()
                if number % ORDERLY == ORDERLY - 1:
                    bench.end_in_order()
            running = bench.end_in_order()
        finally:
            board.terminate()
    os.sched_setscheduler(0, *policy)
    assert bench.first_tick is not None
    left = state_of(running)
    expected = undisturbed(place, bench.first_tick, bench.first_utc_ns, running.meter.measurement.tick)
    unlike = differences(left, expected)
    bench.found["figures unlike an undisturbed meter's"] += len(unlike)
    starts = sorted(bench.start_s)
    return {
        "found": bench.found,
        "done": bench.done | {"seconds": round(running.polled_ns / SECOND)},
        "unlike": unlike[:20],
        "start_s": {"median": starts[len(starts) // 2], "most": starts[-1]},
    }


def main() -> None:
    kills, most_s = int(sys.argv[2]), float(sys.argv[4]) if len(sys.argv) > 4 else 7200.0
    print(json.dumps(run(Path(sys.argv[1]), kills, int(sys.argv[3]), most_s), indent=1))


if __name__ == "__main__":
    main()
