"""One verification from its first closure to its last: pure, fed with windows and counts as they come (P-6).

    state       begins with                                     ends with
    waiting     the first window                                the first closure after it whose energy is known
    counting    that closure, or the one after a repeat's last  as many pulses as the plan has, by the scatter so far
    done        the last repeat's last closure                  -
    stopped     STOPPED_PULSES of energy without a closure      -

An edge leaves the meter a constant latency after its energy has flowed, so at the edge's tick less the latency exactly
a whole number of pulses has. What that comes out as instead is the error; how it scatters from one edge to the next is
how well edges are known.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from enum import Enum
from fractions import Fraction
from math import ceil, floor, sqrt
from statistics import fmean

from calibration.budget import Budget, Component, budget
from rig.verify.closures import Closure, ClosureFault, Fault, judge
from rig.verify.comparison import Comparison
from rig.verify.count_uncertainty import (
    EDGE_S,
    LATE_S,
    ROUNDED_TICKS,
    EdgeScatter,
    ReferenceReadings,
    Seen,
    count_components,
)
from rig.verify.errors import CountLost
from rig.verify.flow import Flow
from rig.verify.observed import Counted, TimelineClock
from rig.verify.plan import LEAST_PULSES, Plan, check_reached
from rig.verify.scatter import scatter_s

NANO = 10**9

STOPPED_PULSES = Fraction(7, 2)
STOPPED_S = 2.0
"""With so much energy, and so long, since the last closure no more are coming: edges are late by far less."""

NO_LOAD_S = 10.0
"""So long without any energy of the output's quantity, and there is no load."""

RECKONED, LONGER = 1.25, 1.01
"""The scatter is found anew each time that there are a quarter more closures, and at the end, which may then be by a
hundredth later at least."""

MOST_LONGER = 4
"""A count that says neither yes nor no goes on up to so many times the pulses that its uncertainty takes: one edge in a
thousand is late by milliseconds, and may be the last."""


class State(Enum):
    """State of a verification."""

    WAITING = "waiting"
    COUNTING = "counting"
    DONE = "done"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Output:
    """Output that is verified: its quantity, and the constant in Wh that it should have."""

    label: str
    quantity: str
    constant_wh: Fraction


@dataclass(frozen=True)
class Timeline:
    """Ticks a second, and ticks from the instant of a pulse to its edge."""

    tick_hz: Fraction
    latency_ticks: int


@dataclass(frozen=True)
class Repeat:
    """One count from a closure to another: its comparison, seconds, and what is uncertain of it."""

    comparison: Comparison
    seconds: float
    components: tuple[Component, ...]


@dataclass(frozen=True)
class Progress:
    """Progress so far: `pulses` of `wanted` in repeat number `repeat`, from 1; the error so far."""

    state: State
    repeat: int
    pulses: int
    wanted: int | None
    seconds_left: float | None
    error_percent: float | None
    uncertainty_percent: float | None


class Run:
    """A verification; `lasting` are components of the reference that no count lessens, `reference_half_wh` is what its
    readings are known to, `reference_scatter` how far they move from one to the next, of themselves. Raises CountLost
    where nothing can be counted, VerifyError where what is wanted cannot be reached."""

    def __init__(self, output: Output, plan: Plan, time: Timeline, *, lasting: tuple[Component, ...] = ()) -> None:
        check_reached(plan, Budget(lasting).expanded_percent)
        self.output, self.plan = output, plan
        self.state = State.WAITING
        self.flow = Flow()
        self.repeats: list[Repeat] = []
        self.illegal = 0
        self.reference_half_wh = self.reference_scatter = 0.0
        self._readings = ReferenceReadings()
        self._time, self._lasting = time, lasting
        self._seen: list[Seen] = []
        self._waiting: deque[Counted] = deque()
        self._base: int | None = None
        self._begin = self._first_tick = self._skipped = 0
        self._edge_s, self._reckoned = EDGE_S, 0
        self._wanted: int | None = None
        self._enough = 0
        self._stopped_nwh = int(STOPPED_PULSES * self._constant_nwh)

    # --- what comes -------------------------------------------------------------------------------------------

    def add_window(self, begin_tick: int, end_tick: int, nwh: int, half_ticks: float = 0.0) -> None:
        """Take in energy of the output's quantity that has flowed, up to a tick known to plus or minus `half_ticks`."""
        if half_ticks:
            self._readings.add(end_tick, half_ticks)
        if self.flow.begin_tick is None:
            self._first_tick = begin_tick
        self.flow.add(begin_tick, end_tick, nwh)
        self._attend()

    def take(self, count: Counted, clock: TimelineClock) -> None:
        """Take in a count on the computer's clock."""
        self.counted(clock.placed(count))

    def counted(self, count: Counted) -> None:
        """Take in a count, in ticks; the first says where counting begins."""
        if self._base is None:
            self._base = count.pulses
        last = self._waiting[-1].pulses if self._waiting else self._last_pulses
        if count.pulses < last:
            raise CountLost(
                f"the counter of {self.output.label} has {count.pulses} pulses and had {last}: it was reset, or "
                "rolled over, in mid-count; begin again"
            )
        if count.pulses > last:
            self._waiting.append(count)
        self._attend()

    @property
    def _last_pulses(self) -> int:
        assert self._base is not None
        return self._base + (self._seen[-1].closure.number if self._seen else self._skipped)

    # --- what it comes to -------------------------------------------------------------------------------------

    @property
    def over(self) -> bool:
        """True if there is nothing more to wait for."""
        return self.state in (State.DONE, State.STOPPED)

    @property
    def faults(self) -> list[ClosureFault]:
        """Faults of the closures so far."""
        closures = [seen.closure for seen in self._seen]
        if self.reference_half_wh:
            coarse = Fraction(self.reference_half_wh) * NANO
            closures = [replace(each, half_nwh=each.half_nwh + coarse) for each in closures]
        end = None
        if self.state is State.STOPPED:
            end = self._at_s(self._known_tick), Fraction(self.flow.total_nwh)
        found = judge(closures, self._constant_nwh, end)
        if self.illegal and closures:
            found.append(
                ClosureFault(Fault.BOTH_CLOSED, self.illegal, closures[0].number, closures[0].at_s, closures[-1].at_s)
            )
        return found

    @property
    def edges(self) -> list[tuple[Closure, float]]:
        """Each closure, and how many pulses it was late against the reference, by the constant, from the first one on:
        a wrong constant is a slope, a missed closure a step of 1 up, a doubled one a step of 1 down."""
        if not self._seen:
            return []
        first, constant = self._seen[0].closure, self._constant_nwh
        return [
            (each, float((each.flowed_nwh - first.flowed_nwh) / constant - (each.number - first.number)))
            for each in (seen.closure for seen in self._seen)
        ]

    @property
    def errors_percent(self) -> list[float]:
        """The error of each repeat."""
        return [float(each.comparison.error_percent) for each in self.repeats]

    @property
    def error_percent(self) -> float:
        """The mean error of the repeats."""
        return fmean(self.errors_percent)

    @property
    def budget(self) -> Budget:
        """The budget of that mean."""
        return budget([each.components for each in self.repeats], self.errors_percent)

    @property
    def progress(self) -> Progress:
        """Progress so far."""
        made = self._made()
        if made is None:
            return Progress(self.state, len(self.repeats) + 1, 0, self._wanted, None, None, None)
        wanted, pulses = self._wanted, made.comparison.pulses
        left = None if wanted is None else max(0, wanted - pulses) * made.seconds / pulses
        uncertainty = budget([made.components], [0.0]).expanded_percent
        error = float(made.comparison.error_percent)
        return Progress(self.state, len(self.repeats) + 1, pulses, wanted, left, error, uncertainty)

    # --- within -----------------------------------------------------------------------------------------------

    @property
    def _constant_nwh(self) -> Fraction:
        return self.output.constant_wh * NANO

    @property
    def _known_tick(self) -> int:
        """Edges up to there have their energy."""
        return (self.flow.end_tick or 0) + self._time.latency_ticks

    def _at_s(self, tick: Fraction | int) -> Fraction:
        """Seconds since the first window."""
        return (Fraction(tick) - self._first_tick - self._time.latency_ticks) / self._time.tick_hz

    def _attend(self) -> None:
        if self.over or self.flow.begin_tick is None:
            return
        while self._waiting and not self.over:
            count = self._waiting[0]
            if count.latest + count.slack > self._known_tick:
                break
            self._waiting.popleft()
            self._see(count)
        if not self.over:
            self._watch()

    def _see(self, count: Counted) -> None:
        """A closure whose energy is known."""
        assert self._base is not None
        tick = Fraction(count.earliest + count.latest, 2)
        wide = count.latest - count.earliest
        half = Fraction(max(ROUNDED_TICKS, wide), 2)
        instant = floor(tick) - self._time.latency_ticks
        if instant < self._first_tick:
            self._skipped = count.pulses - self._base
            return
        flowed = self.flow.at(instant)
        assert flowed is not None
        half_nwh = self._half_nwh(count) if wide or count.slack or self._readings.ticks else Fraction(0)
        closure = Closure(count.pulses - self._base, self._at_s(tick), flowed, count.contact, half_nwh)
        self._seen.append(Seen(closure, tick, half, count.comparison, count.clock, self._late_nwh(instant)))
        self._stopped_nwh = int(flowed + STOPPED_PULSES * self._constant_nwh)
        if self.state is State.WAITING:
            self.state = State.COUNTING
        self._count()

    def _late_nwh(self, instant: int) -> Fraction:
        """Energy that flows in LATE_S, by the power just before an instant."""
        late = int(LATE_S * self._time.tick_hz)
        begin = max(self._first_tick, instant - late)
        now, before = self.flow.at(instant), self.flow.at(begin)
        assert now is not None
        assert before is not None
        return (now - before) * late / (instant - begin) if begin < instant else Fraction(0)

    def _half_nwh(self, count: Counted) -> Fraction:
        """Half of what flowed in all the time in which a closure can have come, and the reference have been read."""
        assert self.flow.end_tick is not None
        latency, slack = self._time.latency_ticks, count.slack
        if self._readings.ticks:
            slack += ceil(self._readings.half_ticks_at(Fraction(count.latest - latency)))
        least = self.flow.at(max(self._first_tick, count.earliest - slack - latency))
        most = self.flow.at(min(self.flow.end_tick, count.latest + slack - latency))
        assert least is not None
        assert most is not None
        return (most - least) / 2

    def _count(self) -> None:
        """End a repeat that has pulses enough."""
        made = self._made()
        if made is None:
            return
        if len(self._seen) >= self._reckoned:
            made = self._reckon(made)
        assert self._wanted is not None
        if made.comparison.pulses >= self._wanted and self.plan.by_uncertainty and not self.repeats:
            made = self._reckon(made, longer=True)
            if made.comparison.pulses >= self._wanted and self._undecided(made):
                self._wanted = ceil(made.comparison.pulses * RECKONED)
        if made.comparison.pulses >= self._wanted:
            self.repeats.append(made)
            self._begin = len(self._seen)
            if len(self.repeats) == self.plan.repeats:
                self.state = State.DONE

    def _undecided(self, made: Repeat) -> bool:
        """Say whether more pulses may decide: the error is within the limit, and may be beyond by its uncertainty, in a
        count of no more than MOST_LONGER times what that uncertainty takes."""
        error, limit = abs(float(made.comparison.error_percent)), self.plan.limit_percent
        self._enough = self._enough or made.comparison.pulses
        expanded = budget([made.components], [0.0]).expanded_percent
        return error <= limit < error + expanded and made.comparison.pulses < MOST_LONGER * self._enough

    def _reckon(self, made: Repeat, *, longer: bool = False) -> Repeat:
        """Find anew how edges scatter, and so how many pulses it takes; the repeat with that. `longer`: if more than so
        far, then by a hundredth at least, as it is found anew at the end of each stretch."""
        self._edge_s = self._scatter_s()
        self._reckoned = max(LEAST_PULSES, int(len(self._seen) * RECKONED))
        made = self._made() or made
        if not self.repeats:
            rate = made.comparison.pulses / made.seconds
            before, self._wanted = self._wanted, self.plan.pulses_of(self.output.constant_wh, rate, _instant_s(made))
            if longer and before is not None and self._wanted > made.comparison.pulses:
                self._wanted = max(self._wanted, ceil(before * LONGER))
        return made

    def _made(self) -> Repeat | None:
        """The repeat that is being counted, if it ended now; None before there is anything to compare."""
        if self._begin + 1 >= len(self._seen):
            return None
        first, last = self._seen[self._begin], self._seen[-1]
        if last.closure.flowed_nwh <= first.closure.flowed_nwh:
            return None
        seconds = float((last.tick - first.tick) / self._time.tick_hz)
        reference_wh = (last.closure.flowed_nwh - first.closure.flowed_nwh) / NANO
        pulses = last.closure.number - first.closure.number
        comparison = Comparison(pulses, self.output.constant_wh, reference_wh)
        edges = EdgeScatter(self._edge_s, len(self._seen))
        readings = self._readings.known_to(self.reference_half_wh, self.reference_scatter)
        random = count_components(first, last, edges, readings, float(self._time.tick_hz), self._time.latency_ticks)
        return Repeat(comparison, seconds, (*random, *self._lasting))

    def _scatter_s(self) -> float:
        """The standard deviation of an edge's instant."""
        if len(self._seen) < LEAST_PULSES:
            return EDGE_S
        first, last = self._seen[0], self._seen[-1]
        seconds = float((last.tick - first.tick) / self._time.tick_hz)
        return scatter_s([seen.closure for seen in self._seen], self._constant_nwh, seconds)

    def _watch(self) -> None:
        """See whether anything still comes."""
        assert self.flow.end_tick is not None
        hz = self._time.tick_hz
        if not self.flow.total_nwh:
            if (self.flow.end_tick - self._first_tick) / hz > NO_LOAD_S:
                raise CountLost(
                    f"no {self.output.quantity} has flowed in {NO_LOAD_S:g} s: put a load on that {self.output.label} "
                    "pulses for"
                )
            return
        if self._waiting or self.flow.total_nwh < self._stopped_nwh:
            return
        last_tick = self._seen[-1].tick - self._time.latency_ticks if self._seen else self._first_tick
        if (self.flow.end_tick - last_tick) / hz < STOPPED_S:
            return
        if not self._seen:
            raise CountLost(
                f"{self.output.label} was to pulse {int(self.flow.total_nwh / self._constant_nwh)} times, and the "
                "counter has counted nothing: see to its wiring"
            )
        if not self.repeats and (made := self._made()) is not None:
            self.repeats.append(made)
        self.state = State.STOPPED


def _instant_s(made: Repeat) -> float:
    """The standard uncertainty of either end of a count that comes to all that is random in it."""
    percent = sqrt(sum(part.standard_percent**2 for part in made.components if part.random))
    return percent / 100 * made.seconds / sqrt(2)
