"""Queue of messages to one client: bounded, and what does not fit is dropped and the client informed (C-3)."""

from __future__ import annotations

from collections import Counter, deque

from rig.daemon.frames import MOST_BYTES, frame
from rig.daemon.protocol import Dropped, Topic

MOST_WAITING = 4 * MOST_BYTES
"""Bytes that wait for one client: half a minute of everything there is to subscribe to."""


class SendQueue:
    """Frames in order. `offer` is for publications, which may be dropped; `put` for answers, which may not.

    A client has one request at a time, so answers are bounded too.
    """

    def __init__(self) -> None:
        self._frames: deque[memoryview] = deque()
        self._dropped: Counter[Topic] = Counter()
        self.size = 0

    def __bool__(self) -> bool:
        return bool(self._frames)

    @property
    def next(self) -> memoryview:
        """Bytes to send next: a frame, or what is left of it."""
        return self._frames[0]

    def put(self, data: bytes) -> None:
        """Append a frame, whatever waits."""
        self._frames.append(memoryview(data))
        self.size += len(data)

    def offer(self, topic: Topic, data: bytes) -> bool:
        """Append a publication if there is room; whether there was. How many of its topic were dropped goes before."""
        missed = frame(Dropped(topic, self._dropped[topic])) if self._dropped[topic] else b""
        if self.size + len(missed) + len(data) > MOST_WAITING:
            self._dropped[topic] += 1
            return False
        if missed:
            self.put(missed)
            del self._dropped[topic]
        self.put(data)
        return True

    def sent(self, count: int) -> None:
        """So many bytes of `next` are on their way."""
        self.size -= count
        if count == len(self._frames[0]):
            self._frames.popleft()
        else:
            self._frames[0] = self._frames[0][count:]
