"""A reading as `--json` and messages between processes have it: exact, units in the names of its keys (docs/json.md).

Integers are integers where 64 bits with a sign hold them, as msgpack and most readers of JSON want, else text of their
digits: 2^63 nWh are 9.2 · 10^9 kWh, which the largest meter takes twenty centuries to register. Rationals are text,
such as "9/5".
"""

from __future__ import annotations

from fractions import Fraction
from typing import TypeVar

import msgspec

from rig.errors import RigError
from rig.meter.billing.demand import DemandKind, DemandSettings
from rig.meter.billing.events import Cause
from rig.meter.billing.maxima import Maximum
from rig.meter.billing.metric import Metric, RecorderChannel, RecorderSettings
from rig.meter.billing.quantity import KINDS, Quadrant, Quantity
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


class ReadingError(RigError):
    """What should be a meter's reading and is none: one sentence with what is wrong."""


T = TypeVar("T")

Whole = int | str
"""An integer; text where 64 bits with a sign do not hold it."""

Rational = str
"""Such as "9/5"."""

LEAST_INT64, MOST_INT64 = -(1 << 63), (1 << 63) - 1


class ExactQuadrant(msgspec.Struct, frozen=True):
    nwh: Whole
    nvarh: Whole
    nvah_rms: Whole
    nvah_td: Whole


class ExactEnergy(msgspec.Struct, frozen=True):
    q1: ExactQuadrant
    q2: ExactQuadrant
    q3: ExactQuadrant
    q4: ExactQuadrant


class ExactMaximum(msgspec.Struct, frozen=True):
    value_nw: Whole
    at_utc_ns: Whole | None
    coincident_nw: list[Whole]


class ExactDemandBin(msgspec.Struct, frozen=True):
    present_nw: Whole
    previous_nw: Whole
    maximum: ExactMaximum
    cumulative_nw: Whole
    continuous_cumulative_nw: Whole


class ExactDemand(msgspec.Struct, frozen=True):
    quantity: str
    total: ExactDemandBin
    rates: dict[str, ExactDemandBin]


class ExactRegisters(msgspec.Struct, frozen=True):
    energy: ExactEnergy
    energy_rates: dict[str, ExactEnergy]
    demand: list[ExactDemand]
    peaks: list[ExactMaximum]


class ExactAveraging(msgspec.Struct, frozen=True):
    method: str
    subinterval_s: int
    subintervals: int


class ExactTestMode(msgspec.Struct, frozen=True):
    began_utc_ns: Whole
    ends_utc_ns: Whole
    interval_ends_utc_ns: Whole | None
    averaging: ExactAveraging | None
    registers: ExactRegisters


class ExactSeason(msgspec.Struct, frozen=True):
    utc_ns: Whole
    cause: str
    season: int
    resets: Whole
    input_pulses: list[Whole]
    registers: ExactRegisters


class ExactChannel(msgspec.Struct, frozen=True):
    metric: str
    pulse: Rational
    written_pulses: Whole
    carried_pulses: Rational


class ExactRecorder(msgspec.Struct, frozen=True):
    interval_min: int
    memory_bytes: int
    began_utc_ns: Whole
    words: Whole
    overflows: Whole
    channels: list[ExactChannel]


class ExactOutput(msgspec.Struct, frozen=True):
    name: str
    quantity: str
    constant_wh: Rational
    pulses: Whole
    carried_nwh: Rational


class ExactService(msgspec.Struct, frozen=True):
    text: str
    type: str | None
    volts: int | None
    rotation: str | None
    reason: str | None


class ExactDiagnostic(msgspec.Struct, frozen=True):
    diagnostic: str
    on: bool
    phases: str
    count: int


class ExactReading(msgspec.Struct, frozen=True):
    """Everything a meter has registered (rig/meter/reading/meter_reading.py)."""

    utc_ns: Whole
    registers: ExactRegisters
    averaging: ExactAveraging | None
    rate: str
    rate_forced: bool
    season: int
    resets: Whole
    last_reset_utc_ns: Whole | None
    interval_ends_utc_ns: Whole | None
    next_self_read_utc_ns: Whole | None
    input_pulses: list[Whole]
    test_mode: ExactTestMode | None
    recorder: ExactRecorder | None
    closed_season: ExactSeason | None
    outputs: list[ExactOutput]
    service: ExactService | None
    diagnostics: list[ExactDiagnostic]
    faults: list[str]


# --- to it ------------------------------------------------------------------------------------------------------------


def exact_reading(reading: MeterReading) -> ExactReading:
    """A reading as plain keys and values."""
    test, recorder, closed, demand = reading.test, reading.recorder, reading.closed_season, reading.demand
    return ExactReading(
        utc_ns=_whole(reading.utc_ns),
        registers=_registers(reading.registers, demand),
        averaging=_averaging(demand),
        rate=reading.rate.name,
        rate_forced=reading.rate_forced,
        season=reading.season,
        resets=_whole(reading.resets),
        last_reset_utc_ns=_time(reading.last_reset_ns),
        interval_ends_utc_ns=_time(reading.interval_ends_ns),
        next_self_read_utc_ns=_time(reading.next_self_read_ns),
        input_pulses=list(map(_whole, reading.inputs)),
        test_mode=None if test is None else _test_mode(test),
        recorder=None if recorder is None else _recorder(recorder),
        closed_season=None if closed is None else _season(closed, demand),
        outputs=[
            ExactOutput(o.id.value, o.quantity.value, str(o.constant_wh), _whole(o.count), str(o.carried_nwh))
            for o in reading.outputs
        ],
        service=_service(reading.installation.service),
        diagnostics=[
            ExactDiagnostic(d.diagnostic.label, d.on, d.phases, d.count) for d in reading.installation.diagnostics
        ],
        faults=[fault.name.lower() for fault in reading.faults],
    )


def _whole(value: int) -> Whole:
    return value if LEAST_INT64 <= value <= MOST_INT64 else str(value)


def _time(utc_ns: int | None) -> Whole | None:
    return None if utc_ns is None else _whole(utc_ns)


def _energy(amounts: tuple[int, ...]) -> ExactEnergy:
    places = list(map(_whole, amounts))
    return ExactEnergy(*[ExactQuadrant(*places[KINDS * q : KINDS * (q + 1)]) for q in Quadrant])


def _maximum(maximum: Maximum) -> ExactMaximum:
    return ExactMaximum(_whole(maximum.value), _time(maximum.at_ns), list(map(_whole, maximum.coincident)))


def _bin(bin: DemandReading) -> ExactDemandBin:
    return ExactDemandBin(
        _whole(bin.present),
        _whole(bin.previous),
        _maximum(bin.maximum),
        _whole(bin.cumulative),
        _whole(bin.continuous_cumulative),
    )


def _registers(registers: RegisterReading, demand: DemandSettings | None) -> ExactRegisters:
    quantities = () if demand is None else demand.quantities
    return ExactRegisters(
        energy=_energy(registers.energy),
        energy_rates={rate.name: _energy(amounts) for rate, amounts in zip(Rate, registers.rates, strict=False)},
        demand=[
            ExactDemand(
                quantity.demand_name,
                _bin(bins[0]),
                {rate.name: _bin(bin) for rate, bin in zip(Rate, bins[1:], strict=False)},
            )
            for quantity, bins in zip(quantities, registers.demand, strict=True)
        ],
        peaks=list(map(_maximum, registers.peaks)),
    )


def _averaging(demand: DemandSettings | None) -> ExactAveraging | None:
    return None if demand is None else ExactAveraging(demand.kind.value, demand.subinterval_s, demand.subintervals)


def _test_mode(test: TestModeReading) -> ExactTestMode:
    return ExactTestMode(
        _whole(test.began_ns),
        _whole(test.ends_ns),
        _time(test.interval_ends_ns),
        _averaging(test.demand),
        _registers(test.registers, test.demand),
    )


def _season(closed: Snapshot, demand: DemandSettings | None) -> ExactSeason:
    return ExactSeason(
        _whole(closed.utc_ns),
        closed.cause.value,
        closed.season,
        _whole(closed.resets),
        list(map(_whole, closed.inputs)),
        _registers(closed, demand),
    )


def _recorder(recorder: RecorderReading) -> ExactRecorder:
    settings = recorder.settings
    return ExactRecorder(
        settings.interval_min,
        settings.memory_bytes,
        _whole(recorder.began_ns),
        _whole(recorder.words),
        _whole(recorder.overflows),
        [
            ExactChannel(
                channel.metric.value,
                str(channel.pulse),
                _whole(recorder.counted[k]),
                str(recorder.carried_pulses(k)),
            )
            for k, channel in enumerate(settings.channels)
        ],
    )


def _service(service: FoundService | UnknownService | None) -> ExactService | None:
    match service:
        case None:
            return None
        case FoundService(name, volts, rotation):
            return ExactService(service.text, name, volts, rotation.name if rotation else None, None)
        case UnknownService(reason, text):
            return ExactService(text, None, None, None, reason)


# --- and back ---------------------------------------------------------------------------------------------------------


def reading_of(exact: ExactReading) -> MeterReading:
    """The same back. Raises ReadingError for names that are not known here, and text that is no number."""
    try:
        return _meter_reading(exact)
    except (ArithmeticError, LookupError, ValueError, RigError) as error:
        raise ReadingError(
            f"what came is no reading of a meter ({type(error).__name__}: {error}): use the version that gave it"
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
        raise ValueError(f"{value!r} is no integer")
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
