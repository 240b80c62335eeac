"""Check of a program: what it does, in words, and what its owner should know about it although it is right."""

from __future__ import annotations

from collections.abc import Iterator

from rig.files.numbers import plain
from rig.meter.access.security import FACTORY_KEY
from rig.meter.approval import unapproved_services
from rig.meter.billing.demand import DemandKind, DemandSettings
from rig.meter.billing.holidays import holiday_dates
from rig.meter.billing.recorder import RecorderSettings
from rig.meter.billing.settings import SelfReadKind
from rig.meter.communication_modules import AUTOTRANSFORMER_MODULES
from rig.meter.firmware import Firmware
from rig.program.billing import LEAST_INTERVAL_MIN
from rig.program.build import Program
from rig.program.display import SEQUENCES
from rig.program.security import typed_keys
from rig.program.time_of_use import saves_daylight

LEAST_HOURS_TO_TURN = 1500
"""A register should not turn over sooner at MAX (IEC 62053 asks that of its displays)."""

MONTH_DAYS = 31


# --- summary --------------------------------------------------------------------------------------------------


def summary(program: Program, year: int) -> dict[str, str]:
    """Summarize what the program does: a line for each table, dates as they fall in a year."""
    metering, settings = program.metering, program.billing
    lines = {"service": metering.service or "detected"}
    if metering.firmware:
        lines["firmware"] = _firmware(metering.firmware)
    if metering.module:
        lines["module"] = metering.module
    lines |= {"relay board": "fitted" if program.file.meter.relay_board else "none", "clock": _clock(program, year)}
    if settings.demand:
        lines["demand"] = (
            f"{_averaging(settings.demand)}, of {', '.join(q.demand_name for q in settings.demand.quantities)}; "
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
    lines["display"] = f"items: {counts}; {_scrolling(program.display.scroll_s)}"
    lines |= {output.id.label: output.text(program.ratings) for output in program.outputs}
    lines |= {found.id.label: found.text for found in program.inputs}
    return lines | {"seal": "on" if program.file.security.seal else "off"}


def _firmware(firmware: Firmware) -> str:
    ports = ", RS-232, RS-485, high-speed modem" if firmware.port_options else ""
    return f"{firmware.version}, {firmware.protocol.value}{ports}{', seal' if firmware.seals else ''}"


def _clock(program: Program, year: int) -> str:
    clock = program.file.clock
    name = clock.zone or (f"UTC{clock.standard_offset}" if clock.standard_offset else "UTC")
    saves = saves_daylight(program.billing.calendar, year)
    return f"{name}, {'with' if saves else 'without'} daylight saving"


def _scrolling(seconds: int) -> str:
    return f"{seconds} s each" if seconds else "each stands until SCROLL"


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


# --- notes ----------------------------------------------------------------------------------------------------


def notes(program: Program, year: int) -> list[str]:
    """Return what is worth knowing, a sentence each; the zone is looked at in a year."""
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
    yield from _approval_notes(program)
    for equation in [metering.equation] if metering.service else metering.form.equations:
        if equation.exact_when:
            yield f"form {plate.form} on a {equation.service} service is exact when {equation.exact_when}"
    if plate.ratios.multiplier != 1:
        yield f"all readings are at the meter: multiply them by {plain(plate.ratios.multiplier)}"


def _approval_notes(program: Program) -> Iterator[str]:
    """Note what of the meter the notice of approval does not name, though it runs (M-7, M-8, X-4)."""
    metering, plate = program.metering, program.nameplate
    if outside := unapproved_services(metering.form, metering.current_class, metering.service):
        elements, services = plain(metering.form.elements), " or ".join(outside)
        yield f"the approval does not name {elements} elements in class {metering.current_class} on {services}"
    firmware, model = metering.firmware, metering.model
    if firmware is not None and firmware.family != model.family:
        came = f"firmware {firmware.version} came with the {firmware.family}"
        yield f"{came}: the notice does not show it in an {model.family}"
    if plate.ratios.autotransformer != 1 and metering.module not in AUTOTRANSFORMER_MODULES:
        yield "the notice shows the autotransformer with module TS2 or TS2 MU, and the program has neither"


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


def _contact_notes(program: Program) -> Iterator[str]:
    for output in program.outputs:
        for note in output.notes(program.ratings):
            yield f"{output.id.label} {note}"


def _security_notes(program: Program) -> Iterator[str]:
    security = program.file.security
    if not security.seal:
        yield "the seal is off: metrological parameters can be programmed"
    levels: dict[bytes, list[int]] = {}
    for level, key in enumerate(typed_keys(security), 1):
        levels.setdefault(key, []).append(level)
    if FACTORY_KEY in levels:
        factory = _levels(levels.pop(FACTORY_KEY))
        if security.seal:
            yield f"{factory}: no key is set, and the factory key is not accepted under seal: nobody has that level"
        else:
            yield f"{factory}: still the factory key 000000: anyone with access to a port has that level"
    for shared in levels.values():
        if len(shared) > 1:
            yield f"{_levels(shared)} have one key: it proves level {shared[-1]}"


def _levels(levels: list[int]) -> str:
    return f"level{'s' if len(levels) > 1 else ''} {', '.join(map(str, levels))}"
