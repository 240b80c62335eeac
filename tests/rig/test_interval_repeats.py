"""Load records in which times come again: of several meters or channels, or of a clock without AM and PM. Half of the
energy must not be lost in a note; against files that are written here, line by line."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rig.files.strict_toml import ConfigError
from rig.meter.billing.calendar import Calendar
from rig.replay.intervals.columns import parse_columns
from rig.replay.intervals.file import read_intervals
from rig.replay.intervals.record import LoadRecord
from rig.replay.intervals.writing import Writing

HOURS = [datetime(2026, 1, 15) + timedelta(hours=k) for k in range(49)]


def read(folder: Path, text: str, ends: bool = True, columns: str = "", meter: str | None = None) -> LoadRecord:
    path = folder / "load.csv"
    path.write_text(text, encoding="utf-8")
    writing = Writing(parse_columns(columns), meter=meter)
    return read_intervals(path, Calendar(UTC), stamps_end=ends, writing=writing)


def lines(line: Callable[[datetime, int], str], hours: list[datetime] = HOURS[1:]) -> list[str]:
    return [line(time, k) for k, time in enumerate(hours)]


@pytest.mark.parametrize("name", ["Kind", "Serial", "Account"])
@pytest.mark.parametrize("mixed", [False, True])
def test_two_series_under_an_unknown_name_are_asked_for(tmp_path: Path, name: str, mixed: bool) -> None:
    one = lines(lambda time, k: f"A,{time},{1 + k % 5}")
    other = lines(lambda time, k: f"B,{time},{10 + k % 7}")
    both = [line for pair in zip(one, other, strict=True) for line in pair] if mixed else [*one, *other]
    text = "\n".join([f"{name},time,kwh", *both]) + "\n"
    with pytest.raises(ConfigError, match=r"48 of 96 lines have the time of another with other numbers: .*meter=NAME"):
        read(tmp_path, text)
    load = read(tmp_path, text, columns=f"meter={name}", meter="B")
    assert sum(i.energies[0] for i in load.intervals) == load.scale * sum(10 + k % 7 for k in range(48))


@pytest.mark.parametrize(("ends", "hours"), [(True, HOURS[1:]), (False, HOURS[:-1])])
@pytest.mark.parametrize("kwh", [lambda k: "1.5", lambda k: f"{1 + k % 7}"], ids=["the same", "other"])
def test_a_clock_of_12_hours_without_am_and_pm(
    tmp_path: Path, ends: bool, hours: list[datetime], kwh: Callable[[int], str]
) -> None:
    head = "Date,Time,kwh\n"
    with pytest.raises(ConfigError, match="on a clock of 12 hours each time must have AM or PM"):
        read(tmp_path, head + "\n".join(lines(lambda t, k: f"{t:%Y-%m-%d},{t:%I:%M},{kwh(k)}", hours)), ends)
    load = read(tmp_path, head + "\n".join(lines(lambda t, k: f"{t:%Y-%m-%d},{t:%I:%M %p},{kwh(k)}", hours)), ends)
    assert len(load.intervals) == 48


def test_few_lines_again_are_told(tmp_path: Path) -> None:
    whole = lines(lambda time, k: f"{time},{1 + k % 5}")
    text = "\n".join(["time,kwh", *whole, *(f"{line}9" for line in whole[:11])]) + "\n"
    notes = read(tmp_path, text).notes
    assert any(re.match("11 intervals again, the first in line 50, 11 of them with other numbers", n) for n in notes)
    text += "\n".join(f"{line}9" for line in whole[11:16]) + "\n"
    with pytest.raises(ConfigError, match="16 of 64 lines have the time of another with other numbers"):
        read(tmp_path, text)
