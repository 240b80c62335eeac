"""An output by the frequency of its pulses, against the power that flowed meanwhile (P-6).

A reciprocal counter opens and closes its gate with edges, so a frequency is a whole number of pulses over their time.
Where the gate was is known to lie between the question and the reply; the load is taken to be as even there. Each
reading is an error of its own, and what they scatter by is what is not known of them: edges that are late, a load that
moves. No closure has a place in a frequency: missed and doubled ones are in the error alone.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from math import hypot, inf, sqrt
from statistics import fmean, stdev
from typing import Protocol

from calibration.budget import Budget, Component, Shape
from drivers.visa_counter import VisaFrequencyCounter
from drivers.visa_instrument import VisaInstrumentError
from rig.verify.errors import CountLost
from rig.verify.flow import Flow
from rig.verify.observed import CRYSTALS, TimelineClock
from rig.verify.plan import Plan, check_reached
from rig.verify.run import NO_LOAD_S, Output, Progress, State, Timeline

FREQUENCY = "frequency:"

LEAST_READINGS = 10
"""Fewer do not show how they scatter."""

MOST_READINGS = 100_000


@dataclass(frozen=True)
class Gate:
    """A frequency in Hz that was measured between two instants of the computer's monotonic clock."""

    hz: float
    from_ns: int
    to_ns: int


class FrequencyReader(Protocol):
    """An instrument that measures frequency; raises VisaInstrumentError."""

    def read_hz(self) -> float: ...

    def close(self) -> None: ...


class FrequencyCounter:
    """A frequency counter on a bus as a counter of a verification; `counter` is one that is open already."""

    def __init__(
        self,
        resource: str,
        query: str | None = None,
        *,
        counter: FrequencyReader | None = None,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.name = f"{FREQUENCY}{resource}"
        self._counter: FrequencyReader = VisaFrequencyCounter(resource, query) if counter is None else counter
        self._now_ns = now_ns

    def poll(self) -> list[Gate]:
        """Measure for a gate. Raises CountLost where it does not answer, or not with a frequency."""
        from_ns = self._now_ns()
        try:
            hz = self._counter.read_hz()
        except VisaInstrumentError as error:
            raise CountLost(f"the count broke off, and nothing is known of the rest: {error}") from None
        return [Gate(hz, from_ns, self._now_ns())]

    def close(self) -> None:
        """Let it go."""
        self._counter.close()


@dataclass(frozen=True)
class RateReading:
    """Energy by the pulses of a gate, and by the reference, over the same seconds."""

    pulses: float
    seconds: float
    energy_wh: float
    reference_wh: float

    @property
    def error_percent(self) -> float:
        """(metered − reference) / reference, in percent."""
        return 100 * (self.energy_wh - self.reference_wh) / self.reference_wh


class FrequencyRun:
    """A verification by frequency: pure, fed with windows and gates as they come. `lasting` are components of the
    reference and of the counter. Raises CountLost where nothing can be measured, VerifyError where what is wanted
    cannot be reached."""

    def __init__(self, output: Output, plan: Plan, time: Timeline, *, lasting: tuple[Component, ...] = ()) -> None:
        self.output, self.plan = output, plan
        self.state = State.WAITING
        self.flow = Flow()
        self.readings: list[RateReading] = []
        self.reference_half_wh = self.reference_scatter = 0.0
        crystals = Component("the counter's crystal and the FPGA's", 100 * CRYSTALS, Shape.RECTANGULAR)
        self._time, self._lasting = time, (crystals, *lasting)
        self._lasting_percent = Budget(self._lasting).expanded_percent
        check_reached(plan, self._lasting_percent)
        self._waiting: deque[tuple[float, int, int]] = deque()

    def add_window(self, begin_tick: int, end_tick: int, nwh: int, half_ticks: float = 0.0) -> None:
        """Take in energy of the output's quantity that has flowed. To what its readings are known is in the scatter."""
        self.flow.add(begin_tick, end_tick, nwh)
        self._attend()

    def take(self, gate: Gate, clock: TimelineClock) -> None:
        """Take in a frequency."""
        self._waiting.append((gate.hz, clock.tick_of(gate.from_ns), clock.tick_of(gate.to_ns)))
        self._attend()

    @property
    def over(self) -> bool:
        """True if there is nothing more to wait for."""
        return self.state is State.DONE

    @property
    def error_percent(self) -> float:
        """The mean error of the readings."""
        return fmean(each.error_percent for each in self.readings)

    @property
    def budget(self) -> Budget:
        """The budget of that mean: of n that scatter by s it is s/√n · √((n − 1)/(n − 3)) (GUM Supplement 1, 6.4.9)."""
        count = len(self.readings)
        if count < LEAST_READINGS:
            scatter = Component(f"scatter of {count} readings", inf)
        else:
            wider = sqrt((count - 1) / (count - 3))
            own = stdev(each.error_percent for each in self.readings) / sqrt(count) * wider
            scatter = Component(f"scatter of {count} readings", own, freedom=count - 1, random=True)
        return Budget((scatter, *self._lasting))

    @property
    def _beyond_percent(self) -> float:
        """Percent that readings cannot lessen, where it is more than is wanted: then the rest is brought to that."""
        return self._lasting_percent if self._lasting_percent >= self.plan.wanted_percent else 0.0

    @property
    def progress(self) -> Progress:
        """Progress so far."""
        pulses = int(sum(each.pulses for each in self.readings))
        if len(self.readings) < LEAST_READINGS:
            return Progress(self.state, 1, pulses, None, None, None, None)
        wanted = self.plan.pulses or pulses
        found = self.budget.expanded_percent
        return Progress(self.state, 1, pulses, max(wanted, pulses), None, self.error_percent, found)

    def _attend(self) -> None:
        flow, latency, hz = self.flow, self._time.latency_ticks, self._time.tick_hz
        if flow.begin_tick is None or flow.end_tick is None or self.over:
            return
        if not flow.total_nwh and flow.end_tick - flow.begin_tick > NO_LOAD_S * hz:
            raise CountLost(
                f"no {self.output.quantity} has flowed in {NO_LOAD_S:g} s: put a load on that {self.output.label} "
                "pulses for"
            )
        while self._waiting and self._waiting[0][2] - latency <= flow.end_tick and not self.over:
            frequency, begin, end = self._waiting.popleft()
            if begin - latency < flow.begin_tick or end <= begin:
                continue
            before, after = flow.at(begin - latency), flow.at(end - latency)
            assert before is not None
            assert after is not None
            if after <= before:
                raise CountLost(f"{self.output.label} pulses, and no energy flows by the reference: see to its wiring")
            self.state = State.COUNTING
            seconds = float((end - begin) / hz)
            pulses = frequency * seconds
            energy_wh = pulses * float(self.output.constant_wh)
            self.readings.append(RateReading(pulses, seconds, energy_wh, float((after - before) / 10**9)))
            self._count()

    def _count(self) -> None:
        """End it where it is long enough."""
        plan, readings = self.plan, self.readings
        if len(readings) < LEAST_READINGS:
            return
        if plan.pulses is not None:
            done = sum(each.pulses for each in readings) >= plan.pulses
        elif plan.seconds is not None:
            done = sum(each.seconds for each in readings) >= plan.seconds
        elif plan.energy_wh is not None:
            done = sum(each.energy_wh for each in readings) >= plan.energy_wh
        else:
            done = self.budget.expanded_percent <= hypot(plan.wanted_percent, self._beyond_percent)
            if not done and len(readings) >= MOST_READINGS:
                raise CountLost(f"{MOST_READINGS} readings do not reach an uncertainty of {plan.wanted_percent:g} %")
        if done:
            self.state = State.DONE
