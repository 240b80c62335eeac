"""Two ends of a channel: messages stay whole, what does not fit is dropped, and an end that is gone is told."""

from __future__ import annotations

import select
import threading

import pytest

from drivers.switches import RawEdge
from rig.daemon.channel import MOST_BYTES, ChannelClosed, MessageChannel, pair
from rig.daemon.edge_feed import BATCH
from rig.daemon.frames import HEADER_BYTES, frame
from rig.daemon.frames import MOST_BYTES as MOST_FRAME
from rig.daemon.internal import Answer, Ask, Gone, Interest, Publish, ToMetering, ToServer
from rig.daemon.protocol import EdgesSeen, Stop, Topic


def answer(text: str) -> Answer:
    return Answer(1, text.encode())


@pytest.fixture
def ends():
    here, there = pair()
    server: MessageChannel[ToServer] = MessageChannel(here, ToServer)
    meters: MessageChannel[ToMetering] = MessageChannel(there, ToMetering)
    yield server, meters
    server.close()
    meters.close()


def test_messages_come_whole_and_in_order(ends) -> None:
    server, meters = ends
    messages = [Interest([Topic.READINGS]), Ask(3, 1000, "panel", "mine", 7, Stop()), Gone(3)]
    for message in messages:
        assert server.send(message)
    assert [meters.receive() for _ in messages] == messages
    assert meters.poll() is None
    assert meters.offer(answer("x" * 60_000))
    assert server.poll() == answer("x" * 60_000)


def test_the_largest_message_fits(ends) -> None:
    server, meters = ends
    largest = Publish(Topic.EDGES, b"x" * (HEADER_BYTES + MOST_FRAME))
    assert meters.offer(largest)
    assert server.receive() == largest
    edges = EdgesSeen([RawEdge(10**18 - 1 - k, "magnet", True, False) for k in range(BATCH)])
    assert len(frame(edges)) < MOST_FRAME / 4
    assert MOST_BYTES > MOST_FRAME


def test_what_does_not_fit_is_not_sent_and_nobody_waits(ends) -> None:
    server, meters = ends
    sent = 0
    while meters.offer(answer(f"{sent}" + "x" * 1000)):
        sent += 1
        assert sent < 100_000
    assert not meters.offer(answer("too much"))
    first = server.poll()
    assert isinstance(first, Answer)
    assert first.frame.startswith(b"0x")
    for _ in range(sent - 1):
        assert isinstance(server.poll(), Answer)
    assert server.poll() is None
    assert meters.offer(answer("again"))
    assert server.poll() == answer("again")


def test_send_waits_for_room(ends) -> None:
    server, meters = ends
    while meters.offer(answer("x" * 1000)):
        pass
    sender = threading.Thread(target=lambda: meters.send(answer("last")))
    sender.start()
    sender.join(0.1)
    assert sender.is_alive()
    got = server.receive()
    while got != answer("last"):
        got = server.receive()
    sender.join(10)
    assert not sender.is_alive()


def test_an_end_that_is_gone_is_told_after_what_it_had_said(ends) -> None:
    server, meters = ends
    meters.send(answer("last"))
    meters.close()
    assert select.select([server], [], [], 1)[0] == [server]
    assert server.poll() == answer("last")
    for call in (server.poll, server.receive, lambda: server.send(Gone(1)), lambda: server.offer(Gone(1))):
        with pytest.raises(ChannelClosed):
            call()


def test_what_was_sent_is_heard_although_its_sender_has_finished(ends) -> None:
    server, meters = ends
    meters.send(answer("last"))
    meters.finish()
    server.send(Gone(1))
    assert server.receive() == answer("last")
    with pytest.raises(ChannelClosed):
        server.receive()
    assert meters.receive() == Gone(1)
