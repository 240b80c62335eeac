"""From the FPGA's records to energy, window by window (C-3, Q-2).

Each record is checked against the one before and turned into what it registers. What is not as it should be is named in
the result and counted, never dropped in silence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from calibration.constants import Calibration
from gateware.record_words import SAFE_SAMPLES, Record, RecordFlag
from gateware.registers import TICK_BITS
from rig.meter.measuring.apparent import ApparentState
from rig.meter.measuring.correction import Correction
from rig.meter.measuring.elements import ElementEquation
from rig.meter.measuring.frequency import LineFrequency, LineState
from rig.meter.measuring.fundamental import FundamentalFit
from rig.meter.measuring.plausibility import implausible
from rig.meter.measuring.products import NONE, SQUARES, Mean, Moments, Products, ac_products, added, subtracted
from rig.meter.measuring.quantities import Readings, Scaling, Sums
from rig.meter.measuring.reactive import Quadrature, QuadratureState, td_products
from rig.meter.measuring.registration import Energies, Registration
from rig.meter.measuring.span import Span, SpanState, cycles_of
from rig.meter.measuring.starting import Limits, Starting

_SEQUENCES = 1 << 32
_TICKS = 1 << TICK_BITS


class Fault(Enum):
    """Fault of a record, with the sentence for people. Its energy is registered all the same,
    except where that sentence says otherwise.
    """

    REPEATED = "the same record came twice; its energy was registered once"
    OVERFLOW = "the record is so long that its sums may have overflowed; its energy is not registered"
    SEQUENCE = "records are missing between this one and the one before"
    GAP = "the record does not begin where the one before ended; what flowed in between is not known"
    LENGTH = "the record's ticks are not its samples times the ticks of a sample: samples were lost"
    OVERRUN = "a stage of the gateware was not ready in time: samples were lost"
    CONFIGURATION = "the record was measured with another configuration than the one written"
    MERGED = (
        "windows were merged into one record, as the host did not read for longer than the board's memory lasts; no "
        "energy is lost, but quadrant, VAh and td are those of the whole record"
    )
    TIME = "the record ends later than it is by the computer's clock; its energy is not registered"
    IMPLAUSIBLE = "the record holds more than its length allows; its energy is not registered"

    @property
    def label(self) -> str:
        """Its name in the log and JSON: "sequence"."""
        return self.name.lower()


@dataclass(frozen=True)
class Window:
    """Result of one record.

    Ticks are on the meter's timeline: they begin at the first record's tick_start and do not wrap at 2**48.
    `missing_ticks` is what of the time up to its end no window registers: before it, and of itself for an overflow.
    `energies` is what registers, and flowed from `flowed_from` on to tick_end; None when nothing does: for some faults,
    for the first windows, until their DC is known, and for a window whose vars come with the next one's
    (rig/meter/measuring/reactive.py), as its energy does too. `sums` are what can be known with this window: its own,
    those of windows that waited for their DC, and the correction of the first ones. `frequency_hz` is None for windows
    that are not whole cycles.
    """

    record: Record
    tick_start: int
    tick_end: int
    energies: Energies | None
    flowed_from: int
    sums: Sums
    frequency_hz: float | None
    faults: tuple[Fault, ...]
    missing_ticks: int = 0


@dataclass
class WaitingRecord:
    """A record that waits for its DC: its words, its frequency in Hz, and where it began on the meter's timeline."""

    words: list[int]
    hz: float | None
    start: int


@dataclass
class MeasurementState:
    """State from which a Measurement continues when the process that had it has died and the board has not.

    `last` are the words of the last record, which ended at `tick` of the meter's timeline; `opening` those of the first
    that registered, with the DC `opening_mean` (sums and samples), None before any did. Parts of a nWh are `carried` by
    place, and `squares`. `held` waits for its vars.
    """

    last: list[int]
    tick: int
    span: SpanState
    waiting: list[WaitingRecord]
    opening: list[list[int]] | None
    opening_mean: tuple[tuple[int, ...], int]
    line: LineState
    quadrature: QuadratureState | None
    held: Sums
    held_from: int | None
    apparent: ApparentState
    carried: list[int]
    squares: list[int]


class Measurement:
    """The measuring side of a meter of one form and calibration on one board.

    `tick_hz` is the board's exact modulator rate, `ticks_per_sample` its decimation (256), `config_digest`
    what its records must carry (gateware.registers.configuration_digest). `quarter` is by how many samples the
    voltages of its td products are delayed; None for a build without them, which has no vars.
    """

    def __init__(
        self,
        *,
        equation: ElementEquation,
        calibration: Calibration,
        tick_hz: Fraction,
        ticks_per_sample: int,
        config_digest: int,
        quarter: int | None = None,
    ) -> None:
        self._ticks_per_sample = ticks_per_sample
        self._config_digest = config_digest
        sample_hz = tick_hz / ticks_per_sample
        self._calibration, self._sample_hz = calibration, sample_hz
        self._correction = Correction(calibration)
        self._by_phase = Scaling.by_phase(calibration, sample_hz)
        self._equation = equation
        self._scaling = Scaling(equation, calibration, sample_hz)
        self._registration = Registration(self._scaling)
        self._span = Span(Mean.of_codes([c.offset_codes for c in calibration.channels]), sample_hz)
        self._starting = Starting()
        self._waiting: list[tuple[Record, float | None, int]] = []  # for their DC: with frequency and start
        self._opening: tuple[Record, ...] | None = None  # the first to register, with the DC of `_opening_mean`
        self._opening_mean = self._span.mean
        self._line = LineFrequency(tick_hz, ticks_per_sample)
        self._quadrature = None if quarter is None else Quadrature(quarter, sample_hz)
        self._fit = FundamentalFit(sample_hz)
        self._last: Record | None = None
        self._tick: int | None = None
        self._end = 0  # the board's tick at which the last record ended, as it was placed
        self._held = Sums()  # of windows whose vars are still to come
        self._held_from: int | None = None
        self._run = Sums()
        self.faults: Counter[Fault] = Counter()
        self.merged_windows = 0
        """Windows that came in records of more than one."""

    @property
    def state(self) -> MeasurementState | None:
        """State to continue from; None before the first record, and between two boards."""
        if self._last is None or self._tick is None:
            return None
        carried, squares = self._registration.carried
        opening = self._opening
        return MeasurementState(
            last=self._last.to_words(),
            tick=self._tick,
            span=self._span.state,
            waiting=[WaitingRecord(record.to_words(), hz, start) for record, hz, start in self._waiting],
            opening=None if opening is None else [record.to_words() for record in opening],
            opening_mean=(self._opening_mean.sums, self._opening_mean.samples),
            line=self._line.state,
            quadrature=None if self._quadrature is None else self._quadrature.state,
            held=self._held,
            held_from=self._held_from,
            apparent=self._registration.apparent,
            carried=carried,
            squares=squares,
        )

    def resume(self, state: MeasurementState) -> None:
        """Go on from there, with the equation that was in use."""
        self._last, self._tick = Record.from_words(state.last), state.tick
        self._end = self._last.tick_end
        self._span.resume(state.span)
        self._waiting = [(Record.from_words(each.words), each.hz, each.start) for each in state.waiting]
        self._opening = None if state.opening is None else tuple(map(Record.from_words, state.opening))
        sums, samples = state.opening_mean
        self._opening_mean = Mean(tuple(sums), samples)
        self._line.resume(state.line)
        if self._quadrature is not None and state.quadrature is not None:
            self._quadrature.resume(state.quadrature)
        self._held, self._held_from = state.held, state.held_from
        self._registration.resume(state.carried, state.squares, state.apparent)

    @property
    def frequency_hz(self) -> float | None:
        """The line frequency averaged over all whole windows so far; None before the first."""
        return self._line.mean_hz

    @property
    def recent_hz(self) -> float | None:
        """The line frequency averaged over the last 0.2 s; None before the first whole window."""
        return self._line.recent_hz

    @property
    def tick(self) -> int | None:
        """The end of the last record on the meter's timeline; None before the first."""
        return self._tick

    @property
    def dc_codes(self) -> tuple[Fraction, ...]:
        """DC of the channels in sample codes, averaged over the last span; at first, the calibration's."""
        return self._span.mean.codes()

    @property
    def run(self) -> Sums:
        """The sums of all windows so far."""
        return self._run

    def readings(self, sums: Sums) -> Readings:
        """Return the averages of a window, or of several added up, by element of the form."""
        return self._scaling.readings(sums)

    def phases(self, sums: Sums) -> Readings:
        """The same by phase, whatever the form."""
        return self._by_phase.readings(sums)

    @property
    def live(self) -> int:
        """The channels that carry enough to register, bit by channel (rig/meter/measuring/starting.py)."""
        return self._starting.live

    def use(self, equation: ElementEquation) -> None:
        """From now on register by this element equation: another service was detected (M-4)."""
        if equation != self._equation:
            self._equation = equation
            self._scaling = Scaling(equation, self._calibration, self._sample_hz)
            self._registration = Registration(self._scaling)

    def start_at(self, limits: Sequence[Limits], live: int) -> None:
        """From now on register nothing of channels below these limits; `live` are those that were not."""
        self._starting = Starting(limits, [c.gain for c in self._calibration.channels], live)

    def skip(self, ticks: int) -> None:
        """Let so much of the timeline pass without a record: the next one is of a count that began anew.

        What waits, for its vars or its DC, registers with the next record, as of then.
        """
        if self._tick is not None:
            self._tick += ticks
            self._waiting = [(record, hz, self._tick) for record, hz, _ in self._waiting]
        self._last, self._held_from = None, None
        self._line.forget()

    def advance(self, record: Record, latest_tick: int | None = None) -> Window:
        """Take in the next record. `latest_tick` is the tick of the timeline that it is now at most; None: not known.

        A record that ends later, or cannot be, moves nothing: neither the timeline nor, with it, the meter's clock, nor
        where the next one is looked for (H-8).
        """
        faults = self._check(record, latest_tick)
        self.faults.update(faults)
        if _IMPOSSIBLE & set(faults):
            self._line.forget()
            tick = self._tick or 0
            return Window(record, tick, tick, None, tick, Sums(), None, faults)
        if Fault.MERGED in faults and Fault.REPEATED not in faults:
            self.merged_windows += record.windows
        before = self._tick
        start, end = self._place(record, faults)
        missing = 0 if before is None else max(0, start - before)
        follows = record.samples > 0 and self._last is not None and not _BREAKS & set(faults)
        frequency = self._line.advance(record, follows)
        self._last = record
        if _UNREGISTERED & set(faults):
            missing += 0 if Fault.REPEATED in faults else end - start
            return Window(record, start, end, None, start, Sums(), frequency, faults, missing)
        self._span.advance(record)
        self._waiting.append((record, frequency, start))
        if self._opening is None and not self._span.learned and RecordFlag.END_CROSSING in record.flags:
            return Window(record, start, end, None, self._waiting[0][2], Sums(), frequency, faults, missing)
        sums = self._sums()
        self._run += sums
        flowed_from, energies = self._energies(sums, self._waiting[0][2])
        self._waiting.clear()
        return Window(record, start, end, energies, flowed_from, sums, frequency, faults, missing)

    def _sums(self) -> Sums:
        """Sum up the windows that waited, which are one but at the start."""
        mean = self._span.mean
        total, first = Sums(), self._waiting[0][0]
        correction, delayed_correction = self._opening_correction()
        for record, frequency, _ in self._waiting:
            products = ac_products(record, mean)
            corrected = added(products, correction)
            reactive, turned, reactive_samples = NONE, NONE, 0
            if self._quadrature is not None:
                delayed = added(td_products(record, mean), delayed_correction)
                reactive, turned, reactive_samples = self._quadrature.advance(record, delayed, corrected, frequency)
            fundamental = self._fit.of(record, mean, products, frequency)
            moments = Moments.of(record)
            dc = moments.sums if record.whole_cycles else mean.over(record.samples)
            cycles = cycles_of(record)
            if self._correction.needed:
                quarter = self._quadrature is not None
                found = self._correction.of(corrected, reactive, turned, fundamental, moments, dc, quarter)
                corrected, reactive, fundamental = found.products, found.reactive, found.fundamental
                moments, dc = found.moments, found.dc
            sums = Sums(record.samples, corrected, reactive, reactive_samples, fundamental, moments, dc, cycles)
            total = sums if record is first else total + sums
            correction = delayed_correction = NONE
        if self._opening is None:
            self._opening = tuple([record for record, _, _ in self._waiting]) if self._span.learned else ()
            self._opening_mean = mean
        return total

    def _opening_correction(self) -> tuple[Products, Products]:
        """Return the excess or shortfall of the first windows, by products and td products: they were registered with
        the DC of a cycle or two, and until the span is full each cycle lets it be known better (056-span.md)."""
        mean, before = self._span.mean, self._opening_mean
        if mean == before or not self._opening:
            return NONE, NONE
        products = delayed = NONE
        for record in self._opening:
            products = added(products, subtracted(ac_products(record, mean), ac_products(record, before)))
            delayed = added(delayed, subtracted(td_products(record, mean), td_products(record, before)))
        self._opening_mean = mean
        if self._span.full:
            self._opening = ()
        return products, delayed

    def _energies(self, sums: Sums, start: int) -> tuple[int, Energies | None]:
        """Return the energy to register, and since when it flowed; None for a window whose vars are still to come."""
        if self._held.samples:
            sums, start = self._held + sums, start if self._held_from is None else self._held_from
        if self._quadrature is not None and self._quadrature.waiting:
            self._held, self._held_from = sums, start
            return start, None
        self._held, self._held_from = Sums(), None
        span = self._span
        if span.samples >= sums.samples:
            self._starting.advance(span.squares(), span.samples)
        else:  # closed by command before anything else, or at the start, where the first window is no part of the span
            self._starting.advance([sums.squares[place] for place in SQUARES], sums.samples)
        return start, self._registration.advance(sums, self._starting)

    def _check(self, record: Record, latest_tick: int | None) -> tuple[Fault, ...]:
        last = self._last
        if record == last:
            return (Fault.REPEATED,)
        found = {
            Fault.OVERFLOW: record.samples >= SAFE_SAMPLES,
            Fault.SEQUENCE: last is not None and not self._in_sequence(record),
            Fault.GAP: last is not None and record.tick_start not in (last.tick_end, self._end),
            Fault.LENGTH: record.ticks != record.samples * self._ticks_per_sample,
            Fault.OVERRUN: RecordFlag.OVERRUN in record.flags,
            Fault.CONFIGURATION: record.config_digest != self._config_digest,
            Fault.MERGED: record.windows > 1,
            Fault.TIME: latest_tick is not None and self._start_of(record) + self._length(record) > latest_tick,
            Fault.IMPLAUSIBLE: implausible(record, self._ticks_per_sample),
        }
        return tuple(fault for fault, present in found.items() if present)

    def _start_of(self, record: Record) -> int:
        """Return the record's begin on a timeline that only goes forward. Between two records in sequence nothing is
        missing, whatever their ticks say; a step back is a board that was reset, after a time nobody knows."""
        if self._tick is None:
            return record.tick_start
        if self._last is None or self._in_sequence(record):
            return self._tick
        gap = (record.tick_start - self._end) % _TICKS
        back = (record.sequence - self._last.sequence) % _SEQUENCES >= _SEQUENCES // 2 or gap >= _TICKS // 2
        return self._tick + (0 if back else gap)

    def _in_sequence(self, record: Record) -> bool:
        return self._last is not None and record.sequence == (self._last.sequence + 1) % _SEQUENCES

    def _place(self, record: Record, faults: tuple[Fault, ...]) -> tuple[int, int]:
        """Put the record on the timeline: its start and end there."""
        if Fault.REPEATED in faults:
            end = self._tick or 0
            return end - record.ticks, end
        start, before, length = self._start_of(record), self._tick, self._length(record)
        self._tick = start + length
        gone = start > before if before is not None and self._last is not None else True
        self._end = ((record.tick_start if gone else self._end) + length) % _TICKS
        return start, self._tick

    def _length(self, record: Record) -> int:
        """Ticks that a record takes. Samples and ticks tell it twice; where they differ and no stage was late, one of
        them is wrong, and the shorter moves the clock no further than the line did."""
        if RecordFlag.OVERRUN in record.flags:
            return record.ticks
        return min(record.ticks, record.samples * self._ticks_per_sample)


_UNREGISTERED = {Fault.REPEATED, Fault.OVERFLOW}
_IMPOSSIBLE = {Fault.TIME, Fault.IMPLAUSIBLE}
"""Nothing of these registers. What is impossible moves nothing either."""

_BREAKS = {Fault.REPEATED, Fault.SEQUENCE, Fault.GAP, Fault.LENGTH, Fault.OVERRUN}
"""Faults after which the time since the crossing before is not to be trusted."""
