"""The demand registers of a meter (Q-4, Q-5): block, sliding or thermal, in total and by rate.

Told of energy, of the ends of sub-intervals and of what disturbs them; when those are is for the caller to know. What
each does, where "-" is nothing:

    told of          block, sliding  thermal  maxima and peaks         previous  cumulative
    take             rises           moves    thermal: counted         -         -
    idle             -               falls    -                        -         -
    end_subinterval  oldest leaves   -        counted                  set       -
    cut              cleared         -        counted                  set       -
    reset            cleared         -        counted, then begun new  -         grows

A reset ends no interval: it goes on to its boundary with only what comes after. New maxima begin at 0, those of thermal
demand where the pointer is. The demand of a rate is the energy registered in that rate, over the whole interval;
thermal demand is one lag, and the maximum of a rate its highest while in that rate.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from rig.meter.billing.averaging import ThermalAveraging, ThermalState, WindowAveraging, WindowState
from rig.meter.billing.maxima import Maxima, MaximaState, Maximum, ResetValues
from rig.meter.billing.quantity import Quantity
from rig.meter.billing.time_units import MINUTE_S

HOUR_MIN = 60
MOST_QUANTITIES = 3

_TEXT = re.compile(r"(?:(block|thermal):(\d{1,4})|(sliding):(\d{1,4})x(\d{1,4}))", re.ASCII)


class DemandKind(Enum):
    """Method by which demand is averaged."""

    BLOCK = "block"
    SLIDING = "sliding"
    THERMAL = "thermal"


@dataclass(frozen=True)
class DemandSettings:
    """Demand as programmed: averaging and 1 to MOST_QUANTITIES quantities; the first is the one whose peaks are kept.

    `subinterval_s` is the interval of block demand, one of the `subintervals` that make a sliding interval, or the
    response time to 90 % of thermal demand. It is whole minutes that divide an hour, so boundaries fall on the hour;
    a sliding interval is an hour at most. A net quantity can fall: it has no demand. Raises ValueError.
    """

    kind: DemandKind
    subinterval_s: int
    subintervals: int = 1
    quantities: tuple[Quantity, ...] = (Quantity.KWH_DELIVERED,)

    def __post_init__(self) -> None:
        lengths = [m for m in range(1, HOUR_MIN + 1) if HOUR_MIN % m == 0]
        if self.subinterval_s not in [m * MINUTE_S for m in lengths]:
            given = f"{self.subinterval_s / MINUTE_S:g} min"
            raise ValueError(f"{self.kind.value} demand of {given}: give {_listed(lengths)} minutes")
        if self.kind is not DemandKind.SLIDING:
            if self.subintervals != 1:
                raise ValueError(f"{self.kind.value} demand has 1 sub-interval, not {self.subintervals}")
        elif not 2 <= self.subintervals <= HOUR_MIN * MINUTE_S // self.subinterval_s:
            raise ValueError(
                f"sliding demand of {self.subintervals} sub-intervals of {self.subinterval_s // MINUTE_S} min: "
                f"give 2 or more, {HOUR_MIN} minutes at most in all"
            )
        if not 1 <= len(self.quantities) <= MOST_QUANTITIES:
            raise ValueError(f"demand of {len(self.quantities)} quantities: give 1 to {MOST_QUANTITIES}")
        names = _listed([repr(q.value) for q in self.quantities], "and")
        if len(set(self.quantities)) < len(self.quantities):
            raise ValueError(f"demand of {names}: give each quantity once")
        for quantity in self.quantities:
            if quantity.net:
                raise ValueError(f"demand of {quantity.value!r}: a net quantity can fall and has no demand")

    @classmethod
    def parse(cls, text: str, quantities: tuple[Quantity, ...] = (Quantity.KWH_DELIVERED,)) -> DemandSettings:
        """From block:30, sliding:5x6 (sub-interval × how many) or thermal:15, in minutes. Raises ValueError."""
        match = _TEXT.fullmatch(text)
        if match is None:
            raise ValueError(f"demand {text!r}: give block:30, sliding:5x6 or thermal:15, with lengths in minutes")
        kind, minutes, sliding, sub_minutes, count = match.groups()
        if sliding:
            return cls(DemandKind.SLIDING, int(sub_minutes) * MINUTE_S, int(count), quantities)
        return cls(DemandKind(kind), int(minutes) * MINUTE_S, 1, quantities)

    @property
    def text(self) -> str:
        """Text that `parse` reads back."""
        times = f"x{self.subintervals}" if self.kind is DemandKind.SLIDING else ""
        return f"{self.kind.value}:{self.subinterval_s // MINUTE_S}{times}"

    @property
    def interval_s(self) -> int:
        """Seconds over which demand is averaged; the response time, for thermal demand."""
        return self.subinterval_s * self.subintervals


@dataclass(frozen=True, slots=True)
class IntervalEnd:
    """An interval ended at `at_ns`, in `rate`, with these demands in total, by quantity, in nW (nvar, nVA)."""

    at_ns: int
    rate: int
    demands: tuple[int, ...]


@dataclass
class DemandState:
    """All that changes, and the `program` it belongs to; `previous` is by bin, then by quantity.

    Of `window` and `thermal` there is the one that averages.
    """

    program: str
    maxima: MaximaState
    previous: list[tuple[int, ...]]
    window: WindowState | None = None
    thermal: ThermalState | None = None

    @classmethod
    def new(cls, settings: DemandSettings, rates: int) -> DemandState:
        """No demand yet."""
        quantities, bins = len(settings.quantities), 1 + rates
        thermal = settings.kind is DemandKind.THERMAL
        return cls(
            program=_program(settings, rates),
            maxima=MaximaState.new(quantities, bins),
            previous=[(0,) * quantities] * bins,
            window=None if thermal else WindowState.new(quantities, bins),
            thermal=ThermalState.new(quantities) if thermal else None,
        )


class DemandRegisters:
    """Demand in total (bin 0) and in each of `rates` rates (bin 1 + rate); if 0, the rate that is given is ignored.

    Quantities are named by their place in the settings. Demand is in nW, nvar or nVA. `state` is the live object, to be
    encoded before the registers go on. Raises ValueError for a state of other settings or rates.
    """

    def __init__(self, settings: DemandSettings, rates: int, state: DemandState | None = None) -> None:
        program = _program(settings, rates)
        self.settings = settings
        self.state = state = state or DemandState.new(settings, rates)
        if state.program != program:
            raise ValueError(f"stored demand is {state.program}: it does not continue as {program}")
        self._maxima = maxima = Maxima(settings.subintervals, state.maxima)
        self._averaging: WindowAveraging | ThermalAveraging
        quantities, length_s = settings.quantities, settings.subinterval_s
        if state.window is not None:
            self._averaging = WindowAveraging(quantities, length_s, settings.subintervals, maxima, state.window)
        elif state.thermal is not None:
            self._averaging = ThermalAveraging(quantities, 1 + rates, length_s, maxima, state.thermal)

    @property
    def continuous(self) -> bool:
        """True if each energy interval must be handed in by itself (thermal); else sums of many will do."""
        return self._averaging.continuous

    def take(self, amounts: Sequence[int], start_ns: int, end_ns: int, rate: int) -> None:
        """Energy (16 places in nWh) that flowed evenly from start to a later end, in one rate, in one sub-interval."""
        self._averaging.take(amounts, start_ns, end_ns, rate)

    def idle(self, start_ns: int, end_ns: int) -> None:
        """Time without power."""
        self._averaging.idle(start_ns, end_ns)

    def end_subinterval(self, at_ns: int, rate: int) -> IntervalEnd:
        """A sub-interval ends at its boundary, and with it the interval: the demands of that."""
        ended = self._end(at_ns, rate, 1)
        self._averaging.shift()
        return ended

    def cut(self, at_ns: int, rate: int) -> IntervalEnd:
        """The interval ends short, by the clock or by test mode, and a new one begins: the demands of the short one."""
        ended = self._end(at_ns, rate, self.settings.subintervals)
        self._averaging.clear(at_ns)
        return ended

    def reset(self, at_ns: int) -> ResetValues:
        """Demand reset (Q-5). What the interval has so far counts for what ends; the rest of it for what begins."""
        self._averaging.settle(at_ns)
        values = self._maxima.reset(at_ns)
        self._averaging.clear(at_ns)
        return values

    def present(self, q: int, bin: int = 0) -> int:
        """Of the window so far over its whole length; of thermal demand, where the pointer is."""
        return self.present_row(bin)[q]

    def present_row(self, bin: int = 0) -> tuple[int, ...]:
        """The same of all quantities."""
        return self._averaging.demands(bin)

    def previous(self, q: int, bin: int = 0) -> int:
        """Of the interval that ended last, short or whole; 0 before the first."""
        return self.state.previous[bin][q]

    def maximum(self, q: int, bin: int = 0) -> Maximum:
        """The highest since the last reset, with the demands of the same bin that coincided."""
        return self._maxima.maximum(q, bin)

    def peaks(self) -> tuple[Maximum, ...]:
        """The highest of the first quantity in total, five at most; no two from intervals that overlap."""
        return self._maxima.peaks()

    def cumulative(self, q: int, bin: int = 0) -> int:
        """The sum of the maxima at all resets."""
        return self.state.maxima.cumulative[bin][q]

    def continuous_cumulative(self, q: int, bin: int = 0) -> int:
        """The same, with the present maximum."""
        return self.cumulative(q, bin) + self.maximum(q, bin).value

    def _end(self, at_ns: int, rate: int, subintervals: int) -> IntervalEnd:
        self.state.previous = demands = self._averaging.settle(at_ns)
        self._maxima.advance(subintervals)
        return IntervalEnd(at_ns, rate, demands[0])


def _program(settings: DemandSettings, rates: int) -> str:
    """Describe the programming that a stored state must have been made for, in words."""
    names = _listed([q.value for q in settings.quantities], "and")
    return f"{settings.text} of {names} in {rates} rates"


def _listed(words: Sequence[object], last: str = "or") -> str:
    """As in a sentence: a, b or c."""
    *first, end = map(str, words)
    return f"{', '.join(first)} {last} {end}" if first else end
