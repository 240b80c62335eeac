"""[clock] and [tou] as a calendar: the zone, and the tariff of seasons, days and rates (T-1)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from difflib import get_close_matches
from zoneinfo import ZoneInfo, available_timezones

from rig.files.strict_toml import ConfigError, shown
from rig.meter.billing.calendar import Calendar
from rig.meter.billing.dates import DateRule, DateRuleError
from rig.meter.billing.holidays import Holiday, Observed
from rig.meter.billing.tariff import DayType, Rate, RateSwitch, Season, Tariff, TariffError
from rig.meter.billing.zone import DaylightSaving, RuleZone, ZoneError
from rig.program import schema

THE_MACHINES = ("localtime", "posixrules")
"""Zones that are other ones on every machine: not for a meter."""

LEAP_SECONDS = "right/"
"""Zones of clocks that count leap seconds, on which days change half a minute late."""


def calendar(clock: schema.ClockTable, tou: schema.TimeOfUseTable | None) -> Calendar:
    """The calendar of a program. Raises ConfigError."""
    return Calendar(zone_of(clock), None if tou is None else _tariff(tou))


def saves_daylight(calendar: Calendar, year: int) -> bool:
    """Return whether the clock leaves standard time in a year."""
    middays = [calendar.instant_ns(datetime(year, month, 15, 12)) for month in range(1, 13)]
    return any(calendar.span(midday).dst for midday in middays)


# --- zone -----------------------------------------------------------------------------------------------------


def zone_of(clock: schema.ClockTable) -> tzinfo:
    """Give the zone of a program's clock. Raises ConfigError."""
    if clock.standard_offset is None:
        for key in ("dst_begin", "dst_end"):
            if (text := getattr(clock, key)) is not None:
                raise ConfigError(
                    f"clock.{key} is {shown(text)}, it goes with standard_offset only: a zone has its own rule"
                )
        return _named("UTC" if clock.zone is None else clock.zone)
    if clock.zone is not None:
        raise ConfigError(
            f"clock.zone is {shown(clock.zone)} and clock.standard_offset is {shown(clock.standard_offset)}: "
            "give one of them"
        )
    sign, hours, minutes = clock.standard_offset[0], clock.standard_offset[1:3], clock.standard_offset[4:]
    offset = int(f"{sign}{60 * int(hours) + int(minutes)}")
    saving = _saving(clock)
    try:
        return RuleZone(offset, saving)
    except ZoneError as error:
        raise ConfigError(f"clock.standard_offset is {shown(clock.standard_offset)}: {error}") from None


def _named(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        if name in THE_MACHINES or name.startswith(LEAP_SECONDS):
            raise ValueError
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        raise ConfigError(f"clock.zone is {shown(name)}, which is not a time zone here; {_nearest(name)}") from None


def _nearest(name: str) -> str:
    known = available_timezones().difference(THE_MACHINES)
    if not known:
        return "this machine has no time zones: install the Python package tzdata, or give standard_offset"
    within = sorted(zone for zone in known if name and name.lower() in zone.lower())
    close = (within or get_close_matches(name, sorted(known), 3, 0.8))[:3]
    return f"did you mean {' or '.join(close)}?" if close else "give an IANA name, such as America/Toronto"


def _saving(clock: schema.ClockTable) -> DaylightSaving | None:
    if clock.dst_begin is None and clock.dst_end is None:
        return None
    begin, begin_minute = _change("clock.dst_begin", clock.dst_begin)
    end, end_minute = _change("clock.dst_end", clock.dst_end)
    try:
        return DaylightSaving(begin, end, begin_minute, end_minute)
    except ZoneError as error:
        raise ConfigError(f"clock.dst_begin and clock.dst_end: {error}") from None


def _change(key: str, text: str | None) -> tuple[DateRule, int]:
    """A date and a time, such as "second Sunday of March 02:00"."""
    if text is None:
        raise ConfigError(f"{key} is missing: daylight saving needs both dst_begin and dst_end")
    found = re.fullmatch(r"(.+) ([01][0-9]|2[0-3]):([0-5][0-9])", text)
    if not found:
        raise ConfigError(
            f'{key} is {shown(text)}, it must be a date and a time in quotes, such as "second Sunday of March 02:00"'
        )
    return date_rule(key, found[1]), 60 * int(found[2]) + int(found[3])


# --- tariff ---------------------------------------------------------------------------------------------------


def _tariff(tou: schema.TimeOfUseTable) -> Tariff:
    seasons = tuple(_season(f"tou.seasons[{k}]", season) for k, season in enumerate(tou.seasons))
    holidays = []
    for k, holiday in enumerate(tou.holidays):
        for other in tou.holidays[:k]:
            if holiday.name == other.name:
                raise ConfigError(f"tou.holidays[{k}].name is {shown(holiday.name)} again: give each its own name")
        holidays.append(Holiday(date_rule(f"tou.holidays[{k}].date", holiday.date), Observed(holiday.observed)))
    try:
        return Tariff(seasons, tuple(holidays))
    except TariffError as error:
        raise ConfigError(f"tou.seasons: {error}") from None


def _season(place: str, season: schema.SeasonTable) -> Season:
    saturday = season.weekday if season.saturday is None else season.saturday
    sunday = saturday if season.sunday is None else season.sunday
    days = {
        DayType.WEEKDAY: season.weekday,
        DayType.SATURDAY: saturday,
        DayType.SUNDAY: sunday,
        DayType.HOLIDAY: sunday if season.holiday is None else season.holiday,
    }
    begins = date_rule(f"{place}.begins", season.begins)
    try:
        return Season(
            season.name, begins, {day: _switches(f"{place}.{day.value}", texts) for day, texts in days.items()}
        )
    except TariffError as error:
        raise ConfigError(f"{place}: {error}") from None


def _switches(place: str, texts: tuple[str, ...]) -> tuple[RateSwitch, ...]:
    switches = []
    for k, text in enumerate(texts):
        found = re.fullmatch(r"([01][0-9]|2[0-3]):([0-5][0-9]) ([A-D])", text)
        if not found:
            raise ConfigError(f'{place}[{k}] is {shown(text)}, it must be a time and a rate A to D, such as "07:00 A"')
        switches.append(RateSwitch(60 * int(found[1]) + int(found[2]), Rate[found[3]]))
    return tuple(switches)


def date_rule(key: str, text: str) -> DateRule:
    """A date as programs write it. Raises ConfigError."""
    try:
        return DateRule.parse(text)
    except DateRuleError as error:
        raise ConfigError(f"{key}: {error}") from None
