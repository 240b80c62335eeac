"""One contact's edges → its changes: the table of drivers/debounce.py, then bounce of any pattern."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.debounce import BURST_NS, LATE_NS, STEADY_NS, Debouncer, Settled

MS = 1_000_000
END = 10_000 * MS


def settled(edges: list[tuple[int, bool]], advances: list[int] = [], **settings) -> list[Settled]:  # noqa: B006
    """What comes of edges told in this order, all before the first advance, of a contact found open at 0."""
    contact = Debouncer(False, 0, STEADY_NS, **settings)
    for at_ns, operated in edges:
        contact.edge(at_ns, operated)
    found = [change for now_ns in [*advances, END] for change in contact.advance(now_ns)]
    assert contact.operated == (found[-1].operated if found else False)
    assert contact.next_due_ns is None
    return found


# --- the table --------------------------------------------------------------------------------------------

TABLE = {
    "a press and a release": ([(100, True), (300, False)], [(100, True), (300, False)]),
    "found open, told so": ([(100, False)], []),
    "stood exactly long enough": ([(100, True), (120, False), (140, True)], [(100, True), (120, False), (140, True)]),
    "a glitch": ([(100, True), (119, False)], []),
    "a bounce": ([(100, True), (101, False), (102, True)], [(100, True)]),
    "a bounce a steady time apart, but for one": ([(100, True), (119, False), (138, True)], [(100, True)]),
    "a glitch just before the press": ([(100, True), (101, False), (120, True)], [(100, True)]),
    "a glitch well before the press": ([(100, True), (101, False), (121, True)], [(121, True)]),
    "a glitch while held": ([(100, True), (300, False), (301, True), (500, False)], [(100, True), (500, False)]),
    "the edge between was lost, but is told by the next": (
        [(100, True), (300, True), (301, False)],
        [(100, True), (300, False)],
    ),
    "chatter, then rest": ([(k, bool(k % 20)) for k in range(100, 520, 10)], [(430, True)]),
}


@pytest.mark.parametrize(("edges", "found"), TABLE.values(), ids=TABLE)
def test_table(edges: list[tuple[int, bool]], found: list[tuple[int, bool]]) -> None:
    assert settled([(t * MS, level) for t, level in edges]) == [Settled(t * MS, level) for t, level in found]


def test_a_change_is_given_as_soon_as_it_is_certain_and_not_before() -> None:
    contact = Debouncer(False, 0)
    assert contact.next_due_ns is None
    contact.edge(100 * MS, True)
    assert contact.next_due_ns == 100 * MS + LATE_NS
    assert contact.advance(contact.next_due_ns) == []
    due = contact.next_due_ns
    assert due == 100 * MS + STEADY_NS + LATE_NS
    assert contact.advance(due - 1) == []
    assert contact.advance(due) == [Settled(100 * MS, True)]
    assert contact.advance(due) == []


def test_levels_read_say_what_lost_edges_did_not() -> None:
    contact = Debouncer(False, 0)
    contact.read(50 * MS, False)
    assert contact.advance(90 * MS) == []
    assert contact.next_due_ns is None
    contact.read(100 * MS, True)
    contact.read(110 * MS, True)  # what is known already begins nothing anew
    assert contact.advance(100 * MS + STEADY_NS + LATE_NS) == [Settled(100 * MS, True)]


def test_what_edges_lost_have_hidden_does_not_count_as_having_stood() -> None:
    contact = Debouncer(False, 0)
    contact.edge(100 * MS, True)
    contact.edge(200 * MS, False, after_lost=True)
    assert contact.advance(END) == []
    assert not contact.operated


def test_an_edge_told_too_late_counts_from_where_the_past_is_decided() -> None:
    contact = Debouncer(False, 0)
    assert contact.advance(100 * MS) == []
    contact.edge(50 * MS, True)
    assert contact.advance(200 * MS) == [Settled(100 * MS - LATE_NS, True)]
    assert contact.too_late == 1


def test_verdicts_are_one_for_each_edge() -> None:
    told = []
    edges = [(100, True), (101, False), (102, True), (300, False), (301, True)]
    settled([(t * MS, level) for t, level in edges], verdict=lambda *edge: told.append(edge))
    assert sorted((t // MS, level, accepted) for t, level, accepted in told) == [
        (100, True, True),
        (101, False, False),
        (102, True, False),
        (300, False, False),
        (301, True, False),
    ]


def test_times_that_cannot_be_are_refused() -> None:
    for wrong in ({"steady_ns": -1}, {"late_ns": -1}, {"steady_ns": 2, "burst_ns": 1}):
        with pytest.raises(ValueError, match="no contact is steady for"):
            Debouncer(False, 0, **wrong)


# --- any bounce -------------------------------------------------------------------------------------------

bursts = st.lists(st.integers(1, STEADY_NS - 1), max_size=40).map(lambda gaps: [g % (BURST_NS // 41) + 1 for g in gaps])
"""Gaps between the edges of one burst, which ends before it would be chatter."""


def bouncing(first_ns: int, gaps: list[int], closes: bool) -> list[tuple[int, bool]]:
    """A burst from its first edge on that ends closed, or open."""
    if len(gaps) % 2:
        gaps = gaps[:-1]  # an even number of edges after the first comes back to its level
    edges, at_ns, level = [(first_ns, closes)], first_ns, closes
    for gap in gaps:
        at_ns, level = at_ns + gap, not level
        edges.append((at_ns, level))
    return edges


@given(st.integers(0, 1000 * MS), bursts)
def test_a_burst_that_ends_is_one_change_with_the_first_edges_stamp(first_ns: int, gaps: list[int]) -> None:
    assert settled(bouncing(first_ns, gaps, True)) == [Settled(first_ns, True)]


@given(st.lists(st.tuples(st.integers(STEADY_NS, 500 * MS), bursts), min_size=1, max_size=8))
def test_every_press_and_release_counts_once(rests_and_bursts: list[tuple[int, list[int]]]) -> None:
    edges: list[tuple[int, bool]] = []
    found = []
    closes = True
    for rest, gaps in rests_and_bursts:
        first_ns = (edges[-1][0] if edges else 0) + rest
        edges += bouncing(first_ns, gaps, closes)
        found.append(Settled(first_ns, closes))
        closes = not closes
    assert settled(edges) == found


@given(st.lists(st.integers(1, STEADY_NS - 1), min_size=1, max_size=200))
def test_chatter_that_never_settles_is_no_change(gaps: list[int]) -> None:
    contact = Debouncer(False, 0)
    at_ns, level = 0, False
    for gap in gaps:
        at_ns, level = at_ns + gap, not level
        contact.edge(at_ns, level)
        assert contact.advance(at_ns) == []
        assert contact.earliest_ns is not None
        assert contact.earliest_ns >= at_ns - BURST_NS - STEADY_NS - LATE_NS
    assert not contact.operated


@given(st.data(), st.lists(st.integers(1, 60 * MS), max_size=30), st.lists(st.integers(0, 50 * MS), max_size=40))
def test_neither_late_telling_nor_splitting_time_makes_a_difference(data, gaps: list[int], steps: list[int]) -> None:
    """Each edge is told up to LATE_NS after its instant, whatever comes before it then, between advances."""
    edges, at_ns, level = [], 0, False
    for gap in gaps:
        at_ns, level = at_ns + gap, not level
        edges.append((at_ns, level))
    told = sorted((t + data.draw(st.integers(0, LATE_NS)), k) for k, (t, _) in enumerate(edges))
    contact = Debouncer(False, 0)
    found, now_ns = [], 0
    for step in steps:
        now_ns += step
        while told and told[0][0] <= now_ns:
            contact.edge(*edges[told.pop(0)[1]])
        found += contact.advance(now_ns)
    for _, k in told:
        contact.edge(*edges[k])
    found += contact.advance(END)
    assert found == settled(edges)
    assert contact.too_late == 0
    assert all(a.operated != b.operated for a, b in pairwise(found))
