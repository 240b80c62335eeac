# ruff: noqa: E501 - a form of a stamp is on one line with what it is
"""Stamps as loggers and spreadsheets write them: zones by name, counts since 1970 and 1900, months by name, digits alone.

The witness is the list of instants that each file is written from.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from rig.files.strict_toml import ConfigError
from rig.meter.billing.calendar import Calendar
from rig.replay.intervals.columns import parse_columns
from rig.replay.intervals.file import read_intervals
from rig.replay.intervals.record import LoadRecord
from rig.replay.intervals.writing import Writing

TORONTO = ZoneInfo("America/Toronto")
HALF_OF = {"AM": "a.\u00a0m.", "PM": "p.\u00a0m."}


def read(folder: Path, text: str, zone: object = UTC, time_format: str | None = None, columns: str = "") -> LoadRecord:
    path = folder / "load.csv"
    path.write_text(text, encoding="utf-8")
    assert zone is UTC or isinstance(zone, ZoneInfo)
    return read_intervals(
        path, Calendar(zone), stamps_end=True, writing=Writing(parse_columns(columns), time_format=time_format)
    )


def hours(local: datetime, count: int = 49) -> list[datetime]:
    """Ends of hours that follow a local time, in UTC."""
    begin = local.astimezone(UTC)
    return [begin + timedelta(hours=k) for k in range(1, count + 1)]


def check(load: LoadRecord, ends: list[datetime]) -> None:
    assert [one.end_ns for one in load.intervals] == [int(end.timestamp()) * 10**9 for end in ends]
    assert [one.energies[0] for one in load.intervals] == [load.scale * (1 + k % 7) for k in range(len(ends))]


def table(head: str, ends: list[datetime], line: Callable[[datetime], str]) -> str:
    return "\n".join([head, *(f"{line(end)}{head[4:5]}{1 + k % 7}" for k, end in enumerate(ends))]) + "\n"


def sheet(time: datetime) -> float:
    return (time.replace(tzinfo=None) - datetime(1899, 12, 30)) / timedelta(days=1)


def stamp(form: str) -> Callable[[datetime], str]:
    return lambda time: time.strftime(form)


FORMS: dict[str, tuple[Callable[[datetime], str], str]] = {
    "UTC behind": (stamp("%Y-%m-%d %H:%M UTC"), ""),
    "GMT behind": (stamp("%Y-%m-%dT%H:%M:%S GMT"), ""),
    "Z behind a date in dots": (stamp("%d.%m.%Y %H:%MZ"), ""),
    "UTC-05:00 behind": (lambda t: f"{t - timedelta(hours=5):%Y-%m-%d %H:%M} UTC-05:00", ""),
    "GMT+2 behind": (lambda t: f"{t + timedelta(hours=2):%Y-%m-%d %H:%M} (GMT+2)", ""),
    "an offset and a place": (lambda t: f"{t + timedelta(hours=1):%Y-%m-%dT%H:%M:%S}+01:00[Europe/Berlin]", ""),
    "seconds since 1970": (lambda t: f"{t.timestamp():.0f}", "times are seconds since 1970, of UTC: the first is 2026-01-15 01:00:00+00:00"),
    "seconds since 1970, .0": (lambda t: f"{t.timestamp():.1f}", "times are seconds since 1970"),
    "ms since 1970": (lambda t: f"{t.timestamp():.0f}000", "times are ms since 1970"),
    "µs since 1970": (lambda t: f"{t.timestamp():.0f}000000", "times are µs since 1970"),
    "ns since 1970": (lambda t: f"{t.timestamp():.0f}000000000", "times are ns since 1970"),
    "days since 1900": (lambda t: f"{sheet(t):.10f}", "times are days as spreadsheets count them: the first is 2026-01-15 01:00:00"),
    "days since 1900, few decimals": (lambda t: f"{sheet(t):.4f}", "off the full 60 min by up to"),
    "days since 1900 and a clock": (lambda t: f"{int(sheet(t - timedelta(hours=1)))} {t.hour or 24}:00", "the first is 2026-01-15 01:00:00"),
    "digits alone": (stamp("%Y%m%d%H%M"), ""),
    "digits alone, with seconds": (stamp("%Y%m%d%H%M%S"), ""),
    "digits, 2400": (lambda t: f"{t - timedelta(hours=1):%Y%m%d} {t.hour or 24:02}00", ""),
    "day-month-year": (stamp("%d-%b-%Y %H:%M"), ""),
    "day-MONTH-yy": (lambda t: t.strftime("%d-%b-%y %H:%M").upper(), ""),
    "yy-month-day": (stamp("%y-%b-%d %H:%M"), "dates are read as year, month, day: of '26.01.15 01:00' the other order"),
    "yy.mm.dd": (stamp("%y.%m.%d %H:%M"), "dates are read as year, month, day"),
    "day month year": (stamp("%d %B %Y %H:%M:%S"), ""),
    "day's name": (stamp("%a %Y-%m-%d %H:%M"), ""),
    "day's whole name": (stamp("%A %d %B %Y %H:%M"), ""),
    "point in the time": (stamp("%d.%m.%Y %H.%M"), ""),
    "h in the time": (stamp("%Y-%m-%d %Hh%M"), ""),
    "blanks that do not break": (stamp("%Y-%m-%d\u00a0%I:%M\u202f%p"), ""),
    "a. m.": (lambda t: f"{t:%d.%m.%Y %I:%M} {HALF_OF[t.strftime('%p')]}", ""),
    "fraction of a second": (lambda t: f"{t - timedelta(milliseconds=3):%m/%d/%Y %H:%M:%S}.997", "month, day, year"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_stamps_in_other_forms(tmp_path: Path, name: str) -> None:
    line, said = FORMS[name]
    ends = hours(datetime(2026, 1, 15, tzinfo=UTC))
    load = read(tmp_path, table("time,kwh_delivered", ends, line))
    check(load, ends)
    assert any(said in note for note in load.notes) or not said, load.notes


def test_names_of_months_in_american_order(tmp_path: Path) -> None:
    ends = hours(datetime(2026, 1, 15, tzinfo=UTC))
    check(read(tmp_path, table("time;kwh_delivered", ends, stamp("%b %d, %Y %I:%M %p"))), ends)


BEGINS = [datetime(2026, 3, 8, tzinfo=TORONTO), datetime(2026, 11, 1, tzinfo=TORONTO)]
"""Days on which Toronto's clock changes."""


@pytest.mark.parametrize("begin", BEGINS)
def test_zones_of_the_meter_by_name(tmp_path: Path, begin: datetime) -> None:
    ends = hours(begin)

    def local(form: str) -> Callable[[datetime], str]:
        return lambda time: time.astimezone(TORONTO).strftime(form)

    load = read(tmp_path, table("time,kwh_delivered", ends, local("%Y-%m-%d %H:%M %Z")), TORONTO)
    check(load, ends)
    assert any("EDT is UTC-04:00" in note and "EST is UTC-05:00" in note for note in load.notes)
    form = table("time,kwh_delivered", ends, local("%m/%d/%Y %I:%M %p %Z"))
    check(read(tmp_path, form, TORONTO, "%m/%d/%Y %I:%M %p"), ends)
    for name, cell in (("Time Zone", "%Z"), ("UTC Offset", "%z")):
        text = table("time,kwh_delivered", ends, local(f"%Y-%m-%d %H:%M,{cell}"))
        load = read(tmp_path, text.replace("time,", f"time,{name},", 1), TORONTO)
        check(load, ends)
        assert f"column '{name}' has the zones of the times" in load.notes


def test_standard_time_by_name_in_summer_is_that(tmp_path: Path) -> None:
    ends = hours(datetime(2026, 7, 1, tzinfo=UTC))
    text = table("time,kwh_delivered", ends, lambda t: f"{t - timedelta(hours=5):%Y-%m-%d %H:%M} EST")
    check(read(tmp_path, text, TORONTO), ends)


def test_a_place_in_a_column_of_zones_does_not_shift(tmp_path: Path) -> None:
    # EST beside the local time of July is the name of the place, or another clock: nothing shows which.
    ends = hours(datetime(2026, 7, 1, tzinfo=TORONTO))
    text = table("time,kwh_delivered", ends, lambda t: f"{t.astimezone(TORONTO):%Y-%m-%d %H:%M},PLACE")
    for word in ("EST", "America/Toronto", "Eastern"):
        load = read(tmp_path, text.replace("time,", "time,Time Zone,", 1).replace("PLACE", word), TORONTO)
        check(load, ends)
        assert "column 'time_zone' does not count" in load.notes


@pytest.mark.parametrize(
    ("name", "ahead"),
    [
        ("Time (UTC-05:00)", -5),
        ("Timestamp GMT+1", 1),
        ("Time UTC\u22123", -3),
        ("time_utc", 0),
        ("Time (UTC+0530)", 5.5),
    ],
)
def test_an_offset_in_the_name_of_the_time(tmp_path: Path, name: str, ahead: float) -> None:
    ends = hours(datetime(2026, 7, 1, tzinfo=UTC))
    text = table("time,kwh_delivered", ends, lambda t: f"{t + timedelta(hours=ahead):%Y-%m-%d %H:%M}")
    load = read(tmp_path, text.replace("time", name, 1), TORONTO)
    check(load, ends)
    if ahead == -5:
        assert "times of 'Time (UTC-05:00)' are read as UTC-05:00" in load.notes
        text = text.replace("time", "Zeit (UTC-05:00)", 1)
        check(read(tmp_path, text, TORONTO, columns='time="Zeit (UTC-05:00)"'), ends)


@pytest.mark.parametrize(
    ("first", "said"),
    [
        ("2026-01-15 01:00 CET", "whose zone 'CET' the meter's clock does not have: write an offset from UTC"),
        ("2601150100", "--time-format says how it is written"),
        ("460371 01:00", "--time-format says how it is written"),
        ("15.13.2026 01.00", "it must be as in the first line"),
        ("1795519800 01'234", "--time-format says how it is written"),
    ],
)
def test_stamps_that_are_not_sure(tmp_path: Path, first: str, said: str) -> None:
    with pytest.raises(ConfigError, match="line 2: time is") as caught:
        read(tmp_path, f"time,kwh_delivered\n{first},1\n{first.replace('01', '02')},2\n")
    assert said in str(caught.value)


RANGES: dict[str, Callable[[datetime, datetime], str]] = {
    "dates at both": lambda b, e: f"{b:%Y-%m-%d %H:%M} - {e:%Y-%m-%d %H:%M}",
    "AM and PM": lambda b, e: f"{b:%d %b %Y},{b:%I:%M %p} - {e:%I:%M %p}",
    "a dash of print": lambda b, e: f"{b:%Y-%m-%d},{b:%H:%M} \u2013 {e:%H:%M}",
    "to 24:00": lambda b, e: f"{b:%d.%m.%Y},{b:%H:%M} to {e.hour or 24:02}:00",
    "to the last minute": lambda b, e: f"{b:%Y-%m-%d},{b:%H:%M} - {b:%H}:59",
}


@pytest.mark.parametrize("name", RANGES)
@pytest.mark.parametrize("ends", [True, False])
@pytest.mark.parametrize("first", [0, 23])
def test_ranges_of_time(tmp_path: Path, name: str, ends: bool, first: int) -> None:
    begins = [datetime(2026, 1, 15, tzinfo=UTC) + timedelta(hours=first + k) for k in range(49)]
    lines = [f"{RANGES[name](t, t + timedelta(hours=1))},{1 + k % 7}" for k, t in enumerate(begins)]
    head = "Date,Time,kwh_delivered" if "," in lines[0].rsplit(",", 1)[0] else "time,kwh_delivered"
    path = tmp_path / "load.csv"
    path.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    check(read_intervals(path, Calendar(UTC), stamps_end=ends), [t + timedelta(hours=1) for t in begins])


def test_names_of_zones_are_those_of_the_year(tmp_path: Path) -> None:
    # Moscow's clock was called MSK at three hours until 2011, at four until 2014, and at three again.
    moscow = ZoneInfo("Europe/Moscow")
    for year, ahead in ((1998, 3), (2012, 4), (2024, 3)):
        ends = hours(datetime(year, 12, 1, tzinfo=UTC))
        text = table("time,kwh_delivered", ends, lambda t: f"{t.astimezone(moscow):%Y-%m-%d %H:%M} MSK")
        load = read(tmp_path, text, moscow)
        check(load, ends)
        assert any(f"MSK is UTC+0{ahead}:00" in note for note in load.notes)
