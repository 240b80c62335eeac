"""Exact keys and values (rig/results/exact.py), made a reading again, by whoever was given them."""

from __future__ import annotations

from fractions import Fraction
from typing import TypeVar

from rig.errors import RigError
from rig.meter.billing.demand import DemandKind, DemandSettings
from rig.meter.billing.events import Cause
from rig.meter.billing.maxima import Maximum
from rig.meter.billing.metric import Metric, RecorderChannel, RecorderSettings
from rig.meter.billing.quantity import Quantity
from rig.meter.billing.snapshot import DemandReading, RegisterReading, Snapshot
from rig.meter.billing.tariff import Rate
from rig.meter.contacts.outputs import OutputId
from rig.meter.installation.diagnostics import Diagnostic
from rig.meter.installation.service_detection import FoundService, UnknownService
from rig.meter.measuring.elements import SERVICES, Rotation
from rig.meter.measuring.measurement import Fault
from rig.meter.reading.meter_reading import (
    DiagnosticReading,
    InstallationReading,
    MeterReading,
    PulseReading,
    RecorderReading,
    TestModeReading,
)
from rig.results.exact import (
    ExactAveraging,
    ExactDemandBin,
    ExactEnergy,
    ExactMaximum,
    ExactReading,
    ExactRecorder,
    ExactRegisters,
    ExactSeason,
    ExactService,
    Whole,
)

T = TypeVar("T")


class ReadingError(RigError):
    """Error of data that should be a meter's reading and is none: one sentence with what is wrong."""


def reading_of(exact: ExactReading) -> MeterReading:
    """The same back. Raises ReadingError for names that are not known here, and text that is no number."""
    try:
        return _meter_reading(exact)
    except (ArithmeticError, LookupError, ValueError, RigError) as error:
        raise ReadingError(
            f"what came is not a meter's reading ({type(error).__name__}: {error}): use the version that gave it"
        ) from None


def _meter_reading(exact: ExactReading) -> MeterReading:
    demand = _demand_settings(exact.averaging, exact.registers)
    test, recorder, closed = exact.test_mode, exact.recorder, exact.closed_season
    return MeterReading(
        utc_ns=_int(exact.utc_ns),
        registers=_register_reading(exact.registers),
        demand=demand,
        rate=Rate[exact.rate],
        rate_forced=exact.rate_forced,
        season=exact.season,
        resets=_int(exact.resets),
        last_reset_ns=_ns(exact.last_reset_utc_ns),
        interval_ends_ns=_ns(exact.interval_ends_utc_ns),
        next_self_read_ns=_ns(exact.next_self_read_utc_ns),
        inputs=tuple(map(_int, exact.input_pulses)),
        test=None
        if test is None
        else TestModeReading(
            _register_reading(test.registers),
            _demand_settings(test.averaging, test.registers),
            _int(test.began_utc_ns),
            _int(test.ends_utc_ns),
            _ns(test.interval_ends_utc_ns),
        ),
        recorder=None if recorder is None else _recorder_reading(recorder),
        closed_season=None if closed is None else _snapshot(closed),
        outputs=tuple(
            PulseReading(
                _OUTPUTS[o.name], Quantity(o.quantity), Fraction(o.constant_wh), _int(o.pulses), Fraction(o.carried_nwh)
            )
            for o in exact.outputs
        ),
        installation=InstallationReading(
            _found(exact.service),
            tuple(DiagnosticReading(_DIAGNOSTICS[d.diagnostic], d.on, d.phases, d.count) for d in exact.diagnostics),
        ),
        faults=tuple(Fault[name.upper()] for name in exact.faults),
    )


_OUTPUTS = {output.value: output for output in OutputId}
_DIAGNOSTICS = {diagnostic.label: diagnostic for diagnostic in Diagnostic}
_DEMANDS = {quantity.demand_name: quantity for quantity in Quantity}
_METRICS = {metric.value: metric for metric in Metric}


def _int(value: Whole) -> int:
    number = int(value)
    if isinstance(value, str) and value != str(number):
        raise ValueError(f"{value!r} is not an integer")
    return number


def _ns(time: Whole | None) -> int | None:
    return None if time is None else _int(time)


def _amounts(energy: ExactEnergy) -> tuple[int, ...]:
    return tuple(
        _int(amount)
        for q in (energy.q1, energy.q2, energy.q3, energy.q4)
        for amount in (q.nwh, q.nvarh, q.nvah_rms, q.nvah_td)
    )


def _reached(maximum: ExactMaximum) -> Maximum:
    return Maximum(_int(maximum.value_nw), _ns(maximum.at_utc_ns), tuple(map(_int, maximum.coincident_nw)))


def _demand_reading(bin: ExactDemandBin) -> DemandReading:
    return DemandReading(
        _int(bin.present_nw),
        _int(bin.previous_nw),
        _reached(bin.maximum),
        _int(bin.cumulative_nw),
        _int(bin.continuous_cumulative_nw),
    )


def _by_rate(found: dict[str, T]) -> list[T]:
    """In the order of rates: all of them, or none."""
    if found and set(found) != {rate.name for rate in Rate}:
        raise ValueError(f"there are rates {', '.join(found)}")
    return [found[rate.name] for rate in Rate] if found else []


def _register_reading(registers: ExactRegisters) -> RegisterReading:
    if any(demand.rates.keys() != registers.energy_rates.keys() for demand in registers.demand):
        raise ValueError("demand has other rates than energy")
    return RegisterReading(
        _amounts(registers.energy),
        tuple(map(_amounts, _by_rate(registers.energy_rates))),
        tuple(
            (_demand_reading(demand.total), *map(_demand_reading, _by_rate(demand.rates)))
            for demand in registers.demand
        ),
        tuple(map(_reached, registers.peaks)),
    )


def _demand_settings(averaging: ExactAveraging | None, registers: ExactRegisters) -> DemandSettings | None:
    if averaging is None:
        return None
    quantities = tuple(_DEMANDS[demand.quantity] for demand in registers.demand)
    return DemandSettings(DemandKind(averaging.method), averaging.subinterval_s, averaging.subintervals, quantities)


def _snapshot(closed: ExactSeason) -> Snapshot:
    registers = _register_reading(closed.registers)
    return Snapshot(
        registers.energy,
        registers.rates,
        registers.demand,
        registers.peaks,
        utc_ns=_int(closed.utc_ns),
        cause=Cause(closed.cause),
        season=closed.season,
        resets=_int(closed.resets),
        inputs=tuple(map(_int, closed.input_pulses)),
    )


def _recorder_reading(recorder: ExactRecorder) -> RecorderReading:
    channels = tuple(RecorderChannel(_METRICS[c.metric], Fraction(c.pulse)) for c in recorder.channels)
    carried = [
        Fraction(c.carried_pulses) * channel.nano_pulse.numerator
        for c, channel in zip(recorder.channels, channels, strict=True)
    ]
    return RecorderReading(
        RecorderSettings(recorder.interval_min, channels, recorder.memory_bytes),
        _int(recorder.began_utc_ns),
        _int(recorder.words),
        _int(recorder.overflows),
        tuple(_int(c.written_pulses) for c in recorder.channels),
        tuple(map(_integral, carried)),
    )


def _integral(carried: Fraction) -> int:
    if carried.denominator != 1:
        raise ValueError(f"a recorder does not carry {carried}")
    return carried.numerator


def _found(service: ExactService | None) -> FoundService | UnknownService | None:
    if service is None:
        return None
    if service.type is None or service.volts is None:
        return UnknownService(service.reason or "", service.text)
    rotation = Rotation[service.rotation] if service.rotation else None
    return FoundService(SERVICES[service.type].name, service.volts, rotation)
