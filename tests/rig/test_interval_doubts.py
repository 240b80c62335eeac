"""Stamps near the grid of their intervals, and values that are no energies (review A-10, A-11): told with numbers, or
refused; against the energies and instants that the files were made of."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rig.meter.billing.calendar import Calendar
from rig.program.build import build, load_program
from rig.program.schema import ProgramFile
from rig.replay.intervals.encoding import IntervalFileError
from rig.replay.intervals.file import read_intervals
from rig.replay.intervals.record import LoadRecord
from rig.replay.intervals.replay import Replay

BEGIN = datetime(2026, 1, 15)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


def read(folder: Path, lines: list[str], *, ends: bool = True) -> LoadRecord:
    path = folder / "load.csv"
    path.write_text("\n".join(["time,kwh_delivered", *lines]))
    return read_intervals(path, Calendar(UTC), stamps_end=ends)


def made(
    minutes: int, count: int, off: Callable[[int], timedelta], value: Callable[[int], str] = lambda k: "0.5"
) -> list[str]:
    """Ends of intervals, each as far off as said."""
    return [f"{(BEGIN + MINUTE * minutes * k + off(k)).isoformat()},{value(k)}" for k in range(1, count + 1)]


def edges(load: LoadRecord) -> list[float]:
    """Minutes since the begin at which intervals begin, and at which the last ends."""
    zero = int(BEGIN.replace(tzinfo=UTC).timestamp())
    return [(ns / 10**9 - zero) / 60 for ns in (*(one.start_ns for one in load.intervals), load.intervals[-1].end_ns)]


@pytest.mark.parametrize("minutes", [5, 15, 30, 60, 1440])
def test_ends_at_the_minute_before(tmp_path: Path, minutes: int) -> None:
    load = read(tmp_path, made(minutes, 40, lambda k: -MINUTE))
    assert edges(load) == [minutes * k for k in range(41)]
    assert load.notes[0].startswith("all stamps are at the minute before a full interval: taken as the minute that")


@pytest.mark.parametrize("seconds", [[1, 0], [0, -2, 3], [30, 0, 0, -30], [2]])
@pytest.mark.parametrize("minutes", [5, 15, 60])
def test_jitter_of_seconds(tmp_path: Path, minutes: int, seconds: list[int]) -> None:
    load = read(tmp_path, made(minutes, 95, lambda k: SECOND * seconds[k % len(seconds)]))
    assert edges(load) == [minutes * k for k in range(96)]
    (note,) = load.notes
    assert f"by up to {max(map(abs, seconds))} s" in note


def test_stamps_of_begins_a_minute_late(tmp_path: Path) -> None:
    load = read(tmp_path, made(15, 40, lambda k: MINUTE - 15 * MINUTE), ends=False)
    assert edges(load) == [15 * k for k in range(41)]


def test_stamps_on_a_grid_of_their_own_stay(tmp_path: Path) -> None:
    load = read(tmp_path, made(15, 40, lambda k: 4 * MINUTE))
    assert edges(load) == [15 * k + 4 for k in range(41)]
    assert not load.notes
    # Seconds are there where they matter: 45 s off are too many for the grid.
    load = read(tmp_path, [line for k, line in enumerate(made(15, 40, lambda k: 45 * SECOND)) if k != 20])
    assert load.notes == ("nothing from 2026-01-15T05:00:45 to 2026-01-15T05:15:45: no energy in that time",)


# --- values ---------------------------------------------------------------------------------------------------


def test_readings_of_a_register_are_refused(tmp_path: Path) -> None:
    with pytest.raises(IntervalFileError, match=r"never falls from line 2, 12346\.0, to line 97, 12393\.5, as a regis"):
        read(tmp_path, made(15, 96, lambda k: MINUTE * 0, lambda k: f"{12345.5 + 0.5 * k}"))


@pytest.mark.parametrize(
    ("minutes", "count", "reading"),
    [
        (15, 20, lambda k: f"{12345 + 0.5 * k}"),
        (1440, 12, lambda k: f"{12345 + 31 * k}"),
        (1, 600, lambda k: f"{900 + k // 2}"),
    ],
)
def test_readings_of_hours_or_of_a_few_days_are_doubted(
    tmp_path: Path, minutes: int, count: int, reading: Callable[[int], str]
) -> None:
    (note,) = read(tmp_path, made(minutes, count, lambda k: MINUTE * 0, reading)).notes
    assert re.search(
        r"never falls from line 2, .*, in small steps, as a register's readings do: is it the energy", note
    )


def test_a_load_that_grows_for_hours_is_no_register(tmp_path: Path) -> None:
    for kwh in (lambda k: str(k), lambda k: f"{1 + k / 4}", lambda k: f"{5 + k // 10 / 10}", lambda k: "7"):
        assert not read(tmp_path, made(15, 20, lambda k: MINUTE * 0, kwh)).notes


def test_a_day_that_never_falls_is_doubted(tmp_path: Path) -> None:
    values = ["3", "1"] * 48 + [str(k) for k in range(1, 98)] + ["2"]
    (note,) = read(tmp_path, made(15, len(values), lambda k: MINUTE * 0, lambda k: values[k - 1])).notes
    assert note.startswith("kwh_delivered never falls from line 97, 1, to line 194, 97, as a register's readings do")


def test_a_steady_load_is_no_register(tmp_path: Path) -> None:
    assert not read(tmp_path, made(15, 400, lambda k: MINUTE * 0)).notes
    assert not read(tmp_path, made(15, 400, lambda k: MINUTE * 0, lambda k: f"{1 + (k % 90) / 100}")).notes


def test_nines(tmp_path: Path) -> None:
    (note,) = read(tmp_path, made(15, 96, lambda k: MINUTE * 0, lambda k: "9999999" if k == 7 else "0.5")).notes
    assert note == (
        "kwh_delivered: 1 value of nines, the first in line 8: if it stands for no value, leave its cell empty"
    )


@pytest.mark.parametrize(
    ("kwh", "program", "said"),
    [
        # 9S class 20: MAX = 277 V · 20 A · 3 = 16.62 kW, 4.155 kWh in 15 min.
        ("4.155", 'form = "9S"\ncurrent_class = 20', None),
        ("4.16", 'form = "9S"\ncurrent_class = 20', "96 of 96 intervals are above MAX of this meter, 16.62 kW"),
        ("166", 'form = "9S"\ncurrent_class = 20\nct_ratio = "40"', None),
        ("166.3", 'form = "9S"\ncurrent_class = 20\nct_ratio = "40"', "96 of 96 .* MAX of this meter, 664.8 kW"),
    ],
)  # fmt: skip
def test_demand_above_the_meters_max(tmp_path: Path, kwh: str, program: str, said: str | None) -> None:
    path = tmp_path / "meter.toml"
    path.write_text(f"[meter]\n{program}\n")
    load = read(tmp_path, made(15, 96, lambda k: MINUTE * 0, lambda k: kwh))
    notes = Replay(load, load_program(path)).run().notes
    assert len(notes) == (said is not None)
    if said is not None:
        assert re.search(said, notes[0]), notes
        assert notes[0].endswith("is the column in Wh, or the meter behind transformers?")


def test_one_value_above_max_is_told_with_its_instant(tmp_path: Path) -> None:
    load = read(tmp_path, made(15, 96, lambda k: MINUTE * 0, lambda k: "1234567" if k == 7 else "0.5"))
    (note,) = Replay(load, build(ProgramFile())).run().notes
    assert "1 of 96 intervals are above MAX of this meter" in note
    assert note.endswith("the highest is 4.93827e+06 kW, to 2026-01-15T01:45")
