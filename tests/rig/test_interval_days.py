# ruff: noqa: E501 - a file that is read is on one line, as it is written
"""Load records with a day on each line: every interval exactly, where it was; or refused with what would be right.

The witness is tests/rig/day_files.py: plain integers, and zoneinfo for the days.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from rig.errors import RigError
from rig.meter.billing.calendar import Calendar
from rig.program import schema
from rig.program.build import build
from rig.replay.intervals.columns import parse_columns
from rig.replay.intervals.file import read_intervals
from rig.replay.intervals.record import LoadRecord
from rig.replay.intervals.replay import Replay
from rig.replay.intervals.writing import Writing
from tests.rig.day_files import Interval, by_day, clock_labels, day_cells, intervals, kwh, lines, passed_cells

TORONTO = ZoneInfo("America/Toronto")
FIRST = date(2026, 1, 12)
BEGIN, END = False, True


def read(
    folder: Path,
    text: str | bytes,
    ends: bool | None = None,
    zone: tzinfo = UTC,
    columns: str | None = None,
    **writing: str,
) -> LoadRecord:
    path = folder / "load.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    given = Writing(parse_columns(columns), **writing)
    return read_intervals(path, Calendar(zone), stamps_end=ends, writing=given)


def check(load: LoadRecord, due: Sequence[Interval], channel: int = 0, scale: Fraction = Fraction(1)) -> None:
    """Every interval of the file, with its energy, and its begin."""
    found = [Fraction(one.energies[channel] * 1000, load.scale) for one in load.intervals]
    assert found == [one.amounts[channel] * scale for one in due]
    assert [one.start_ns for one in load.intervals] == [int(one.begin.timestamp()) * 10**9 for one in due]


def wide(
    load: Sequence[Interval],
    labels: Sequence[str],
    cell: Callable[[int], str] = kwh,
    day: str = "%Y-%m-%d",
    name: str = "Date",
    total: bool = False,
    separator: str = ",",
    quoted: bool = False,
) -> str:
    """A date and a day's cells on each line."""
    step = 1440 // len(labels)
    rows = [[name, *labels, *(["Total kWh"] if total else [])]]
    for each, ones in by_day(load).items():
        sums = [kwh(sum(one.amounts[0] for one in ones))] if total else []
        rows.append([each.strftime(day), *day_cells(ones, step, cell), *sums])
    return lines(rows, separator, quoted)


QUARTERS = intervals(FIRST, 3, 15)
HOURS = intervals(FIRST, 3, 60)
HALVES = intervals(FIRST, 3, 30)
UNIT = [f"{label} kWh" for label in clock_labels(15, ends=True)]


def hour_names(pattern: str, first: int = 1) -> list[str]:
    return [pattern.format(k) for k in range(first, first + 24)]


def half_day(hour: int) -> str:
    return f"{hour % 12 or 12}:00 {'AM' if hour % 24 < 12 else 'PM'}"


def comma(amount: int) -> str:
    return kwh(amount).replace(".", ",")


FILES: dict[str, tuple[Sequence[Interval], str, bool | None, str | None]] = {
    "00:15 to 24:00, unit in the names": (QUARTERS, wide(QUARTERS, UNIT), None, None),
    "00:15 to 00:00": (QUARTERS, wide(QUARTERS, [*UNIT[:-1], "00:00 kWh"]), None, None),
    "00:14 to 23:59": (QUARTERS, wide(QUARTERS, [f"{m // 60:02}:{m % 60:02} (kWh)" for m in range(14, 1440, 15)]), None, None),
    "00:00 to 23:45": (QUARTERS, wide(QUARTERS, [f"kWh {label}" for label in clock_labels(15, ends=False)]), BEGIN, None),
    "seconds in the names": (QUARTERS, wide(QUARTERS, [f"{label}:00 kWh" for label in clock_labels(15, ends=True)]), None, None),
    "no colon": (QUARTERS, wide(QUARTERS, [f"kWh_{label.replace(':', '')}" for label in clock_labels(15, ends=True)]), None, None),
    "no colon, no zeros": (QUARTERS, wide(QUARTERS, [label.replace(":", "").lstrip("0") for label in clock_labels(15, ends=True)], total=True), None, None),
    "HE01 to HE24": (HOURS, wide(HOURS, hour_names("HE{:02}")), None, "kwh_delivered=HE01"),
    "HE 1": (HOURS, wide(HOURS, hour_names("HE {} (kWh)")), None, None),
    "1 to 24": (HOURS, wide(HOURS, hour_names("{}"), total=True), None, None),
    "0 to 23": (HOURS, wide(HOURS, hour_names("{}", 0), total=True), BEGIN, None),
    "Hour 0 to 23": (HOURS, wide(HOURS, hour_names("Hour {} kWh", 0)), BEGIN, None),
    "Interval 1 to 96": (QUARTERS, wide(QUARTERS, [f"Interval {k}" for k in range(1, 97)]), None, "kwh_delivered=Interval 1"),
    "Interval 1 to 96, begins": (QUARTERS, wide(QUARTERS, [f"Interval {k}" for k in range(1, 97)]), BEGIN, "kwh_delivered=Interval 1"),
    "kWh1 to kWh48": (HALVES, wide(HALVES, [f"kWh{k}" for k in range(1, 49)]), None, None),
    "ranges": (HOURS, wide(HOURS, [f"{k:02}:00 - {k + 1:02}:00 kWh" for k in range(24)]), None, None),
    "ranges to minute 59": (HOURS, wide(HOURS, [f"{k:02}:00-{k:02}:59 kWh" for k in range(24)]), None, None),
    "12-hour clock, ends": (HOURS, wide(HOURS, [f"{half_day(k)} kWh" for k in range(1, 25)]), None, None),
    "12-hour clock, begins": (HOURS, wide(HOURS, [f"{half_day(k)} kWh" for k in range(24)]), BEGIN, None),
    "units in cells": (QUARTERS, wide(QUARTERS, clock_labels(15, ends=True), lambda wh: f"{wh} Wh"), None, None),
    "wh by name": (QUARTERS, wide(QUARTERS, clock_labels(15, ends=True), str), None, "wh_delivered=00:15"),
    "kW of quarters": (QUARTERS, wide(QUARTERS, [f"{label} kW" for label in clock_labels(15, ends=True)], lambda wh: kwh(4 * wh)), None, None),
    "semicolons and decimal commas": (QUARTERS, wide(QUARTERS, UNIT, comma, "%d.%m.%Y", separator=";"), None, None),
    "all in quotes": (QUARTERS, wide(QUARTERS, UNIT, quoted=True), None, None),
    "a mark of UTF-8, CRLF": (QUARTERS, "\ufeff" + wide(QUARTERS, UNIT).replace("\n", "\r\n"), None, None),
    "dates as 20260112": (QUARTERS, wide(QUARTERS, UNIT, day="%Y%m%d"), None, None),
    "US dates": (QUARTERS, wide(QUARTERS, UNIT, day="%m/%d/%Y"), None, None),
    "dates at midnight": (QUARTERS, wide(QUARTERS, UNIT, day="%Y-%m-%d 00:00"), None, None),
    "Read Date": (QUARTERS, wide(QUARTERS, UNIT, name="Read Date"), None, None),
    "lines above": (QUARTERS, "Account,1\nService,2 Main St\n\n" + wide(QUARTERS, UNIT), None, None),
    "a total that agrees": (QUARTERS, wide(QUARTERS, UNIT, total=True), None, None),
    "a total below": (QUARTERS, wide(QUARTERS, UNIT) + "Total" + ",1.5" * 96 + "\n", None, None),
    "a day out of order": (QUARTERS, lines([[*row.split(",")] for row in (lambda t: [t[0], t[2], t[3], t[1]])(wide(QUARTERS, UNIT).splitlines())]), None, None),
    "the newest first": (QUARTERS, "\n".join((lambda t: [t[0], *t[:0:-1]])(wide(QUARTERS, UNIT).splitlines())) + "\n", None, None),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_days_as_they_are_published(tmp_path: Path, name: str) -> None:
    due, text, ends, columns = FILES[name]
    load = read(tmp_path, text, ends, columns=columns)
    check(load, due)
    assert not any("is not the sum" in note for note in load.notes), load.notes


def test_minutes(tmp_path: Path) -> None:
    due = intervals(FIRST, 2, 1)
    check(read(tmp_path, wide(due, [f"{label} kWh" for label in clock_labels(1, ends=True)])), due)


def test_the_meter_registers_the_sum(tmp_path: Path) -> None:
    report = Replay(read(tmp_path, wide(QUARTERS, UNIT)), build(schema.ProgramFile())).run()
    assert Fraction(str(report.totals["kwh_delivered"])) * 1000 == sum(one.amounts[0] for one in QUARTERS)


def test_kwh_and_kvarh_on_one_line(tmp_path: Path) -> None:
    due = intervals(FIRST, 3, 60, channels=2)
    names = [f"{unit} {k}" for unit in ("kWh", "Lagging kVARh") for k in range(1, 25)]
    rows = [["Date", *names]]
    for day, ones in by_day(due).items():
        rows.append([f"{day}", *day_cells(ones, 60, kwh), *day_cells(ones, 60, kwh, 1)])
    load = read(tmp_path, lines(rows))
    assert load.columns == ("kwh_delivered", "kvarh_lagging")
    for channel in (0, 1):
        check(load, due, channel)


def test_states_beside_each_interval_do_not_count(tmp_path: Path) -> None:
    names = [name for k in range(1, 97) for name in (f"Interval {k} kWh", f"Status {k}")]
    rows = [["Date", *names]]
    for day, ones in by_day(QUARTERS).items():
        rows.append([f"{day}", *(cell for one in ones for cell in (kwh(one.amounts[0]), "9"))])
    check(read(tmp_path, lines(rows)), QUARTERS)


# --- days of 23 and 25 hours ----------------------------------------------------------------------------------

SPRING = intervals(date(2026, 3, 7), 3, 60, TORONTO)
AUTUMN = intervals(date(2026, 10, 31), 3, 60, TORONTO)
YEAR = intervals(date(2026, 1, 1), 365, 60, TORONTO)


@pytest.mark.parametrize("ends", [BEGIN, END])
@pytest.mark.parametrize("empty", ["", "0", "0.000"])
def test_spring_by_the_clock(tmp_path: Path, ends: bool, empty: str) -> None:
    labels = [f"{label} kWh" for label in clock_labels(60, ends=ends)]
    text = wide(SPRING, labels).replace(",,", f",{empty},")
    check(read(tmp_path, text, ends, TORONTO), SPRING)


@pytest.mark.parametrize("ends", [BEGIN, END])
def test_spring_counted(tmp_path: Path, ends: bool) -> None:
    """By the clock the third hour is empty, by the hours that passed the last one: each shows by itself."""
    names = hour_names("Interval {} kWh")
    by_clock, passed = [["Date", *names]], [["Date", *names]]
    for day, ones in by_day(SPRING).items():
        by_clock.append([f"{day}", *day_cells(ones, 60, kwh)])
        passed.append([f"{day}", *passed_cells(ones, 24, kwh)])
    check(read(tmp_path, lines(by_clock), ends, TORONTO), SPRING)
    load = read(tmp_path, lines(passed), ends, TORONTO)
    check(load, SPRING)
    assert any("line 3, 2026-03-08, on which the clock changes: columns" in note for note in load.notes), load.notes


@pytest.mark.parametrize("ends", [BEGIN, END])
@pytest.mark.parametrize("step", [15, 30, 60])
def test_autumn_counted(tmp_path: Path, ends: bool, step: int) -> None:
    due = intervals(date(2026, 10, 31), 3, step, TORONTO)
    width = 25 * 60 // step
    rows = [["Date", *(f"Interval {k} kWh" for k in range(1, width + 1))]]
    rows += [[f"{day}", *passed_cells(ones, width, kwh)] for day, ones in by_day(due).items()]
    load = read(tmp_path, lines(rows), ends, TORONTO)
    check(load, due)
    assert any("count the time that passed from midnight on" in note for note in load.notes)


@pytest.mark.parametrize("name", ["HE02X", "HE02*", "HE02 DST", "HE02"])
def test_autumn_with_a_column_for_the_second_pass(tmp_path: Path, name: str) -> None:
    names = hour_names("HE{:02}")
    rows = [["Date", *names[:2], name, *names[2:]]]
    for day, ones in by_day(AUTUMN).items():
        cells = day_cells(ones, 60, kwh)
        second = kwh(ones[2].amounts[0]) if len(ones) == 25 else ""
        rows.append([f"{day}", *cells[:2], second, *cells[2:]])
    check(read(tmp_path, lines(rows), END, TORONTO, columns="kwh_delivered=HE01"), AUTUMN)


@pytest.mark.parametrize("step", [30, 60])
def test_a_whole_year_by_the_clock_with_the_hour_more_at_the_end(tmp_path: Path, step: int) -> None:
    """Spring shows that columns are by the clock, so the columns more are the second pass."""
    due = intervals(date(2026, 1, 1), 365, step, TORONTO)
    more = 60 // step
    rows = [["Date", *(f"Interval {k} kWh" for k in range(1, 24 * more + more + 1))]]
    for day, ones in by_day(due).items():
        second = ones[2 * more : 3 * more] if len(ones) == 25 * more else []
        rows.append([f"{day}", *day_cells(ones, step, kwh), *passed_cells(second, more, kwh)])
    load = read(tmp_path, lines(rows), END, TORONTO)
    check(load, due)
    assert any("stamps taken for its second pass" in note for note in load.notes), load.notes


def test_a_whole_year_of_the_hours_that_passed(tmp_path: Path) -> None:
    rows = [["Date", *(f"{k}" for k in range(1, 26)), "Total kWh"]]
    for day, ones in by_day(YEAR).items():
        rows.append([f"{day}", *passed_cells(ones, 25, kwh), kwh(sum(one.amounts[0] for one in ones))])
    check(read(tmp_path, lines(rows), END, TORONTO), YEAR)


def test_autumn_without_its_hour_has_a_gap(tmp_path: Path) -> None:
    load = read(tmp_path, wide(AUTUMN, [f"{label} kWh" for label in clock_labels(60, ends=False)]), BEGIN, TORONTO)
    at = next(k for k, one in enumerate(AUTUMN) if one.begin == datetime(2026, 11, 1, 6, tzinfo=UTC))
    check(load, [*AUTUMN[:at], *AUTUMN[at + 1 :]])
    assert any("the clock goes through this hour twice" in note for note in load.notes)


def test_a_file_in_standard_time_all_year(tmp_path: Path) -> None:
    """24 hours with energy on the day that has 23 by the clock."""
    due = intervals(date(2026, 3, 7), 3, 60, ZoneInfo("Etc/GMT+5"))
    load = read(tmp_path, wide(due, [f"{label} kWh" for label in clock_labels(60, ends=True)]), END, TORONTO)
    check(load, due)
    assert any("the whole file is taken to be in standard time" in note for note in load.notes)


# --- odd and hostile ------------------------------------------------------------------------------------------


def changed(text: str, line: int, change: Callable[[list[str]], list[str]]) -> str:
    """The file with the cells of one line changed."""
    rows = text.splitlines()
    rows[line - 1] = ",".join(change(rows[line - 1].split(",")))
    return "\n".join(rows) + "\n"


def put(at: int, cell: str) -> Callable[[list[str]], list[str]]:
    return lambda cells: [*cells[:at], cell, *cells[at + 1 :]]


PLAIN = wide(QUARTERS, UNIT)
TOTALS = wide(QUARTERS, UNIT, total=True)


@pytest.mark.parametrize("word", ["", "N/A", "-", "null"])
def test_an_empty_cell_is_no_energy(tmp_path: Path, word: str) -> None:
    load = read(tmp_path, changed(PLAIN, 3, put(5, word)))
    check(load, [*QUARTERS[:100], *QUARTERS[101:]])
    assert any("nothing from 2026-01-13T01:00 to 2026-01-13T01:15: no energy" in note for note in load.notes)


def test_zero_is_a_number(tmp_path: Path) -> None:
    load = read(tmp_path, changed(PLAIN, 3, put(5, "0")))
    assert len(load.intervals) == 288
    assert load.intervals[100].energies == (0,)


def test_a_missing_day_is_a_gap(tmp_path: Path) -> None:
    rows = PLAIN.splitlines()
    load = read(tmp_path, "\n".join([rows[0], rows[1], rows[3]]) + "\n")
    check(load, [*QUARTERS[:96], *QUARTERS[192:]])
    assert any("nothing from 2026-01-13T00:00 to 2026-01-14T00:00" in note for note in load.notes)


def test_a_day_twice_counts_once(tmp_path: Path) -> None:
    rows = PLAIN.splitlines()
    load = read(tmp_path, PLAIN + rows[2] + "\n")
    check(load, QUARTERS)
    assert any("1 day again, the first in line 5: of each the first line counts" in note for note in load.notes)
    other = changed(PLAIN + rows[2] + "\n", 5, put(7, "9.5"))
    load = read(tmp_path, other)
    check(load, QUARTERS)
    assert any("1 day again, the first in line 5, 1 of them with other numbers" in note for note in load.notes)


def test_a_total_that_is_another_is_told(tmp_path: Path) -> None:
    load = read(tmp_path, changed(TOTALS, 3, put(97, "12.3")))
    check(load, QUARTERS)
    (note,) = [note for note in load.notes if "is not the sum" in note]
    assert note.startswith(
        "column 'Total kWh' is not the sum of its line in 1 of 3 lines, the first line 3: it is '12.3', "
    )
    assert kwh(sum(one.amounts[0] for one in QUARTERS[96:192])) in note


def test_a_total_is_rounded_to_its_last_decimal(tmp_path: Path) -> None:
    exact = sum(one.amounts[0] for one in QUARTERS[:96])
    for text, agrees in ((f"{(exact + 50) // 100 / 10:.1f}", True), (f"{(exact + 250) // 100 / 10:.1f}", False)):
        load = read(tmp_path, changed(TOTALS, 2, put(97, text)))
        assert any("is not the sum" in note for note in load.notes) is not agrees


def test_totals_show_a_unit_that_is_wrong(tmp_path: Path) -> None:
    """kW under a total in kWh: nothing but the total says kWh, and it is not the sum."""
    names = [*clock_labels(15, ends=True), "Total kWh"]
    rows = [["Date", *names]]
    for day, ones in by_day(QUARTERS).items():
        rows.append([f"{day}", *day_cells(ones, 15, lambda wh: kwh(4 * wh)), kwh(sum(one.amounts[0] for one in ones))])
    with pytest.raises(
        RigError,
        match=r"'Total kWh' is not the sum of its line in 3 of 3 lines, .*: are they mean powers, in kW\?; say with --columns",
    ):
        read(tmp_path, lines(rows))
    load = read(tmp_path, lines(rows), columns="kw_delivered=00:15")
    check(load, QUARTERS)
    assert not any("is not the sum" in note for note in load.notes), load.notes


def test_meters_are_chosen(tmp_path: Path) -> None:
    rows = [["Meter", "Date", *UNIT]]
    for day, ones in by_day(QUARTERS).items():
        rows.append(["A", f"{day}", *day_cells(ones, 15, kwh)])
        rows.append(["B", f"{day}", *day_cells(ones, 15, lambda wh: kwh(3 * wh))])
    with pytest.raises(RigError, match="has 2 meters, 'A', 'B': say which with --meter"):
        read(tmp_path, lines(rows))
    check(read(tmp_path, lines(rows), meter="A"), QUARTERS)
    check(read(tmp_path, lines(rows), meter="B"), QUARTERS, scale=Fraction(3))


MARCH = changed(PLAIN, 3, lambda cells: ["2026-03-08", *cells[1:]])
REFUSED: dict[str, tuple[str, bool | None, str | None, str]] = {
    "no unit": (wide(QUARTERS, clock_labels(15, ends=True)), None, None, "nothing says in which unit its columns '00:15' to '24:00' are: say --columns 'kwh_delivered=00:15', or kw_delivered or wh_delivered"),
    "begins": (wide(QUARTERS, [f"{label} kWh" for label in clock_labels(15, ends=False)]), None, None, "columns '00:00 kWh' to '23:45 kWh' say when intervals begin: give --stamps begin"),
    "ends": (PLAIN, BEGIN, None, "columns '00:15 kWh' to '24:00 kWh' say when intervals end: give --stamps end"),
    "hours from 0 as ends": (wide(HOURS, hour_names("{}", 0), total=True), END, None, "say when intervals begin: give --stamps begin"),
    "00:00 and 24:00": (wide(QUARTERS, UNIT).replace("00:30 kWh", "00:00 kWh"), None, None, "with 00:00 and 24:00: it must have one"),
    "part of a day": (wide(QUARTERS, UNIT).replace("24:00 kWh", "x"), None, None, "which are no whole day"),
    "26 hours": (lines([["Date", *UNIT, *(f"{h}:{m:02} kWh" for h in (24, 25) for m in (15, 30, 45)), "00:15 kWh", "00:30 kWh", "00:45 kWh", "01:00 kWh", "01:15 kWh"], ["2026-01-15", *["1"] * 107]]), None, None, "for more than 25 hours of a day"),
    "a negative cell": (changed(PLAIN, 3, put(5, "-0.5")), None, None, "line 3: kwh_delivered is '-0.5', it must be a number of kWh from 0"),
    "a word": (changed(PLAIN, 3, put(5, "off")), None, None, "line 3: kwh_delivered is 'off'"),
    "kW among kWh": (changed(PLAIN, 3, put(5, "5 kW")), None, None, "line 3: kwh_delivered is '5 kW', but its column is in kWh"),
    "a cell less": (changed(PLAIN, 3, lambda cells: cells[:-1]), None, None, "line 3: 96 cells under 97 columns"),
    "a date that is none": (changed(PLAIN, 3, put(0, "2026-02-30")), None, None, "line 3: time is '2026-02-30'"),
    "a date with a time": (changed(PLAIN, 3, put(0, "2026-01-13 01:00")), None, None, "line 3: its day is 2026-01-13 01:00:00, under columns of a day's intervals it must be a date alone"),
    "two orders of dates": (wide(intervals(date(2026, 1, 5), 3, 15), UNIT, day="%m/%d/%Y"), None, None, "can be read in two orders"),
    "a date in UTC": (wide(QUARTERS, UNIT, day="%Y-%m-%dT00:00Z"), None, None, "line 2: its day is .* must be a date alone"),
    "energy in an hour that is not there": (lines([["Date", *(f"Interval {k} kWh" for k in range(1, 26))], ["2026-01-15", *["1"] * 25]]), None, None, "line 2: '1' in the hour more than 24, but 2026-01-15 has 24 hours"),
    "thousands or decimals": (wide(QUARTERS, UNIT, lambda wh: f'"{1 + wh % 9},{wh % 1000:03}"'), None, None, "can be read in two ways"),
    "a column that is not there": (PLAIN, None, "kwh_delivered=00:20", "has no channel '00:20' for --columns kwh_delivered: it has"),
    "vars as watts": (PLAIN, None, "kvarh_lagging=00:15 kWh", "is in kwh, it cannot be kvarh_lagging"),
    "no numbers": (lines([["Date", *UNIT], ["2026-01-15", *[""] * 96]]), None, None, "no intervals|how long"),
    "nothing below": (lines([["Date", *UNIT]]), None, None, "has no intervals: give at least one line"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_sure_is_refused(tmp_path: Path, name: str) -> None:
    text, ends, columns, said = REFUSED[name]
    with pytest.raises(RigError) as caught:
        read(tmp_path, text, ends, columns=columns)
    assert re.search(said, str(caught.value)), caught.value
    assert str(caught.value).isprintable()


def test_dates_in_a_column_are_no_days(tmp_path: Path) -> None:
    """Days of a month as columns are not intervals of a day."""
    with pytest.raises(RigError, match="no column"):
        read(tmp_path, lines([["Hour", *(f"{k}" for k in range(1, 32))], ["1", *["2"] * 31]]))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "cp1252"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    check(read(tmp_path, ("Größe: kWh\n" + PLAIN).encode(encoding)), QUARTERS)


def test_a_gap_of_a_century_is_refused(tmp_path: Path) -> None:
    later = changed(PLAIN, 4, put(0, "2126-01-14"))
    with pytest.raises(RigError, match="more than a year"):
        read(tmp_path, later)


def test_a_blank_day_in_the_middle(tmp_path: Path) -> None:
    """A line of a day without numbers, as portals write for days to come."""
    rows = PLAIN.splitlines()
    rows[2] = rows[2].split(",")[0] + "," * 96
    check(read(tmp_path, "\n".join(rows) + "\n"), [*QUARTERS[:96], *QUARTERS[192:]])
    assert timedelta(days=1) == QUARTERS[192].begin - QUARTERS[96].begin
