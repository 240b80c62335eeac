"""From the FPGA's records to energy, window by window (C-3, Q-2).

Each record is checked against the one before and turned into what it registers. What is not as it should be is named in
the result and counted, never dropped in silence.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from calibration.constants import Calibration
from gateware.registers import SAFE_SAMPLES, TICK_BITS, Record, RecordFlag
from rig.meter.measuring.elements import ElementEquation
from rig.meter.measuring.frequency import LineFrequency, LineState
from rig.meter.measuring.fundamental import FundamentalFit
from rig.meter.measuring.products import NONE, Mean, Products, ac_products, added
from rig.meter.measuring.quantities import Readings, Scaling, Sums
from rig.meter.measuring.reactive import Quadrature, QuadratureState
from rig.meter.measuring.registration import Energies, Registration

DC_WINDOWS = 60
"""Windows over which DC is averaged, a second at 60 Hz. A window's own mean would not do: when the current
changes within a cycle, as in a fault, it is no DC but part of the energy."""

_SEQUENCES = 1 << 32
_TICKS = 1 << TICK_BITS


class Fault(Enum):
    """What can be wrong with a record, with the sentence for people. Its energy is registered all the same,
    except where that sentence says otherwise.
    """

    REPEATED = "the same record came twice; its energy was registered once"
    OVERFLOW = "the record is so long that its sums may have overflowed; its energy is not registered"
    SEQUENCE = "records are missing between this one and the one before"
    GAP = "the record does not begin where the one before ended; what flowed in between is not known"
    LENGTH = "the record's ticks are not its samples times the ticks of a sample: samples were lost"
    OVERRUN = "a stage of the gateware was not ready in time: samples were lost"
    CONFIGURATION = "the record was measured with another configuration than the one written"

    @property
    def label(self) -> str:
        """Its name in the log and JSON: "sequence"."""
        return self.name.lower()


@dataclass(frozen=True)
class Window:
    """What one record came to.

    Ticks are on the meter's timeline: they begin at the first record's tick_start and do not wrap at 2**48.
    `energies` is what registers, and flowed from `flowed_from` on to tick_end; None when nothing does: for some faults,
    and for a window whose vars come with the next one's (rig/meter/measuring/reactive.py), as its energy does too.
    `sums` are the window's, without DC. `frequency_hz` is None for windows that are not whole cycles.
    """

    record: Record
    tick_start: int
    tick_end: int
    energies: Energies | None
    flowed_from: int
    sums: Sums
    frequency_hz: float | None
    faults: tuple[Fault, ...]


@dataclass
class MeasurementState:
    """What a Measurement goes on from when the process that had it has died and the board has not.

    `last` are the words of the last record, which ended at `tick` of the meter's timeline; `mean` is the DC, `means` of
    how many windows. Parts of a nWh are `carried` by place, and `squares`.
    """

    last: list[int]
    tick: int
    mean: tuple[int, ...]
    mean_samples: int
    means: int
    line: LineState
    quadrature: QuadratureState | None
    held: Products
    held_from: int | None
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
        self._by_phase = Scaling.by_phase(calibration, sample_hz)
        self._equation = equation
        self._scaling = Scaling(equation, calibration, sample_hz)
        self._registration = Registration(self._scaling)
        self._mean = Mean.of_codes([c.offset_codes for c in calibration.channels])
        self._means = 0  # whole windows in it
        self._line = LineFrequency(tick_hz, ticks_per_sample)
        self._quadrature = None if quarter is None else Quadrature(quarter, sample_hz)
        self._fit = FundamentalFit(sample_hz)
        self._last: Record | None = None
        self._tick = 0
        self._held: Products = NONE  # of windows whose vars are still to come
        self._held_from: int | None = None
        self._run = Sums()
        self.faults: Counter[Fault] = Counter()

    @property
    def state(self) -> MeasurementState | None:
        """What to go on from; None before the first record."""
        if self._last is None:
            return None
        carried, squares = self._registration.carried
        return MeasurementState(
            self._last.to_words(),
            self._tick,
            self._mean.sums,
            self._mean.samples,
            self._means,
            self._line.state,
            None if self._quadrature is None else self._quadrature.state,
            self._held,
            self._held_from,
            carried,
            squares,
        )

    def resume(self, state: MeasurementState) -> None:
        """Go on from there, with the equation that was in use."""
        self._last, self._tick = Record.from_words(state.last), state.tick
        self._mean, self._means = Mean(state.mean, state.mean_samples), state.means
        self._line.resume(state.line)
        if self._quadrature is not None and state.quadrature is not None:
            self._quadrature.resume(state.quadrature)
        self._held, self._held_from = state.held, state.held_from
        self._registration.resume(state.carried, state.squares)

    @property
    def frequency_hz(self) -> float | None:
        """The line frequency averaged over all whole windows so far; None before the first."""
        return self._line.mean_hz

    @property
    def recent_hz(self) -> float | None:
        """The line frequency averaged over the last 0.2 s; None before the first whole window."""
        return self._line.recent_hz

    @property
    def dc_codes(self) -> tuple[Fraction, ...]:
        """DC of the channels in sample codes, averaged over the last windows; at first, the calibration's."""
        return self._mean.codes()

    @property
    def run(self) -> Sums:
        """The sums of all windows so far."""
        return self._run

    def readings(self, sums: Sums) -> Readings:
        """What a window, or several added up, averages to, by element of the form."""
        return self._scaling.readings(sums)

    def phases(self, sums: Sums) -> Readings:
        """The same by phase, whatever the form."""
        return self._by_phase.readings(sums)

    def use(self, equation: ElementEquation) -> None:
        """From now on register by this element equation: another service was detected (M-4)."""
        if equation != self._equation:
            self._equation = equation
            self._scaling = Scaling(equation, self._calibration, self._sample_hz)
            self._registration = Registration(self._scaling)

    def advance(self, record: Record) -> Window:
        """Take in the next record."""
        faults = self._check(record)
        self.faults.update(faults)
        start, end = self._place(record, faults)
        frequency = self._line.advance(record, follows=self._last is not None and not _BREAKS & set(faults))
        self._learn_mean(record, faults)
        registered = not _UNREGISTERED & set(faults)
        sums = self._sums(record, frequency, registered)
        flowed_from, energies = start, None
        if registered:
            self._run += sums
            flowed_from, energies = self._energies(sums, start)
        self._last = record
        return Window(record, start, end, energies, flowed_from, sums, frequency, faults)

    def _energies(self, sums: Sums, start: int) -> tuple[int, Energies | None]:
        """What registers, and since when it flowed; nothing yet for a window whose vars are still to come."""
        products = added(self._held, sums.products)
        since = start if self._held_from is None else self._held_from
        if self._quadrature is not None and self._quadrature.waiting:
            self._held, self._held_from = products, since
            return since, None
        self._held, self._held_from = NONE, None
        return since, self._registration.advance(products, sums.reactive)

    def _sums(self, record: Record, frequency: float | None, registered: bool) -> Sums:
        products = ac_products(record, self._mean)
        reactive, reactive_samples = NONE, 0
        if self._quadrature is not None and registered:
            reactive, reactive_samples = self._quadrature.advance(record, self._mean, products, frequency)
        fundamental = self._fit.of(record, self._mean, products, frequency)
        return Sums(record.samples, products, reactive, reactive_samples, fundamental)

    def _learn_mean(self, record: Record, faults: tuple[Fault, ...]) -> None:
        """Follow the DC: the plain average of the first whole windows, then one of about DC_WINDOWS windows.

        A window that ended by its timer (no voltage to cross zero) is no whole number of cycles; its mean is
        let in with the smallest share only. Commanded ends leave the mean as it is.
        """
        if Fault.OVERFLOW in faults or Fault.REPEATED in faults or not record.samples:
            return
        if record.whole_cycles:
            self._means = min(self._means + 1, DC_WINDOWS)
            self._mean = self._mean.towards(record, self._means)
        elif RecordFlag.END_TIMED in record.flags:
            self._mean = self._mean.towards(record, DC_WINDOWS)

    def _check(self, record: Record) -> tuple[Fault, ...]:
        last = self._last
        if record == last:
            return (Fault.REPEATED,)
        found = {
            Fault.OVERFLOW: record.samples >= SAFE_SAMPLES,
            Fault.SEQUENCE: last is not None and record.sequence != (last.sequence + 1) % _SEQUENCES,
            Fault.GAP: last is not None and record.tick_start != last.tick_end,
            Fault.LENGTH: record.ticks != record.samples * self._ticks_per_sample,
            Fault.OVERRUN: RecordFlag.OVERRUN in record.flags,
            Fault.CONFIGURATION: record.config_digest != self._config_digest,
        }
        return tuple(fault for fault, present in found.items() if present)

    def _place(self, record: Record, faults: tuple[Fault, ...]) -> tuple[int, int]:
        """The record's start and end on a timeline that only goes forward."""
        if Fault.REPEATED in faults:
            return self._tick - record.ticks, self._tick
        if self._last is None:
            start = record.tick_start
        else:
            gap = (record.tick_start - self._last.tick_end) % _TICKS
            # A step back is a board that was reset: its counters began anew, after a time nobody knows.
            back = (record.sequence - self._last.sequence) % _SEQUENCES >= _SEQUENCES // 2 or gap >= _TICKS // 2
            start = self._tick + (0 if back else gap)
        self._tick = start + record.ticks
        return start, self._tick


_UNREGISTERED = {Fault.REPEATED, Fault.OVERFLOW}
_BREAKS = {Fault.REPEATED, Fault.SEQUENCE, Fault.GAP, Fault.LENGTH, Fault.OVERRUN}
"""Faults after which the time since the crossing before is not to be trusted."""
