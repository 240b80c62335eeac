"""The profile's words, and reading them: every history comes back as it was, and no damage goes unsaid."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from recorder_bench import HOUR, SECOND, Bench, Clock, accounts, clock_of, jumping, marks, settings, utc_ns

from rig.meter.billing import profile_reading
from rig.meter.billing.metric import INTERVALS_MIN, MOST_CHANNELS
from rig.meter.billing.profile import IntervalFlag, MarkKind, Profile
from rig.meter.billing.profile_reading import read_profile
from rig.meter.billing.profile_words import (
    MOST_PULSES,
    Count,
    Damaged,
    Date,
    Time,
    decode,
    encode_count,
    encode_date,
    encode_time,
)

DAY = 24 * HOUR
MAY = utc_ns(datetime(2026, 5, 4, 22, 7, 13, tzinfo=UTC))
TORONTO = clock_of(ZoneInfo("America/Toronto"))
FIXED = clock_of(UTC)


# --- words ----------------------------------------------------------------------------------------------------


def test_every_count_comes_back_with_even_parity():
    for pulses in range(MOST_PULSES + 1):
        word = encode_count(pulses)
        assert word < 0x8000
        assert word.bit_count() % 2 == 0
        assert decode(word) == Count(pulses)
        assert decode(word ^ 0x4000) == Damaged(word ^ 0x4000)


@given(st.dates())
def test_every_date_comes_back_without_its_year(day):
    word = encode_date(day)
    assert word >> 14 == 0b10
    assert decode(word) == Date(day.month, day.day)
    assert f"{word & 0x1FFF:04x}" == day.strftime("%m%d"), "binary-coded decimals"


def test_every_time_comes_back_in_six_second_units():
    for second in range(86400):
        word = encode_time(second)
        assert word >> 14 == 0b11
        assert decode(word) == Time(second // 6 * 6)


def test_each_word_is_what_encodes_to_it_or_damaged():
    days = {encode_date(date(2024, 1, 1) + timedelta(days=k)) for k in range(366)}
    times = {encode_time(second) for second in range(0, 86400, 6)}
    counts = {encode_count(pulses) for pulses in range(MOST_PULSES + 1)}
    assert len(days) == 366
    for word in range(0x10000):
        kinds = {Count: word in counts, Date: word in days, Time: word in times}
        kinds[Damaged] = not any(kinds.values())
        assert kinds[type(decode(word))]


@pytest.mark.parametrize("pulses", [-1, MOST_PULSES + 1])
def test_a_count_that_does_not_fit_is_refused(pulses):
    with pytest.raises(ValueError, match=f"a count of {pulses} does not fit a profile word: 0 to 16383 do"):
        encode_count(pulses)


@pytest.mark.parametrize("second", [-1, 86400])
def test_a_second_of_no_day_is_refused(second):
    with pytest.raises(ValueError, match=f"{second} s is no time of a day: 0 to 86399 s are"):
        encode_time(second)


# --- histories ------------------------------------------------------------------------------------------------

SPRING = utc_ns(datetime(2026, 3, 8, 7, tzinfo=UTC))
AUTUMN = utc_ns(datetime(2026, 11, 1, 6, tzinfo=UTC))
LORD_HOWE = utc_ns(datetime(2026, 4, 4, 15, tzinfo=UTC))  # half an hour back, at 02:00 on the 5th
HAVANA = utc_ns(datetime(2026, 3, 8, 5, tzinfo=UTC))  # forward at midnight
SAO_PAULO = utc_ns(datetime(2018, 2, 18, 2, tzinfo=UTC))  # back at midnight, to the day before
NEW_YEAR = utc_ns(datetime(2027, 1, 1, 5, tzinfo=UTC))
LEAP_DAY = utc_ns(datetime(2028, 2, 29, 5, tzinfo=UTC))

durations = st.one_of(
    st.integers(1, 40 * SECOND),
    st.integers(1, HOUR),
    st.integers(1, 30 * HOUR),
    st.integers(1, 40).map(lambda k: k * 15 * 60 * SECOND),
)
events = st.lists(
    st.one_of(
        st.tuples(st.just("run"), durations, st.integers(0, 10**13)),
        st.tuples(st.just("fail"), durations, st.just(0)),
        st.tuples(st.just("set"), st.one_of(durations, durations.map(int.__neg__)), st.just(0)),
    ),
    min_size=3,
    max_size=15,
)
clocks = st.one_of(
    st.sampled_from(
        [
            (TORONTO, SPRING),
            (TORONTO, AUTUMN),
            (TORONTO, NEW_YEAR),
            (TORONTO, LEAP_DAY),
            (clock_of(ZoneInfo("Australia/Lord_Howe")), LORD_HOWE),
            (clock_of(ZoneInfo("America/Havana")), HAVANA),
            (clock_of(ZoneInfo("America/Sao_Paulo")), SAO_PAULO),
            (clock_of(ZoneInfo("Asia/Kolkata")), MAY),
            (FIXED, MAY),
        ]
    ),
    st.tuples(st.integers(0, 86400).map(lambda second: MAY + second * SECOND), st.integers(-180, 180)).map(
        lambda jump: (jumping(*jump), jump[0])
    ),
)


def kept(program, clock: tuple[Clock, int], before_ns: int, history) -> Bench:
    """A bench on which all that has happened, begun so long before the clock's day of interest."""
    bench = Bench(program, clock[0], clock[1] - before_ns)
    for what, ns, delivered in history:
        if what == "run":
            bench.run(ns, delivered, delivered // 2)
        elif what == "fail":
            bench.fail(ns)
        else:
            bench.set_clock(ns)
    return bench


def newest(bench: Bench) -> date:
    return bench.read().date()


def clean(profile: Profile) -> bool:
    return not profile.faults and not profile.skipped


@effort(max_examples=250)
@given(st.sampled_from(INTERVALS_MIN[1:]), st.integers(1, MOST_CHANNELS), clocks, st.integers(0, 30 * HOUR), events)
def test_a_history_comes_back_as_it_was(interval, channels, clock, before, history):
    bench = kept(settings(interval, channels), clock, before, history)
    profile = read_profile(bench.words, bench.program, newest(bench))
    assert clean(profile), profile.faults
    assert accounts(profile.intervals) == bench.accounts
    assert marks(profile) == bench.marks
    assert bench.recorder.state.written == len(bench.words)


@pytest.mark.parametrize("interval", INTERVALS_MIN)
@pytest.mark.parametrize("channels", range(1, MOST_CHANNELS + 1))
def test_every_interval_and_number_of_channels(interval, channels):
    events = [("run", 4 * HOUR, 3 * 10**14), ("fail", 48 * SECOND, 0), ("run", HOUR, 10**14), ("fail", 26 * HOUR, 0)]
    events += [("run", HOUR, 10**14), ("set", -6 * SECOND, 0), ("run", 90 * SECOND, 10**12), ("set", 2 * HOUR, 0)]
    bench = kept(settings(interval, channels), (TORONTO, SPRING), HOUR, [*events, ("run", 2 * HOUR, 10**13)])
    profile = read_profile(bench.words, bench.program, newest(bench))
    assert clean(profile)
    assert accounts(profile.intervals) == bench.accounts
    assert marks(profile) == bench.marks


def test_years_go_back_over_leap_days_and_outages():
    """A few hours in each of five years; the longest outage is that of eleven months."""
    bench = Bench(settings(60, 1), FIXED, utc_ns(datetime(2023, 12, 31, 20, tzinfo=UTC)))
    for gap in (59 * DAY, DAY, 334 * DAY, 360 * DAY, 364 * DAY):
        bench.run(6 * HOUR, 10**13)
        bench.fail(gap)
    bench.run(2 * HOUR)
    assert bench.read().year == 2027
    for asked in (bench.read(), newest(bench), newest(bench) + timedelta(days=364)):
        profile = read_profile(bench.words, bench.program, asked)
        assert clean(profile)
        assert accounts(profile.intervals) == bench.accounts
    assert date(2024, 2, 29) in {i.end.date() for i in profile.intervals}


def test_a_clock_set_past_a_leap_day_and_back_keeps_its_year():
    """In a common year it could have been set on by a year and a day, and nothing else would tell."""
    bench = Bench(settings(60, 1), FIXED, utc_ns(datetime(2028, 2, 28, 4, tzinfo=UTC)))
    bench.set_clock(2 * DAY)
    bench.set_clock(-2 * DAY)
    bench.fail(30 * HOUR)
    profile = read_profile(bench.words, bench.program, newest(bench))
    assert clean(profile)
    assert marks(profile) == bench.marks


# --- the table ------------------------------------------------------------------------------------------------

TABLE = dict(re.findall(r"^    \| ([DATEIM ]+?) +\| .*? +\| (.*?) +\|$", profile_reading.__doc__, re.M))


def words_of(text: str, moments: list[datetime]) -> list[int]:
    """DATE and TIME words, of a moment each."""
    kinds = text.split()
    assert len(kinds) == len(moments)
    return [
        encode_date(moment.date()) if kind == "DATE" else encode_time(moment.hour * 3600 + moment.minute * 60)
        for kind, moment in zip(kinds, moments, strict=True)
    ]


def test_sequences_of_dates_and_times_mean_what_the_table_says():
    """Each behind a day's first rows, or, where it opens a recording, before any."""
    eve, at, until, later = (datetime(2026, 5, day, hour) for day, hour in ((3, 0), (4, 1), (4, 2), (5, 3)))
    rows = [encode_count(7), encode_count(9)] * 2
    expected = {
        "a new day": ([eve + timedelta(days=1)], MarkKind.DAY, 24),
        "outage": ([at, until], MarkKind.OUTAGE, 25),
        "outage over midnight": ([at, later, later], MarkKind.OUTAGE, 25),
        "clock set, or daylight saving": ([at, at, later, later], MarkKind.CLOCK_SET, 25),
        "recording begins, or the clock was set": ([at, at], MarkKind.START, 0),
    }
    assert set(TABLE.values()) == set(expected)
    for text, meaning in TABLE.items():
        moments, kind, before = expected[meaning]
        stream = []
        if before:
            stream = [encode_date(eve), *rows * 12]
            stream += [encode_date(at), *rows[:2]] if before > 24 else []
        profile = read_profile(stream + words_of(text, moments) + rows, settings(60, 2), date(2026, 6, 1))
        assert clean(profile), meaning
        mark = profile.marks[-1]
        assert mark.kind is kind
        assert (mark.at, mark.until) == (moments[0], moments[-1])
        first = moments[-1] + timedelta(hours=1)
        assert [i.end for i in profile.intervals[before:]] == [first, first + timedelta(hours=1)]


# --- a memory that went round ---------------------------------------------------------------------------------


@effort(max_examples=60)
@given(st.integers(1, 5), clocks, st.integers(0, 30 * HOUR), events, st.data())
def test_a_ring_is_read_from_its_first_date_on(channels, clock, before, history, data):
    """Whatever words were overwritten, what is dated is right; skipped are those before the first date."""
    bench = kept(settings(30, channels), clock, before, [*history, ("run", 50 * HOUR, 10**14)])
    first = data.draw(st.integers(0, len(bench.words) - 1))
    words = bench.words[first:]
    profile = read_profile(words, bench.program, newest(bench))
    dates = [index for index, word in enumerate(words) if isinstance(decode(word), Date)]
    if not dates:
        assert profile.skipped == len(words)
        assert [f.text for f in profile.faults] == [
            f"word 0 is the first of {len(words)} without a date: none of them can be told"
        ]
        return
    assert profile.skipped == dates[0]
    assert not profile.faults
    count = len(profile.intervals)
    read, true = accounts(profile.intervals), bench.accounts[len(bench.accounts) - count :]
    assert read[1:] == true[1:]
    assert [account[:2] for account in read] == [account[:2] for account in true]
    if len(profile.marks) > 1:
        assert marks(profile)[1:] == bench.marks[1 - len(profile.marks) :]


# --- damage ---------------------------------------------------------------------------------------------------


def three_days(channels: int) -> Bench:
    """Three days and a half by the quarter hour, with an outage and a clock set in the second."""
    history = [
        ("run", 40 * HOUR, 2 * 10**12),
        ("fail", 400 * SECOND, 0),
        ("run", HOUR, 10**13),
        ("set", 66 * SECOND, 0),
    ]
    return kept(settings(15, channels), (FIXED, MAY), 0, [*history, ("run", 40 * HOUR, 10**12)])


BENCHES = {channels: three_days(channels) for channels in (1, 2, 6)}


def between_counts(bench: Bench) -> list[int]:
    """Counts with a count on either side."""
    letters = "".join("c" if word < 0x8000 else "m" for word in bench.words)
    return [index for index in range(1, len(letters) - 1) if letters[index - 1 : index + 2] == "ccc"]


def holds_all_words(profile: Profile, words: list[int]) -> bool:
    """Each word is skipped, or in an interval, or in a mark, or a fault says that it is lost."""
    sizes = {MarkKind.START: 2, MarkKind.DAY: 1, MarkKind.CLOCK_SET: 4}
    held = list(range(profile.skipped))
    for interval in profile.intervals:
        held += range(interval.index, interval.index + len(profile.settings.channels))
    for mark in profile.marks:
        outage = 3 if isinstance(decode(words[min(mark.index + 1, len(words) - 1)]), Date) else 2
        held += range(mark.index, mark.index + sizes.get(mark.kind, outage))
    for fault in profile.faults:
        held += range(fault.index, fault.index + fault.lost)
    return sorted(held) == list(range(len(words)))


@effort(max_examples=120)
@given(st.sampled_from(sorted(BENCHES)), st.data(), st.integers(0, 15))
def test_a_damaged_count_is_reported_and_nothing_else_suffers(channels, data, bit):
    """Any one bit, between counts."""
    bench = BENCHES[channels]
    at = data.draw(st.sampled_from(between_counts(bench)))
    words = list(bench.words)
    words[at] ^= 1 << bit
    profile = read_profile(words, bench.program, newest(bench))
    assert [(fault.index, fault.lost) for fault in profile.faults] == [(at, 0)]
    assert marks(profile) == bench.marks
    damaged = [interval for interval in profile.intervals if interval.flags & IntervalFlag.DAMAGED]
    assert [None in interval.counts for interval in profile.intervals].count(True) == len(damaged) == 1
    place = at - damaged[0].index
    assert damaged[0].counts[place] is None
    for interval, (end, counts, seconds, flags) in zip(profile.intervals, bench.accounts, strict=True):
        expected = tuple(None if interval is damaged[0] and k == place else n for k, n in enumerate(counts))
        assert (interval.end, interval.counts, interval.seconds) == (end, expected, seconds)
        last_day = bench.marks[-1][1]
        doubt = IntervalFlag.DAMAGED | (IntervalFlag.DOUBTFUL if end > last_day else IntervalFlag.NONE)
        assert interval.flags & ~doubt == flags


@given(st.sampled_from(sorted(BENCHES)), st.integers(0, 2), st.integers(0, 15))
def test_a_damaged_new_day_is_reported_and_nothing_else_suffers(channels, day, bit):
    bench = BENCHES[channels]
    days = [
        index for index, word in enumerate(bench.words) if index and bench.words[index - 1] < 0x8000 <= word < 0xC000
    ]
    words = list(bench.words)
    at = [i for i in days if words[i + 1] < 0x8000][day]
    words[at] ^= 1 << bit
    profile = read_profile(words, bench.program, newest(bench))
    assert [(fault.index, fault.lost) for fault in profile.faults] == [(at, 0)]
    assert [account[:3] for account in accounts(profile.intervals)] == [account[:3] for account in bench.accounts]
    assert marks(profile) == bench.marks


@pytest.mark.parametrize("channels", sorted(BENCHES))
def test_a_count_that_looks_like_a_date_moves_no_year(channels):
    bench = BENCHES[channels]
    words = list(bench.words)
    at = between_counts(bench)[len(words) // 2]
    words[at] = encode_date(date(2025, 12, 25))
    profile = read_profile(words, bench.program, newest(bench))
    assert [fault.index for fault in profile.faults] == [at]
    assert f"word {at} is damaged: a count of channel" in profile.faults[0].text
    assert [interval.end for interval in profile.intervals] == [account[0] for account in bench.accounts]
    assert marks(profile) == bench.marks


@given(st.sampled_from(sorted(BENCHES)), st.data())
def test_words_out_of_place_cost_their_day_and_no_more(channels, data):
    """What no memory does, a bad copy might: a count lost, or one too many. What is not doubtful is as it was."""
    bench = BENCHES[channels]
    day = bench.words.index(encode_date(date(2026, 5, 5)))
    at = data.draw(st.sampled_from([at for at in between_counts(bench) if day < at < day + 96 * channels]))
    words = list(bench.words)
    words[at : at + 1] = data.draw(st.sampled_from([[], [words[at], words[at]]]))
    profile = read_profile(words, bench.program, newest(bench))
    assert profile.faults
    assert holds_all_words(profile, words)
    true = {account[0]: account for account in bench.accounts}
    trusted = [i for i in profile.intervals if not i.flags & (IntervalFlag.DOUBTFUL | IntervalFlag.DAMAGED)]
    assert accounts(tuple(trusted)) == [true[interval.end] for interval in trusted]
    assert len(trusted) >= 96, "a day and more of the three and a half"


damaged_words = st.one_of(
    st.integers(0, 0xFFFF),
    st.integers(0, 3).map(encode_count),
    st.integers(0, 400).map(lambda k: encode_date(date(2026, 1, 1) + timedelta(days=k))),
    st.integers(0, 86399).map(encode_time),
)


@effort(max_examples=150)
@given(st.lists(damaged_words, max_size=120), st.sampled_from(INTERVALS_MIN), st.integers(1, 4))
def test_whatever_is_read_no_word_goes_unsaid(words, interval, channels):
    assert holds_all_words(read_profile(words, settings(interval, channels), date(2026, 12, 31)), words)


@given(st.sampled_from(sorted(BENCHES)), st.data())
def test_of_a_damaged_history_no_word_goes_unsaid(channels, data):
    """Several words become others, marks among them."""
    bench = BENCHES[channels]
    words = list(bench.words)
    for at in data.draw(st.lists(st.integers(0, len(words) - 1), min_size=1, max_size=6)):
        words[at] = data.draw(damaged_words)
    assert holds_all_words(read_profile(words, bench.program, newest(bench)), words)


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("TIME DATE DATE TIME", 2),
        ("DATE DATE DATE TIME", 2),
        ("DATE DATE DATE", 3),
        ("TIME DATE TIME", 0),
        ("TIME DATE TIME TIME DATE", 2),
        ("DATE", 1),
        ("TIME", 1),
    ],
)
def test_dates_and_times_that_make_no_sense_are_reported(text, lost):
    """Behind the first row of a day; so the clock that they set, if they do, is to be doubted."""
    rows = [encode_count(7), encode_count(9)]
    at = datetime(2026, 5, 4, 9, 6)
    words = [encode_date(at.date()), *rows, *words_of(text, [at] * len(text.split())), *rows, *rows]
    profile = read_profile(words, settings(60, 2), at)
    assert profile.faults
    assert sum(fault.lost for fault in profile.faults) == lost
    assert holds_all_words(profile, words)
    assert all(interval.flags & IntervalFlag.DOUBTFUL for interval in profile.intervals if interval.end.hour == 10)
    if text.endswith(("DATE TIME", "TIME DATE TIME")):
        assert profile.intervals[1].end.hour == 10


@pytest.mark.parametrize("what", ["fail", "set"])
def test_a_day_that_begins_with_an_outage_or_a_clock_set(what):
    """The ring begins with that day's date; or the date is damaged, into a time."""
    before = MAY - MAY % DAY + DAY - HOUR
    clock = (FIXED, before + HOUR)
    bench = kept(settings(15, 2), clock, HOUR, [("run", HOUR, 10**12), (what, 70 * SECOND, 0), ("run", DAY, 10**12)])
    midnight = bench.words.index(encode_date(date(2026, 5, 5)))
    profile = read_profile(bench.words[midnight:], bench.program, newest(bench))
    assert clean(profile)
    assert [mark.kind for mark in profile.marks[:2]] == [mark[0] for mark in bench.marks[1:3]]
    assert accounts(profile.intervals) == bench.accounts[4:]
    damaged = list(bench.words)
    damaged[midnight] ^= 0x4000
    profile = read_profile(damaged, bench.program, newest(bench))
    assert [(fault.index, fault.lost) for fault in profile.faults] == [(midnight, 0)]
    assert accounts(profile.intervals) == bench.accounts
    assert marks(profile) == bench.marks


@pytest.mark.parametrize("channels", sorted(BENCHES))
@pytest.mark.parametrize("channel", [0, 1])
def test_a_count_that_looks_like_the_next_date_begins_no_day(channels, channel):
    bench = BENCHES[channels]
    words = list(bench.words)
    at = words.index(encode_date(date(2026, 5, 5))) + 40 * channels + 1 + channel
    words[at] = encode_date(date(2026, 5, 6))
    profile = read_profile(words, bench.program, newest(bench))
    assert [(fault.index, fault.lost) for fault in profile.faults] == [(at, 0)]
    assert marks(profile) == bench.marks


def test_nothing_has_no_faults():
    profile = read_profile([], settings(), date(2026, 1, 1))
    assert (profile.intervals, profile.marks, profile.faults, profile.skipped) == ((), (), (), 0)


def test_interval_flags_say_themselves():
    assert [flag.words for flag in IntervalFlag] == [
        (w,) for w in ("short", "long", "outage", "clock set", "damaged", "doubtful")
    ]
    assert (IntervalFlag.SHORT | IntervalFlag.CLOCK_SET).words == ("short", "clock set")
    assert IntervalFlag.NONE.words == ()
