"""A reading, made exact keys and values (rig/results/exact.py)."""

from __future__ import annotations

from rig.meter.billing.demand import DemandSettings
from rig.meter.billing.maxima import Maximum
from rig.meter.billing.quantity import KINDS, Quadrant
from rig.meter.billing.snapshot import DemandReading, RegisterReading, Snapshot
from rig.meter.billing.tariff import Rate
from rig.meter.installation.service_detection import FoundService, UnknownService
from rig.meter.reading.meter_reading import MeterReading, RecorderReading, TestModeReading
from rig.results.exact import (
    ExactAveraging,
    ExactChannel,
    ExactDemand,
    ExactDemandBin,
    ExactDiagnostic,
    ExactEnergy,
    ExactMaximum,
    ExactOutput,
    ExactQuadrant,
    ExactReading,
    ExactRecorder,
    ExactRegisters,
    ExactSeason,
    ExactService,
    ExactTestMode,
    Whole,
)

LEAST_INT64, MOST_INT64 = -(1 << 63), (1 << 63) - 1


def exact_reading(reading: MeterReading) -> ExactReading:
    """A reading as plain keys and values."""
    test, recorder, closed, demand = reading.test, reading.recorder, reading.closed_season, reading.demand
    return ExactReading(
        utc_ns=whole(reading.utc_ns),
        registers=_registers(reading.registers, demand),
        averaging=_averaging(demand),
        rate=reading.rate.name,
        rate_forced=reading.rate_forced,
        season=reading.season,
        resets=whole(reading.resets),
        last_reset_utc_ns=_time(reading.last_reset_ns),
        interval_ends_utc_ns=_time(reading.interval_ends_ns),
        next_self_read_utc_ns=_time(reading.next_self_read_ns),
        input_pulses=list(map(whole, reading.inputs)),
        test_mode=None if test is None else _test_mode(test),
        recorder=None if recorder is None else _recorder(recorder),
        closed_season=None if closed is None else _season(closed, demand),
        outputs=[
            ExactOutput(o.id.value, o.quantity.value, str(o.constant_wh), whole(o.count), str(o.carried_nwh))
            for o in reading.outputs
        ],
        service=_service(reading.installation.service),
        diagnostics=[
            ExactDiagnostic(d.diagnostic.label, d.on, d.phases, d.count) for d in reading.installation.diagnostics
        ],
        faults=[fault.label for fault in reading.faults],
    )


def whole(value: int) -> Whole:
    """Give an integer as it is, or as text where 64 bits with a sign do not hold it."""
    return value if LEAST_INT64 <= value <= MOST_INT64 else str(value)


def _time(utc_ns: int | None) -> Whole | None:
    return None if utc_ns is None else whole(utc_ns)


def _energy(amounts: tuple[int, ...]) -> ExactEnergy:
    places = list(map(whole, amounts))
    return ExactEnergy(*[ExactQuadrant(*places[KINDS * q : KINDS * (q + 1)]) for q in Quadrant])


def _maximum(maximum: Maximum) -> ExactMaximum:
    return ExactMaximum(whole(maximum.value), _time(maximum.at_ns), list(map(whole, maximum.coincident)))


def _bin(bin: DemandReading) -> ExactDemandBin:
    return ExactDemandBin(
        whole(bin.present),
        whole(bin.previous),
        _maximum(bin.maximum),
        whole(bin.cumulative),
        whole(bin.continuous_cumulative),
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
        whole(test.began_ns),
        whole(test.ends_ns),
        _time(test.interval_ends_ns),
        _averaging(test.demand),
        _registers(test.registers, test.demand),
    )


def _season(closed: Snapshot, demand: DemandSettings | None) -> ExactSeason:
    return ExactSeason(
        whole(closed.utc_ns),
        closed.cause.value,
        closed.season,
        whole(closed.resets),
        list(map(whole, closed.inputs)),
        _registers(closed, demand),
    )


def _recorder(recorder: RecorderReading) -> ExactRecorder:
    settings = recorder.settings
    return ExactRecorder(
        settings.interval_min,
        settings.memory_bytes,
        whole(recorder.began_ns),
        whole(recorder.words),
        whole(recorder.overflows),
        [
            ExactChannel(
                channel.metric.value,
                str(channel.pulse),
                whole(recorder.counted[k]),
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
