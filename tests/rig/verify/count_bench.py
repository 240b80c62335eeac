"""One long run of a meter and its outputs, from which counters of every type are given any number of runs.

The load changes from line cycle to line cycle, by up to `swing`. Pulses are placed by the meter's own arithmetic
(PulseOutput), and leave it late by up to `late_s`, the sum of two waits. A run begins at a random instant of the long
one. What a counter has of it goes through the code that `rig verify` has for it: the FPGA's stamps, GpioCounter on two
lines, BusCounter on a totaliser, FrequencyCounter; all but the first on the computer's clock, which is off by up to
CRYSTAL and is compared with ticks once a second, within COMPARED_S.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from random import Random

from calibration.budget import Component
from drivers.pulse_inputs import InputEdge
from drivers.visa_counter import GATE_S
from drivers.visa_instrument import VisaInstrumentError
from rig.meter.billing.quantity import Quantity
from rig.meter.contacts.outputs import OutputId
from rig.meter.contacts.pulses import PulseOutput
from rig.verify.counters import BusCounter, GpioCounter
from rig.verify.frequency import FrequencyCounter, FrequencyRun
from rig.verify.observed import Counted, TimelineClock
from rig.verify.plan import Plan
from rig.verify.run import Output, Run, Timeline

HZ = Fraction(10_000_000, 3)
LATENCY = 400_000
WINDOW = 55_556
"""A cycle of 60 Hz."""

CONSTANT_WH = Fraction(3, 20)
KYZ1 = Output("KYZ1", "kWh delivered", CONSTANT_WH)

CRYSTAL = 30e-6
COMPARED_S = 0.0002
POLL_S = 0.05
ROUND_TRIP_S = (0.002, 0.01)


@dataclass(frozen=True)
class Edge:
    """A change-over of the output: its tick, exactly, and which contact closes."""

    tick: float
    closes_y: bool


Change = Callable[[list[Edge], Random], list[Edge]]
"""Makes of the edges of a run those that the counter sees."""


def unchanged(edges: list[Edge], chance: Random) -> list[Edge]:
    return edges


class LongRun:
    """Windows of so many seconds, and edges; `true` is what a pulse of it really is of the constant, `cycles` how many
    line cycles are in a window, as where records are merged."""

    def __init__(
        self,
        seconds: float,
        seed: int,
        *,
        watts: float = 7200.0,
        swing: float = 0.1,
        late_s: float = 0.0012,
        true: Fraction = Fraction(1),
        cycles: int = 1,
    ) -> None:
        chance = Random(seed)
        self.window = cycles * WINDOW
        output = PulseOutput(OutputId.KYZ1, Quantity.KWH_DELIVERED, CONSTANT_WH * true)
        self.windows: list[int] = []
        self.edges: list[Edge] = []
        for k in range(int(seconds * HZ / self.window)):
            nwh = round(watts * chance.uniform(1 - swing, 1 + swing) * self.window / HZ / 3600 * 10**9)
            self.windows.append(nwh)
            for tick in output.advance(nwh, k * self.window, self.window):
                late = (chance.random() + chance.random()) / 2 * late_s * float(HZ)
                self.edges.append(Edge(tick + LATENCY + late, len(self.edges) % 2 == 0))
        self._ticks = [edge.tick for edge in self.edges]
        self._totals = [0, *accumulate(self.windows)]

    def wh_at(self, tick: float) -> Fraction:
        """What had flowed by a tick."""
        whole, part = divmod(tick, self.window)
        return Fraction(self._totals[int(whole)] + self.windows[int(whole)] * Fraction(part) / self.window) / 10**9

    def watts_at(self, tick: float) -> float:
        """The power at a tick."""
        return self.windows[int(tick // self.window)] / 1e9 * 3600 * float(HZ) / self.window

    def taken(self, seconds: float, chance: Random) -> tuple[range, list[Edge]]:
        """The windows of a run from a random one on, and the edges in it."""
        count = int(seconds * HZ / self.window)
        first = chance.randrange(len(self.windows) - count)
        begin, end = first * self.window, (first + count) * self.window
        edges = self.edges[bisect_left(self._ticks, begin) : bisect_right(self._ticks, end)]
        return range(first, first + count), edges


class Line:
    """A line of the kernel's: edges numbered as they come, each stamped with the ns of the computer's clock."""

    initial = False

    def __init__(self) -> None:
        self.waiting: list[InputEdge] = []
        self.number = 0

    def put(self, at_ns: int, closed: bool) -> None:
        self.number += 1
        self.waiting.append(InputEdge(at_ns, closed, self.number))

    def drain(self) -> list[InputEdge]:
        edges, self.waiting = self.waiting, []
        return edges

    def read(self) -> bool:
        return False

    def close(self) -> None:
        pass


class BenchClock:
    """The computer's clock over ticks, and its comparisons."""

    def __init__(self, chance: Random) -> None:
        self.offset_ns = chance.randrange(10**12)
        self.rate = 1e9 / float(HZ) * (1 + chance.uniform(-CRYSTAL, CRYSTAL))
        self._chance, self.timeline = chance, TimelineClock(HZ)

    def ns(self, tick: float) -> int:
        return self.offset_ns + int(tick * self.rate)

    def compare(self, tick: int) -> None:
        width = self._chance.uniform(0.5, 1) * COMPARED_S * 1e9
        before = self.ns(tick) - int(self._chance.random() * width)
        self.timeline.compare(tick, before, before + int(width))

    def placed(self, counted: list[Counted]) -> Iterator[Counted]:
        """As Measurement places what a counter on this clock has."""
        return map(self.timeline.placed, counted)


class _Reciprocal:
    """A counter of frequency: its gate opens with the first edge after it is asked and closes with the first after
    GATE_S; it replies within the round trip. Its own crystal is off by up to CRYSTAL."""

    def __init__(self, edges: list[Edge], clock: BenchClock, chance: Random, crystal: float | None = None) -> None:
        self._ticks = [edge.tick for edge in edges]
        self._clock, self._chance = clock, chance
        self._crystal = 1 + (chance.uniform(-CRYSTAL, CRYSTAL) if crystal is None else crystal)
        self.now = 0.0

    def now_ns(self) -> int:
        return self._clock.ns(self.now)

    def read_hz(self) -> float:
        first = bisect_right(self._ticks, self.now)
        if first == len(self._ticks):
            raise VisaInstrumentError("no edges")
        last = bisect_left(self._ticks, self._ticks[first] + GATE_S * float(HZ))
        if last >= len(self._ticks):
            raise VisaInstrumentError("no more edges")
        self.now = self._ticks[last] + self._chance.uniform(*ROUND_TRIP_S) * float(HZ)
        return (last - first) / (self._ticks[last] - self._ticks[first]) * float(HZ) * self._crystal

    def close(self) -> None:
        pass


def frequency_run_of(
    long: LongRun,
    plan: Plan,
    seed: int,
    seconds: float,
    output: Output = KYZ1,
    *,
    crystal: float | None = None,
    lasting: tuple[Component, ...] = (),
) -> FrequencyRun:
    """Give a run by frequency, of a counter whose crystal is off by `crystal`, None: by up to CRYSTAL."""
    chance = Random(seed)
    windows, edges = long.taken(seconds, chance)
    run = FrequencyRun(output, plan, Timeline(HZ, LATENCY), lasting=lasting)
    clock = BenchClock(chance)
    reader = _Reciprocal(edges, clock, chance, crystal)
    counter = FrequencyCounter("a counter", counter=reader, now_ns=reader.now_ns)
    window = long.window
    reader.now, compared = float(windows.start * window + 20 * WINDOW), -float(10**9)
    for k in windows:
        end = (k + 1) * window
        if end - compared > HZ:
            clock.compare(end)
            compared = end
        run.add_window(k * window, end, long.windows[k])
        while reader.now <= end and not run.over and edges[-1].tick - end > 2 * HZ:
            for gate in counter.poll():
                run.take(gate, clock.timeline)
        if run.over:
            break
    return run


def run_of(
    kind: str, long: LongRun, plan: Plan, seed: int, seconds: float, change: Change = unchanged, output: Output = KYZ1
) -> Run:
    """Give a run counted by `kind`: fpga (one contact or lamp), form c, gpio or totaliser."""
    chance = Random(seed)
    windows, edges = long.taken(seconds, chance)
    edges = change(edges, chance)
    run = Run(output, plan, Timeline(HZ, LATENCY))
    counter = {"fpga": by_fpga, "form c": _by_form_c, "gpio": _by_gpio, "totaliser": _by_totaliser}[kind]
    counts = counter(edges, windows, long.window, run, chance)
    for k in windows:
        run.add_window(k * long.window, (k + 1) * long.window, long.windows[k])
        next(counts)
        if run.over:
            break
    return run


def by_fpga(edges: list[Edge], windows: range, window: int, run: Run, chance: Random) -> Iterator[None]:
    place = 0
    run.counted(Counted(0, 0, 0))
    for k in windows:
        while place < len(edges) and edges[place].tick <= (k + 1) * window:
            place += 1
            tick = int(edges[place - 1].tick)
            run.counted(Counted(place, tick, tick))
        yield


def _by_form_c(edges: list[Edge], windows: range, window: int, run: Run, chance: Random) -> Iterator[None]:
    """The FPGA's counter of a form C: a change from one contact to the other counts, one that closes twice running is
    illegal and does not (gateware/pulse_counters.py)."""
    place = pulses = illegal = 0
    run.counted(Counted(0, 0, 0))
    last: bool | None = None
    for k in windows:
        while place < len(edges) and edges[place].tick <= (k + 1) * window:
            edge, place = edges[place], place + 1
            if edge.closes_y is last:
                illegal += 1
                run.illegal = illegal
                continue
            last, pulses = edge.closes_y, pulses + 1
            run.counted(Counted(pulses, int(edge.tick), int(edge.tick)))
        yield


def _by_gpio(edges: list[Edge], windows: range, window: int, run: Run, chance: Random) -> Iterator[None]:
    clock, y, z = BenchClock(chance), Line(), Line()
    now, place, compared = windows.start * window, 0, -(10**9)
    counter = GpioCounter("gpio:14,15", [y, z], lambda: clock.ns(now))
    for k in windows:
        now = (k + 1) * window
        if now - compared > HZ:
            clock.compare(now)
            compared = now
        while place < len(edges) and edges[place].tick <= now:
            edge, place = edges[place], place + 1
            opens, closes = (z, y) if edge.closes_y else (y, z)
            opens.put(clock.ns(edge.tick), False)
            closes.put(clock.ns(edge.tick), True)
        for counted in clock.placed(counter.poll()):
            run.counted(counted)
        yield


class _Total:
    """A totaliser that has counted the edges up to the instant at which it is read, within the round trip."""

    def __init__(self, edges: list[Edge], clock: BenchClock, chance: Random) -> None:
        self._ticks = [edge.tick for edge in edges]
        self._clock, self._chance = clock, chance
        self.now = 0.0

    def now_ns(self) -> int:
        return self._clock.ns(self.now)

    def read(self) -> int:
        trip = self._chance.uniform(*ROUND_TRIP_S) * float(HZ)
        at = self.now + self._chance.random() * trip
        self.now += trip
        return bisect_right(self._ticks, at)

    def close(self) -> None:
        pass


def _by_totaliser(edges: list[Edge], windows: range, window: int, run: Run, chance: Random) -> Iterator[None]:
    clock = BenchClock(chance)
    total = _Total(edges, clock, chance)
    counter = BusCounter("a totaliser", counter=total, now_ns=total.now_ns)
    total.now = float(windows.start * window)
    compared = -float(10**9)
    for k in windows:
        if (k + 1) * window - compared > HZ:
            clock.compare((k + 1) * window)
            compared = (k + 1) * window
        while total.now <= (k + 1) * window:
            for counted in clock.placed(counter.poll()):
                run.counted(counted)
            total.now += POLL_S * float(HZ)
        yield
