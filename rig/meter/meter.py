"""The meter: pure, advanced only by records (C-3, Q-2, P-1, P-2).

Each record is checked against the one before, turned into energy, registered, and made into pulses. What is
not as it should be is named in the result and counted, never dropped in silence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from calibration.constants import Calibration
from gateware.registers import SAFE_SAMPLES, TICK_BITS, Record, RecordFlag
from rig.meter.elements import ElementEquation
from rig.meter.energy import EnergyRegisters
from rig.meter.frequency import LineFrequency
from rig.meter.fundamental import FundamentalFit
from rig.meter.products import NONE, Mean, ac_products
from rig.meter.pulses import PulseOutput
from rig.meter.quantities import Readings, RunTotals, Scaling, Sums
from rig.meter.reactive import Quadrature

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


@dataclass(frozen=True)
class Pulse:
    """One pulse of the named output, at an instant in modulator ticks on the meter's timeline."""

    tick: int
    output: str


@dataclass(frozen=True)
class WindowResult:
    """What one record came to.

    Ticks are on the meter's timeline: they begin at the first record's tick_start and do not wrap at 2**48.
    `units` is the registered energy, `element_units` its parts, in 1/units_per_wh Wh (0 when not registered).
    `sums` are the window's, without DC; its var products may come with the next window's (rig/meter/reactive.py).
    `pulses` are in order of time. `frequency_hz` is None for windows that are not whole cycles.
    """

    record: Record
    tick_start: int
    tick_end: int
    units: int
    element_units: tuple[int, ...]
    sums: Sums
    frequency_hz: float | None
    pulses: tuple[Pulse, ...]
    faults: tuple[Fault, ...]


class Meter:
    """A meter of one form and calibration on one board.

    `tick_hz` is the board's exact modulator rate, `ticks_per_sample` its decimation (256), `config_digest`
    what its records must carry (gateware.registers.configuration_digest). `quarter` is by how many samples the
    voltages of its td products are delayed; None for a build without them, which has no vars. `outputs` need distinct
    names.
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
        outputs: Sequence[PulseOutput] = (),
    ) -> None:
        self._ticks_per_sample = ticks_per_sample
        self._config_digest = config_digest
        sample_hz = tick_hz / ticks_per_sample
        self._scaling = Scaling(equation, calibration, sample_hz)
        self._mean = Mean.of_codes([c.offset_codes for c in calibration.channels])
        self._means = 0  # whole windows in it
        self._line = LineFrequency(tick_hz, ticks_per_sample)
        self._quadrature = None if quarter is None else Quadrature(quarter, sample_hz)
        self._fit = FundamentalFit(sample_hz)
        self._last: Record | None = None
        self._tick = 0
        self.registers = EnergyRegisters(self._scaling.units_per_wh)
        self.outputs = {output.name: output for output in outputs}
        if len(self.outputs) != len(outputs):
            raise ValueError(f"outputs need distinct names, got {', '.join(o.name for o in outputs)}")
        self.run = RunTotals(self._scaling)
        self.faults: Counter[Fault] = Counter()

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

    def readings(self, sums: Sums) -> Readings:
        """What a window, or several added up, averages to."""
        return self._scaling.readings(sums)

    def advance(self, record: Record) -> WindowResult:
        """Take in the next record."""
        faults = self._check(record)
        self.faults.update(faults)
        start, end = self._place(record, faults)
        frequency = self._line.advance(record, follows=self._last is not None and not _BREAKS & set(faults))
        self._learn_mean(record, faults)
        registered = not _UNREGISTERED & set(faults)
        sums = self._sums(record, frequency, registered)
        elements = self._scaling.energy(sums.products)
        pulses: tuple[Pulse, ...] = ()
        if registered:
            self.registers.register(sum(elements))
            self.run.add(sums)
            pulses = self._pulses(sum(elements), start, end - start)
        else:
            elements = (0,) * len(elements)
        self._last = record
        return WindowResult(
            record=record,
            tick_start=start,
            tick_end=end,
            units=sum(elements),
            element_units=elements,
            sums=sums,
            frequency_hz=frequency,
            pulses=pulses,
            faults=faults,
        )

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
            # A step back is a board that was reset: its counter began anew, after a time nobody knows.
            start = self._tick + (gap if gap < _TICKS // 2 else 0)
        self._tick = start + record.ticks
        return start, self._tick

    def _pulses(self, units: int, start: int, ticks: int) -> tuple[Pulse, ...]:
        return tuple(
            sorted(
                (
                    Pulse(tick, output.name)
                    for output in self.outputs.values()
                    for tick in output.advance(self.registers.wh(output.quantity.part(units)), start, ticks)
                ),
                key=lambda pulse: pulse.tick,
            )
        )


_UNREGISTERED = {Fault.REPEATED, Fault.OVERFLOW}
_BREAKS = {Fault.REPEATED, Fault.SEQUENCE, Fault.GAP, Fault.LENGTH, Fault.OVERRUN}
"""Faults after which the time since the crossing before is not to be trusted."""
