"""Files of interval data as users have them: read exactly, put right where there is one way to, and told; else one
sentence."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rig.meter.billing.calendar import Calendar
from rig.replay.intervals.encoding import IntervalFileError
from rig.replay.intervals.file import read_intervals
from rig.replay.intervals.record import LoadRecord

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE_NS = 60 * 10**9
UTC_CLOCK = Calendar(UTC)

FOUR = """time,kwh_delivered
2024-01-01T00:15,0.5
2024-01-01T00:30,0.25
2024-01-01T00:45,1
2024-01-01T01:00,0
"""
LINES = FOUR.splitlines()[1:]


def read(
    folder: Path, text: str | bytes, calendar: Calendar = UTC_CLOCK, *, ends: bool = True, **more: object
) -> LoadRecord:
    """Without the doubt about energies of 1, 2, 3, … kWh, which tell lines apart here but rise as readings do."""
    path = folder / "load.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    load = read_intervals(path, calendar, stamps_end=ends, **more)  # type: ignore[arg-type]
    return replace(load, notes=tuple(note for note in load.notes if "never falls" not in note))


def ns(text: str) -> int:
    """Of a time in UTC, or with its offset."""
    time = datetime.fromisoformat(text)
    return (time.replace(tzinfo=time.tzinfo or UTC) - EPOCH) // timedelta(microseconds=1) * 1000


def energies(load: LoadRecord) -> list[tuple[Fraction, ...]]:
    return [tuple(Fraction(unit, load.scale) for unit in one.energies) for one in load.intervals]


def ends_of(load: LoadRecord) -> list[int]:
    return [one.end_ns for one in load.intervals]


def refused(folder: Path, text: str | bytes, calendar: Calendar = UTC_CLOCK, **more: object) -> str:
    with pytest.raises(IntervalFileError) as caught:
        read(folder, text, calendar, **more)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- lines ----------------------------------------------------------------------------------------------------


def test_a_plain_file(tmp_path: Path) -> None:
    load = read(tmp_path, FOUR)
    assert load.intervals[0].start_ns == ns("2024-01-01T00:00")
    assert [one.end_ns for one in load.intervals] == [
        ns(f"2024-01-01T{time}") for time in ("00:15", "00:30", "00:45", "01:00")
    ]
    assert energies(load) == [(Fraction(1, 2),), (Fraction(1, 4),), (Fraction(1),), (Fraction(0),)]
    assert (load.minutes, load.columns, load.notes) == (15, ("kwh_delivered",), ())


def test_stamps_that_begin_intervals(tmp_path: Path) -> None:
    ending, beginning = read(tmp_path, FOUR), read(tmp_path, FOUR, ends=False)
    for end, begin in zip(ending.intervals, beginning.intervals, strict=True):
        assert begin.start_ns == end.end_ns
        assert begin.energies == end.energies


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + FOUR,
        FOUR.replace("\n", "\r\n"),
        FOUR.replace(",", ";"),
        FOUR.replace(",", ";").replace(".", ","),
        FOUR.replace(",", "\t"),
        FOUR.replace("time,", "Time , ").replace("kwh_delivered", "kWh delivered"),
        FOUR.replace("T", " "),
        FOUR.replace("5,", "5:00,").replace(":30,", ":30:00.000,").replace("01:00,", "01:00:00,"),
        FOUR.replace("\n", ",\n"),
        FOUR.replace("\n", "\n\n# a remark, of two parts\n"),
        FOUR.rstrip("\n") + "\n,,\n",
        "time,Zähler,kwh_delivered\n" + "\n".join(LINES).replace(",", ',"a,b", "').replace("\n", '"\n') + '"\n',
        "kwh_delivered,time\n" + "\n".join(",".join(line.split(",")[::-1]) for line in LINES),
    ],
    ids=[
        "BOM", "CRLF", "semicolons", "decimal commas", "tabs", "names", "blank in stamps", "seconds", "last comma",
        "remarks and empty lines", "empty cells at the end", "another column", "another order",
    ],
)  # fmt: skip
def test_the_same_in_other_clothes(tmp_path: Path, text: str) -> None:
    load, plain = read(tmp_path, text), read(tmp_path, FOUR)
    assert [one[:2] for one in load.intervals] == [one[:2] for one in plain.intervals]
    assert energies(load) == energies(plain)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ("kwh_recieved", "column 'kwh_recieved' (did you mean kwh_received?) does not count"),
        (
            "Power Factor,kvarh laging",
            "columns 'power_factor', 'kvarh_laging' (did you mean kvarh_lagging?) do not count",
        ),
        (",".join("abcdefghij"), "columns 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h' and 2 more do not count"),
    ],
)
def test_columns_that_do_not_count_are_told(tmp_path: Path, names: str, said: str) -> None:
    values = ",7" * (names.count(",") + 1)
    load = read(tmp_path, f"time,kwh_delivered,{names}\n" + "".join(f"{line}{values}\n" for line in LINES))
    assert load.notes == (said,)
    assert energies(load) == energies(read(tmp_path, FOUR))


@given(
    st.lists(st.tuples(*[st.decimals(0, 10**9, allow_nan=False, places=p) for p in (0, 3, 17)]), min_size=2, max_size=9)
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_numbers_are_exact(tmp_path: Path, rows: list[tuple[Decimal, ...]]) -> None:
    lines = [f"2024-01-01T{k:02}:00,{','.join(map(str, row))}" for k, row in enumerate(rows)]
    load = read(tmp_path, "time,kwh_delivered,kwh_received,kvarh_leading\n" + "\n".join(lines))
    assert energies(load) == [tuple(map(Fraction, row)) for row in rows]
    assert load.columns == ("kwh_delivered", "kwh_received", "kvarh_leading")


def test_numbers_with_exponents_are_exact(tmp_path: Path) -> None:
    load = read(tmp_path, FOUR.replace(",0.5", ",1E+3").replace(",0.25", ",2.5e-17").replace(",0\n", ",0e99999\n"))
    assert energies(load) == [(Fraction(1000),), (Fraction(25, 10**18),), (Fraction(1),), (Fraction(0),)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no column time: its first line has nothing, it must name time and kwh_delivered"),
        ("time,value\n2024-01-01,1\n", "no column kwh_delivered: its first line has 'time', 'value', it must name"),
        ("time,time,kwh_delivered\n", "column time comes twice; give it once"),
        ("time,kwh_delivered\n", "has no intervals: give at least one line below the columns"),
        ("time,kwh_delivered\n2024-01-01T00:15,\n2024-01-01T00:30,\n", "has no intervals: no line has a number of kWh"),
        (FOUR.replace(",1", ",1,2"), "line 4: 3 cells under 2 columns"),
        (FOUR.replace(",1", ""), "line 4: 1 cells under 2 columns"),
        (FOUR.replace(",1", ",x"), "line 4: kwh_delivered is 'x', it must be a number of kWh from 0 to 1000000000"),
        (FOUR.replace(",1", ",nan"), "line 4: kwh_delivered is 'nan'"),
        (FOUR.replace(",1", ",1e400"), "line 4: kwh_delivered is '1e400'"),
        (FOUR.replace(",1", ",1e-400"), "line 4: kwh_delivered is '1e-400'"),
        (FOUR.replace(",1", ',"1,5"'), "line 4: kwh_delivered is '1,5'"),
        (FOUR.replace(",1", ",-1"), "line 4: kwh_delivered is '-1', .*; energy received goes in kwh_received"),
        (FOUR.replace(",1", ',"1\n2"'), r"line 5: kwh_delivered is '1\\n2'"),
        (FOUR.replace(",1", ',"1'), "line 5: kwh_delivered is '1"),
        (FOUR.replace("00:45", "00:65"), "line 4: time is '2024-01-01T00:65', it must be as in 2011-07-01T16:30"),
        (FOUR.replace("2024-01-01T00:45", "1/1/2024 0:45"), "line 4: time is '1/1/2024 0:45'"),
        (FOUR.replace("2024-01-01T00:45", ""), "line 4: time is ''"),
        (FOUR.replace("2024-01-01T00:45", "9999-12-31T24:00"), "line 4: time is .* in the years 1970 to 2199"),
        (FOUR.replace("T00:45", "T24:00:01"), "line 4: time is '2024-01-01T24:00:01'"),
        (FOUR.replace("00:45", "00:45Z"), "line 4: time is .*, but the first time is without an offset from UTC: give"),
        (FOUR.replace(":15,", ":15-05:00,"), "line 3: time is .*, but the first time is with an offset from UTC: give"),
        (FOUR + "2024-01-01T01:10,0\n", "line 6: an interval of 15 min from .*T00:55 overlaps the one before, which"),
        (FOUR.replace("2024-01-01T01:00", "2025-12-31"), "has nothing from .* to 2025-12-30T23:45, more than a year"),
        ("time,kwh_delivered\n2024-01-01,1\n", "its stamps do not tell how long an interval is: give it with --inter"),
        (FOUR.replace("00:30", "00:20"), r"not mostly one length apart \(5 min, 25 min, 15 min\): give it with --int"),
        ("time,kwh_delivered\n2024-01-01,1\n2024-03-01,1\n", "intervals of 86400 min cannot be, those of 1 s to 31 da"),
        (FOUR.encode("utf-16")[:-1], "is not text in UTF-16 .*: save it as CSV in UTF-8"),
        (FOUR.encode() + b"\x81", "is not text in UTF-8 .*: save it as CSV in UTF-8"),
        (FOUR + "\0", "is not a CSV file: it has zero bytes"),
        (FOUR.replace(",1", ",1" + "0" * 200_000), "is not a CSV file: field larger than field limit"),
    ],
)  # fmt: skip
def test_a_mistake_gets_one_sentence(tmp_path: Path, text: str | bytes, said: str) -> None:
    sentence = refused(tmp_path, text)
    assert sentence.startswith(str(tmp_path / "load.csv"))
    assert re.search(said, sentence), sentence


def test_a_cell_empty_beside_a_number_is_refused(tmp_path: Path) -> None:
    text = "time,kwh_delivered,kwh_received\n2024-01-01T00:15,1,0\n2024-01-01T00:30,1,\n"
    assert "line 3: kwh_received is empty, it must be a number where other columns have one" in refused(tmp_path, text)


def test_no_such_file_and_no_file(tmp_path: Path) -> None:
    with pytest.raises(IntervalFileError, match=r"gone\.csv does not exist: give a CSV file with columns time and"):
        read_intervals(tmp_path / "gone.csv", UTC_CLOCK, stamps_end=True)
    with pytest.raises(IntervalFileError, match="cannot be read: Is a directory"):
        read_intervals(tmp_path, UTC_CLOCK, stamps_end=True)


# --- order ----------------------------------------------------------------------------------------------------


def test_a_gap_and_a_line_without_numbers_are_told(tmp_path: Path) -> None:
    load = read(tmp_path, FOUR.replace("2024-01-01T00:45,1\n", ""))
    assert load.notes == ("nothing from 2024-01-01T00:30 to 2024-01-01T00:45: no energy in that time",)
    assert ends_of(load) == [ns(f"2024-01-01T{time}") for time in ("00:15", "00:30", "01:00")]
    assert read(tmp_path, FOUR.replace("00:45,1", "00:45,")) == load


def test_many_gaps_are_summed_up(tmp_path: Path) -> None:
    lines = [f"2024-01-{d:02}T{h:02}:00,1" for d in range(1, 11) for h in range(24) if h != 12]
    load = read(tmp_path, "time,kwh_delivered\n" + "\n".join(lines), ends=False)
    assert len(load.notes) == 6
    assert load.notes[-1] == "and 5 gaps more without energy, 5 h in all"


def test_of_an_interval_that_comes_twice_the_first_counts(tmp_path: Path) -> None:
    same = read(tmp_path, FOUR + "2024-01-01T01:00,0\n")
    assert same.intervals == read(tmp_path, FOUR).intervals
    assert same.notes == ("1 interval again, the first in line 6: of each the first line counts",)
    other = read(tmp_path, FOUR.replace("00:45,1\n", "00:45,1\n2024-01-01T00:45,7\n2024-01-01T00:45,1\n"))
    assert other.intervals == same.intervals
    (note,) = other.notes
    assert note == "2 intervals again, the first in line 5, 1 of them with other numbers: of each the first line counts"


def test_out_of_order_and_newest_first(tmp_path: Path) -> None:
    plain = read(tmp_path, FOUR)
    head, *lines = FOUR.splitlines()
    mixed = read(tmp_path, "\n".join([head, lines[1], lines[0], *lines[2:]]))
    assert mixed.intervals == plain.intervals
    assert mixed.notes == ("1 stamp out of order: put in order",)
    reverse = read(tmp_path, "\n".join([head, *lines[::-1]]))
    assert reverse.intervals == plain.intervals
    assert reverse.notes == ("the newest line comes first: read from the last line on",)


@pytest.mark.parametrize("minutes", [15, 60, 720])
@pytest.mark.parametrize("written", ["00:00", "24:00"])
def test_the_end_of_a_day_with_its_own_date(tmp_path: Path, minutes: int, written: str) -> None:
    begin = datetime(2024, 1, 1)
    times = [begin + timedelta(minutes=minutes) * (k + 1) for k in range(2 * 1440 // minutes)]
    lines = []
    for time in times:
        last = time.hour == time.minute == 0
        lines.append(f"{time - timedelta(days=1):%Y-%m-%d}T{written},1" if last else f"{time:%Y-%m-%dT%H:%M},1")
    load = read(tmp_path, "time,kwh_delivered\n" + "\n".join(lines))
    assert ends_of(load) == [ns(time.isoformat()) for time in times]
    told = ("2 stamps 00:00 after the rest of the day: taken as 24:00",) if written == "00:00" else ()
    assert load.notes == told
    if minutes < 720:  # whole days from the newest to the oldest have their 00:00 first
        lines = [f"{begin + timedelta(minutes=minutes) * k:%Y-%m-%dT%H:%M},1" for k in range(len(times) + 1)]
        reverse = read(tmp_path, "time,kwh_delivered\n" + "\n".join(lines[::-1]))
        assert not any("24:00" in note for note in reverse.notes)


def test_ends_at_59_seconds(tmp_path: Path) -> None:
    shown = (
        FOUR.replace(":15,", ":14:59,")
        .replace(":30,", ":29:59,")
        .replace(":45,", ":44:59,")
        .replace("T01:00", "T00:59:59")
    )
    load = read(tmp_path, shown)
    assert load.intervals == read(tmp_path, FOUR).intervals
    assert load.notes == ("all stamps are at 59 s: taken as the minute that follows",)


def test_stamps_that_seem_to_be_the_other_kind(tmp_path: Path) -> None:
    lines = [f"2024-01-01T{h:02}:00,1" for h in range(24)]
    (note,) = read(tmp_path, "time,kwh_delivered\n" + "\n".join(lines)).notes
    assert note.startswith("with --stamps begin the file is of whole days, 2024-01-01 to 2024-01-01: are its stamps")
    assert not read(tmp_path, "time,kwh_delivered\n" + "\n".join(lines), ends=False).notes
    shifted = [*lines[1:], "2024-01-02T00:00,1"]
    assert not read(tmp_path, "time,kwh_delivered\n" + "\n".join(shifted)).notes
    (note,) = read(tmp_path, "time,kwh_delivered\n" + "\n".join(shifted), ends=False).notes
    assert note.startswith("with --stamps end the file is of whole days")


def test_a_length_given_overrules_the_stamps(tmp_path: Path) -> None:
    load = read(tmp_path, FOUR, minutes=Fraction(5))
    assert load.minutes == 5
    assert [(one.end_ns - one.start_ns) // MINUTE_NS for one in load.intervals] == [5] * 4
    assert len(load.notes) == 3  # three gaps of ten minutes
    assert "overlaps the one before" in refused(tmp_path, FOUR, minutes=Fraction(20))
    assert len(read(tmp_path, "\n".join(FOUR.split("\n")[:2]), minutes=Fraction(15)).intervals) == 1


# --- daylight saving ------------------------------------------------------------------------------------------

TORONTO, SYDNEY, LORD_HOWE = (ZoneInfo(n) for n in ("America/Toronto", "Australia/Sydney", "Australia/Lord_Howe"))
CHANGES = [
    (TORONTO, date(2024, 3, 10)), (TORONTO, date(2024, 11, 3)), (SYDNEY, date(2024, 10, 6)), (SYDNEY, date(2024, 4, 7)),
    (LORD_HOWE, date(2024, 10, 6)), (LORD_HOWE, date(2024, 4, 7)),
]  # fmt: skip
SHORT = [(z, d, m) for z, d in CHANGES for m in (5, 15, 30, 60) if (z, m) != (LORD_HOWE, 60)]
"""Lord Howe's clock is set by half an hour, so its hours do not meet."""
STYLES = ("begin", "end", "end, as begin and length", "with offset")


def instants(zone: ZoneInfo, day: date, minutes: int) -> list[datetime]:
    """Boundaries of intervals in UTC from the local midnight before a day to the one after the day that follows."""
    first, last = (
        datetime.combine(day + timedelta(days=d), datetime.min.time(), zone).astimezone(UTC) for d in (-1, 2)
    )
    count = (last - first) // timedelta(minutes=minutes)
    return [first + timedelta(minutes=minutes) * k for k in range(count + 1)]


def labels(zone: ZoneInfo, boundaries: list[datetime], style: str) -> list[str]:
    """What a file has for the interval between each boundary and the next."""
    stamps = []
    for begin, end in pairwise(boundaries):
        match style:
            case "begin":
                stamp = begin.astimezone(zone).replace(tzinfo=None)
            case "end":
                stamp = end.astimezone(zone).replace(tzinfo=None)
            case "end, as begin and length":
                stamp = begin.astimezone(zone).replace(tzinfo=None) + (end - begin)
            case "with offset":
                stamp = end.astimezone(zone)
        stamps.append(stamp.isoformat(timespec="minutes"))
    return stamps


def record(stamps: list[str], order: slice = slice(None)) -> str:
    lines = [f"{stamp},{k + 1}" for k, stamp in enumerate(stamps)]
    return "time,kwh_delivered\n" + "\n".join(lines[order])


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(("zone", "day", "minutes"), SHORT, ids=str)
@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)], ids=["oldest first", "newest first"])
def test_every_interval_of_a_long_or_short_day(
    tmp_path: Path, zone: ZoneInfo, day: date, minutes: int, style: str, order: slice
) -> None:
    boundaries = instants(zone, day, minutes)
    text = record(labels(zone, boundaries, style), order)
    load = read(tmp_path, text, Calendar(zone), ends=style != "begin")
    assert [one.start_ns for one in load.intervals] == [ns(b.isoformat()) for b in boundaries[:-1]]
    assert ends_of(load) == [ns(b.isoformat()) for b in boundaries[1:]]
    assert [k for (k,) in energies(load)] == list(range(1, len(boundaries)))
    told = [note for note in load.notes if "newest" not in note]
    doubled = len(boundaries) > 3 * 1440 // minutes + 1
    assert [note.startswith("an hour that the clock goes through twice") for note in told] == (
        [True] if doubled and style != "with offset" else []
    )


@pytest.mark.parametrize("ends", [True, False])
@pytest.mark.parametrize(("zone", "day", "minutes"), [case for case in SHORT if case[:2] in CHANGES[::2]], ids=str)
def test_standard_time_all_year_is_seen_in_spring(
    tmp_path: Path, zone: ZoneInfo, day: date, minutes: int, ends: bool
) -> None:
    calendar = Calendar(zone)
    boundaries = instants(zone, day, minutes)
    standard = timedelta(seconds=calendar.standard_offset_s(ns(boundaries[0].isoformat())))
    stamps = [
        (b + standard).replace(tzinfo=None).isoformat(timespec="minutes")
        for b in (boundaries[1:] if ends else boundaries[:-1])
    ]
    load = read(tmp_path, record(stamps), calendar, ends=ends)
    assert ends_of(load) == [ns(b.isoformat()) for b in boundaries[1:]]
    (note,) = load.notes
    assert note.endswith("which the clock skips: the whole file is taken to be in standard time")


@pytest.mark.parametrize("ends", [True, False])
@pytest.mark.parametrize("minutes", [120, 240, 720, 1440])
@pytest.mark.parametrize(("zone", "day"), CHANGES, ids=str)
def test_intervals_longer_than_an_hour_follow_the_clock(
    tmp_path: Path, zone: ZoneInfo, day: date, minutes: int, ends: bool
) -> None:
    """They are as long as the stamps are apart: a day has 23, 24 or 25 hours."""
    calendar = Calendar(zone)
    begin = datetime.combine(day, datetime.min.time()) - timedelta(days=3)
    walls = [begin + timedelta(minutes=minutes) * k for k in range(6 * 1440 // minutes + 1)]
    true = [calendar.instant_ns(wall) for wall in walls]
    for offset in (False, True):
        shown = [calendar.local(t).isoformat() if offset else w.isoformat() for t, w in zip(true, walls, strict=True)]
        load = read(tmp_path, record(shown[1:] if ends else shown[:-1]), calendar, ends=ends)
        assert [one.start_ns for one in load.intervals] == true[:-1]
        assert ends_of(load) == true[1:]


@pytest.mark.parametrize("ends", [True, False])
@pytest.mark.parametrize("minutes", [15, 60])
def test_lines_that_only_fill_up_the_short_day_do_not_count(tmp_path: Path, minutes: int, ends: bool) -> None:
    boundaries = instants(TORONTO, date(2024, 3, 10), minutes)
    stamps = labels(TORONTO, boundaries, "end, as begin and length" if ends else "begin")
    begin = datetime(2024, 3, 10, 2)
    missing = [begin + timedelta(minutes=minutes) * (k + ends) for k in range(60 // minutes)]
    for empty in ("0", ""):
        lines = [f"{stamp},1" for stamp in stamps]
        at = stamps.index(begin.isoformat(timespec="minutes")) + 1 if ends else stamps.index("2024-03-10T03:00")
        lines[at:at] = [f"{stamp.isoformat(timespec='minutes')},{empty}" for stamp in missing]
        load = read(tmp_path, "time,kwh_delivered\n" + "\n".join(lines), Calendar(TORONTO), ends=ends)
        assert ends_of(load) == [ns(b.isoformat()) for b in boundaries[1:]]
        assert load.notes == (
            f"lines without energy in an hour that the clock skips, the first line {at + 2}: passed over",
        )


def test_a_night_without_sun_fills_up_nothing(tmp_path: Path) -> None:
    """Lines around the hour have no energy either: standard time, in a file of panels."""
    lines = [f"2024-03-10T{h:02}:00,{max(0, 36 - (h - 12) ** 2)}" for h in range(24)]
    load = read(tmp_path, "time,kwh_delivered\n" + "\n".join(lines), Calendar(TORONTO), ends=False)
    assert [one.start_ns for one in load.intervals] == [ns(f"2024-03-10T{h:02}:00-05:00") for h in range(24)]
    (note,) = load.notes
    assert note.endswith("the whole file is taken to be in standard time")


@pytest.mark.parametrize("ends", [True, False])
def test_a_doubled_hour_that_comes_once_is_told(tmp_path: Path, ends: bool) -> None:
    begin = datetime(2024, 11, 3)
    stamps = [(begin + timedelta(minutes=15) * (k + ends)).isoformat(timespec="minutes") for k in range(96)]
    load = read(tmp_path, record(stamps), Calendar(TORONTO), ends=ends)
    assert len(load.intervals) == 96
    assert load.intervals[-1].end_ns - load.intervals[0].start_ns == 25 * 60 * MINUTE_NS
    (note,) = load.notes
    assert "the clock goes through this hour twice, and if the file is in standard time all year, give its" in note


def test_the_doubled_hour_sorted_by_its_stamps(tmp_path: Path) -> None:
    """As databases sort it: 01:00 01:00 01:15 01:15 …"""
    boundaries = instants(TORONTO, date(2024, 11, 3), 15)
    lines = sorted(
        (f"{stamp},{k + 1}" for k, stamp in enumerate(labels(TORONTO, boundaries, "begin"))), key=lambda r: r[:16]
    )
    load = read(tmp_path, "time,kwh_delivered\n" + "\n".join(lines), Calendar(TORONTO), ends=False)
    assert [k for (k,) in energies(load)] == list(range(1, len(boundaries)))


# --- whatever comes -------------------------------------------------------------------------------------------

_WHOLE = record(labels(TORONTO, instants(TORONTO, date(2024, 11, 3), 60), "end")).encode()


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("byte"), st.integers(0, len(_WHOLE) - 1), st.binary(max_size=3)),
            st.tuples(st.just("digit"), st.integers(0, len(_WHOLE) - 1), st.sampled_from(b'0123456789:-T,.;\n+Z"e ')),
            st.tuples(st.just("repeat"), st.integers(0, 70), st.integers(0, 70)),
            st.tuples(st.just("drop"), st.integers(0, 70), st.integers(0, 5)),
        ),
        min_size=1,
        max_size=5,
    ),
    st.booleans(),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
def test_whatever_becomes_of_a_file_it_is_read_or_refused_in_a_sentence(
    tmp_path: Path, mutations: list[tuple[str, int, bytes | int]], ends: bool
) -> None:
    text = _WHOLE
    for kind, place, what in mutations:
        lines = text.split(b"\n")
        match kind, what:
            case "byte", bytes():
                text = text[:place] + what + text[place + 1 :]
            case "digit", int():
                text = text[:place] + bytes([what]) + text[place + 1 :]
            case "repeat", int():
                lines.insert(what % len(lines), lines[place % len(lines)])
                text = b"\n".join(lines)
            case "drop", int():
                del lines[place : place + what]
                text = b"\n".join(lines)
    try:
        load = read(tmp_path, text, Calendar(TORONTO), ends=ends)
    except IntervalFileError as error:
        sentences = [str(error)]
    else:
        sentences = list(load.notes)
        assert all(one.start_ns < one.end_ns for one in load.intervals)
        assert all(one.end_ns <= after.start_ns for one, after in pairwise(load.intervals))
        assert all(unit >= 0 for one in load.intervals for unit in one.energies)
    assert all("\n" not in sentence for sentence in sentences)
