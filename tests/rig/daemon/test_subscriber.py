"""What waits for a client: in order, bounded, and what is dropped is told before what comes after it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rig.daemon import subscriber
from rig.daemon.frames import FrameReader, frame
from rig.daemon.protocol import Dropped, RequestRefused, Topic
from rig.daemon.subscriber import SendQueue


def test_a_queue_that_nobody_empties_stays_bounded_and_says_what_was_dropped() -> None:
    queue, publication = SendQueue(), frame(RequestRefused(1, "x" * 1000))
    taken = sum(queue.offer(Topic.READINGS, publication) for _ in range(10_000))
    assert taken == subscriber.MOST_WAITING // len(publication)
    assert queue.size <= subscriber.MOST_WAITING
    while queue:
        queue.sent(len(queue.next))
    assert queue.size == 0
    assert queue.offer(Topic.READINGS, publication)
    reader: FrameReader = FrameReader(Dropped | RequestRefused)
    while queue:
        reader.feed(bytes(queue.next))
        queue.sent(len(queue.next))
    assert reader.take() == Dropped(Topic.READINGS, 10_000 - taken)
    assert isinstance(reader.take(), RequestRefused)


def test_answers_are_never_dropped() -> None:
    queue = SendQueue()
    while queue.offer(Topic.EDGES, b"x" * 1000):
        pass
    queue.put(b"answer")
    assert queue.size > subscriber.MOST_WAITING - 1000


@given(
    st.lists(
        st.tuples(st.sampled_from(Topic), st.integers(1, 200_000)) | st.integers(1, 300_000), min_size=1, max_size=60
    )
)
def test_what_is_sent_and_what_is_told_dropped_add_up(steps) -> None:
    """Publications of any size, sockets that take any part: each topic's numbers are whole and in order."""
    queue, stream = SendQueue(), bytearray()
    offered: dict[Topic, int] = dict.fromkeys(Topic, 0)

    def send(most: int) -> None:
        while queue and most > 0:
            part = min(most, len(queue.next))
            stream.extend(queue.next[:part])
            queue.sent(part)
            most -= part

    for step in steps:
        if isinstance(step, int):
            send(step)
        else:
            topic, size = step
            number = offered[topic] = offered[topic] + 1
            queue.offer(topic, frame(RequestRefused(number, topic.value + "x" * min(size, 100_000))))
    send(1 << 40)
    for topic in Topic:
        offered[topic] += 1
        assert queue.offer(topic, frame(RequestRefused(offered[topic], topic.value)))
    send(1 << 40)
    reader: FrameReader = FrameReader(Dropped | RequestRefused)
    reader.feed(bytes(stream))
    heard = dict.fromkeys(Topic, 0)
    while (message := reader.take()) is not None:
        if isinstance(message, Dropped):
            heard[message.topic] += message.count
        else:
            topic = Topic(message.sentence.rstrip("x"))
            heard[topic] += 1
            assert message.number == heard[topic], "numbers go up by what was told dropped"
    assert heard == offered
