"""Edges on their way out: in order whatever the verdicts' order, none lost, none waited for, bounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.debounce import Debouncer
from drivers.switches import RawEdge
from rig.daemon import edge_feed
from rig.daemon.edge_feed import BATCH, SETTLED_NS, EdgeFeed
from rig.daemon.protocol import EdgesSeen

MS = 1_000_000
BEGIN_NS = 1000 * MS


class Reader:
    """Whoever shows the run: takes messages while it has room."""

    def __init__(self) -> None:
        self.room = True
        self.got: list[RawEdge] = []
        self.largest = 0

    def offer(self, message: EdgesSeen) -> bool:
        if self.room:
            self.got += message.edges
            self.largest = max(self.largest, len(message.edges))
        return self.room


def edge(at_ns: int, accepted: bool = False) -> RawEdge:
    return RawEdge(at_ns, "scroll", True, accepted)


def test_what_happened_first_goes_first_although_it_is_told_last() -> None:
    reader = Reader()
    feed = EdgeFeed()
    feed.begin(BEGIN_NS)
    for at_ms, accepted in ((3, False), (5, False), (1, True)):
        feed.hear(edge(BEGIN_NS + at_ms * MS, accepted))
    feed.poll(BEGIN_NS + 1 * MS + SETTLED_NS - 1, reader.offer)
    assert reader.got == []
    feed.poll(BEGIN_NS + 3 * MS + SETTLED_NS, reader.offer)
    assert reader.got == [edge(1 * MS, True), edge(3 * MS)]
    feed.poll(BEGIN_NS + 1000 * MS, reader.offer)
    assert reader.got[2:] == [edge(5 * MS)]


def test_what_was_done_while_the_meter_started_stands_at_the_begin() -> None:
    reader = Reader()
    feed = EdgeFeed()
    feed.hear(edge(BEGIN_NS - 7 * MS))
    feed.begin(BEGIN_NS)
    feed.finish(reader.offer)
    assert reader.got == [edge(0)]


@given(
    st.lists(st.tuples(st.integers(0, 60 * MS), st.sampled_from(["scroll", "test"])), min_size=1, max_size=60),
    st.lists(st.tuples(st.integers(1, 300 * MS), st.booleans()), min_size=1, max_size=60),
)
def test_whatever_bounces_and_whenever_it_is_polled_the_order_is_that_of_time(gaps, polls) -> None:
    """Real debouncers, polled at any intervals, a reader that has room now and then: nothing overtakes."""
    reader = Reader()
    feed = EdgeFeed()
    feed.begin(0)
    contacts = {
        name: Debouncer(False, 0, verdict=lambda at, on, ok, name=name: feed.hear(RawEdge(at, name, on, ok)))
        for name in ("scroll", "test")
    }
    told, at_ns, level = [], 0, dict.fromkeys(contacts, False)
    for gap_ns, name in gaps:
        at_ns += gap_ns
        level[name] = not level[name]
        told.append((at_ns, name, level[name]))
    waiting, now_ns = list(told), 0
    for after_ns, room in polls:
        now_ns, reader.room = now_ns + after_ns, room
        while waiting and waiting[0][0] <= now_ns:
            at_ns, name, on = waiting.pop(0)
            contacts[name].edge(at_ns, on)
        for contact in contacts.values():
            contact.advance(now_ns)
        feed.poll(now_ns, reader.offer)
        assert [e.at_ns for e in reader.got] == sorted(e.at_ns for e in reader.got)
    for contact in contacts.values():
        contact.advance(now_ns + 10**9)
        contact.end()
    reader.room = True
    feed.finish(reader.offer)
    for name in contacts:  # contact by contact, also where two edges have the same stamp
        got = [(e.at_ns, e.switch, e.operated) for e in reader.got if e.switch == name]
        assert got == [edge for edge in told[: len(told) - len(waiting)] if edge[1] == name]
    assert [e.at_ns for e in reader.got] == sorted(e.at_ns for e in reader.got)


def test_a_reader_without_room_loses_nothing_and_gets_a_few_at_a_time() -> None:
    reader = Reader()
    feed = EdgeFeed()
    feed.begin(0)
    for k in range(3 * BATCH):
        feed.hear(edge(k * 1000))
    reader.room = False
    for poll in range(10):
        feed.poll(10**9 + poll, reader.offer)
    reader.room = True
    feed.poll(2 * 10**9, reader.offer)
    assert len(reader.got) == BATCH
    feed.finish(reader.offer)
    assert [e.at_ns for e in reader.got] == [k * 1000 for k in range(3 * BATCH)]
    assert reader.largest == BATCH
    assert not feed.dropped


def test_where_nobody_wants_them_nothing_waits_and_the_next_reader_begins_with_what_comes() -> None:
    reader, feed = Reader(), EdgeFeed()
    feed.begin(0)
    feed.hear(edge(5 * MS))
    feed.poll(5 * MS + SETTLED_NS, None)
    feed.hear(edge(6 * MS))
    feed.poll(6 * MS + SETTLED_NS, reader.offer)
    assert reader.got == [edge(6 * MS)]


def test_a_last_reader_that_takes_nothing_does_not_hold_the_end_up() -> None:
    reader, feed = Reader(), EdgeFeed()
    feed.begin(0)
    feed.hear(edge(5))
    reader.room = False
    feed.finish(reader.offer)
    assert reader.got == []


def test_a_reader_that_stays_away_has_what_fits_and_what_does_not_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge_feed, "MOST_WAITING", 10)
    reader, feed = Reader(), EdgeFeed()
    feed.begin(0)
    reader.room = False
    for k in range(12):
        feed.hear(edge(k))
    feed.poll(10**9, reader.offer)
    assert feed.dropped == 2
    reader.room = True
    feed.finish(reader.offer)
    assert [e.at_ns for e in reader.got] == list(range(10))
