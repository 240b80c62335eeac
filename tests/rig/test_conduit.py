"""Two ends of a channel: messages stay whole, what does not fit is dropped, and an end that is gone is told."""

from __future__ import annotations

import select
import threading

import pytest

from drivers.switches import RawEdge
from rig.daemon.channel import MOST_BYTES, ChannelClosed, MessageChannel, pair
from rig.daemon.edge_feed import BATCH
from rig.daemon.messages import Edges, Operate, Order, Refused, Said, Start, Stop
from rig.hardware.config import Config
from rig.meter.front.switches import Switch


@pytest.fixture
def ends():
    here, there = pair()
    shows: MessageChannel[Said] = MessageChannel(here, Said)
    meters: MessageChannel[Order] = MessageChannel(there, Order)
    yield shows, meters
    shows.close()
    meters.close()


def test_messages_come_whole_and_in_order(ends) -> None:
    shows, meters = ends
    orders = [Start(Config(), 1.5, paced=True), Operate(Switch.COVER, True), Stop()]
    for order in orders:
        assert shows.send(order)
    assert [meters.receive() for _ in orders] == orders
    assert meters.poll() is None
    assert meters.offer(Refused("x" * 60_000))
    assert shows.poll() == Refused("x" * 60_000)


def test_the_largest_message_fits() -> None:
    here, there = pair()
    meters: MessageChannel[Order] = MessageChannel(here, Order)
    shows: MessageChannel[Said] = MessageChannel(there, Said)
    edges = Edges([RawEdge(10**18 - 1 - k, "magnet", True, False) for k in range(BATCH)])
    assert meters.offer(edges)
    assert shows.receive() == edges
    meters.offer(edges)
    assert len(there.recv(1 << 20)) < MOST_BYTES
    meters.close()
    shows.close()


def test_what_does_not_fit_is_dropped_and_nobody_waits(ends) -> None:
    shows, meters = ends
    sent = 0
    while meters.offer(Refused(f"{sent}" + "x" * 1000)):
        sent += 1
        assert sent < 100_000
    assert not meters.offer(Refused("too much"))
    assert meters.dropped == 2
    first = shows.poll()
    assert isinstance(first, Refused)
    assert first.sentence.startswith("0x")
    for _ in range(sent - 1):
        assert isinstance(shows.poll(), Refused)
    assert shows.poll() is None
    assert meters.offer(Refused("again"))
    assert shows.poll() == Refused("again")


def test_send_waits_for_room(ends) -> None:
    shows, meters = ends
    while meters.offer(Refused("x" * 1000)):
        pass
    sender = threading.Thread(target=lambda: meters.send(Refused("last")))
    sender.start()
    sender.join(0.1)
    assert sender.is_alive()
    got = shows.receive()
    while got != Refused("last"):
        got = shows.receive()
    sender.join(10)
    assert not sender.is_alive()


def test_an_end_that_is_gone_is_told_after_what_it_had_said(ends) -> None:
    shows, meters = ends
    meters.send(Refused("last"))
    meters.close()
    assert select.select([shows], [], [], 1)[0] == [shows]
    assert shows.poll() == Refused("last")
    for call in (shows.poll, shows.receive, lambda: shows.send(Stop()), lambda: shows.offer(Stop())):
        with pytest.raises(ChannelClosed):
            call()


def test_a_last_word_is_heard_although_more_was_said_meanwhile(ends) -> None:
    """Linux tells the other end of an end that closes with something unread, before what that had said."""
    shows, meters = ends
    shows.send(Stop())
    meters.send(Refused("last"))
    left = threading.Thread(target=meters.leave)
    left.start()
    shows.send(Stop())
    assert shows.receive() == Refused("last")
    with pytest.raises(ChannelClosed):
        shows.receive()
    shows.close()
    left.join(10)
    assert not left.is_alive()
