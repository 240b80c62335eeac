"""Load records of register readings: what the registers advanced from reading to reading (review A-11).

The witness is plain integers: a register that a load makes advance, with a number of digits after which it turns over.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.meter.billing.calendar import Calendar
from rig.replay.intervals.columns import parse_columns
from rig.replay.intervals.encoding import IntervalFileError
from rig.replay.intervals.file import read_intervals
from rig.replay.intervals.record import LoadRecord
from rig.replay.intervals.writing import Writing

T0 = datetime(2026, 3, 1, tzinfo=UTC)


def read(folder: Path, text: str, columns: str | None = None, ends: bool | None = None) -> LoadRecord:
    (folder / "load.csv").write_text(text)
    writing = Writing(parse_columns(columns), registers=True)
    return read_intervals(folder / "load.csv", Calendar(UTC), stamps_end=ends, writing=writing)


def readings(values: Sequence[object], minutes: int = 15, skip: Sequence[int] = ()) -> str:
    """A file of readings so many minutes apart."""
    lines = [
        f"{T0 + timedelta(minutes=minutes * k):%Y-%m-%d %H:%M},{value}"
        for k, value in enumerate(values)
        if k not in skip
    ]
    return "time,kwh_delivered\n" + "\n".join(lines) + "\n"


def energies(load: LoadRecord, place: int = 0) -> list[Fraction]:
    return [Fraction(one.energies[place], load.scale) for one in load.intervals]


@settings(max_examples=40)
@given(st.lists(st.integers(0, 90), min_size=2, max_size=60), st.integers(0, 9999))
def test_advances_of_any_load(tmp_path_factory: pytest.TempPathFactory, load: list[int], start: int) -> None:
    """In tenths of a kWh, on a register of five digits of which one is of tenths; it may turn over once."""
    value, shown = start * 10, [start * 10]
    for energy in load:
        value += energy
        shown.append(value % 100_000)
    found = read(tmp_path_factory.mktemp("r"), readings([f"{v // 10}.{v % 10}" for v in shown]))
    turned = value >= 100_000 and start * 10 >= 90_000
    if value < 100_000 or turned:
        assert energies(found) == [Fraction(energy, 10) for energy in load]
    assert [one.start_ns for one in found.intervals] == [
        int((T0 + timedelta(minutes=15 * k)).timestamp()) * 10**9 for k in range(len(load))
    ]


def test_a_register_that_turns_over(tmp_path: Path) -> None:
    load = read(tmp_path, readings(["9998.5", "9999.5", "0.7", "1.7"]))
    assert energies(load) == [1, Fraction(12, 10), 1]
    assert any("turns over 1 time" in note for note in load.notes)


def test_a_register_that_was_exchanged_is_time_without_energy(tmp_path: Path) -> None:
    load = read(tmp_path, readings([500, 501, 502, 3, 4, 5]))
    assert energies(load) == [1, 1, 0, 1, 1]
    assert any(
        "kwh_delivered falls 1 time" in note and "from 502 in line 4 to 3 in line 5" in note for note in load.notes
    )


def test_missing_readings_make_one_longer_interval(tmp_path: Path) -> None:
    load = read(tmp_path, readings(range(100, 140), skip=(7, 8)))
    assert sum(energies(load)) == 39
    (longer,) = (one for one in load.intervals if one.end_ns - one.start_ns != 900 * 10**9)
    assert (longer.end_ns - longer.start_ns, Fraction(longer.energies[0], load.scale)) == (2700 * 10**9, 3)
    assert any("1 interval longer than 15 min" in note for note in load.notes)


def test_two_registers_of_other_names_and_units_and_a_line_that_lacks_one(tmp_path: Path) -> None:
    text = "time;Total Wh in;Total Wh out\n"
    rows = [(1000, 5), (1500, 5), ("", ""), (2000, 105), (2600, 107)]
    text += "".join(f"2026-03-01 {k:02}:00;{a};{b}\n" for k, (a, b) in enumerate(rows))
    load = read(tmp_path, text, "wh_delivered=Total Wh in,wh_received=Total Wh out")
    assert [energies(load, 0), energies(load, 1)] == [
        [Fraction(1, 2), Fraction(1, 2), Fraction(6, 10)],
        [0, Fraction(1, 10), Fraction(2, 1000)],
    ]
    assert any("1 line without readings" in note for note in load.notes)


def test_days_at_midnight_need_no_word_on_stamps(tmp_path: Path) -> None:
    text = "date,kwh_delivered\n" + "".join(f"2026-03-{k:02},{1000 + 10 * k}\n" for k in range(1, 12))
    assert energies(read(tmp_path, text, "time=date,kwh_delivered=kwh_delivered")) == [10] * 10


@pytest.mark.parametrize(
    ("text", "ends", "said"),
    [
        (readings([5]), None, "its stamps do not tell how long an interval is"),
        (readings([5, "", ""]), None, "has 1 reading of kwh_delivered, it must have two"),
        (readings([5, 1, 5, 1, 5, 1, 5, 1]), None, "kwh_delivered falls 4 times in 8 readings"),
        (readings([1, 2, 3]), False, "readings of registers have the time at which they were read: omit --stamps"),
        ("time,kW\n2026-03-01 00:00,1\n2026-03-01 00:15,2\n", None, "is read from a power, which is no register"),
        (
            "time,kwh_delivered\n" + "".join(f"{t},{k}\n" for k, t in enumerate(("2026-03-01 00:00", "2026-03-01 01:00",
             "2026-03-01 02:00", "2026-05-01 00:00"))), None, "this reading comes 61 days after",
        ),
        ("<feed xmlns='http://www.w3.org/2005/Atom'></feed>", None, "which itself says what a register is"),
    ],
)  # fmt: skip
def test_what_is_refused(tmp_path: Path, text: str, ends: bool | None, said: str) -> None:
    with pytest.raises(IntervalFileError) as error:
        read(tmp_path, text, ends=ends)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_readings_without_a_word_are_refused_with_the_option(tmp_path: Path) -> None:
    (tmp_path / "load.csv").write_text(readings(range(5000, 5200)))
    with pytest.raises(IntervalFileError, match="--registers"):
        read_intervals(tmp_path / "load.csv", Calendar(UTC), stamps_end=None)
