"""What was seen is known as far back as the language may ask, and no further: against a list that forgets nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.bench.errors import BenchError, NoLongerKept
from rig.bench.history import Observation, StateHistory

KEPT = 4


def states(seen) -> list[str]:
    return [each.state for each in seen]


def stood(changes: list[tuple[int, str]], from_ns: int, to_ns: int) -> list[tuple[int, str]]:
    """What stood at any time from one instant to another, by looking at every change."""
    found = []
    for k, (since, state) in enumerate(changes):
        ends = changes[k + 1][0] if k + 1 < len(changes) else None
        if since <= to_ns and (ends is None or ends > from_ns):
            found.append((since, state))
    return found


def test_it_keeps_changes_and_what_stood_at_either_end() -> None:
    seen: StateHistory[str] = StateHistory()
    for at, state in ((10, "a"), (20, "a"), (30, "b"), (40, "c")):
        seen.note(at, state)
    assert states(seen.between(15, 30)) == ["a", "b"]
    assert [each.since_ns for each in seen.between(15, 29)] == [10]
    assert states(seen.between(45, 50)) == ["c"]
    assert states(seen.between(0, 5)) == []
    assert seen.last == Observation(40, "c")


def test_before_anything_was_seen() -> None:
    seen: StateHistory[str] = StateHistory()
    assert states(seen.between(0, 5)) == []
    assert seen.latest(0, 5, 3) == ((), 0)
    with pytest.raises(BenchError, match="nothing has been observed yet"):
        _ = seen.last


def test_what_was_before_the_mark_is_forgotten_but_what_stood_then() -> None:
    seen: StateHistory[str] = StateHistory(KEPT)
    for k in range(3):
        seen.note(10 * k, str(k))
    seen.mark(15)
    assert states(seen.between(0, 100)) == ["1", "2"]


def test_the_first_changes_after_a_mark_and_the_last_are_known_and_those_between_are_not() -> None:
    seen: StateHistory[str] = StateHistory(KEPT)
    for k in range(20):
        seen.note(k, str(k))
    assert states(seen.between(0, 3)) == ["0", "1", "2", "3"]
    assert states(seen.between(16, 30)) == ["16", "17", "18", "19"]
    known = seen.between(2, 30)
    assert [next(known).state, next(known).state] == ["2", "3"]
    with pytest.raises(
        NoLongerKept, match="12 changes are no longer known: kept are the first 4 after the last action"
    ):
        next(known)
    for begin in (4, 15):
        with pytest.raises(NoLongerKept):
            list(seen.between(begin, 30))
    assert seen.latest(0, 30, 2) == ((Observation(18, "18"), Observation(19, "19")), 18)
    seen.mark(17)
    assert states(seen.between(0, 30)) == ["17", "18", "19"]


CHANGES = st.lists(st.tuples(st.integers(0, 3), st.sampled_from("abc")), max_size=40)
"""Steps of time, and states."""


@given(CHANGES, st.lists(st.integers(0, 40), max_size=3), st.integers(0, 60), st.integers(0, 60))
def test_it_tells_the_same_as_a_list_that_forgets_nothing_or_says_that_it_cannot(
    changes, marks, from_ns, to_ns
) -> None:
    """`marks`: after how many changes the present becomes one."""
    seen: StateHistory[str] = StateHistory(KEPT)
    all_changes: list[tuple[int, str]] = []
    now = mark = 0
    for k, (step, state) in enumerate(changes):
        now += step
        seen.note(now, state)
        if not all_changes or all_changes[-1][1] != state:
            all_changes.append((now, state))
        if k in marks:
            seen.mark(now)
            mark = now
        assert len(seen._first) + len(seen._recent) <= 2 * KEPT
    from_ns, to_ns = max(min(from_ns, to_ns), mark), max(from_ns, to_ns, mark)
    right = stood(all_changes, from_ns, to_ns)
    found: list[tuple[int, str]] = []
    try:
        for each in seen.between(from_ns, to_ns):
            found.append((each.since_ns, each.state))
    except NoLongerKept:
        assert found == right[: len(found)]
        assert len(right) > len(found)
        since_mark = stood(all_changes, mark, now)
        assert right[len(found)] not in [*since_mark[:KEPT], *since_mark[-KEPT:]]
    else:
        assert found == right
    last, before = seen.latest(from_ns, to_ns, 2)
    if all_changes and to_ns >= now:
        assert [(each.since_ns, each.state) for each in last] == right[-2:]
        assert before + len(last) == len(right)


def test_days_of_changes_take_no_more_than_the_bound() -> None:
    """A KYZ output at 53 transitions a second for an hour, and a display that goes on every 6 s for a month."""
    relay: StateHistory[str] = StateHistory()
    for k in range(53 * 3600):
        relay.note(k * 18_867_925, "K-Y" if k % 2 else "K-Z")
    display: StateHistory[int] = StateHistory()
    for k in range(30 * 24 * 600):
        display.note(k * 6 * 10**9, k)
    for history in (relay, display):
        assert len(history._first) == len(history._recent) == 4096
    assert states(relay.between(0, 10**9))[:3] == ["K-Z", "K-Y", "K-Z"]
    assert display.last.state == 30 * 24 * 600 - 1
