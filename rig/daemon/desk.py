"""The metering process's side of the door: what it publishes, and the requests that wait for it (C-3).

Nothing here waits, except at full speed, where a simulated rig has the time: publications are dropped when the server
does not take them, and what is dropped is told with the next of its topic.
"""

from __future__ import annotations

import select
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import msgspec

from rig.daemon.channel import ChannelClosed
from rig.daemon.frames import frame
from rig.daemon.history_pages import FROM_STORE
from rig.daemon.internal import Answer, Ask, Farewell, Fetch, Gone, Interest, Publish
from rig.daemon.protocol import Done, Dropped, Ended, RequestRefused, Topic
from rig.daemon.server_process import ServerProcess
from rig.results.provenance import Provenance

MOST_ASKS = 4
"""Requests that are carried out at one poll, 50 times a second: so many take a millisecond or two."""

Execute = Callable[[Ask], Done | RequestRefused | None]
"""Carries a request out; None: the answer comes later, by `Desk.answer`."""


class Desk:
    """Publications and requests of a meter; `lossless` waits until the server has taken what is published."""

    def __init__(self, server: ServerProcess, *, lossless: bool) -> None:
        self._server, self._lossless = server, lossless
        self._anew = False
        self._interest: frozenset[Topic] = frozenset()
        self._had_interest = False
        self._dropped: Counter[Topic] = Counter()
        self._unsent: list[msgspec.Struct] = []

    def wanted(self, topic: Topic) -> bool:
        """Say whether anyone has subscribed to a topic; nothing else needs to be made."""
        return topic in self._interest

    @property
    def deserted(self) -> bool:
        """True when someone had subscribed, and nobody has any more."""
        return self._had_interest and not self._interest

    def publish(self, topic: Topic, message: msgspec.Struct) -> bool:
        """Send a publication to all who subscribed; whether the server took it."""
        if not self.wanted(topic):
            return True
        data = frame(message)
        if self._dropped[topic]:
            data = frame(Dropped(topic, self._dropped[topic])) + data
        if not self._send(Publish(topic, data)):
            self._dropped[topic] += 1
            return False
        del self._dropped[topic]
        return True

    def offer(self, topic: Topic, message: msgspec.Struct) -> bool:
        """Send a publication that comes again if the server has no room for it now; whether it took it."""
        return self._send(Publish(topic, frame(message)))

    def welcome_with(self, provenance: Provenance) -> None:
        """Welcome clients from now on with another provenance, before anything that is answered from here on."""
        self._unsent.append(self._server.welcome_with(msgspec.msgpack.encode(provenance)))
        self._pass_on()

    def answer(self, ask: Ask, reply: Done | RequestRefused) -> None:
        """Answer a request; what is read from the store, the server answers. Answers are not dropped: they wait here
        for room."""
        if isinstance(reply, Done) and isinstance(ask.asked, FROM_STORE):
            self._unsent.append(Fetch(ask.client, ask.number, ask.asked))
        else:
            self._unsent.append(Answer(ask.client, frame(reply)))
        self._pass_on()

    def await_interest(self, seconds: float) -> None:
        """Wait until someone has subscribed, for so long at most: who starts a meter wants to miss nothing of it."""
        deadline = time.monotonic() + seconds
        while not self._interest and (left := deadline - time.monotonic()) > 0:
            select.select([self._server.channel], [], [], left)
            self.attend(
                lambda ask: RequestRefused(ask.number, "the meter has not begun yet: ask again"), lambda client: None
            )

    def attend(self, execute: Execute, left: Callable[[int], None]) -> None:
        """Carry out what waits, MOST_ASKS at most; `left` hears of clients that are gone."""
        if self._anew:
            self._begin_again()
        self._pass_on()
        asks = 0
        while asks < MOST_ASKS:
            try:
                message = self._server.channel.poll()
            except ChannelClosed:
                self._begin_again()
                return
            match message:
                case None:
                    return
                case Interest(topics):
                    self._interest = frozenset(topics)
                    self._had_interest |= bool(topics)
                case Gone(client):
                    left(client)
                case Ask():
                    asks += 1
                    reply = execute(message)
                    if reply is not None:
                        self.answer(message, reply)

    def serve_anew(self) -> None:
        """Have another server take over, with the socket as it is now; clients of this one lose their connection."""
        self._anew = True

    def close(self, ended: Ended) -> None:
        """Say the last word to everyone, and let the server end."""
        self._pass_on()
        with suppress(ChannelClosed):
            self._server.channel.send(Farewell(frame(ended)))
        self._server.close()

    def _send(self, message: msgspec.Struct) -> bool:
        try:
            return self._server.channel.send(message) if self._lossless else self._server.channel.offer(message)
        except ChannelClosed:
            self._begin_again()
            return False

    def _pass_on(self) -> None:
        while self._unsent and self._send(self._unsent[0]):
            del self._unsent[0]

    def _begin_again(self) -> None:
        """The server is gone, and every client with it: another one takes the socket over."""
        if self._server.restart():
            self._anew = False
            self._interest = frozenset()
            self._had_interest = False  # those who look on come again
            self._unsent.clear()
            self._dropped.clear()
