"""The link's machine against its own table, and its pauses in plain numbers."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.service import link_state
from rig.service.link_state import LinkRetries, LinkState

ROOM_NS = 2_600_000_000_000
"""43 minutes."""

HOUR_NS = 3600 * 10**9


def table() -> dict[tuple[str, str], str]:
    """The table of the docstring, by state and what came."""
    lines = (link_state.__doc__ or "").splitlines()
    head = next(k for k, line in enumerate(lines) if line.split()[:2] == ["state", "answered"])
    columns = [lines[head].index(name) for name in ("answered", "failed", "foreign")] + [None]
    found = {}
    for line in lines[head + 1 : head + 5]:
        state = line.split()[0]
        for name, begin, end in zip(("answered", "failed", "foreign"), columns, columns[1:], strict=False):
            found[state, name] = line[begin:end].strip()
    return found


def brought_to(state: str) -> LinkRetries:
    link = LinkRetries(ROOM_NS)
    if state in ("retrying", "lost"):
        link.failed(0, "no reply")
    if state == "lost":
        assert link.failed(ROOM_NS, "no reply") is not None
    if state == "foreign":
        link.foreign(0, "another design")
    assert link.state.value == state
    return link


@pytest.mark.parametrize(("state", "came"), table())
def test_the_table(state: str, came: str) -> None:
    link = brought_to(state)
    now_ns = ROOM_NS + HOUR_NS if state == "lost" else 500_000_000
    cell = table()[state, came]
    news = link.answered(now_ns) if came == "answered" else getattr(link, came)(now_ns, "why")
    target = cell.split()[0].strip("(,.;") or state
    assert link.state.value == (state if cell.startswith(".") else target)
    if cell.startswith("."):
        assert news is None
    elif "restored" in cell:
        assert (news is not None) == (state == "lost")  # what was not told to fail is not told to be good
    elif "told" in cell:
        assert news is not None
        assert news.state is link.state
    else:
        assert news is None
    assert (link.fault is None) == (link.state is LinkState.GOOD)


def test_what_the_table_says_of_retrying_in_time() -> None:
    """Told once after a second, lost once after 43 minutes, restored with how long it was."""
    link = LinkRetries(ROOM_NS)
    told = []
    now_ns = 0
    while now_ns < ROOM_NS + HOUR_NS:
        if link.due(now_ns):
            news = link.failed(now_ns, "no reply")
            told += [] if news is None else [(news.state, round(news.failed_ns / 1e9))]
        now_ns += 20_000_000 if now_ns < 10**11 else 10**9
    news = link.answered(now_ns)
    assert news is not None
    told.append((news.state, round(news.failed_ns / 1e9)))
    assert told == [(LinkState.RETRYING, 1), (LinkState.LOST, 2600), (LinkState.GOOD, 6200)]


def test_pauses_grow_to_half_a_second_and_ten_once_energy_is_lost() -> None:
    link, tries = LinkRetries(ROOM_NS), [0]
    while tries[-1] < 30 * 10**9:
        link.failed(tries[-1], "no reply")
        assert not link.due(link.next_ns - 1)
        tries.append(link.next_ns)
    pauses = [(b - a) // 10**6 for a, b in pairwise(tries)]
    assert pauses[:6] == [20, 40, 80, 160, 320, 500]
    assert set(pauses[5:]) == {500}
    assert len(pauses) > 60  # so often in 30 s
    link.failed(ROOM_NS, "no reply")
    assert link.next_ns == ROOM_NS + 10 * 10**9


@given(st.lists(st.tuples(st.sampled_from(["answered", "failed", "foreign"]), st.integers(0, 3 * 10**12)), max_size=40))
def test_any_history_is_told_in_order(history: list[tuple[str, int]]) -> None:
    """Good is told only after a failing was, a failing once until it is over, and after foreign nothing."""
    link, now_ns, failing = LinkRetries(ROOM_NS), 0, []
    for came, later_ns in history:
        now_ns += later_ns
        before = link.state
        news = link.answered(now_ns) if came == "answered" else getattr(link, came)(now_ns, "why")
        if before is LinkState.FOREIGN:
            assert news is None
            assert link.state is before
        elif news is None:
            if link.state is LinkState.GOOD:
                assert not failing
        elif news.state is LinkState.GOOD:
            assert failing
            failing.clear()
        else:
            assert news.state not in failing
            failing.append(news.state)
        assert link.next_ns <= now_ns + 10 * 10**9
