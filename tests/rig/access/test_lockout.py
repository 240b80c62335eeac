"""The lock-out against plain numbers: its table, guessing on one port and on all, clocks and power cycles."""

from __future__ import annotations

import heapq

import msgspec
import pytest
from cheap_security import cheap_security
from docstring_table import rows
from hypothesis import given
from hypothesis import strategies as st

from rig.meter.access import lockout
from rig.meter.access.access import Access
from rig.meter.access.actions import KEYLESS
from rig.meter.access.decision import Granted, LockedOut, WrongKey
from rig.meter.access.state import AccessState, Attempts
from rig.meter.billing.source import Source

S = 10**9
T0 = 1_800_000_000 * S
RIGHT = b"\x0a\x0b\x0c"
KEYS = (b"\x01\x01\x01", b"\x02\x02\x02", b"\x03\x03\x03", RIGHT)
WRONG = b"\xfe\xfe\xfe"

WAITS_S = [0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600]
"""After the first wrong key, the second, …; after every further one as after the last: S-1's "1 s, 2 s … 1 h"."""

WITH_KEYS = [source for source in Source if source not in KEYLESS]


def door(state: AccessState | None = None) -> Access:
    return Access(cheap_security(True, KEYS), state or AccessState())


def power_cycle(access: Access) -> Access:
    return door(msgspec.json.decode(msgspec.json.encode(access.state), type=AccessState))


def test_the_docstring_has_the_waits() -> None:
    (_, *counts), (_, *waits) = rows(lockout, "wrong keys ")
    assert counts[:-1] == [str(k) for k in range(1, 15)]
    assert counts[-1] == "15 and more"
    assert [int(wait) for wait in waits] == WAITS_S


def test_each_wrong_key_waits_longer_to_the_nanosecond() -> None:
    access, now_ns = door(), T0
    for wait_s in [*WAITS_S, 3600, 3600]:
        assert access.log_on(Source.OPTICAL, WRONG, now_ns) == WrongKey(wait_s)
        if wait_s:
            until_ns = now_ns + wait_s * S
            for at_ns, left_s in ((now_ns, wait_s), (now_ns + 1, wait_s), (until_ns - S, 1), (until_ns - 1, 1)):
                assert access.log_on(Source.OPTICAL, RIGHT, at_ns) == LockedOut(left_s)
                assert access.log_on(Source.OPTICAL, WRONG, at_ns) == LockedOut(left_s)
            now_ns = until_ns
    assert access.log_on(Source.OPTICAL, RIGHT, now_ns) == Granted(Source.OPTICAL, 4, 0)
    assert access.log_on(Source.OPTICAL, WRONG, now_ns) == WrongKey(0), "the right key of level 4 made none count"


@pytest.mark.parametrize("level", [1, 2, 3])
def test_a_lower_level_does_not_make_them_forgotten(level: int) -> None:
    access = door()
    for wait_s in (0, 0, 1):
        assert access.log_on(Source.MODEM, WRONG, T0) == WrongKey(wait_s)
    later_ns = T0 + S
    assert access.log_on(Source.MODEM, KEYS[level - 1], later_ns) == Granted(Source.MODEM, level, 0)
    assert access.log_on(Source.MODEM, WRONG, later_ns) == WrongKey(2)


@pytest.mark.parametrize(
    ("quiet_s", "wait_s"), [(8, 16), (3599, 16), (3600, 8), (7199, 8), (7200, 4), (5 * 3600, 0), (999 * 3600, 0)]
)
def test_an_hour_makes_one_less_count(quiet_s: int, wait_s: int) -> None:
    """Six wrong keys count: a seventh at once would lock for 16 s, the first of them for none."""
    access = door(AccessState(attempts={"panel": Attempts(6, T0, 8)}))
    assert access.log_on(Source.PANEL, WRONG, T0 + quiet_s * S) == WrongKey(wait_s)


def guesses(sources: list[Source], many: int) -> int:
    """Seconds until so many wrong keys were looked at, each source guessing at once whenever it may."""
    access = door()
    due = [(T0, k) for k in range(len(sources))]
    at_ns = T0
    for _ in range(many):
        at_ns, k = heapq.heappop(due)
        answer = access.log_on(sources[k], WRONG, at_ns)
        assert isinstance(answer, WrongKey), "it waited as long as it was told"
        heapq.heappush(due, (at_ns + answer.wait_s * S, k))
    return (at_ns - T0) // S


def test_777_guesses_take_a_month() -> None:
    """As many as termineter's list has: 4095 s for the first 15, then 762 times an hour, is 31.8 days."""
    assert guesses([Source.OPTICAL], 777) == 2_747_295


def test_777_guesses_at_every_port_at_once_take_days() -> None:
    """Eight sources take keys: each comes to one an hour after 4095 s, whatever the others do."""
    assert len(WITH_KEYS) == 8
    seconds = guesses(WITH_KEYS, 777)
    assert 84 * 3600 < seconds < 90 * 3600


@given(st.lists(st.tuples(st.sampled_from(WITH_KEYS), st.integers(0, 8000)), min_size=20, max_size=300))
def test_no_way_to_guess_is_faster(steps: list[tuple[Source, int]]) -> None:
    """In any stretch of time, no source has more than 14 keys looked at, and one for each whole hour more."""
    access, now_ns = door(), T0
    seen: dict[Source, list[int]] = {source: [] for source in WITH_KEYS}
    for source, seconds in steps:
        now_ns += seconds * S
        answer = access.log_on(source, WRONG, now_ns)
        assert not isinstance(answer, Granted)
        assert answer.wait_s <= 3600
        if isinstance(answer, WrongKey):
            seen[source].append(now_ns)
    for times in seen.values():
        for first, begin in enumerate(times):
            for last in range(first, len(times)):
                assert last - first + 1 <= 14 + (times[last] - begin) // (3600 * S)


def test_one_port_does_not_lock_another() -> None:
    access = door()
    guess_ns = T0
    for wait_s in WAITS_S:
        access.log_on(Source.MODEM, WRONG, guess_ns)
        guess_ns += wait_s * S
    now_ns = guess_ns - S
    assert isinstance(access.log_on(Source.MODEM, RIGHT, now_ns), LockedOut)
    for source in WITH_KEYS:
        if source is not Source.MODEM:
            assert access.log_on(source, KEYS[1], now_ns) == Granted(source, 2, 0)


def test_the_tries_without_a_wait_are_there_once_for_all_sources() -> None:
    access = door()
    waits = [access.log_on(source, WRONG, T0) for source in WITH_KEYS]
    assert waits == [WrongKey(0), WrongKey(0), *[WrongKey(1)] * 6]
    assert access.log_on(Source.OPTICAL, WRONG, T0) == WrongKey(2), "its own first is counted now that others have two"


@pytest.mark.parametrize("by_s", [-(10**9), -3600, -1, 1, 3600, 10**9])
def test_a_clock_that_is_set_ends_and_extends_no_lock_out(by_s: int) -> None:
    access = door(AccessState(attempts={"optical port": Attempts(8, T0, 32)}))
    now_ns = T0 + 12 * S
    assert access.log_on(Source.OPTICAL, RIGHT, now_ns) == LockedOut(20)
    access.move_clock(by_s * S)
    now_ns += by_s * S
    assert access.log_on(Source.OPTICAL, RIGHT, now_ns) == LockedOut(20)
    assert access.log_on(Source.OPTICAL, WRONG, now_ns + 20 * S - 1) == LockedOut(1)
    assert access.log_on(Source.OPTICAL, WRONG, now_ns + 20 * S) == WrongKey(64)


def test_a_power_cycle_ends_no_lock_out() -> None:
    access = door()
    for _ in range(3):
        access.log_on(Source.OPTICAL, WRONG, T0)
    for wait_s in WAITS_S[3:8]:
        access = power_cycle(access)
        now_ns = T0 + sum(WAITS_S[: WAITS_S.index(wait_s)]) * S
        assert access.log_on(Source.OPTICAL, RIGHT, now_ns - 1) == LockedOut(1)
        access = power_cycle(access)
        assert access.log_on(Source.OPTICAL, WRONG, now_ns) == WrongKey(wait_s)


def test_a_clock_that_lost_its_time_begins_the_lock_out_again() -> None:
    """A start in 1970, and then the clock is set: never longer than the lock-out was from its begin."""
    access = power_cycle(door(AccessState(attempts={"modem": Attempts(10, T0, 128)})))
    assert access.log_on(Source.MODEM, RIGHT, 5 * S) == LockedOut(128)
    assert access.log_on(Source.MODEM, RIGHT, 105 * S) == LockedOut(28)
    access.move_clock(T0)
    assert access.log_on(Source.MODEM, RIGHT, T0 + 105 * S) == LockedOut(28)
    assert access.log_on(Source.MODEM, RIGHT, T0 + 133 * S) == Granted(Source.MODEM, 4, 0)


def test_the_count_stops_where_the_wait_does() -> None:
    """So who guessed for a year has the meter back as soon as who guessed for a day."""
    access, now_ns = door(), T0
    for _ in range(400):
        answer = access.log_on(Source.PANEL, WRONG, now_ns)
        assert isinstance(answer, WrongKey)
        now_ns += answer.wait_s * S
    assert access.state.attempts["panel"].failures == 15
    assert access.log_on(Source.PANEL, WRONG, now_ns + 14 * 3600 * S) == WrongKey(0)
