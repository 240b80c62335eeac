# ruff: noqa: E501 - a file that is read is on one line, as it is written
"""Load records with a line for each channel, in the manner of MV-90 and of portals with a column of units.

The witness is tests/rig/day_files.py: plain integers, and zoneinfo for the days.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, timedelta, tzinfo
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from rig.errors import RigError
from rig.meter.billing.calendar import Calendar
from rig.replay.intervals.columns import parse_columns
from rig.replay.intervals.file import read_intervals
from rig.replay.intervals.record import LoadRecord
from rig.replay.intervals.writing import Writing
from tests.rig.day_files import Interval, by_day, clock_labels, day_cells, intervals, kwh, lines, passed_cells

TORONTO = ZoneInfo("America/Toronto")
BEGIN, END = False, True
LOAD = intervals(date(2026, 1, 14), 2, 30, channels=4)
NAMES = ("kwh_delivered", "kwh_received", "kvarh_lagging", "kvarh_leading")


def read(
    folder: Path, text: str, ends: bool | None = END, zone: tzinfo = UTC, columns: str | None = None, **writing: str
) -> LoadRecord:
    path = folder / "load.csv"
    path.write_text(text, encoding="utf-8")
    return read_intervals(path, Calendar(zone), stamps_end=ends, writing=Writing(parse_columns(columns), **writing))


def check(load: LoadRecord, due: Sequence[Interval] = LOAD, columns: Sequence[str] = NAMES[:2]) -> None:
    assert load.columns == tuple(columns)
    assert [one.start_ns for one in load.intervals] == [int(one.begin.timestamp()) * 10**9 for one in due]
    for at, column in enumerate(columns):
        found = [Fraction(one.energies[at] * 1000, load.scale) for one in load.intervals]
        assert found == [one.amounts[NAMES.index(column)] for one in due], column


Channel = tuple[str, str, Callable[[int], str]]
"""Its cell of channel, its unit, and how it writes its amounts."""

TWO: tuple[Channel, ...] = (("kWh Del", "KWH", kwh), ("kWh Rec", "KWH", kwh))
FOUR: tuple[Channel, ...] = (*TWO, ("kVARh Lag", "KVARH", kwh), ("kVARh Lead", "KVARH", kwh))
PLAIN: tuple[Channel, ...] = (("1", "KWH", kwh), ("2", "KVARH", kwh))


def long(
    channels: Sequence[Channel],
    load: Sequence[Interval] = LOAD,
    header: str = "Recorder ID,Channel,UOM,Interval End,Value",
    interleaved: bool = False,
    separator: str = ",",
    quoted: bool = False,
    stamp: str = "%Y-%m-%d %H:%M",
) -> str:
    """A line for each channel and interval, stamped at its end: a channel after the other, or all of each interval."""
    length = load[1].begin - load[0].begin
    cells = [
        ["R100", name, unit, (one.local + length).strftime(stamp), cell(one.amounts[at])]
        for at, (name, unit, cell) in enumerate(channels)
        for one in load
    ]
    if interleaved:
        cells = [cells[at * len(load) + k] for k in range(len(load)) for at in range(len(channels))]
    return lines([header.split(","), *cells], separator, quoted)


def daily(
    channels: Sequence[Channel],
    load: Sequence[Interval] = LOAD,
    step: int = 30,
    header: str = "Recorder,Channel,Units,Date",
    counted: bool = False,
    merged: bool = False,
) -> str:
    """A line for each channel and day."""
    width = 1500 // step if counted else 1440 // step
    labels = [f"{k}" for k in range(1, width + 1)] if counted else clock_labels(step, ends=True)
    rows = [[*header.split(","), *labels]]
    for day, ones in by_day(load).items():
        for at, (name, unit, cell) in enumerate(channels):
            cells = passed_cells(ones, width, cell, at) if counted else day_cells(ones, step, cell, at)
            first = at == 0 or not merged
            rows.append(["R100" if first else "", name, unit, f"{day}" if first else "", *cells])
    return lines(rows)


def wh(amount: int) -> str:
    return f"{amount}"


def mwh(amount: int) -> str:
    return f"{amount // 1_000_000}.{amount % 1_000_000:06}"


def doubled(amount: int) -> str:
    return kwh(2 * amount)


FILES: dict[str, tuple[str, str | None, Sequence[str]]] = {
    "channels one after the other": (long(TWO), None, NAMES[:2]),
    "all channels of each interval": (long(TWO, interleaved=True), None, NAMES[:2]),
    "four channels": (long(FOUR), None, NAMES),
    "four channels, a day on each line": (daily(FOUR), None, NAMES),
    "a day on each line, counted": (daily(TWO, counted=True), None, NAMES[:2]),
    "merged cells": (daily(FOUR, merged=True), None, NAMES),
    "a unit for each channel": (long((("Del", "Wh", wh), ("Rec", "MWh", mwh))), None, NAMES[:2]),
    "mean power": (long((("Import", "kW", doubled), ("Export", "kWh", kwh))), None, NAMES[:2]),
    "by their numbers": (long((("1", "KWH", kwh), ("2", "KWH", kwh))), "kwh_delivered=1,kwh_received=2", NAMES[:2]),
    "by number and unit": (long((("1", "KWH", kwh), ("2", "KWH", kwh))), "kwh_delivered=1 kWh,kwh_received=2 KWH", NAMES[:2]),
    "without a column of units": (long(tuple((name, "", cell) for name, _, cell in TWO), header="Recorder ID,Channel,Remark,Interval End,Value"), None, NAMES[:2]),
    "directions": (long((("Consumption", "kWh", kwh), ("Generation", "kWh", kwh)), header="ESIID,Flow Direction,Unit,Interval End,Usage"), None, NAMES[:2]),
    "energies in a column with its unit": (long((("Delivered", "", kwh), ("Received", "", kwh)), header="Meter,Direction,x,Interval End,kWh"), None, NAMES[:2]),
    "units in cells": (long((("Delivered", "", lambda a: f"{a} Wh"), ("Received", "", lambda a: f"{kwh(a)} kWh")), header="Meter,Direction,x,Interval End,Value"), None, NAMES[:2]),
    "semicolons and decimal commas": (long(tuple((n, u, lambda a: kwh(a).replace(".", ",")) for n, u, _ in TWO), separator=";"), None, NAMES[:2]),
    "all in quotes": (long(TWO, quoted=True), None, NAMES[:2]),
    "12-hour clock": (long(TWO, stamp="%m/%d/%Y %I:%M %p"), None, NAMES[:2]),
    "a mark of UTF-8": ("\ufeff" + long(TWO), None, NAMES[:2]),
    "lines above": ("Report of intervals\nPrepared,today\n\n" + long(TWO), None, NAMES[:2]),
    "a total below": (long(TWO) + "Total,,,,12.5\n", None, NAMES[:2]),
    "another commodity": (long((*TWO, ("Gas", "therms", kwh))), None, NAMES[:2]),
    "a state of each line": (re.sub(r"(?m)$", ",A", long(TWO).strip()).replace("Value,A", "Value,Status") + "\n", None, NAMES[:2]),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_channels_as_they_are_published(tmp_path: Path, name: str) -> None:
    text, columns, due = FILES[name]
    check(read(tmp_path, text, columns=columns), columns=due)


def test_one_channel_with_a_column_of_units(tmp_path: Path) -> None:
    """As portals write it: the unit in a column of its own, whatever the name of the numbers is."""
    rows = [["TYPE", "DATE", "END TIME", "USAGE", "UNITS", "COST"]]
    rows += [
        ["Electric usage", f"{(one.local + timedelta(minutes=30)):%Y-%m-%d}", f"{(one.local + timedelta(minutes=30)):%H:%M}", kwh(one.amounts[0]), "kWh", "$0.10"]
        for one in LOAD
    ]  # fmt: skip
    check(read(tmp_path, lines(rows)), columns=NAMES[:1])
    in_wh = lines([row if k == 0 else [*row[:3], row[3].replace(".", ""), "Wh", row[5]] for k, row in enumerate(rows)])
    check(read(tmp_path, in_wh), columns=NAMES[:1])


@pytest.mark.parametrize(("unit", "right"), [("kWh", True), ("Wh", False), ("MWh", False)])
def test_a_unit_beside_columns_that_have_theirs(tmp_path: Path, unit: str, right: bool) -> None:
    """It may not be another one: which of the two is right, nothing says."""
    rows = [["time", "kwh_delivered", "kwh_received", "kvarh_lagging", "Unit"]]
    for one in LOAD:
        rows.append([f"{one.local + timedelta(minutes=30)}", *(kwh(amount) for amount in one.amounts[:3]), unit])
    if right:
        check(read(tmp_path, lines(rows)), columns=NAMES[:3])
        return
    with pytest.raises(RigError, match=f"no channel is kwh_delivered: it has 'kwh_delivered {unit}'"):
        read(tmp_path, lines(rows))


def test_vars_without_a_direction_are_told_and_named(tmp_path: Path) -> None:
    for text in (long(PLAIN), daily(PLAIN)):
        load = read(tmp_path, text)
        check(load, columns=NAMES[:1])
        assert any("channel '2 KVARH' does not count: --columns kvarh_lagging=NAME" in note for note in load.notes)
        load = read(tmp_path, text, columns="kvarh_lagging=2")
        assert load.columns == ("kwh_delivered", "kvarh_lagging")
        amounts = [Fraction(one.energies[1] * 1000, load.scale) for one in load.intervals]
        assert amounts == [one.amounts[1] for one in LOAD]


@pytest.mark.parametrize("ends", [BEGIN, END])
def test_a_day_of_25_hours_in_two_channels(tmp_path: Path, ends: bool) -> None:
    due = intervals(date(2026, 10, 31), 3, 60, TORONTO, channels=2)
    check(read(tmp_path, daily(TWO, due, 60, counted=True), END, TORONTO), due)
    shift = 1 if ends else 0
    rows = [["Recorder", "Channel", "UOM", "Time", "Value"]]
    for at, (name, unit, cell) in enumerate(TWO):
        for one in due:
            local = (one.begin + timedelta(hours=shift)).astimezone(TORONTO)
            rows.append(["R1", name, unit, f"{local:%Y-%m-%d %H:%M}", cell(one.amounts[at])])
    check(read(tmp_path, lines(rows), ends, TORONTO), due)


@pytest.mark.parametrize("whole", [True, False])
def test_a_number_that_one_channel_lacks_is_0_and_told(tmp_path: Path, whole: bool) -> None:
    rows = long(TWO).splitlines()
    at = 1 + len(LOAD) + 7
    text = "\n".join([*rows[:at], *([] if whole else [rows[at].rpartition(",")[0] + ","]), *rows[at + 1 :]]) + "\n"
    load = read(tmp_path, text)
    assert [one.energies[1] for one in load.intervals].count(0) == 1
    assert any(
        "kwh_received: no number in 1 of 96 intervals, where there are others: taken as 0" in note
        for note in load.notes
    )
    assert sum(one.energies[0] for one in load.intervals) * 1000 == sum(one.amounts[0] for one in LOAD) * load.scale


def test_an_interval_that_the_first_channel_lacks_is_in_its_place(tmp_path: Path) -> None:
    rows = long(TWO).splitlines()
    load = read(tmp_path, "\n".join([*rows[:9], *rows[10:]]) + "\n")
    assert len(load.intervals) == 96
    assert load.intervals[8].energies[0] == 0
    assert load.intervals[8].energies[1] > 0
    assert not any("out of order" in note for note in load.notes)


def test_an_interval_that_all_lack_is_a_gap(tmp_path: Path) -> None:
    rows = long(TWO).splitlines()
    second = 9 + len(LOAD)
    load = read(tmp_path, "\n".join([*rows[:9], *rows[10:second], *rows[second + 1 :]]) + "\n")
    check(load, [*LOAD[:8], *LOAD[9:]])
    assert any("nothing from 2026-01-14T04:00 to 2026-01-14T04:30" in note for note in load.notes)


def test_recorders_are_chosen(tmp_path: Path) -> None:
    text = long(TWO) + long(TWO, header="").partition("\n")[2].replace("R100", "R200").replace(".", "9.")
    with pytest.raises(RigError, match="has 2 meters, 'R100', 'R200': say which with --meter"):
        read(tmp_path, text)
    check(read(tmp_path, text, meter="R100"))


def test_lines_in_any_order(tmp_path: Path) -> None:
    rows = long(TWO).splitlines()
    load = read(tmp_path, "\n".join([rows[0], *rows[1 + len(LOAD) :], *rows[1 : 1 + len(LOAD)]]) + "\n")
    check(load)
    check(read(tmp_path, "\n".join([rows[0], *rows[:0:-1]]) + "\n"))


def test_an_interval_twice_counts_once(tmp_path: Path) -> None:
    rows = long(TWO).splitlines()
    load = read(tmp_path, "\n".join([*rows, rows[5], rows[5 + len(LOAD)]]) + "\n")
    check(load)
    assert any("1 interval again" in note for note in load.notes), load.notes


def at_line(text: str, line: int, cell: int, value: str) -> str:
    rows = text.splitlines()
    cells = rows[line - 1].split(",")
    cells[cell] = value
    rows[line - 1] = ",".join(cells)
    return "\n".join(rows) + "\n"


REFUSED: dict[str, tuple[str, str | None, str]] = {
    "two channels of kWh": (long((("1", "KWH", kwh), ("2", "KWH", kwh))), None, "channels '1 KWH', '2 KWH' could all be kwh_delivered: say which with --columns kwh_delivered=NAME, and what"),
    "only vars": (long((("1", "KVARH", kwh),)), None, "no channel is kwh_delivered: it has '1 KVARH': say with --columns kwh_delivered=NAME which it is"),
    "no unit": (long((("1", "", kwh), ("2", "", kwh))), None, "no channel is kwh_delivered: it has '1', '2'"),
    "units that are none": (long((("1", "Pulses", kwh),)), None, "no channel is kwh_delivered: it has '1 Pulses'"),
    "a channel that is not there": (long(TWO), "kwh_delivered=7", "has no channel '7' for --columns kwh_delivered: it has 'kWh Del KWH', 'kWh Rec KWH'"),
    "a name of two": (long((("1", "KWH", kwh), ("2", "KWH", kwh))), "kwh_delivered=KWH", "has more than one channel 'KWH' for --columns kwh_delivered"),
    "vars named as watts": (long(PLAIN), "kwh_received=2", "channel '2 KVARH' is in kvarh, it cannot be kwh_received"),
    "a unit against the name": (long((("1", "Wh", kwh),), header="Meter,Channel,Unit,Interval End,kWh"), None, "no channel is kwh_delivered: it has '1 Wh'"),
    "a negative number": (at_line(long(TWO), 7, 4, "-1.5"), None, "line 7: kwh_delivered is '-1.5', it must be a number"),
    "a word": (at_line(long(TWO), 7, 4, "bad"), None, "line 7: kwh_delivered is 'bad', it must be a number"),
    "a unit in a cell": (at_line(long(TWO), 7, 4, "5 kW"), None, "line 7: kwh_delivered is '5 kW', but its column is in kWh"),
    "a time that is none": (at_line(long(TWO), 7, 3, "yesterday"), None, "line 7: time is 'yesterday'"),
    "an empty time": (at_line(at_line(long(TWO), 2, 3, ""), 2, 1, ""), None, "line 2: time is ''"),
    "a cell less": (long(TWO) + "R100,kWh Del,KWH,2026-01-16 00:30\n", None, "line 194: 4 cells under 5 columns"),
    "nothing below": ("Recorder,Channel,UOM,Time,Value\n", None, "has no intervals: give at least one line below the columns"),
    "a column twice": (long(TWO), "kwh_delivered=kWh Del,wh_delivered=kWh Rec", "gets kwh_delivered from two channels"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_sure_is_refused(tmp_path: Path, name: str) -> None:
    text, columns, said = REFUSED[name]
    with pytest.raises(RigError) as caught:
        read(tmp_path, text, columns=columns)
    assert re.search(said, str(caught.value)), caught.value
    assert str(caught.value).isprintable()


def test_days_alone_of_channels_are_asked_for(tmp_path: Path) -> None:
    """A line for each channel and day, of the day's whole energy."""
    rows = [["Meter", "Channel", "Unit", "Date", "Value"]]
    rows += [
        ["A", name, "kWh", f"2026-01-{day:02}", f"{day}.5"]
        for name in ("Delivered", "Received")
        for day in range(1, 11)
    ]
    with pytest.raises(RigError, match="can be when an interval begins or ends: say --stamps begin"):
        read(tmp_path, lines(rows), None)
    load = read(tmp_path, lines(rows), BEGIN)
    assert load.minutes == 1440
    assert [Fraction(one.energies[1], load.scale) for one in load.intervals] == [
        day + Fraction(1, 2) for day in range(1, 11)
    ]
