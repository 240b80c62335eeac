# ruff: noqa: E501 - a file that is read is on one line, as it is written
"""Load records as portals of utilities and meter data systems export them: read right, or refused with what would be right.

The witness is the list of energies and instants that each file is written from.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from rig.files.strict_toml import ConfigError
from rig.meter.billing.calendar import Calendar
from rig.replay.intervals.columns import parse_columns
from rig.replay.intervals.file import read_intervals
from rig.replay.intervals.record import LoadRecord
from rig.replay.intervals.writing import Writing

DAY = datetime(2026, 1, 15)
WATT_HOURS = [500 + (k * 7919) % 997 for k in range(48)]
"""Energy of each hour of two days in Wh."""


def table(header: str, line: Callable[[datetime, datetime, int], str], footer: str = "") -> str:
    """A line for each hour, from its begin, its end and its Wh."""
    hours = [DAY + timedelta(hours=k) for k in range(48)]
    lines = [line(begin, begin + timedelta(hours=1), wh) for begin, wh in zip(hours, WATT_HOURS, strict=True)]
    return "\n".join([header, *lines]) + "\n" + footer


def read(
    folder: Path, text: str, ends: bool | None = None, calendar: Calendar | None = None, **writing: str
) -> LoadRecord:
    path = folder / "load.csv"
    path.write_text(text, encoding="utf-8")
    columns = parse_columns(writing.pop("columns", None))
    given = Writing(columns, **writing)
    return read_intervals(path, calendar or Calendar(UTC), stamps_end=ends, writing=given)


def check(load: LoadRecord) -> None:
    assert [Fraction(one.energies[0], load.scale) for one in load.intervals] == [
        Fraction(wh, 1000) for wh in WATT_HOURS
    ]
    first = int(DAY.replace(tzinfo=UTC).timestamp())
    assert [one.start_ns // 10**9 for one in load.intervals] == [first + 3600 * k for k in range(48)]


def kwh(wh: int) -> str:
    return f"{wh / 1000}"


def comma(wh: int) -> str:
    return kwh(wh).replace(".", ",")


def grouped(wh: int, sign: str) -> str:
    return f"{wh * 10:,}".replace(",", sign)


def hour_24(begin: datetime, end: datetime) -> str:
    return f"{begin:%m/%d/%Y},{end.hour or 24}:00"


BEGIN, END = False, True

FILES: dict[str, tuple[str, bool | None, str]] = {
    "Hydro-Québec": (table("\ufeffContrat;Date et heure;kWh;Code de consommation;Température moyenne (°C)", lambda b, e, wh: f"0301;{b:%Y-%m-%d %H:%M:%S};{comma(wh)};R;-4"), BEGIN, "times are in 'Date et heure'"),
    "French names": (table("Date;Heure;Consommation (kWh)", lambda b, e, wh: f"{b:%Y-%m-%d};{b:%H:%M};{comma(wh)}"), BEGIN, "'Consommation (kWh)' is read as kwh_delivered"),
    "BC Hydro": (table('"Account Number","Meter Number","Interval Start Date/Time","Net Consumption (kWh)","Demand (kW)","Power Factor (%)"', lambda b, e, wh: f"\"'1\",\"'9\",\"{b:%Y-%m-%d %H:%M}\",\"{kwh(wh)}\",\"N/A\",\"N/A\""), BEGIN, "'Net Consumption (kWh)' is read as kwh_net"),
    "PG&E": (table("Name,A\nAddress,\"1 St, X\"\nService,1\n\nTYPE,DATE,START TIME,END TIME,IMPORT (kWh),EXPORT (kWh),COST,NOTES", lambda b, e, wh: f"Electric usage,{b:%Y-%m-%d},{b:%H:%M},{e - timedelta(minutes=1):%H:%M},{kwh(wh)},0.0,$0.10,"), None, "all stamps are at the minute before"),
    "Duke": (table("Date,Time,Usage (kWh),Estimated", lambda b, e, wh: f"{b:%m/%d/%Y},{b:%I:%M %p},{kwh(wh)},"), BEGIN, "month, day, year"),
    "MV-90, a line an interval": (table("Recorder ID,Date,Time,KWH,Status", lambda b, e, wh: f"R1,{e:%m/%d/%Y},{e:%H:%M},{kwh(wh)},"), END, "'KWH' is read"),
    "hour ending": (table("Date,Hour Ending,kWh", lambda b, e, wh: f"{b:%Y-%m-%d},{b.hour + 1},{kwh(wh)}"), None, "'Date' and 'Hour Ending'"),
    "HE": (table("Date,HE,kWh", lambda b, e, wh: f"{b:%m/%d/%Y},{b.hour + 1:02},{kwh(wh)}"), None, "'Date' and 'HE'"),
    "hours 1 to 24": (table("Date,Hour,kWh", lambda b, e, wh: f"{b:%Y-%m-%d},{b.hour + 1},{kwh(wh)}"), None, "'Date' and 'Hour'"),
    "hours 0 to 23": (table("Date,Hour,kWh", lambda b, e, wh: f"{b:%Y-%m-%d},{b.hour},{kwh(wh)}"), BEGIN, "'Date' and 'Hour'"),
    "24:00": (table("Date,Time,kWh", lambda b, e, wh: f"{hour_24(b, e)},{kwh(wh)}"), None, "'Date' and 'Time'"),
    "12-hour clock": (table("Date,Time,kWh", lambda b, e, wh: f"{b:%m/%d/%Y},{b:%I:%M%p},{kwh(wh)}"), BEGIN, "month, day, year"),
    "units in brackets": (table("Timestamp [UTC],Energy delivered [kWh],Energy received [kWh]", lambda b, e, wh: f"{e},{kwh(wh)},0"), END, "times of 'Timestamp [UTC]' are read as UTC"),
    "blanks part thousands": (table("time;Wh", lambda b, e, wh: f"{e};{wh // 1000} {wh % 1000:03}" if wh >= 1000 else f"{e};{wh}"), END, ""),
    "a total below": (table("time,kwh", lambda b, e, wh: f"{e},{kwh(wh)}", f"Total,{kwh(sum(WATT_HOURS))}\n"), END, "line 50, 'Total 49.434'"),
    "a total without a name": (table("time,kwh", lambda b, e, wh: f"{e},{kwh(wh)}", f"\n,{kwh(sum(WATT_HOURS))}\n"), END, "has no time: passed over"),
    "a total among meters": (table("Meter,time,kwh", lambda b, e, wh: f"A,{e},{kwh(wh)}", "Total,,49.4\n"), END, "has no time: passed over"),
    "a remark below": (table("time,kwh", lambda b, e, wh: f"{e},{kwh(wh)}", "\nEnd of report\n"), END, "'End of report', has no time: passed over"),
    "blank columns": (table(",time,,kwh,,", lambda b, e, wh: f",{e},,{kwh(wh)},,"), END, ""),
    "units in cells": (table("time,Usage", lambda b, e, wh: f"{e},{kwh(wh)} kWh"), END, "column 'Usage' is read as kwh_delivered, in the units of its cells"),
    "all in quotes": (table('"time","kwh"', lambda b, e, wh: f'"{e}","{kwh(wh)}"'), END, ""),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_two_days_as_portals_export_them(tmp_path: Path, name: str) -> None:
    text, ends, said = FILES[name]
    load = read(tmp_path, text, ends)
    check(load)
    assert any(said in note for note in load.notes) or not said, load.notes


@pytest.mark.parametrize("word", ["N/A", "null", "-", "–", "#N/A"])
def test_words_for_no_value(tmp_path: Path, word: str) -> None:
    text = table("time,kwh", lambda b, e, wh: f"{e},{kwh(wh)}").replace(f",{kwh(WATT_HOURS[7])}\n", f",{word}\n")
    load = read(tmp_path, text, END)
    assert len(load.intervals) == 47
    assert f"1 cell with {word!r}: taken as empty" in load.notes
    assert any("nothing from 2026-01-15T07:00 to 2026-01-15T08:00" in note for note in load.notes)


@pytest.mark.parametrize(("sign", "read_as"), [(" ", 1), ("\u202f", 1), ("'", 1), ("\u2019", 1), ("\u00a0", 1)])
def test_signs_that_part_thousands(tmp_path: Path, sign: str, read_as: int) -> None:
    load = read(tmp_path, table("time;Wh", lambda b, e, wh: f"{e};{grouped(wh, sign)}"), END)
    assert sum(one.energies[0] for one in load.intervals) == Fraction(sum(WATT_HOURS) * 10 * read_as, 1000) * load.scale


def test_points_that_may_part_thousands_are_asked_for(tmp_path: Path) -> None:
    """5.000 Wh by a semicolon is 5 or 5000: a thousand times off, if guessed."""
    text = table("time;Wh", lambda b, e, wh: f"{e:%d.%m.%Y %H:%M};{grouped(wh, '.')}")
    with pytest.raises(
        ConfigError, match=r"line 2: '5\.000' can be read in two ways, and so can all numbers with a point"
    ):
        read(tmp_path, text, END)
    for decimal, factor in ((",", 10), (".", Fraction(1, 100))):
        load = read(tmp_path, text, END, decimal=decimal)
        assert sum(one.energies[0] for one in load.intervals) == Fraction(sum(WATT_HOURS), 1000) * factor * load.scale
    assert len(read(tmp_path, table("time,kwh", lambda b, e, wh: f"{e},{wh / 1000:.3f}"), END).intervals) == 48
    assert (
        len(read(tmp_path, table("time;kwh", lambda b, e, wh: f"{e};{wh / 1000:.3f}"), END).intervals) == 48
    )  # 0.500 is among them


def test_times_of_utc_are_of_utc_whatever_the_meter_has(tmp_path: Path) -> None:
    calendar = Calendar(ZoneInfo("America/Toronto"))
    check(read(tmp_path, table("Time (UTC),kwh", lambda b, e, wh: f"{e},{kwh(wh)}"), END, calendar))
    local = read(tmp_path, table("Time,kwh", lambda b, e, wh: f"{e},{kwh(wh)}"), END, calendar)
    assert local.intervals[0].start_ns == int(DAY.replace(tzinfo=ZoneInfo("America/Toronto")).timestamp()) * 10**9


def test_a_day_of_23_and_one_of_25_hours(tmp_path: Path) -> None:
    calendar = Calendar(ZoneInfo("America/Toronto"))
    for day, hours in (
        (datetime(2026, 3, 8), [h for h in range(24) if h != 2]),
        (datetime(2026, 11, 1), [0, 1, *range(1, 24)]),
    ):
        lines = [f"{day + timedelta(hours=hour)},{1 + k % 5}" for k, hour in enumerate(hours)]
        load = read(tmp_path, "time,kwh\n" + "\n".join(lines) + "\n", BEGIN, calendar)
        assert [Fraction(one.energies[0], load.scale) for one in load.intervals] == [
            1 + k % 5 for k in range(len(hours))
        ]
        assert {one.end_ns - one.start_ns for one in load.intervals} == {3600 * 10**9}
        assert all(a.end_ns == b.start_ns for a, b in zip(load.intervals, load.intervals[1:], strict=False))


def hour_lines(first: int, last: int, name: str = "Hour") -> str:
    return f"Date,{name},kWh\n" + "".join(f"2026-01-15,{hour},1.5\n" for hour in range(first, last + 1))


REFUSED = (
    (hour_lines(0, 23), None, "column 'Hour' has hours that begin intervals, 0 to 23: give --stamps begin"),
    (hour_lines(1, 24), BEGIN, "column 'Hour' has hours that end intervals, 1 to 24: give --stamps end"),
    (hour_lines(7, 19), None, "say --stamps begin if hour 7 is from 7:00 on, or --stamps end if up to 7:00"),
    (hour_lines(0, 24), None, "column 'Hour' has hours from 0 to 24, it must be 1 to 24 or 0 to 23"),
    (hour_lines(1, 24, "HE"), BEGIN, "column 'HE' says when intervals end: give --stamps end"),
    (hour_lines(0, 23, "Hour beginning"), None, "column 'Hour beginning' says when intervals begin: give --stamps begin"),
    (table("Date,Stunde,kWh", lambda b, e, wh: f"{b:%Y-%m-%d},{b.hour},{kwh(wh)}"), BEGIN, "line 3: 46 of 48 lines have the time of another with other numbers: if a column more has a part of the time, name it with --columns time=DATE.TIME"),
    ("Recorder,UOM,Date,00:15,00:30\nR1,KWH,01/15/2026,1,2\n", None, "no column kwh_delivered: its first line has 'recorder', 'uom', 'date'"),
    (table("time,kwh", lambda b, e, wh: f"{e},{kwh(wh - 900)}"), None, "line 2: kwh_delivered is '-0.4', it must be a number of kWh from 0 .* energy received goes in kwh_received"),
)  # fmt: skip


@pytest.mark.parametrize(("text", "ends", "said"), REFUSED)
def test_what_is_not_sure_is_refused(tmp_path: Path, text: str, ends: bool | None, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text, ends)
    assert re.search(said, str(caught.value)), caught.value
    assert str(caught.value).isprintable()


def test_hours_that_could_be_either_are_as_is_said(tmp_path: Path) -> None:
    for ends, first in ((BEGIN, 7), (END, 6)):
        load = read(tmp_path, hour_lines(7, 19), ends)
        assert load.intervals[0].start_ns == int(datetime(2026, 1, 15, first, tzinfo=UTC).timestamp()) * 10**9


def test_vars_delivered_and_received(tmp_path: Path) -> None:
    load = read(
        tmp_path,
        table(
            "Timestamp,kWh Delivered,kWh Received,kVARh Delivered,kVARh Received",
            lambda b, e, wh: f"{e},{kwh(wh)},0,0.25,0.125",
        ),
        END,
    )
    check(load)
    assert load.columns == ("kwh_delivered", "kwh_received", "kvarh_lagging", "kvarh_leading")
    assert {tuple(Fraction(e, load.scale) for e in one.energies[2:]) for one in load.intervals} == {
        (Fraction(1, 4), Fraction(1, 8))
    }
