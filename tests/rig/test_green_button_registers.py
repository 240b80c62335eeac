# ruff: noqa: E501 - a feed that is read is on one line, with what is said of it
"""A register's readings in Green Button feeds: their differences, to the last watt-hour, at the instants they are of.

The witness is tests/rig/espi_writer.py and sums of plain integers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from itertools import accumulate, pairwise
from pathlib import Path

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
from tests.rig.espi_writer import BEGIN, HOUR, Meter, Point, Read, as_bytes, feed, hours, watt_hours

COUNT = 72
FIRST = 48_250_117
"""The register's first reading, in Wh."""

RISES = [watt_hours(k) for k in range(COUNT)]
VALUES = list(accumulate(RISES, initial=FIRST))
"""Of 72 hours, 73 readings."""


def register(values: Sequence[object] = VALUES, duration: int | None = 0, behind: int = 0, **of: object) -> Meter:
    """Readings every hour from BEGIN on, their times `behind` seconds before."""
    reads = [Read(BEGIN + k * HOUR - behind, duration, value) for k, value in enumerate(values)]
    given: dict[str, object] = {"accumulation": 1, "title": "Register", **of}
    return Meter([reads], **given)  # type: ignore[arg-type]


def read(
    folder: Path, *meters: Meter, stamps_end: bool | None = None, columns: str | None = None, **point: object
) -> LoadRecord:
    path = folder / "usage.xml"
    path.write_bytes(as_bytes(feed([Point(meters, **point)])))  # type: ignore[arg-type]
    return read_intervals(path, Calendar(UTC), stamps_end=stamps_end, writing=Writing(parse_columns(columns)))


def amounts(load: LoadRecord, column: str = "kwh_delivered") -> list[Fraction]:
    place = load.columns.index(column)
    return [Fraction(one.energies[place] * 1000, load.scale) for one in load.intervals]


def check(load: LoadRecord, rises: Sequence[int] = RISES, begin: int = BEGIN) -> None:
    assert amounts(load) == rises
    assert [one.start_ns for one in load.intervals] == [(begin + k * HOUR) * 10**9 for k in range(len(rises))]
    assert {one.end_ns - one.start_ns for one in load.intervals} == {HOUR * 10**9}


def told(load: LoadRecord, words: str) -> None:
    assert re.search(words, " ".join(load.notes)), load.notes


# --- as it is published ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("accumulation", "name"), [(1, "bulkQuantity"), (3, "cumulative"), (9, "summation")])
def test_registers_by_their_kinds(tmp_path: Path, accumulation: int, name: str) -> None:
    load = read(tmp_path, register(accumulation=accumulation))
    check(load)
    told(load, rf"readings of 1 'Register' are those of a register \(accumulationBehaviour {accumulation}, {name}\):")
    told(load, f"difference of two; from {VALUES[0]} in line .* to {VALUES[-1]} in line")
    assert sum(amounts(load)) == VALUES[-1] - VALUES[0]


def test_energies_of_intervals_stay_what_they_are(tmp_path: Path) -> None:
    """The same numbers, of deltaData."""
    load = read(tmp_path, register(RISES, HOUR, accumulation=4))
    check(load)
    assert not any("register" in note for note in load.notes)


def test_readings_of_instants_need_no_stamps(tmp_path: Path) -> None:
    for stamps_end in (None, True, False):
        check(read(tmp_path, register(), stamps_end=stamps_end))
        check(read(tmp_path, register(duration=None, interval=None), stamps_end=stamps_end))


def test_readings_of_times_are_of_their_ends_unless_said(tmp_path: Path) -> None:
    load = read(tmp_path, register(duration=HOUR, behind=HOUR))
    check(load)
    told(load, r"each taken at the end of its time \(--stamps begin if at the begin\)")
    load = read(tmp_path, register(duration=HOUR, behind=HOUR), stamps_end=True)
    check(load)
    told(load, "each taken at the end of its time: the energy")
    load = read(tmp_path, register(duration=HOUR), stamps_end=False)
    check(load)
    told(load, "each taken at the begin of its time: the energy")


def test_the_interval_length_of_the_type_counts_where_a_reading_has_none(tmp_path: Path) -> None:
    check(read(tmp_path, register(duration=None, interval=HOUR, behind=HOUR)))


@pytest.mark.parametrize("multiplier", [-3, 0, 3])
def test_powers_of_ten(tmp_path: Path, multiplier: int) -> None:
    load = read(tmp_path, register(multiplier=multiplier))
    assert amounts(load) == [rise * Fraction(10) ** multiplier for rise in RISES]


def test_decimals_are_subtracted_exactly(tmp_path: Path) -> None:
    """Thirty decimals and fifteen digits, more than a double or Python's default context has."""
    ones = [f"{100_000_000_000_000 + k}.{'0' * 29}{k % 10}" for k in range(30)]
    load = read(tmp_path, register(ones))
    due = [Fraction(later) - Fraction(sooner) for sooner, later in pairwise(ones)]
    assert amounts(load) == due


def test_both_directions_and_vars(tmp_path: Path) -> None:
    twice = [2 * value for value in VALUES]
    load = read(tmp_path, register(), register(twice, flow=19, title="Back"), register(VALUES, uom=73, title="Vars"))
    check(load)
    assert load.columns == ("kwh_delivered", "kwh_received", "kvarh_lagging")
    assert amounts(load, "kwh_received") == [2 * rise for rise in RISES]
    assert amounts(load, "kvarh_lagging") == RISES


def test_a_net_register_goes_both_ways(tmp_path: Path) -> None:
    rises = [rise if k % 3 else -rise for k, rise in enumerate(RISES)]
    load = read(tmp_path, register(list(accumulate(rises, initial=FIRST)), flow=4))
    assert amounts(load, "kwh_delivered") == [max(rise, 0) for rise in rises]
    assert amounts(load, "kwh_received") == [max(-rise, 0) for rise in rises]


def test_the_meter_registers_the_last_reading_less_the_first(tmp_path: Path) -> None:
    load = read(tmp_path, register())
    report = Replay(load, build(schema.ProgramFile())).run()
    assert Fraction(str(report.totals["kwh_delivered"])) * 1000 == VALUES[-1] - VALUES[0]


def test_energies_win_over_the_register_beside_them(tmp_path: Path) -> None:
    load = read(tmp_path, register(), Meter([hours(COUNT)]))
    check(load)
    told(load, "series that do not count: 1 'Register', a register beside energies")
    load = read(tmp_path, register(), Meter([hours(COUNT)]), columns="kwh_delivered=Register")
    check(load)
    told(load, "are those of a register")


def test_two_registers_are_asked_for(tmp_path: Path) -> None:
    with pytest.raises(RigError, match="1 'Register' of a register, 2 'Register' of a register: say which with --col"):
        read(tmp_path, register(), register())


# --- odd and hostile ------------------------------------------------------------------------------------------


def turned(digits: int, decimals: int = 0) -> list[object]:
    """The register near the end of so many digits, turning over after half a day."""
    full = 10**digits
    begun = full - sum(RISES[:12]) - 3
    return [value % full for value in accumulate(RISES, initial=begun)]


@pytest.mark.parametrize("digits", [5, 6, 8, 12])
def test_a_register_turns_over(tmp_path: Path, digits: int) -> None:
    values = turned(digits)
    load = read(tmp_path, register(values))
    check(load)
    told(
        load,
        rf"1 'Register' turns over 1 time, past nines to 0: from {values[12]} in line \d+ to {values[13]} in line \d+, "
        f"{RISES[12]} more",
    )


def fallen(to: int, at: int = 40) -> list[int]:
    """The register exchanged for one that begins at `to`."""
    return [*VALUES[:at], *accumulate(RISES[at:], initial=to)]


def test_a_register_that_falls_has_no_energy_there(tmp_path: Path) -> None:
    values = fallen(17)
    load = read(tmp_path, register(values))
    assert amounts(load) == [rise for k, rise in enumerate(RISES) if k != 39]
    told(load, f"falls 1 time, which counts as no energy: from {values[39]} in line .* to 17 in line")
    told(load, "nothing from 2026-01-02T20:00 to 2026-01-02T21:00: no energy in that time")


def without(places: Sequence[int]) -> Callable[[list[Read]], list[Read]]:
    return lambda reads: [each for k, each in enumerate(reads) if k not in places]


def test_missing_readings_spread_what_they_leave(tmp_path: Path) -> None:
    meter = register()
    load = read(tmp_path, register_of(meter, without([5, 6, 7, 30])))
    assert sum(amounts(load)) == sum(RISES)
    assert amounts(load)[4] == sum(RISES[4:8])
    assert load.intervals[4].end_ns - load.intervals[4].start_ns == 4 * HOUR * 10**9
    told(load, "2 differences over more than 60 min, the longest from 2026-01-01T09:00 to 2026-01-01T13:00: energy is")


def register_of(meter: Meter, change: Callable[[list[Read]], list[Read]]) -> Meter:
    meter.blocks = [change([*block]) for block in meter.blocks]
    return meter


def test_order_and_repetition_do_not_matter(tmp_path: Path) -> None:
    check(read(tmp_path, register_of(register(), lambda reads: reads[::-1])))
    load = read(tmp_path, register_of(register(), lambda reads: [*reads, *reads[10:20]]))
    check(load)
    told(load, "10 readings again")


def test_a_reading_without_a_value_is_none(tmp_path: Path) -> None:
    values: list[object] = [*VALUES]
    values[8] = None
    load = read(tmp_path, register(values))
    assert sum(amounts(load)) == sum(RISES)
    assert len(load.intervals) == COUNT - 1


def test_a_register_that_stands_still(tmp_path: Path) -> None:
    load = read(tmp_path, register([FIRST] * 30))
    assert amounts(load) == [0] * 29


def test_qualities_of_readings_are_told(tmp_path: Path) -> None:
    reads = [Read(BEGIN + k * HOUR, 0, value, (8,) if k == 3 else ()) for k, value in enumerate(VALUES)]
    load = read(tmp_path, Meter([reads], accumulation=1))
    check(load)
    told(load, r"kwh_delivered: 1 of 73 readings estimated by a reference day \(quality 8\)")


def test_two_falls_of_a_thousand_digits_are_no_turns(tmp_path: Path) -> None:
    """From 9900 to 100 it could have turned, but that would be more than ten times what it ever advanced."""
    values = [*range(9_800, 9_901, 5), *range(100, 200, 5)]
    load = read(tmp_path, register(values))
    told(load, "falls 1 time, which counts as no energy: from 9900 in line .* to 100 in line")
    assert sum(amounts(load)) == 100 + 95


WRONG = (
    (register([*RISES]), r"1 'Register' is a register \(accumulationBehaviour 1, bulkQuantity\) by its type, but falls"),
    (register([*RISES], accumulation=9), r"by its type, but falls \d+ times in 72 readings, the first from \d+ in line"),
    (register([5]), r"1 'Register' is a register \(accumulationBehaviour 1, bulkQuantity\) with 1 reading: it must"),
    (register([None, None]), "with 0 readings: it must have two or more"),
    (register([-5, 3, 9]), "value is -5, of kwh_delivered it must be 0 or more"),
    (register(["5", "x", "9"]), "value is 'x', it must be a number"),
    (register([1, 10**15 - 1]), "of kwh_delivered it must be at most 1000000000 in kWh"),
    (register(uom=38), r"no means over intervals \(accumulationBehaviour 1\)"),
    (register(duration=-5), "duration is -5, it must be 1 s to 31 days"),
    (register_of(register(), lambda reads: [*reads, Read(BEGIN + 10**8, 0, 10**8)]), "has no reading from .*, more than"),
)  # fmt: skip


@pytest.mark.parametrize(("meter", "said"), WRONG)
def test_what_is_no_register_is_refused(tmp_path: Path, meter: Meter, said: str) -> None:
    with pytest.raises(RigError) as caught:
        read(tmp_path, meter)
    assert re.search(said, str(caught.value)), caught.value
    assert str(caught.value).isprintable()


def test_months_between_readings(tmp_path: Path) -> None:
    """Reads on the first of each month: intervals as long as the months."""
    firsts = [int(datetime(2025, month, 1, tzinfo=UTC).timestamp()) for month in range(1, 13)]
    reads = [Read(at, 0, 10_000 * k * k) for k, at in enumerate(firsts)]
    load = read(tmp_path, Meter([reads], accumulation=3))
    assert [one.start_ns // 10**9 for one in load.intervals] == firsts[:-1]
    assert [one.end_ns // 10**9 for one in load.intervals] == firsts[1:]
    assert amounts(load) == [10_000 * (2 * k + 1) for k in range(11)]
