"""Months in seconds: a load's record through the meter's own billing, its energy spread evenly over each interval.

What is shown comes from the meter's registers and from what it says happens; nothing is worked out beside it. The
record is on the primary side of the program's transformers: their ratios divide going in and multiply coming out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import isqrt

from rig.meter.billing.billing import Billing, MeterEvent
from rig.meter.billing.calendar import Span
from rig.meter.billing.energy_interval import EnergyInterval
from rig.meter.billing.events import Cause, DemandWasReset, EndOfInterval, ProfileWords, RateChanged
from rig.meter.billing.log import LogEvent, details
from rig.meter.billing.maxima import Maximum
from rig.meter.billing.quantity import NANO_PER_KILO, Amounts, Quadrant, Quantity
from rig.meter.billing.snapshot import Snapshot
from rig.meter.billing.tariff import Rate
from rig.meter.models import ModelCapability
from rig.program.build import Program
from rig.replay.intervals.amounts import nearest_multiple, parts_of, whole_nwh
from rig.replay.intervals.columns import COLUMNS
from rig.replay.intervals.doubts import implausible_demand
from rig.replay.intervals.periods import Periods, Stretch, keep_highest
from rig.replay.intervals.record import LoadRecord
from rig.replay.intervals.report import LoadFigures, LoadReading, LogLine, Period, RegisterFigures, Report
from rig.results.provenance import provenance_of_computation

FIDELITY = "window"
PROGRESS_EVERY = 512

ACTIVE = (Quantity.KWH_DELIVERED, Quantity.KWH_RECEIVED, Quantity.KWH_NET)
REACTIVE = (Quantity.KVARH_LAGGING, Quantity.KVARH_LEADING, Quantity.KVARH_NET, Quantity.KVAH_TD)


class Replay:
    """One load through one meter, new at the load's begin. `stamps_end`: how the file stamps its intervals."""

    def __init__(self, load: LoadRecord, program: Program, *, stamps_end: bool = True) -> None:
        self._load = load
        self._program = program
        self._stamps_end = stamps_end
        settings = program.billing
        self._calendar = settings.calendar
        self._begin_ns, self._end_ns = load.intervals[0].start_ns, load.intervals[-1].end_ns
        self.billing, self._opening = Billing.begin(settings, self._begin_ns)
        self._columns, self._notes = _registered(load, program)
        self._notes += implausible_demand(load, program, settings.calendar)
        reactive = any(COLUMNS[place].startswith("kvarh") for _, place in self._columns)
        multiplier = program.nameplate.ratios.multiplier
        self._figures = LoadFigures(
            (*ACTIVE, *(REACTIVE if reactive else ())), settings.demand, settings.calendar, multiplier, stamps_end
        )
        self._span = self._calendar.span(self._begin_ns)
        self._months = Periods(_month(self._span), self._begin_ns, self.billing.registers.amounts())
        self._seasons = Periods(self._season, self._begin_ns, self.billing.registers.amounts())
        self._snapshots: list[Snapshot] = []
        self._resets: list[Snapshot] = []
        self._events: list[LogEvent] = []
        self._rate_changes = self._words = 0

    def run(
        self,
        progress: Callable[[float], None] = lambda done: None,
        keep: Callable[[list[MeterEvent]], None] = lambda events: None,
    ) -> Report:
        """Everything from the first interval to the last. `keep` gets what happens; `progress` the share done."""
        billing = self.billing
        self._note(self._opening)
        keep(self._opening)
        for done, portion in enumerate(self._portions()):
            if portion.start_ns >= self._span.end_ns:
                self._turn(portion.start_ns)
            events = billing.advance(portion)
            self._look_at_pointers()
            if events:
                self._note(events)
                keep(events)
            if not done % PROGRESS_EVERY:
                progress((portion.end_ns - self._begin_ns) / (self._end_ns - self._begin_ns))
        last = billing.snapshot(Cause.COMMUNICATION)
        self._months.turn("", self._end_ns, (last.energy, last.rates))
        self._seasons.turn("", self._end_ns, (last.energy, last.rates))
        return self._report(last)

    # --- the load as portions -------------------------------------------------------------------------------

    def _portions(self) -> Iterator[EnergyInterval]:
        """Without a gap, and none over an instant at which the calendar changes anything."""
        intervals = self._load.intervals
        parts = [parts_of(interval, self._program.billing.demand, self._calendar) for interval in intervals]
        energies = self._energies(parts)
        now_ns = self._begin_ns
        for place, (start_ns, end_ns, _) in enumerate(intervals):
            if start_ns > now_ns:
                yield from self._cut(EnergyInterval(now_ns, start_ns, Quadrant.Q1, 0))
            yield from self._cut(_portion(start_ns, end_ns, parts[place], *[column[place] for column in energies]))
            now_ns = end_ns

    def _energies(self, parts: Sequence[int]) -> list[Sequence[int]]:
        """By the places of COLUMNS, the nWh (nvarh) of every interval."""
        intervals = self._load.intervals
        per_unit = NANO_PER_KILO / (self._load.scale * self._program.nameplate.ratios.multiplier)
        numerator, denominator = per_unit.as_integer_ratio()
        days = [self._calendar.span(interval.start_ns).date for interval in intervals]
        lengths_ns = [interval.end_ns - interval.start_ns for interval in intervals]
        found: list[Sequence[int]] = [[0] * len(intervals) for _ in COLUMNS]
        for column, place in self._columns:
            amounts = [interval.energies[column] for interval in intervals]
            found[place] = whole_nwh(amounts, numerator, denominator, parts, days, lengths_ns)
        return found

    def _cut(self, portion: EnergyInterval) -> Iterator[EnergyInterval]:
        while (change_ns := self._calendar.span(portion.start_ns).end_ns) < portion.end_ns:
            first, portion = portion.cut(change_ns)
            yield first
        yield portion

    # --- what happens ---------------------------------------------------------------------------------------

    @property
    def _season(self) -> str:
        """The season that the meter is in."""
        return self._calendar.tariff.seasons[self.billing.season].name

    def _turn(self, utc_ns: int) -> None:
        """The calendar changed something: a month, perhaps, or a season."""
        self._span = span = self._calendar.span(utc_ns)
        for periods, name in ((self._months, _month(span)), (self._seasons, self._season)):
            if name != periods.name:
                self.billing.settle()
                periods.turn(name, utc_ns, self.billing.registers.amounts())
                self._look_at_pointers()

    def _look_at_pointers(self) -> None:
        """Thermal demand is highest where a portion ends or a period begins."""
        demand = self.billing.registers.demand
        if demand is not None and demand.continuous:
            self._look(tuple(demand.present(q) for q in range(len(demand.settings.quantities))), self.billing.now_ns)

    def _look(self, demands: tuple[int, ...], at_ns: int) -> None:
        self._months.look(demands, at_ns)
        self._seasons.look(demands, at_ns)

    def _note(self, events: list[MeterEvent]) -> None:
        """All of them are of the month and season that run: what ends with them comes before the next portion."""
        for happening in events:
            match happening:
                case EndOfInterval():
                    self._look(happening.demands, happening.utc_ns)
                case Snapshot():
                    self._snapshots.append(happening)
                case RateChanged():
                    self._rate_changes += 1
                case LogEvent():
                    self._events.append(happening)
                    if isinstance(happening, DemandWasReset):
                        self._resets.append(self._ended_by(happening))
                case ProfileWords():
                    self._words += len(happening.words)

    def _ended_by(self, reset: DemandWasReset) -> Snapshot:
        """Return what a demand reset ended. Of a self-read and a season's close at one instant, one resets."""
        return next(s for s in reversed(self._snapshots) if s.cause is reset.cause)

    # --- what it came to ------------------------------------------------------------------------------------

    def _report(self, last: Snapshot) -> Report:
        load, program, figures = self._load, self._program, self._figures
        demand = program.billing.demand
        highest = [self._highest(last, bin) for bin in range(1 + len(Rate))]
        return Report(
            provenance=provenance_of_computation(FIDELITY, program.digest),
            simulated=True,
            fidelity=FIDELITY,
            model=program.metering.model.name,
            program=program.digest,
            demand=demand.text if demand else None,
            multiplier=float(program.nameplate.ratios.multiplier),
            stamps="end" if self._stamps_end else "begin",
            interval_minutes=float(load.minutes),
            intervals=len(load.intervals),
            begin=figures.time(self._begin_ns),
            end=figures.time(self._end_ns),
            totals=figures.registers(last.energy, highest[0]),
            rates={
                rate.name: figures.registers(last.rates[rate], highest[1 + rate]) for rate in self._rates(last.rates)
            },
            seasons={name: self._of(stretch) for name, stretch in self._seasons.by_name().items()},
            season_periods=[
                Period(one.name, figures.time(one.begin_ns), figures.time(one.end_ns), self._of(one))
                for one in self._seasons.stretches
            ],
            months={name: self._of(stretch) for name, stretch in self._months.by_name().items()},
            max_demand=figures.max_demand(highest[0].get(0)),
            resets=[self._reading(snapshot) for snapshot in self._resets],
            self_reads=[self._reading(s) for s in self._snapshots if s.cause is Cause.SELF_READ],
            events=[LogLine(figures.time(e.utc_ns), e.label, details(e)) for e in self._events],
            rate_changes=self._rate_changes,
            profile_words=self._words,
            notes=[*load.notes, *self._notes],
        )

    def _highest(self, last: Snapshot, bin: int) -> dict[int, Maximum]:
        """Of all times between resets, by quantity."""
        found: dict[int, Maximum] = {}
        for snapshot in (*self._resets, last):
            keep_highest(found, ((place, bins[bin].maximum) for place, bins in enumerate(snapshot.demand)))
        return found

    def _of(self, stretch: Stretch) -> RegisterFigures:
        found = self._figures.registers(stretch.energy, stretch.maxima)
        found["rates"] = {rate.name: self._figures.energies(stretch.rates[rate]) for rate in self._rates(stretch.rates)}
        return found

    def _rates(self, energies: Sequence[Amounts]) -> list[Rate]:
        """Those that the program has, and any that has energy: what is listed at 0 in one place is in all."""
        used = self._program.ratings.rates
        return [rate for rate in Rate if rate in used or any(energies[rate])]

    def _reading(self, snapshot: Snapshot) -> LoadReading:
        maxima: dict[int, Maximum] = {}
        keep_highest(maxima, ((place, bins[0].maximum) for place, bins in enumerate(snapshot.demand)))
        time, registers = self._figures.time(snapshot.utc_ns), self._figures.registers(snapshot.energy, maxima)
        return LoadReading(time, snapshot.cause.value, registers)


def _registered(load: LoadRecord, program: Program) -> tuple[list[tuple[int, int]], list[str]]:
    """Columns that the meter registers, as places in the load's and in COLUMNS; and notes."""
    notes = []
    columns = [(k, COLUMNS.index(name)) for k, name in enumerate(load.columns)]
    if not program.metering.has(ModelCapability.REACTIVE):
        left = [name for name in load.columns if name.startswith("kvarh")]
        columns = [(k, place) for k, place in columns if COLUMNS[place] not in left]
        if left:
            notes.append(
                f"model {program.metering.model.name} registers no reactive energy: without {' and '.join(left)}"
            )
    recorder = program.billing.recorder
    if recorder is not None and (without := [c.metric.value for c in recorder.channels if c.metric.quantity is None]):
        notes.append(f"nothing is recorded of {', '.join(without)}: a load's record has only energy")
    demand = program.billing.demand
    if demand is not None and load.minutes * 60 > demand.interval_s:
        notes.append(
            f"intervals of {float(load.minutes):g} min are longer than the {demand.interval_s // 60} min of demand: "
            "energy is spread evenly over each, and higher demand within them is not seen"
        )
    return columns, notes


def _month(span: Span) -> str:
    return span.date.strftime("%Y-%m")


def _portion(
    start_ns: int, end_ns: int, parts: int, delivered: int, received: int, lagging: int, leading: int
) -> EnergyInterval:
    """Make an interval's energy. Both ways, or with vars both ways, it is of several quadrants: vars go with the
    greater watt-hours, watt-hours with the greater vars."""
    if not (received or lagging or leading):
        return EnergyInterval(start_ns, end_ns, Quadrant.Q1, delivered, 0, delivered, delivered)
    to_load = delivered >= received
    lags = lagging >= leading
    wh, varh = [0] * 4, [0] * 4
    wh[Quadrant.Q1 if lags else Quadrant.Q4] = delivered
    wh[Quadrant.Q3 if lags else Quadrant.Q2] = received
    varh[Quadrant.Q1 if to_load else Quadrant.Q3] = lagging
    varh[Quadrant.Q4 if to_load else Quadrant.Q2] = leading
    flows = []
    for quadrant in Quadrant:
        if wh[quadrant] or varh[quadrant]:
            vah = nearest_multiple(isqrt(wh[quadrant] ** 2 + varh[quadrant] ** 2), parts)
            flows.append((int(quadrant), wh[quadrant], varh[quadrant], vah, vah))
    first, *others = flows
    return EnergyInterval(start_ns, end_ns, *first, others=tuple(others))
