"""A load profile as table, curve and file: what it shows is what was recorded, to the last digit."""

from __future__ import annotations

import builtins
import csv
import io
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from rig.meter.billing.metric import Metric, RecorderChannel, RecorderSettings
from rig.meter.billing.profile import IntervalFlag, Mark, MarkKind, Profile, ProfileFault, ProfileInterval
from rig.meter.billing.profile_reading import read_profile
from rig.meter.billing.quantity import NANO, PLACES
from rig.meter.billing.recorder import Recorder
from rig.profile.reading import ProfileError, cell, channel_place, column_names, csv_bytes, parquet_bytes, value_of
from rig.results.provenance import Provenance
from rig.terminal.profile_view import MOST_FAULTS, ROWS, plot, table

MIDNIGHT = datetime(2026, 5, 4)
MINUTE = 60 * NANO
KWH = RecorderChannel(Metric.KWH_DELIVERED, Fraction("0.3"))
KVARH = RecorderChannel(Metric.KVARH_LAGGING, Fraction("1.8"))
VOLTS = RecorderChannel(Metric.V2H_A, Fraction(5))
INPUT = RecorderChannel(Metric.INPUT_1, Fraction(2))

MADE = Provenance(True, "exact", True, "1", "abc", "0a", "p", "c", "k", 1, "2026-11-29T00:00:00")
BOARD_MADE = msgspec.structs.replace(MADE, simulated=False, fidelity="board")


def days(
    channels: tuple[RecorderChannel, ...], rows: list[tuple[int | None, ...]], minutes: int = 60, **others
) -> Profile:
    """Whole intervals from a midnight on."""
    intervals = tuple(
        ProfileInterval(k * len(channels), MIDNIGHT + timedelta(minutes=(k + 1) * minutes), row, minutes * 60)
        for k, row in enumerate(rows)
    )
    made = {"intervals": intervals, "marks": (), "faults": (), "skipped": 0, **others}
    return Profile(RecorderSettings(minutes, channels, 32768), **made)


def recorded() -> Profile:
    """Two hours by the quarter: an outage, a clock set, a damaged word, and the channel of an input."""
    settings = RecorderSettings(15, (KWH, INPUT), 32768)
    now = int(datetime(2026, 5, 4, 22, 40, tzinfo=UTC).timestamp()) * NANO
    recorder = Recorder(settings, lambda ns: datetime.fromtimestamp(ns // NANO, UTC))
    words = list(recorder.begin(now))
    for k in range(8):
        if k == 2:
            words += recorder.outage(now + MINUTE, now + 20 * MINUTE)
            now += 20 * MINUTE
        if k == 5:
            words += recorder.clock_set(now + MINUTE, now + 7 * MINUTE)
            now += 7 * MINUTE
        now = recorder.next_end_ns(now)
        recorder.take(((k + 1) * 10**11, *[0] * (PLACES - 1)), (), (2 * k, 0))
        words += recorder.end_interval(now)
    words[-1] ^= 1
    return read_profile(words, settings, date(2026, 5, 5))


def shown(renderable, width: int = 100) -> list[str]:
    console = Console(width=width, file=io.StringIO(), color_system=None)
    console.print(renderable)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


# --- names and figures ----------------------------------------------------------------------------------------


@given(st.integers(0, 16383), st.integers(1, 10**6), st.integers(0, 6))
def test_values_are_exact(pulses, tenths, exponent):
    pulse = Fraction(tenths, 10**exponent)
    for metric, kilo in ((Metric.KWH_DELIVERED, 1000), (Metric.I2H_N, 1)):
        channel = RecorderChannel(metric, pulse)
        value = value_of(channel, pulses)
        assert Fraction(value) == pulse * pulses / kilo
        assert value.as_tuple().exponent == value_of(channel, 1).as_tuple().exponent, "the same digits in a column"


@given(st.integers(0, 16383))
def test_without_an_end_of_digits_a_value_is_rounded_to_a_nanowatt_hour(pulses):
    value = value_of(RecorderChannel(Metric.KWH_DELIVERED, Fraction(1, 7)), pulses)
    assert abs(Fraction(value) - Fraction(pulses, 7000)) <= Fraction(1, 2 * 10**12)


def test_cells():
    assert [cell(channel, 10, "?") for channel in (KWH, KVARH, VOLTS, INPUT)] == ["0.0030", "0.0180", "50", "20"]
    assert cell(KWH, None, "?") == "?"


def test_a_channel_is_found_by_name_or_number():
    profile = days((KWH, KVARH, KWH), [])
    assert column_names(profile) == ["kWh delivered", "kvarh lagging", "kWh delivered #2"]
    assert [channel_place(profile, text) for text in ("kvarh lagging", "kWh delivered #2", "1", "3")] == [1, 2, 0, 2]
    for text in ("0", "4", "kWh", "½"):
        sentence = f"the profile has no channel {text}: give one of 1 (kWh delivered), 2 (kvarh lagging), 3 ("
        with pytest.raises(ProfileError, match=re.escape(sentence)):
            channel_place(profile, text)


# --- the table ------------------------------------------------------------------------------------------------


def test_a_table_has_days_intervals_marks_and_faults():
    lines = shown(table(recorded(), said="SIMULATED (exact)"))
    assert [" ".join(line.split()) for line in lines] == [
        "SIMULATED (exact)",
        "load profile, 2 channels every 15 min",
        "until kWh delivered input 1",
        "Mon 2026-05-04",
        "22:40 starts 2026-05-04 22:40:00",
        "22:45 0.0999 0 short",
        "23:00 0.2001 2",
        "23:01 0.0000 0 short, outage",
        "23:20 outage 2026-05-04 23:01:00 to 2026-05-04 23:20:00",
        "23:30 0.3000 4 short, outage",
        "23:45 0.3999 6",
        "24:00 0.5001 8",
        "Tue 2026-05-05",
        "00:07 clock set 2026-05-05 00:01:00 to 2026-05-05 00:07:00",
        "00:15 0.6000 10 short, clock set",
        "00:30 0.6999 12",
        "00:45 0.8001 ? damaged",
        "word 26 is damaged: a count of channel 2 is unknown",
    ]


def test_a_table_shows_the_last_with_the_marks_in_them():
    text = "\n".join(shown(table(recorded(), last=3)))
    assert re.findall(r"^\d\d:\d\d", text, re.M) == ["00:07", "00:15", "00:30", "00:45"]
    assert "clock set 2026" in text
    assert "outage" not in text
    assert "Mon" not in text


def test_a_table_shows_the_channels_asked_for():
    header = shown(table(recorded(), channels=[1]))[1]
    assert header.split() == ["until", "input", "1"]


@pytest.mark.parametrize("width", [60, 80, 200])
def test_channels_that_do_not_fit_beside_each_other_are_below(width):
    channels = tuple(RecorderChannel(metric, Fraction(1, 10)) for metric in list(Metric)[:15])
    counts = tuple(range(16383, 16383 - 15, -1))
    lines = shown(table(days(channels, [counts]), width=width), width)
    assert not [line for line in lines if "…" in line or len(line) > width]
    shown_cells = [text for line in lines if line.startswith("01:00") for text in line.split()[1:]]
    assert shown_cells == [cell(channel, count, "?") for channel, count in zip(channels, counts, strict=True)]
    assert (len([line for line in lines if line.startswith("until")]) == 1) == (width == 200)


def test_a_table_of_nothing():
    assert shown(table(days((KWH,), [])))[0] == "load profile, 1 channel every 60 min"


def test_a_table_says_what_it_does_not_show():
    faults = tuple(ProfileFault(k, f"word {k} is damaged") for k in range(MOST_FAULTS + 3))
    lines = shown(table(days((KWH,), [(1,)], faults=faults, skipped=95)))
    assert "95 words before the first date belong to no known day" in lines
    assert lines[-2:] == [f"word {MOST_FAULTS - 1} is damaged", "and 3 more such words"]


# --- the curve ------------------------------------------------------------------------------------------------


def curve(profile: Profile, channel: int = 0, **options) -> list[str]:
    """Lines of a curve of two columns an hour, without its frame and scale."""
    return [line[13:61] for line in shown(plot(profile, channel, 63, **options))[1 : ROWS + 1]]


def test_a_curve_has_the_height_of_its_intervals():
    """By the hour 0 to 23 pulses: each column is as high, in eighths of a line, as its share of the highest."""
    lines = curve(days((KWH,), [(hour,) for hour in range(24)]))
    for hour in range(24):
        for column in (2 * hour, 2 * hour + 1):
            height = sum(" ▁▂▃▄▅▆▇█".index(line[column]) for line in lines)
            assert height == round(hour / 23 * 8 * ROWS)


def test_a_column_is_the_mean_of_its_intervals():
    """Two columns an hour: each half hour of 10 and 30 pulses is as high as one of 20 and 20."""
    rows = [(10,), (30,)] * 24 + [(20,), (20,)] * 24
    assert set(curve(days((KWH,), rows, minutes=15))) == {"█" * 48}


def test_a_curve_says_its_scale_its_sum_and_its_highest():
    rows = [(100 * (hour == 7) + 10,) for hour in range(24)]
    text = "\n".join(shown(plot(days((KWH,), rows), 0, 80, said="SIMULATED")))
    assert "kWh delivered   Mon 2026-05-04" in text
    assert "0.033 kW ┤" in text
    assert "0.1020 kWh   most 0.033 kW in the interval to 08:00" in text
    assert "SIMULATED" in text
    assert re.search(r" 0 +6 +12 +18 +24 h │", text)


def test_a_curve_of_squares_is_of_volts():
    """120 V for an hour are 14400 V²h; of a cut interval one pulse more or less would be volts."""
    profile = days((VOLTS,), [(2880 - 20 * (hour == 3),) for hour in range(24)])
    cut = ProfileInterval(99, profile.intervals[-1].end, (1,), 30, IntervalFlag.SHORT)
    profile = Profile(profile.settings, (*profile.intervals, cut), (), (), 0)
    text = "\n".join(shown(plot(profile, 0, 80)))
    assert "120 V ┤" in text
    assert "107.6 V ┤" in text, "nine tenths of the least"
    assert "most 120 V in the interval to 01:00, least 119.6 V to 04:00" in text


def test_a_curve_of_an_input_is_of_pulses():
    text = "\n".join(shown(plot(days((INPUT,), [(3,), (4,)]), 0, 80)))
    assert "14 pulses   most 8 pulses in the interval to 02:00" in text


def test_a_curve_is_of_the_day_asked_for_and_has_its_marks():
    outage = Mark(50, MarkKind.OUTAGE, MIDNIGHT + timedelta(hours=30), MIDNIGHT + timedelta(hours=31))
    profile = days((KWH,), [(hour,) for hour in range(48)], marks=(outage,))
    second, first = (shown(plot(profile, 0, 80, day=day)) for day in (None, MIDNIGHT.date()))
    assert any("outage 2026-05-05 06:00:00 to 2026-05-05 07:00:00" in line for line in second)
    assert "Mon 2026-05-04" in first[0]
    assert not any("outage" in line for line in first)


def test_a_damaged_count_leaves_a_gap():
    rows: list[tuple[int | None, ...]] = [(5,)] * 24
    rows[12] = (None,)
    assert set(curve(days((KWH,), rows))) == {"█" * 24 + "  " + "█" * 22}


def test_a_curve_of_nothing_is_refused():
    with pytest.raises(ProfileError, match="the profile has no intervals yet"):
        plot(days((KWH,), []), 0, 80)
    sentence = "the profile has nothing of 2026-05-09: give a day from 2026-05-04 to 2026-05-05"
    with pytest.raises(ProfileError, match=sentence):
        plot(days((KWH,), [(1,)] * 30), 0, 80, day=date(2026, 5, 9))


# --- files ----------------------------------------------------------------------------------------------------


def test_csv_has_all_of_it():
    text = csv_bytes(recorded(), MADE).decode()
    lines = text.splitlines()
    assert [line for line in lines if line.startswith("#")] == [
        "# SIMULATED (exact), load profile, 2 channels every 15 min",
        "# AE-0764 rig 1 abc, exact, build 0a, program p, configuration c, calibration k, seed 1, "
        "begun 2026-11-29T00:00:00",
        "# kWh delivered in kWh, 0.0003 a pulse",
        "# input 1 in pulses, 2 a pulse",
        "# starts 2026-05-04T22:40:00",
        "# outage 2026-05-04T23:01:00 to 2026-05-04T23:20:00",
        "# clock set 2026-05-05T00:01:00 to 2026-05-05T00:07:00",
        "# word 26 is damaged: a count of channel 2 is unknown",
    ]
    rows = list(csv.reader(line for line in lines if not line.startswith("#")))
    assert rows[0] == ["end_local", "flags", "kWh delivered", "input 1"]
    assert rows[1] == ["2026-05-04T22:45:00", "short", "0.0999", "0"]
    assert rows[4] == ["2026-05-04T23:30:00", "short+outage", "0.3000", "4"]
    assert rows[-1] == ["2026-05-05T00:45:00", "damaged", "0.8001", ""]
    assert len(rows) == 10
    assert "SIMULATED" not in csv_bytes(recorded(), BOARD_MADE).decode()


def test_csv_says_what_was_skipped_and_a_constant_without_end():
    text = csv_bytes(days((RecorderChannel(Metric.KWH_DELIVERED, Fraction(1, 3)),), [(2,)], skipped=7), MADE).decode()
    assert "# kWh delivered in kWh, 1/3000 a pulse\n" in text
    assert "# 7 words before the first date belong to no known day\n" in text
    assert text.endswith("2026-05-04T01:00:00,,0.000666666667\n")


def test_parquet_has_what_csv_has():
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow, the extra [parquet], is not installed")
    from pyarrow import parquet

    profile = recorded()
    read = parquet.read_table(io.BytesIO(parquet_bytes(profile, MADE)))
    comments, rows = [], []
    for line in csv_bytes(profile, MADE).decode().splitlines():
        (comments if line.startswith("# ") else rows).append(line)
    assert read.schema.metadata[b"about"].decode().splitlines() == [line[2:] for line in comments]
    assert read.schema.field("kWh delivered").type == pyarrow.decimal128(38, 4)
    cells = list(csv.reader(rows))
    assert read.column_names == cells[0]
    assert [list(row.values()) for row in read.to_pylist()] == [
        [datetime.fromisoformat(end), flags, *(Decimal(value) if value else None for value in values)]
        for end, flags, *values in cells[1:]
    ]


def test_without_pyarrow_parquet_is_refused(monkeypatch):
    found = builtins.__import__

    def without(name, *args, **kwargs):
        if name.split(".")[0] == "pyarrow":
            raise ImportError(name)
        return found(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(
        ProfileError, match=re.escape('Parquet needs pyarrow: run `.venv/bin/pip install -e ".[parquet]"')
    ):
        parquet_bytes(recorded(), MADE)
