"""Scales and times of a load record that can be mistaken (review A-9 to A-11, B-9): read right, told, or refused, never
changed in silence; against the energies that the files were made of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from rig.meter.billing.calendar import Calendar
from rig.replay.intervals.encoding import IntervalFileError
from rig.replay.intervals.file import read_intervals
from rig.replay.intervals.record import LoadRecord
from rig.replay.intervals.writing import Writing

BEGIN = datetime(2026, 3, 14)
QUARTER = timedelta(minutes=15)
DAY = 96
ENERGIES = [Fraction(1 + k % 4, 4) for k in range(DAY)]
TOTAL = Fraction(60)
ENDS = [BEGIN + QUARTER * (k + 1) for k in range(DAY)]


def read(folder: Path, text: str, writing: Writing | None = None, zone: str | None = None) -> LoadRecord:
    path = folder / "load.csv"
    path.write_text(text)
    calendar = Calendar(UTC if zone is None else ZoneInfo(zone))
    return read_intervals(path, calendar, stamps_end=None, writing=writing)


def total(load: LoadRecord) -> Fraction:
    return Fraction(sum(one.energies[0] for one in load.intervals), load.scale)


def file_of(head: str, stamp: Callable[[datetime], str], value: Callable[[int], object]) -> str:
    return "\n".join([head, *(f"{stamp(end)},{value(k)}" for k, end in enumerate(ENDS))])


def iso(end: datetime) -> str:
    return end.isoformat(" ", "minutes")


@pytest.mark.parametrize("unit", ["mWh", "mW"])
def test_thousandths_are_not_taken_for_millions(tmp_path: Path, unit: str) -> None:
    with pytest.raises(IntervalFileError, match="no column kwh_delivered"):
        read(tmp_path, file_of(f"time,Usage ({unit})", iso, lambda k: ENERGIES[k] * 10**6))
    per_day = f"Date,{','.join(f'HE{k:02}' for k in range(1, 25))},Total {unit}\n"
    per_day += "".join(f"2026-03-{day:02},{'0.5,' * 24}12\n" for day in (2, 3))
    with pytest.raises(IntervalFileError, match="nothing says in which unit"):
        read(tmp_path, per_day)


@pytest.mark.parametrize(("unit", "scale"), [("MWh", 1000), ("mwh", 1000), ("MWH", 1000), ("Wh", Fraction(1, 1000))])
def test_units_that_are_sure(tmp_path: Path, unit: str, scale: Fraction) -> None:
    load = read(tmp_path, file_of(f"time,Usage ({unit})", iso, lambda k: float(ENERGIES[k] / scale)))
    assert total(load) == TOTAL


def test_an_underscore_is_no_part_of_a_number(tmp_path: Path) -> None:
    with pytest.raises(IntervalFileError, match="line 12: kwh_delivered is '1_0', it must be a number"):
        read(tmp_path, file_of("time,kwh_delivered", iso, lambda k: "1_0" if k == 10 else 1))


@pytest.mark.parametrize("above", ["Multiplier,80", "Units: Wh", "CT ratio,400:5", "# none\nAll values in MWh"])
def test_a_scale_above_the_columns_is_told(tmp_path: Path, above: str) -> None:
    load = read(tmp_path, f"Meter,M1\n{above}\n" + file_of("time,kwh_delivered", iso, lambda k: float(ENERGIES[k])))
    assert total(load) == TOTAL
    assert any("above them" in note and "does not count" in note for note in load.notes)


@pytest.mark.parametrize(("name", "told"), [("Multiplier", True), ("CT ratio", True), ("Remark", False)])
def test_a_column_of_multipliers_is_told(tmp_path: Path, name: str, told: bool) -> None:
    load = read(tmp_path, file_of(f"time,kwh_delivered,{name}", iso, lambda k: f"{float(ENERGIES[k])},80"))
    assert total(load) == TOTAL
    assert any("nothing is multiplied" in note for note in load.notes) == told


def test_other_lines_above_the_columns_are_not_told_each(tmp_path: Path) -> None:
    load = read(tmp_path, "Meter,M1\nAddress,7 Main St\n" + file_of("time,kwh_delivered", iso, lambda k: 1))
    assert load.notes == ("the columns are named in line 3: what is above it is passed over",)


def test_the_days_end_at_23_59(tmp_path: Path) -> None:
    """Only the last interval of each day is written a minute early (review A-10)."""
    stamps = [end - timedelta(minutes=1) if end.hour == end.minute == 0 else end for end in ENDS]
    text = "time,kwh_delivered\n" + "\n".join(f"{iso(s)},{float(e)}" for s, e in zip(stamps, ENERGIES, strict=True))
    load = read(tmp_path, text)
    assert total(load) == TOTAL
    assert [one.end_ns for one in load.intervals] == [int(end.replace(tzinfo=UTC).timestamp()) * 10**9 for end in ENDS]
    assert "1 of 96 stamps are 23:59 for the day's end" in load.notes[0]


def test_another_minute_is_not_taken_for_the_days_end(tmp_path: Path) -> None:
    text = file_of(
        "time,kwh_delivered", lambda e: iso(e - timedelta(minutes=e.hour == 12 and e.minute == 0)), lambda k: 1
    )
    with pytest.raises(IntervalFileError, match="overlaps"):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("days", "pattern", "order"),
    [
        (3, "%y/%m/%d %H:%M", "year, month, day"),
        (3, "%d/%m/%y %H:%M", "day, month, year"),
        (1, "%m/%d/%y %H:%M", "month"),
    ],
)
def test_years_of_two_digits(tmp_path: Path, days: int, pattern: str, order: str) -> None:
    """26/03/15 was read as the 26th of March 2015, and a month's file as one day of 30 years."""
    stamps = [BEGIN + QUARTER * (k + 1) for k in range(DAY * days)]
    load = read(tmp_path, "time,kwh_delivered\n" + "\n".join(f"{stamp.strftime(pattern)},1" for stamp in stamps))
    zero = int(BEGIN.replace(tzinfo=UTC).timestamp()) * 10**9
    assert (load.intervals[0].start_ns, len(load.intervals)) == (zero, DAY * days)
    assert load.intervals[-1].end_ns == zero + days * 86_400 * 10**9
    assert load.notes[0].startswith(f"dates are read as {order}")


def test_years_of_two_digits_that_nothing_shows_are_asked_for(tmp_path: Path) -> None:
    text = "time,kwh_delivered\n26/03/15 01:00,1\n26/03/15 02:00,1\n26/03/15 03:00,1"
    with pytest.raises(IntervalFileError, match="can be read in two orders: say with --time-format"):
        read(tmp_path, text)
    assert read(tmp_path, text, Writing(time_format="%y/%m/%d %H:%M")).notes == ()


REGISTERS = {
    "turns over": lambda k, sum_: (99_970 + sum_) % 100_000,
    "is missing once": lambda k, sum_: 0 if k == 50 else 1000 + sum_,
    "counts down": lambda k, sum_: 5000 - sum_,
    "was exchanged": lambda k, sum_: 1000 + sum_ + (7000 if k < 30 else 0),
}


@pytest.mark.parametrize("name", list(REGISTERS))
def test_readings_that_do_not_always_rise_are_refused(tmp_path: Path, name: str) -> None:
    """A register's readings with a turn or a hole were billed as energies: 4.7 GWh for 60 kWh (review A-11)."""
    reading = REGISTERS[name]
    text = file_of("time,kwh_delivered", iso, lambda k: float(reading(k, sum(ENERGIES[: k + 1]))))
    with pytest.raises(IntervalFileError, match="as a register's readings do"):
        read(tmp_path, text)


def test_a_turn_is_no_obstacle_to_registers(tmp_path: Path) -> None:
    text = file_of("time,kwh_delivered", iso, lambda k: float((99_970 + sum(ENERGIES[: k + 1])) % 100_000))
    assert total(read(tmp_path, text, Writing(registers=True))) == TOTAL - ENERGIES[0]


@pytest.mark.parametrize("value", [lambda k: 10 + k % 2, lambda k: 5, lambda k: 1000 - abs(k - 48), lambda k: k % 48])
def test_loads_are_no_registers(tmp_path: Path, value: Callable[[int], int]) -> None:
    load = read(tmp_path, file_of("time,kwh_delivered", iso, lambda k: value(k) / 8))
    assert total(load) == Fraction(sum(map(value, range(DAY))), 8)


TORONTO = "America/Toronto"


@pytest.mark.parametrize(
    ("day", "hours", "utc_hours"),
    [("2026-11-01", 25, 25), ("2026-03-08", 23, 23)],
)
def test_hours_ending_that_count_the_hours_of_a_changed_day(
    tmp_path: Path, day: str, hours: int, utc_hours: int
) -> None:
    """HE 1 to 25 was refused, HE 1 to 23 put a whole file an hour late (review B-9)."""
    after = (datetime.fromisoformat(day) + timedelta(days=1)).date()
    lines = [f"{day},{hour},1" for hour in range(1, hours + 1)] + [f"{after},{hour},2" for hour in range(1, 25)]
    load = read(tmp_path, "Date,Hour Ending,Usage (kWh)\n" + "\n".join(lines), zone=TORONTO)
    assert [one.energies[0] // load.scale for one in load.intervals] == [1] * hours + [2] * 24
    spans = {(b.start_ns - a.start_ns) // 10**9 for a, b in zip(load.intervals, load.intervals[1:], strict=False)}
    assert spans == {3600}
    begin = Calendar(ZoneInfo(TORONTO)).local(load.intervals[0].start_ns)
    assert (begin.date().isoformat(), begin.hour) == (day, 0)
    assert load.intervals[hours].start_ns - load.intervals[0].start_ns == utc_hours * 3600 * 10**9


def in_two_units(other: str) -> str:
    """Every second line in kWh, the others in another unit."""
    return file_of("time,kwh_delivered,UOM", iso, lambda k: f"{float(ENERGIES[k])},{'kWh' if k % 2 else other}")


@pytest.mark.parametrize("other", ["Wh", "MWh"])
def test_a_column_in_two_scales_is_refused_unless_one_is_chosen(tmp_path: Path, other: str) -> None:
    """Half of the energy was billed, with a note (review A-11)."""
    with pytest.raises(IntervalFileError, match=rf"in 'kWh' on some lines and in '{other}' on others"):
        read(tmp_path, in_two_units(other))
    chosen = read(tmp_path, in_two_units(other), Writing(columns={"kwh_delivered": "kWh"}))
    assert total(chosen) == sum(ENERGIES[1::2])


def test_a_column_of_kwh_and_kvarh_lines_is_two_channels(tmp_path: Path) -> None:
    load = read(tmp_path, in_two_units("kvarh").replace("kwh_delivered", "value"))
    assert total(load) == sum(ENERGIES[1::2])
