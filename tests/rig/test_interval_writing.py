# ruff: noqa: E501 - a file that is read is on one line, as it is written
"""Load records as analysts have them (review B-9, C-11): each file is one day of the same energies, written otherwise.

The witness is the list of energies and instants that the files are written from, with datetime and Fraction.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from rig.files.strict_toml import ConfigError
from rig.meter.billing.calendar import Calendar
from rig.replay.intervals.columns import parse_columns
from rig.replay.intervals.file import read_intervals
from rig.replay.intervals.record import LoadRecord
from rig.replay.intervals.writing import Writing

DAY = datetime(2026, 1, 15)
WATT_HOURS = [500 + (k * 7919) % 997 for k in range(96)]
"""Energy of each quarter of an hour in Wh."""


def ends() -> list[datetime]:
    return [DAY + timedelta(minutes=15) * (k + 1) for k in range(96)]


def written(header: str, line: Callable[[datetime, int], str]) -> str:
    return "\n".join([header, *(line(end, wh) for end, wh in zip(ends(), WATT_HOURS, strict=True))]) + "\n"


def read(folder: Path, text: str | bytes, *, stamps_end: bool | None = True, **writing: object) -> LoadRecord:
    path = folder / "load.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    if "columns" in writing:
        writing["columns"] = parse_columns(str(writing["columns"]))
    return read_intervals(path, Calendar(UTC), stamps_end=stamps_end, writing=Writing(**writing))  # type: ignore[arg-type]


def check(load: LoadRecord) -> None:
    assert [Fraction(one.energies[0], load.scale) for one in load.intervals] == [
        Fraction(wh, 1000) for wh in WATT_HOURS
    ]
    assert [one.end_ns // 10**9 for one in load.intervals] == [int(e.replace(tzinfo=UTC).timestamp()) for e in ends()]


def iso(end: datetime, wh: int) -> str:
    return f"{end.isoformat()},{wh / 1000}"


def comma(number: float) -> str:
    return f"{number}".replace(".", ",")


PLAIN = written("time,kwh_delivered", iso)

FILES: dict[str, tuple[str | bytes, str]] = {
    "semicolons and decimal commas": (written("time;kwh_delivered", lambda t, wh: f"{t:%Y-%m-%d %H:%M};{comma(wh / 1000)}"), ""),
    "sep= line": ("sep=;\n" + PLAIN.replace(",", ";"), ""),
    "bars": (PLAIN.replace(",", "|"), ""),
    "UTF-16": (PLAIN.encode("utf-16"), "read as UTF-16"),
    "UTF-16 without mark": (PLAIN.encode("utf-16-le"), "read as UTF-16"),
    "Windows-1252": (("Zähler\n" + PLAIN).encode("cp1252"), "Windows-1252"),
    "decimal comma in quotes": (written("time,kwh_delivered", lambda t, wh: f'{t.isoformat()},"{comma(wh / 1000)}"'), "the comma is the decimal"),
    "kW": (written("Time,Active power kW", lambda t, wh: f"{t.isoformat()},{wh * 4 / 1000}"), "a mean power times"),
    "W": (written("Time,W import", lambda t, wh: f"{t.isoformat()},{wh * 4}"), "in W, a mean power"),
    "Wh": (written("Timestamp,Energy (Wh)", lambda t, wh: f"{t.isoformat()},{wh}"), "read as kwh_delivered, in Wh"),
    "MWh": (written("Timestamp,MWh", lambda t, wh: f"{t.isoformat()},{wh / 10**6:.6f}"), "in MWh"),
    "date and time": (written("Date,Time,Usage (kWh)", lambda t, wh: f"{t:%Y-%m-%d},{t:%H:%M},{wh / 1000}"), "times are in 'Date' and 'Time'"),
    "US dates": (written("Date,Time,Usage (kWh)", lambda t, wh: f"{t:%m/%d/%Y},{t:%I:%M %p},{wh / 1000}"), "read as month, day, year"),
    "short US dates": (written("Date/Time,Usage (kWh)", lambda t, wh: f"{t.month}/{t.day}/{t:%y} {t.hour}:{t:%M},{wh / 1000}"), "month, day, year"),
    "day first": (written("Date Time,Import kWh", lambda t, wh: f"{t:%d/%m/%Y %H:%M},{wh / 1000}"), "read as day, month, year"),
    "dots": (written("Time;kWh", lambda t, wh: f"{t:%d.%m.%Y %H:%M};{comma(wh / 1000)}"), "column 'kWh' is read"),
    "begin and end": (written("Interval start,Interval end,kWh", lambda t, wh: f"{t - timedelta(minutes=15)},{t},{wh / 1000}"), "times are in 'Interval end'"),
    "lines above": ("Name,A. Person\nAddress,Some Street 1\nAccount,123\n\n" + written("TYPE,DATE,START TIME,END TIME,USAGE (kWh),COST,NOTES", lambda t, wh: f"Electric usage,{t - timedelta(minutes=1):%Y-%m-%d},{t - timedelta(minutes=15):%H:%M},{t - timedelta(minutes=1):%H:%M},{wh / 1000},$0.1,"), "named in line 5"),
    "thousands": (written("time,Wh delivered", lambda t, wh: f'{t.isoformat()},"{wh:,}.0"'), "commas part thousands"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_day_written_in_many_ways(tmp_path: Path, name: str) -> None:
    text, said = FILES[name]
    load = read(tmp_path, text)
    check(load)
    assert any(said in note for note in load.notes) or not said, load.notes


def test_begins_are_taken_with_stamps_begin(tmp_path: Path) -> None:
    check(read(tmp_path, FILES["begin and end"][0], stamps_end=False))


@pytest.mark.parametrize(
    ("text", "writing"),
    [
        (written("a,b", iso), {"columns": "time=a,kwh_delivered=b"}),
        (written("a,b,b 2", lambda t, wh: f"{t:%Y-%m-%d},{t:%H:%M},{wh * 4}"), {"columns": 'time=a+b,w_delivered="b 2"'}),
        (written("time,kwh_delivered", lambda t, wh: f"{t:%Y%d%m-%H%M},{wh / 1000}"), {"time_format": "%Y%d%m-%H%M"}),
        (written("time;kwh_delivered", lambda t, wh: f"{t.isoformat()};{comma(wh / 1000)}"), {"decimal": ","}),
        (written("NMI,time,kwh", lambda t, wh: f"A,{t.isoformat()},{wh / 1000}\nB,{t.isoformat()},7"), {"meter": "A"}),
        (
            written("x,time,kwh", lambda t, wh: f"A,{t.isoformat()},{wh / 1000}\nB,{t.isoformat()},7"),
            {"columns": "meter=x", "meter": "A"},
        ),
    ],
)  # fmt: skip
def test_what_a_file_does_not_show_is_given(tmp_path: Path, text: str, writing: dict[str, str]) -> None:
    check(read(tmp_path, text, **writing))


TWO = "2026-01-15T00:15,{}\n2026-01-15T00:30,{}\n"


@pytest.mark.parametrize(
    ("text", "writing", "said"),
    [
        ("time,kwh\n01/02/2026 00:15,1\n01/02/2026 00:30,1\n", {}, r"line 2: time is '01/02/2026 00:15', which can be read in two orders: say with --time-format"),
        ("time,kwh\n13/02/2026 00:15,1\n01/13/2026 00:30,1\n", {}, "and others are in two orders"),
        ("time,kwh\n" + TWO.format('"1,234"', '"5,678"'), {}, "line 2: '1,234' can be read in two ways.* --decimal"),
        ("time,kwh\n" + TWO.format('"1,234"', '"5,678"'), {"decimal": "."}, None),
        ("time,kwh\n" + TWO.format("1.5", '"0,5"'), {}, "line 3: kwh_delivered is '0,5'"),
        ("time;kwh\n" + TWO.replace(",", ";").format("1.5", "0,5"), {}, "line 3: kwh_delivered is '0,5'"),
        ("NMI,time,kwh\nA,2026-01-15T00:15,1\nB,2026-01-15T00:15,1\n", {}, "has 2 meters, 'A', 'B': say which with --meter"),
        ("NMI,time,kwh\nA,2026-01-15T00:15,1\n", {"meter": "C"}, "has no meter 'C' for --meter: it has 'A'"),
        ("time,kwh\n" + TWO.format(1, 1), {"meter": "C"}, "no column of meters for --meter: name it with --columns meter"),
        ("time,usage kwh,consumed kwh\n2026-01-15T00:15,1,1\n", {}, "columns 'usage kwh' and 'consumed kwh' could both be kwh_del"),
        ("interval start,kwh\n" + TWO.format(1, 1), {}, "column 'interval start' says when intervals begin: give --stamps begin"),
        ("time,start,end,date,time,kwh\n", {}, "several columns of times|comes twice"),
        ("time,kwh\n" + TWO.format(1, 1), {"time_format": "%d/%m/%Q"}, "line 2: time is .* as --time-format '%d/%m/%Q' says"),
        ("time,kwh\n" + TWO.format(1, 1), {"time_format": "%d %d"}, "as --time-format '%d %d' says"),
        ("time,kwh\n" + TWO.format(1, 1), {"columns": "kwh_delivered=usage"}, "--columns has 'usage', but its first line"),
        ("sep=x\ntime,kwh\n", {}, "line 1: sep=x is not a separator"),
    ],
)  # fmt: skip
def test_what_is_not_sure_is_asked_for(tmp_path: Path, text: str, writing: dict[str, str], said: str | None) -> None:
    if said is None:
        assert [Fraction(one.energies[0], 1) for one in read(tmp_path, text, **writing).intervals] == [1234, 5678]
        return
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text, **writing)
    assert re.search(said, str(caught.value)), caught.value
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["x", "time=", "=a", "kwh=a,kwh=b", "speed=v", "time=a,time=b", '"', "kvarh=a"])
def test_columns_that_cannot_be(text: str) -> None:
    with pytest.raises(ConfigError, match="--columns has"):
        parse_columns(text)


def test_a_file_with_too_many_lines(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has more than 4000000 lines: give it in parts"):
        read(tmp_path, b"time,kwh\n" + b"\n" * 4_000_001)


def test_a_file_that_is_too_long(tmp_path: Path) -> None:
    path = tmp_path / "load.csv"
    with path.open("wb") as file:
        file.truncate((64 << 20) + 1)
    with pytest.raises(ConfigError, match="is longer than 64 MB: give it in parts"):
        read_intervals(path, Calendar(UTC), stamps_end=True)


DAYS = "time,kwh_delivered\n2026-01-15{0},24\n2026-01-16{0},36\n2026-01-17{0},12\n"


@pytest.mark.parametrize("clock", ["", " 00:00", "T00:00:00"])
def test_a_column_of_dates_is_asked_for(tmp_path: Path, clock: str) -> None:
    """A day's energy is of the day of its date or of the one before: taken as the other, a bill shifts by a day."""
    text = DAYS.format(clock)
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text, stamps_end=None)
    assert str(caught.value).endswith(
        "line 2: 2026-01-15 can be when an interval begins or ends: say --stamps begin if its energy is from 2026-01-15 "
        "00:00 to 2026-01-16 00:00, or --stamps end if from 2026-01-14 00:00 to 2026-01-15 00:00"
    )
    for ends, first in ((False, 15), (True, 14)):
        load = read(tmp_path, text, stamps_end=ends)
        assert load.intervals[0].start_ns == int(datetime(2026, 1, first, tzinfo=UTC).timestamp()) * 10**9
        assert [Fraction(one.energies[0], load.scale) for one in load.intervals] == [24, 36, 12]


def test_dates_whose_column_says_what_they_are_are_not_asked_for(tmp_path: Path) -> None:
    load = read(tmp_path, DAYS.format("").replace("time", "Period end"), stamps_end=None)
    assert load.intervals[0].start_ns == int(datetime(2026, 1, 14, tzinfo=UTC).timestamp()) * 10**9
    check(read(tmp_path, PLAIN, stamps_end=None))
