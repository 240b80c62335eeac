"""What a program does, in words, and what its owner should know about it although it is right."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from rig.files.numbers import plain
from rig.meter.access.security import FACTORY_KEY
from rig.meter.billing.demand import DemandKind, DemandSettings
from rig.meter.billing.holidays import holiday_dates
from rig.meter.billing.quantity import NANO_PER_KILO
from rig.meter.billing.recorder import RecorderSettings
from rig.meter.billing.settings import SelfReadKind
from rig.meter.billing.tariff import Rate
from rig.meter.measuring.elements import PHASES
from rig.meter.nameplate import MOST_VOLTS
from rig.program import contacts
from rig.program.billing import LEAST_INTERVAL_MIN
from rig.program.build import Program
from rig.program.contacts import diagnostic_name
from rig.program.display import SEQUENCES
from rig.program.names import demand_name
from rig.program.time_of_use import saves_daylight

LEAST_HOURS_TO_TURN = 1500
"""A register should not turn over sooner at MAX (IEC 62053 asks that of its displays)."""

MONTH_DAYS = 31


# --- summary --------------------------------------------------------------------------------------------------


def summary(program: Program, year: int) -> dict[str, str]:
    """What the program does: a line for each table, dates as they fall in a year."""
    metering, settings = program.metering, program.billing
    lines = {"service": metering.service or "detected", "clock": _clock(program, year)}
    if settings.demand:
        lines["demand"] = (
            f"{_averaging(settings.demand)}, of {', '.join(demand_name(q) for q in settings.demand.quantities)}; "
            f"resets at the switch {settings.lockout_s} s apart"
        )
    test = settings.test_mode
    lines["test mode"] = f"ends after {test.minutes} min" + (f"; {_averaging(test.demand)}" if test.demand else "")
    tariff = settings.calendar.tariff
    if program.file.tou:
        starts = [(season.start.on(year), season.name) for season in tariff.seasons]
        lines["time of use"] = ", ".join(f"{name} from {start}" for start, name in starts)
        days = sorted(holiday_dates(tariff.holidays, year))
        lines[f"holidays in {year}"] = ", ".join(day.strftime("%m-%d") for day in days) or "none"
    if settings.recorder:
        lines["recorder"] = _recorder(settings.recorder)
    reads = settings.self_reads
    if reads.kind is not SelfReadKind.NEVER:
        when = {
            SelfReadKind.DAILY: "at midnight",
            SelfReadKind.MONTHLY: f"at the midnight that begins day {reads.day} of a month",
            SelfReadKind.HOURS: f"every {reads.hours} h",
        }
        lines["self-reads"] = when[reads.kind] + (", with a demand reset" if reads.resets_demand else "")
    counts = ", ".join(f"{len(getattr(program.display, name))} {name}" for name in SEQUENCES)
    lines["display"] = f"items: {counts}; {program.display.scroll_s} s each"
    lines |= {output.id.label: output_text(output, program) for output in program.outputs}
    lines |= {found.id.label: _input(found) for found in program.inputs}
    return lines | {"seal": "on" if program.security.seal else "off"}


def _clock(program: Program, year: int) -> str:
    clock = program.file.clock
    name = clock.zone or (f"UTC{clock.standard_offset}" if clock.standard_offset else "UTC")
    saves = saves_daylight(program.billing.calendar, year)
    return f"{name}, {'with' if saves else 'without'} daylight saving"


def _averaging(demand: DemandSettings) -> str:
    minutes = demand.interval_s // 60
    match demand.kind:
        case DemandKind.BLOCK:
            return f"block interval of {minutes} min"
        case DemandKind.SLIDING:
            return f"window of {minutes} min, sliding by {demand.subinterval_s // 60}"
        case DemandKind.THERMAL:
            return f"thermal, 90 % in {minutes} min"


def _recorder(recorder: RecorderSettings) -> str:
    return (
        f"{len(recorder.channels)} channels every {recorder.interval_min} min in {recorder.memory_bytes // 1024} KiB: "
        f"{float(recorder.days):.1f} days"
    )


def output_text(output: contacts.Output, program: Program) -> str:
    """What an output does, in words."""
    match output:
        case contacts.PulsesOutput(_, quantity, kp):
            if not kp:
                return "disabled"
            at_max = float(program.metering.max_w / kp / 3600)
            unit = quantity.unit.removeprefix("k")
            return f"{quantity.value}, Kp {plain(kp)} {unit}; {at_max:.1f} transitions a second at MAX"
        case contacts.EndOfIntervalOutput():
            return f"end of interval, closed for {output.closed_s} s"
        case contacts.LoadControlOutput():
            return f"load control, closed in rate {' and '.join(rate.name for rate in output.rates)}"
        case contacts.DemandAlert():
            return f"demand above {plain(Fraction(output.above_nw, NANO_PER_KILO))} {demand_name(output.quantity)}"
        case contacts.PowerFactorAlert():
            return f"power factor below {plain(output.below)}"
        case contacts.VoltageAlert():
            levels = (("below", output.below_v), ("above", output.above_v))
            return "voltage " + " or ".join(f"{side} {plain(level)} V" for side, level in levels if level is not None)
        case contacts.DiagnosticAlert():
            return f"diagnostics: {', '.join(diagnostic_name(d) for d in output.diagnostics)}"


def _input(found: contacts.Input) -> str:
    match found:
        case contacts.RecordedInput():
            return f"counts pulses of {plain(found.weight)}"
        case contacts.RateInput():
            return f"forces rate {found.rate.name}"


# --- notes ----------------------------------------------------------------------------------------------------


def notes(program: Program, year: int) -> list[str]:
    """What is worth knowing, a sentence each; the zone is looked at in a year."""
    return [
        *_nameplate_notes(program),
        *_time_notes(program, year),
        *_display_notes(program),
        *_contact_notes(program),
        *_security_notes(program),
    ]


def _nameplate_notes(program: Program) -> Iterator[str]:
    metering, plate = program.metering, program.nameplate
    if plate.inferred and program.file.meter.ks_wh is None:
        kind = f"form {plate.form} in class {metering.current_class}"
        yield f"no legible plate has {kind}: Ks, K and MAX follow their rule"
    for equation in [metering.equation] if metering.service else metering.form.equations:
        if equation.exact_when:
            yield f"form {plate.form} on a {equation.service} service is exact when {equation.exact_when}"
    if plate.ratios.multiplier != 1:
        yield f"all readings are at the meter: multiply them by {plain(plate.ratios.multiplier)}"


def _time_notes(program: Program, year: int) -> Iterator[str]:
    settings, tou = program.billing, program.file.tou
    if settings.demand and settings.demand.interval_s < LEAST_INTERVAL_MIN * 60:
        yield (
            f"the demand interval is less than {LEAST_INTERVAL_MIN} min, as allow_short_interval says: not for billing "
            "(S-E-06, 5.15.3)"
        )
    if not saves_daylight(settings.calendar, year):
        yield "the clock keeps standard time all year" + (", and so does the tariff" if tou else "")
    if tou:
        for k, holiday in enumerate(settings.calendar.tariff.holidays):
            if not holiday.rule.every_year and holiday.on(year) is None:
                yield f"{tou.holidays[k].name}: there is none in {year}"
    if settings.recorder and settings.recorder.days < MONTH_DAYS:
        yield f"the recorder goes back {float(settings.recorder.days):.1f} days: read it more than once a month"


def _display_notes(program: Program) -> Iterator[str]:
    display = program.file.display
    hours = 10 ** (display.energy_digits - display.energy_decimals) / program.nameplate.max_kw
    if hours < LEAST_HOURS_TO_TURN:
        digits = f"{display.energy_digits} digits with {display.energy_decimals} decimals"
        yield f"{digits} turn over after {float(hours):.0f} h at MAX: read them more often, or show more digits"


def rates_in_use(program: Program) -> set[Rate]:
    """Those that the calendar has, or an input forces."""
    seasons = program.billing.calendar.tariff.seasons
    scheduled = {switch.rate for season in seasons for switches in season.days.values() for switch in switches}
    return scheduled | {found.rate for found in program.inputs if isinstance(found, contacts.RateInput)}


def _voltage_notes(alert: contacts.VoltageAlert, program: Program) -> Iterator[str]:
    """By the nominal voltages of the service, or of all where it is detected."""
    metering = program.metering
    nominal = {
        volts * phasor[0]
        for equation in ([metering.equation] if metering.service else metering.form.equations)
        for phase, phasor in zip(PHASES, equation.service_type.voltages, strict=True)
        for volts in equation.service_type.volts
        if phasor is not None and phase in equation.volt_phases
    }
    if alert.above_v is not None and alert.above_v > MOST_VOLTS:
        never = f"never in a meter within its rating, {MOST_VOLTS} V"
        yield f"{alert.id.label} closes above {plain(alert.above_v)} V: {never}"
    for side, level, always in (
        ("below", alert.below_v, alert.below_v is not None and alert.below_v > max(nominal)),
        ("above", alert.above_v, alert.above_v is not None and alert.above_v < min(nominal)),
    ):
        if always and level is not None:
            known = " and ".join(f"{volts:.0f}" for volts in sorted(nominal))
            yield f"{alert.id.label} closes {side} {plain(level)} V: always, the service has {known} V"


def _contact_notes(program: Program) -> Iterator[str]:
    for output in program.outputs:
        match output:
            case contacts.DemandAlert() if output.above_nw > program.nameplate.max_kw * NANO_PER_KILO:
                yield f"{output.id.label} closes above MAX: never in a meter within its rating"
            case contacts.LoadControlOutput(_, rates) if set(rates) >= rates_in_use(program):
                yield f"{output.id.label} closes in every rate of the program: it opens in test mode only"
            case contacts.PowerFactorAlert(_, below) if below == 1:
                any_load = "any load but a purely resistive one closes it"
                yield f"{output.id.label} closes below a power factor of 1: {any_load}"
            case contacts.VoltageAlert():
                yield from _voltage_notes(output, program)


def _security_notes(program: Program) -> Iterator[str]:
    security = program.security
    if not security.seal:
        yield "the seal is off: metrological parameters can be programmed"
    levels: dict[bytes, list[int]] = {}
    for level, key in enumerate(security.keys, 1):
        levels.setdefault(key, []).append(level)
    if FACTORY_KEY in levels:
        factory = _levels(levels.pop(FACTORY_KEY))
        if security.seal:
            yield f"{factory}: no key was chosen, and under seal 000000 opens nothing: nobody has that level"
        else:
            yield f"{factory}: the key is 000000, as from the factory: who reaches a port has that level"
    for shared in levels.values():
        if len(shared) > 1:
            yield f"{_levels(shared)} have one key: it proves level {shared[-1]}"


def _levels(levels: list[int]) -> str:
    return f"level{'s' if len(levels) > 1 else ''} {', '.join(map(str, levels))}"
