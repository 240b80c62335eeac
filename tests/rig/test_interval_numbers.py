"""Load records whose intervals are numbered from midnight on, in a column beside the date (issue True figures, files).

The witness is tests/rig/day_files.py: plain integers, and zoneinfo for the days.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from rig.meter.billing.calendar import Calendar
from rig.replay.intervals.encoding import IntervalFileError
from rig.replay.intervals.file import read_intervals
from rig.replay.intervals.record import LoadRecord
from rig.replay.intervals.writing import Writing
from tests.rig.day_files import Interval, by_day, intervals, kwh

TORONTO = ZoneInfo("America/Toronto")
SPRING, AUTUMN, PLAIN = date(2026, 3, 8), date(2026, 11, 1), date(2026, 5, 5)


def read(folder: Path, text: str, ends: bool | None = None) -> LoadRecord:
    (folder / "load.csv").write_text(text)
    return read_intervals(folder / "load.csv", Calendar(TORONTO), stamps_end=ends, writing=Writing())


def numbered(load: Sequence[Interval], name: str = "Interval", day: str = "%Y-%m-%d") -> str:
    """A line for each interval, its number by the time that passed since midnight."""
    text = [f"Date,{name},kWh"]
    for at, part in by_day(load).items():
        text += [f"{at:{day}},{k},{kwh(one.amounts[0])}" for k, one in enumerate(part, 1)]
    return "\n".join(text) + "\n"


def begins(load: LoadRecord) -> list[int]:
    return [one.start_ns // 10**9 for one in load.intervals]


@pytest.mark.parametrize("ends", [None, True, False])
@pytest.mark.parametrize("around", [SPRING, AUTUMN, PLAIN], ids=["spring", "autumn", "plain"])
@pytest.mark.parametrize("minutes", [60, 30, 15, 10, 5, 1])
def test_numbers_of_the_time_that_passed(tmp_path: Path, minutes: int, around: date, ends: bool | None) -> None:
    due = intervals(around - timedelta(1), 3, minutes, TORONTO)
    load = read(tmp_path, numbered(due), ends)
    assert begins(load) == [int(one.begin.timestamp()) for one in due]
    assert [Fraction(one.energies[0] * 1000, load.scale) for one in load.intervals] == [one.amounts[0] for one in due]
    assert any(f"numbers of intervals of {minutes} min" in note for note in load.notes)


@pytest.mark.parametrize("name", ["Settlement Period", "interval no.", "Trading Interval", "PERIOD", "Interval Number"])
def test_names_and_dates_as_they_are_written(tmp_path: Path, name: str) -> None:
    due = intervals(PLAIN, 20, 30, TORONTO)
    assert begins(read(tmp_path, numbered(due, name, "%d/%m/%Y"))) == [int(one.begin.timestamp()) for one in due]


def test_numbers_of_the_clock_leave_out_the_hour_that_it_skips(tmp_path: Path) -> None:
    due = intervals(SPRING, 1, 60, TORONTO)
    text = "Date,Interval,kWh\n" + "".join(f"{SPRING},{k},1\n" for k in range(1, 25) if k != 3)
    assert begins(read(tmp_path, text)) == [int(one.begin.timestamp()) for one in due]


def test_a_column_interval_of_a_file_of_days_does_not_count(tmp_path: Path) -> None:
    text = "Date,Interval,kWh\n" + "".join(f"2026-05-{k:02},1440,{k}\n" for k in range(1, 20))
    load = read(tmp_path, text, False)
    assert load.minutes == 1440
    assert len(load.intervals) == 19


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (range(1, 11), "numbers up to 10, it must be up to 24, 48, 96, 144, 288 or 1440 in a day"),
        (range(96), "column 'Interval' has '0', it must be the interval's number, from 1 on"),
        ([*range(1, 96), "x"], "column 'Interval' has 'x', it must be the interval's number"),
        ([*range(1, 96), -96], "column 'Interval' has '-96'"),
        (range(1, 51), "line 50: interval 49 of 30 min is not in 2026-05-05, which has 24 hours by the meter's clock"),
    ],
)
def test_numbers_that_a_day_does_not_have(tmp_path: Path, cells: Sequence[object], said: str) -> None:
    with pytest.raises(IntervalFileError) as error:
        read(tmp_path, "Date,Interval,kWh\n" + "".join(f"{PLAIN},{cell},1\n" for cell in cells))
    assert said in str(error.value)
    assert "\n" not in str(error.value)
