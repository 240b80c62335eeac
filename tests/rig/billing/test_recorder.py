"""The recorder: no pulse lost or made up, the words of its table, the memory's size as the facts have it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorder_bench import HOUR, SECOND, Clock, clock_of, jumping, settings, utc_ns

from rig.meter.billing import recorder as recorder_module
from rig.meter.billing.energy_interval import SQUARES
from rig.meter.billing.metric import INTERVALS_MIN, MEMORIES_BYTES, MOST_CHANNELS
from rig.meter.billing.profile_reading import read_profile
from rig.meter.billing.profile_words import MOST_PULSES, Count, Date, Time, decode
from rig.meter.billing.quantity import NANO, PLACES, Quantity
from rig.meter.billing.recorder import (
    Metric,
    Recorder,
    RecorderChannel,
    RecorderError,
    RecorderSettings,
    RecorderState,
)

DAY = 24 * HOUR
MINUTE = 60 * SECOND
NOON = utc_ns(datetime(2026, 5, 4, 12, tzinfo=UTC))
TORONTO = clock_of(ZoneInfo("America/Toronto"))
FIXED = clock_of(UTC)
NOTHING = (0,) * PLACES


def one(metric: Metric, pulse: Fraction | str, local=FIXED, state: RecorderState | None = None) -> Recorder:
    recorder = Recorder(RecorderSettings(15, (RecorderChannel(metric, Fraction(pulse)),), 32768), local, state)
    recorder.begin(NOON)
    return recorder


def minute(number: int) -> int:
    """Of the interval that begins at noon, and on."""
    return NOON + number * MINUTE


def counts(words: tuple[int, ...]) -> list[int]:
    return [word.pulses for word in map(decode, words) if isinstance(word, Count)]


# --- what is recorded -----------------------------------------------------------------------------------------

CODES = {
    0: "kWh delivered", 1: "kWh received", 3: "kVAh rms", 6: "kvarh lagging", 7: "kvarh leading",
    8: "V2h A", 9: "V2h B", 10: "V2h C", 11: "I2h N", 12: "I2h A", 13: "I2h B", 14: "I2h C",
    15: "input 1", 16: "input 2", 17: "kVAh td lagging", 18: "kVAh td leading",
}  # fmt: skip
"""The protocol's numbers of load-profile channels, as far as this meter has them."""


def test_metrics_have_the_protocols_codes():
    assert {metric.code: metric.value for metric in Metric} == CODES
    for metric in Metric:
        assert [metric.quantity, metric.square, metric.input].count(None) == 2
    quantities = {quantity.value for quantity in Quantity}
    assert {m.value for m in Metric if m.value in quantities} == {m.value for m in Metric if m.quantity}


def test_units():
    assert [m.unit for m in Metric] == [
        "kWh", "kWh", "kVAh", "kvarh", "kvarh", "V²h", "V²h", "V²h", "A²h", "A²h", "A²h", "A²h",
        "pulses", "pulses", "kVAh", "kVAh",
    ]  # fmt: skip
    assert RecorderChannel(Metric.KWH_DELIVERED, Fraction("1.8")).unit_value == Fraction("0.0018")
    assert RecorderChannel(Metric.V2H_A, Fraction(500)).unit_value == 500
    assert RecorderChannel(Metric.INPUT_1, Fraction(2)).unit_value == 2


@pytest.mark.parametrize("metric", Metric, ids=lambda metric: metric.value)
def test_each_metric_counts_its_own(metric):
    """Prime amounts: only one place or sum of places can give the count."""
    primes = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53)
    squares = (59, 61, 67, 71, 73, 79, 83)
    assert (len(primes), len(squares)) == (PLACES, SQUARES)
    recorder = one(metric, "1")
    recorder.take([p * NANO for p in primes], [s * NANO for s in squares], (89, 97))
    expected = {
        Metric.KWH_DELIVERED: 2 + 41, Metric.KWH_RECEIVED: 11 + 23, Metric.KVAH_RMS: 5 + 17 + 31 + 47,
        Metric.KVARH_LAGGING: 3 + 29, Metric.KVARH_LEADING: 13 + 43,
        Metric.KVAH_TD_LAGGING: 7 + 37, Metric.KVAH_TD_LEADING: 19 + 53,
        Metric.V2H_A: 59, Metric.V2H_B: 61, Metric.V2H_C: 67,
        Metric.I2H_A: 71, Metric.I2H_B: 73, Metric.I2H_C: 79, Metric.I2H_N: 83,
        Metric.INPUT_1: 89, Metric.INPUT_2: 97,
    }  # fmt: skip
    assert recorder.running == (expected[metric],)
    assert counts(recorder.end_interval(recorder.next_end_ns(NOON))) == [expected[metric]]
    assert recorder.running == (0,)


def test_what_nobody_measured_counts_nothing():
    recorder = one(Metric.V2H_A, "1")
    recorder.take(NOTHING, (), ())
    assert recorder.running == (0,)
    recorder = one(Metric.INPUT_2, "1")
    recorder.take(NOTHING, (), ())
    assert recorder.running == (0,)


# --- pulses ---------------------------------------------------------------------------------------------------

pulses = st.fractions(Fraction(1, 1000), 1000, max_denominator=10**6)


@given(pulses, st.lists(st.tuples(st.integers(0, 10**13), st.booleans()), min_size=1, max_size=30))
def test_counts_times_constant_are_the_register_to_less_than_a_pulse(pulse, portions):
    """Forever and exactly, whatever is cut where; and after an interval that held all, to less than one pulse."""
    recorder = one(Metric.KWH_DELIVERED, pulse)
    register, total, now = Fraction(0), 0, NOON
    for nwh, ends in portions:
        recorder.take((nwh, *NOTHING[1:]), (), ())
        register += Fraction(nwh, NANO)
        assert (total + recorder.running[0]) * pulse <= register < (total + recorder.running[0] + 1) * pulse
        if ends:
            overflows = recorder.state.overflows
            now = recorder.next_end_ns(now)
            (count,) = counts(recorder.end_interval(now))
            total += count
            assert recorder.state.counted == [total]
            carried = Fraction(recorder.state.carried[0], (pulse * NANO).denominator * NANO)
            assert total * pulse + carried == register
            assert (carried < pulse) == (recorder.state.overflows == overflows)


@given(pulses, st.lists(st.integers(0, 10**11), min_size=1, max_size=20), st.data())
def test_splitting_what_is_taken_changes_nothing(pulse, portions, data):
    whole, split = one(Metric.KWH_DELIVERED, pulse), one(Metric.KWH_DELIVERED, pulse)
    whole.take((sum(portions), *NOTHING[1:]), (), ())
    for nwh in portions:
        split.take((nwh, *NOTHING[1:]), (), ())
        if data.draw(st.booleans()):
            split = Recorder(split.settings, FIXED, RecorderState(**asdict(split.state)))
    assert split.state == whole.state


@given(st.integers(0, 40_000), st.lists(st.integers(0, 20_000), max_size=6))
def test_what_does_not_fit_a_word_comes_with_the_next(first, others):
    recorder, owed, overflows, now = one(Metric.KWH_DELIVERED, "1"), 0, 0, NOON
    for pulses in (first, *others):
        recorder.take((pulses * NANO, *NOTHING[1:]), (), ())
        now = recorder.next_end_ns(now)
        owed += pulses
        assert counts(recorder.end_interval(now)) == [min(owed, MOST_PULSES)]
        overflows += owed > MOST_PULSES
        owed -= min(owed, MOST_PULSES)
        assert recorder.state.overflows == overflows


def test_half_pulses_at_an_input_wait():
    recorder = one(Metric.INPUT_1, "5/2")
    for _ in range(3):
        recorder.take(NOTHING, (), (3, 0))
    assert recorder.running == (3,)
    assert recorder.state.carried == [18], "9 pulses in halves"


# --- boundaries -----------------------------------------------------------------------------------------------


@given(
    st.sampled_from(INTERVALS_MIN),
    st.sampled_from(["America/Toronto", "Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns", "UTC"]),
    st.integers(NOON, NOON + 400 * DAY),
)
def test_intervals_end_where_the_wall_clock_is_a_multiple(interval, zone, now):
    local = clock_of(ZoneInfo(zone))
    recorder = Recorder(settings(interval, 1), local)
    end = recorder.next_end_ns(now)
    assert now < end <= now + interval * MINUTE
    if local(now).utcoffset() == local(end).utcoffset():
        wall = local(end)
        assert (wall.minute % interval, wall.second, wall.microsecond) == (0, 0, 0)
    with pytest.raises(ValueError, match=f"an interval of {interval} min cannot end at"):
        recorder.end_interval(end + 1000)


# --- the table ------------------------------------------------------------------------------------------------

TABLE = {
    what.strip(): (words.split(), interval.strip())
    for what, words, interval in re.findall(
        r"^    \| ([a-z, ]+)\| ([A-Z ]+)\| ([a-z, ]+)\|$", recorder_module.__doc__, re.M
    )
    if words.strip()
}

LATE = NOON + 11 * HOUR + 50 * MINUTE
MIDNIGHT = NOON + 12 * HOUR


class Case(NamedTuple):
    """`began`: the running interval; `now`: the clock when it is done; `end`: of the interval that runs then."""

    began: int
    does: Callable[[Recorder], tuple[int, ...]]
    now: int
    end: int
    local: Clock = FIXED


CASES = {
    "recording begins": Case(NOON, lambda r: r.begin(minute(7)), minute(7), minute(15)),
    "interval ends": Case(NOON, lambda r: r.end_interval(minute(15)), minute(15), minute(30)),
    "interval ends at midnight": Case(LATE, lambda r: r.end_interval(MIDNIGHT), MIDNIGHT, MIDNIGHT + 15 * MINUTE),
    "outage inside an interval": Case(NOON, lambda r: r.outage(minute(1), minute(14)), minute(14), minute(15)),
    "outage over a boundary": Case(NOON, lambda r: r.outage(minute(1), minute(15)), minute(15), minute(30)),
    "outage over midnight": Case(
        LATE, lambda r: r.outage(LATE + MINUTE, MIDNIGHT + MINUTE), MIDNIGHT + MINUTE, MIDNIGHT + 15 * MINUTE
    ),
    "clock set inside the interval": Case(NOON, lambda r: r.clock_set(minute(9), minute(2)), minute(2), minute(15)),
    "clock set out of the interval": Case(NOON, lambda r: r.clock_set(minute(2), NOON - 1), NOON - 1, NOON),
    "clock set out of an interval just begun": Case(
        NOON, lambda r: r.clock_set(NOON, minute(40)), minute(40), minute(45)
    ),
    "daylight saving on a boundary": Case(NOON, lambda r: r.clock_change(NOON), NOON, minute(15), jumping(NOON, 60)),
    "daylight saving inside the interval": Case(
        NOON, lambda r: r.clock_change(minute(3)), minute(3), minute(11), jumping(minute(3), 4)
    ),
    "daylight saving out of the interval": Case(
        NOON, lambda r: r.clock_change(minute(3)), minute(3), minute(4), jumping(minute(3), -4)
    ),
    "outage with daylight saving in it": Case(
        NOON, lambda r: r.outage(minute(1), minute(18)), minute(18), minute(19), jumping(minute(3), -4)
    ),
}


def test_the_table_has_all_that_happens():
    assert list(TABLE) == list(CASES)


@pytest.mark.parametrize("what", TABLE)
def test_words_are_those_of_the_table(what):
    case, (words, interval) = CASES[what], TABLE[what]
    recorder = Recorder(settings(15, 3), case.local)
    recorder.begin(case.began)
    recorder.take((5 * NANO, 0, 0, 0, 7 * NANO, *NOTHING[5:]), (), ())
    before = recorder.state.written
    written = case.does(recorder)
    names = {Count: "COUNTS", Date: "DATE", Time: "TIME"}
    assert [names[type(decode(word))] for word in written] == [
        word for word in words for _ in range(3 if word == "COUNTS" else 1)
    ]
    assert recorder.state.written == before + len(written)
    ended = [16, 100, 5] if "COUNTS" in words else []
    assert counts(written) == ended
    assert recorder.running == ((0, 0, 0) if ended else (16, 100, 5)), "no pulse lost, none twice"
    assert (recorder.state.began_ns == case.now) == (interval != "goes on to its boundary")
    assert recorder.next_end_ns(case.now) == case.end


def test_an_outage_at_midnight_does_not_read_as_a_clock_set():
    """Power fails with the new day and is back on the next: DATE, counts, TIME DATE TIME."""
    recorder = one(Metric.KWH_DELIVERED, "1")
    words = recorder.begin(LATE) + recorder.end_interval(MIDNIGHT) + recorder.outage(MIDNIGHT, MIDNIGHT + 30 * HOUR)
    profile = read_profile(words, recorder.settings, datetime(2026, 5, 6))
    assert [mark.kind.value for mark in profile.marks] == ["start", "day", "outage"]
    assert not profile.faults


def test_a_clock_set_back_and_back_again_to_the_beginning_keeps_the_interval():
    """The interval has run for five minutes by then: it is not one just begun."""
    recorder = one(Metric.KWH_DELIVERED, "1")
    recorder.clock_set(NOON + 5 * MINUTE, NOON)
    assert len(recorder.clock_set(NOON, NOON - HOUR)) == 5


# --- settings, state, memory ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("interval", "channels", "memory", "sentence"),
    [
        (10, 1, 32768, "the recorder's interval is 10 min: give 1, 5, 15, 30 or 60"),
        (15, 0, 32768, "the recorder has 0 channels: give 1 to 15"),
        (15, 16, 131072, "the recorder has 16 channels: give 1 to 15"),
        (15, 1, 65536, "the recorder's memory is 65536 bytes: give 32768 or 131072"),
        (
            1, 12, 32768,
            "12 channels every 1 min fill 34562 bytes a day, the recorder's memory has 32768: give fewer channels, "
            "a longer interval or 131072 bytes",
        ),
    ],
)  # fmt: skip
def test_settings_that_cannot_be(interval, channels, memory, sentence):
    with pytest.raises(RecorderError, match=re.escape(sentence)):
        RecorderSettings(interval, (RecorderChannel(Metric.KWH_DELIVERED, Fraction(1)),) * channels, memory)


@pytest.mark.parametrize("pulse", [0, -1])
def test_a_pulse_constant_is_more_than_nothing(pulse):
    with pytest.raises(RecorderError, match=f"the channel of V2h A has pulse constant {pulse}: give more than 0"):
        RecorderChannel(Metric.V2H_A, Fraction(pulse))


def test_a_state_of_another_program_is_refused():
    with pytest.raises(
        RecorderError, match="the recorder's state has 1 channels, its program 3: begin a new recording"
    ):
        Recorder(settings(15, 3), FIXED, RecorderState([0], [0]))


def test_a_local_time_needs_its_offset():
    with pytest.raises(ValueError, match="the recorder needs local times with their offset from UTC"):
        Recorder(settings(), lambda ns: datetime(2026, 1, 1)).begin(NOON)


def test_a_memory_holds_as_many_days_as_the_meters():
    """Two channels every 15 min: 192 counts and a date a day, about 84 days in 32 kB; fifteen: about 11 days."""
    assert settings(15, 2, 32768).words_a_day == 193
    assert int(settings(15, 2, 32768).days) == 84
    assert int(settings(15, 15, 32768).days) == 11
    assert settings(15, 2, 131072).days == 4 * settings(15, 2, 32768).days
    assert [settings(15, 1, memory).words for memory in MEMORIES_BYTES] == [16384, 65536]


def test_a_day_is_its_date_and_its_counts():
    """3584 words, the size of a real memory dump: the date of each midnight, then 192 counts, nothing else."""
    program = settings(15, 2, 32768)
    recorder, now = Recorder(program, TORONTO), NOON
    written = [*recorder.begin(now)]
    for _ in range(20 * 96):
        now = recorder.next_end_ns(now)
        written += recorder.end_interval(now)
    words = written[-3584:]
    dates = [index for index, word in enumerate(words) if isinstance(decode(word), Date)]
    assert len(words) == 3584
    assert {b - a for a, b in pairwise(dates)} == {193}
    assert sum(isinstance(decode(word), Count) for word in words) + len(dates) == len(words)
    profile = read_profile(words, program, TORONTO(now).date())
    assert not profile.faults
    assert profile.skipped == dates[0]
    assert len(profile.intervals) == (len(words) - dates[0] - len(dates)) // 2


def test_a_recording_goes_on_from_its_state():
    program = settings(15, MOST_CHANNELS)
    through, now = Recorder(program, TORONTO), NOON
    through.begin(now)
    stopped = Recorder(program, TORONTO, RecorderState(**asdict(through.state)))
    for _ in range(60):
        now = through.next_end_ns(now)
        for recorder in (through, stopped):
            recorder.take((123_456_789_012, 0, 0, 0, 98_765_432_109, *NOTHING[5:]), (), ())
        assert through.end_interval(now) == stopped.end_interval(now)
        stopped = Recorder(program, TORONTO, RecorderState(**asdict(stopped.state)))
    assert stopped.state == through.state
    assert through.state.began_ns == now
