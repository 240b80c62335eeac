"""The server: a process beside the metering one, which holds the clients' connections (C-3).

It checks who connects, takes frames apart, passes requests on one at a time, and spreads publications. So whatever a
client sends, or fails to read, holds up nothing in the metering process: it waits for nobody, and a message that is
none does not reach it. If this process dies, the metering process starts another one on the same socket.

A client that breaks the rules is told so and its connection closed; the log has the first of each kind:

    | kind      | what it did                                                        |
    |-----------|--------------------------------------------------------------------|
    | peer      | connected as a user that may not                                   |
    | crowd     | connected as one more than MOST_CLIENTS                            |
    | length    | sent a frame of no bytes, or of too many                           |
    | message   | sent a frame that is no message                                    |
    | hello     | began with something else than Hello, or said it twice             |
    | version   | speaks a version of the protocol that is not spoken here           |
    | source    | asks on behalf of somebody that no client can be: the front, say   |
    | module    | subscribed on behalf of a module, which has nothing but what it asks |
    | haste     | sent a request before the last one was answered, or too much ahead |
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from rig.daemon.channel import ChannelClosed, MessageChannel
from rig.daemon.frames import HEADER_BYTES, MOST_BYTES, FrameError, FrameReader, frame
from rig.daemon.history_pages import PageError, page
from rig.daemon.internal import Answer, Ask, Farewell, Fetch, Gone, Interest, Publish, Serve, ToServer, WelcomeWith
from rig.daemon.peer import Peer
from rig.daemon.protocol import (
    VERSION,
    Asked,
    Closed,
    Done,
    FromClient,
    Hello,
    Request,
    RequestRefused,
    Subscribe,
    Topic,
    Welcome,
)
from rig.daemon.subscriber import MOST_WAITING, SendQueue
from rig.plain_text import print_error
from rig.results.provenance import Provenance

MOST_CLIENTS = 64
READ_BYTES = 1 << 16
FLUSH_S = 2.0
"""At the end clients get so long to take what waits for them."""

MOST_AHEAD = 2 * (MOST_BYTES + HEADER_BYTES)
"""Bytes that a client may have sent beyond the request that is being answered."""

MODULE = "module"

SOURCES = frozenset(
    {"optical port", "RS-232", "RS-485", "modem", MODULE, "panel", "verification", "command line"}
)  # fmt: skip
"""On whose behalf a client may ask. Front, inputs, calendar and the service's clock are the meter's own."""


class Client:
    """One connection, from its acceptance on. What it sends is judged by `feed`, without any I/O."""

    def __init__(self, number: int, peer: Peer) -> None:
        self.number, self.peer = number, peer
        self.queue = SendQueue()
        self.topics: frozenset[Topic] = frozenset()
        self.lossless = False
        self.hello: Hello | None = None
        self.open: int | None = None
        """The number of the request that is being answered."""
        self._reader: FrameReader[FromClient] = FrameReader(FromClient)

    def feed(self, data: bytes) -> None:
        """Take bytes as they came. Raises FrameError for more than a client may send ahead."""
        self._reader.feed(data)
        if self._reader.waiting > MOST_AHEAD:
            raise FrameError("haste", "more was sent than one request: wait for its answer")

    def take(self) -> Hello | Subscribe | Request | None:
        """Give the next message that is allowed now; None: none, or its turn comes later. Raises FrameError."""
        if self.open is not None:
            return None
        message = self._reader.take()
        match message:
            case Hello():
                if self.hello is not None:
                    raise FrameError("hello", "Hello was sent twice")
                if message.version != VERSION:
                    raise FrameError(
                        "version", f"version {message.version} is not supported, only {VERSION}: use the same release"
                    )
                if message.source not in SOURCES:
                    raise FrameError(
                        "source", f"nobody can ask as {message.source[:40]!r}: one of {', '.join(sorted(SOURCES))}"
                    )
                self.hello = message
            case Subscribe() | Request() if self.hello is None:
                raise FrameError("hello", "the first message must be Hello")
            case Subscribe() if self.hello is not None and self.hello.source == MODULE and message.topics:
                raise FrameError("module", "a module is given what it asks for, and no publications: ask read parts")
            case Subscribe():
                self.topics, self.lossless = frozenset(message.topics), message.lossless
            case Request():
                self.open = message.number
        return message


class Server:
    """The clients of one daemon, on a listening socket, and the channel to the metering process."""

    def __init__(self, listener: socket.socket, channel: MessageChannel[ToServer], log: Callable[[str], None]) -> None:
        self._listener, self._channel, self._log = listener, channel, log
        self._selector = selectors.DefaultSelector()
        self._clients: dict[int, tuple[socket.socket, Client]] = {}
        self._next = 1
        self._kinds: Counter[str] = Counter()
        self._interest: frozenset[Topic] = frozenset()
        self._unsent: list[msgspec.Struct] = []
        self._serve: Serve | None = None
        self._held = False

    def run(self) -> None:
        """Serve until the metering process has ended."""
        self._listener.setblocking(False)
        self._selector.register(self._channel, selectors.EVENT_READ, self._hear)
        with suppress(ChannelClosed):
            while True:
                for key, events in self._selector.select(0.02 if self._unsent or self._held else None):
                    if isinstance(key.data, int):
                        self._attend(key.data, events)
                    else:
                        key.data()
                self._pass_on()
                self._hold_back()
        self._flush()

    # --- the metering process -------------------------------------------------------------------------------

    def _hear(self) -> None:
        while not self._held:
            match self._channel.poll():
                case None:
                    return
                case Serve() as serve:
                    self._serve, self._next = serve, serve.first
                    self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
                case WelcomeWith(provenance):
                    assert self._serve is not None
                    self._serve = msgspec.structs.replace(self._serve, provenance=provenance)
                case Publish(topic, data):
                    for _, client in list(self._clients.values()):
                        if topic in client.topics and client.queue.offer(topic, data):
                            self._send(client.number)
                    self._hold_back()
                case Answer(number, data):
                    self._answer(number, data)
                case Fetch(number, count, asked):
                    self._answer(number, frame(self._page(count, asked)))
                case Farewell(data):
                    for _, client in list(self._clients.values()):
                        if client.hello is not None:
                            client.queue.put(data)
                            self._send(client.number)

    def _page(self, count: int, asked: Asked) -> Done | RequestRefused:
        assert self._serve is not None
        try:
            return Done(count, page(None if self._serve.store is None else Path(self._serve.store), asked))
        except PageError as error:
            return RequestRefused(count, str(error))

    def _answer(self, number: int, data: bytes) -> None:
        if number not in self._clients:
            return
        _, client = self._clients[number]
        client.open = None
        client.queue.put(data)
        self._send(number)
        self._take(number)

    def _say(self, message: msgspec.Struct) -> None:
        self._unsent.append(message)

    def _pass_on(self) -> None:
        """Pass on what the metering process had no room for yet."""
        try:
            while self._unsent and self._channel.offer(self._unsent[0]):
                del self._unsent[0]
        except ChannelClosed:  # it hears nothing any more; what it said last is still to be read
            self._unsent.clear()

    def _hold_back(self) -> None:
        """While a client that must lose nothing is full, the metering process, which then waits, is not heard."""
        held = any(client.lossless and client.queue.size > MOST_WAITING // 2 for _, client in self._clients.values())
        if held is not self._held:
            self._held = held
            if held:
                self._selector.unregister(self._channel)
            else:
                self._selector.register(self._channel, selectors.EVENT_READ, self._hear)

    def _tell_interest(self) -> None:
        interest = frozenset(topic for _, client in self._clients.values() for topic in client.topics)
        if interest != self._interest:
            self._interest = interest
            self._say(Interest(sorted(interest, key=lambda topic: topic.value)))

    # --- clients --------------------------------------------------------------------------------------------

    def _accept(self) -> None:
        assert self._serve is not None
        try:
            connection, _ = self._listener.accept()
        except OSError:  # gone meanwhile, or no descriptor is free
            return
        connection.setblocking(False)
        number, peer = self._next, Peer.of(connection)
        self._next += 1
        self._clients[number] = connection, Client(number, peer)
        self._selector.register(connection, selectors.EVENT_READ, number)
        if not peer.may_connect(os.getuid(), self._serve.group):
            self._refuse(
                number, FrameError("peer", f"user {peer.uid} may not connect: only the daemon's own, or of its group")
            )
        elif len(self._clients) > MOST_CLIENTS:
            self._refuse(number, FrameError("crowd", f"{MOST_CLIENTS} clients are connected already"))

    def _attend(self, number: int, events: int) -> None:
        if number in self._clients and events & selectors.EVENT_WRITE:
            self._send(number)
        if number in self._clients and events & selectors.EVENT_READ:
            connection, client = self._clients[number]
            try:
                data = connection.recv(READ_BYTES)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._drop(number)
                return
            try:
                client.feed(data)
            except FrameError as error:
                self._refuse(number, error)
                return
            self._take(number)

    def _take(self, number: int) -> None:
        """Take each whole message of a client, as it has its turn."""
        assert self._serve is not None
        while number in self._clients:
            _, client = self._clients[number]
            try:
                message = client.take()
            except FrameError as error:
                self._refuse(number, error)
                return
            match message:
                case None:
                    return
                case Hello():
                    serve = self._serve
                    provenance = msgspec.msgpack.decode(serve.provenance, type=Provenance)
                    client.queue.put(frame(Welcome(VERSION, serve.process, number, serve.paced, provenance)))
                    self._send(number)
                case Subscribe():
                    client.lossless = client.lossless and not self._serve.paced
                    self._tell_interest()
                case Request(count, asked):
                    assert client.hello is not None
                    self._say(Ask(number, client.peer.uid, client.hello.source, client.hello.name[:40], count, asked))

    def _send(self, number: int) -> None:
        connection, client = self._clients[number]
        try:
            while client.queue:
                client.queue.sent(connection.send(client.queue.next, socket.MSG_NOSIGNAL))
        except BlockingIOError:
            pass
        except OSError:
            self._drop(number)
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.queue else 0)
        if self._selector.get_key(connection).events != wanted:
            self._selector.modify(connection, wanted, number)

    def _refuse(self, number: int, error: FrameError) -> None:
        """Say why, as far as the client reads it, and close."""
        connection, client = self._clients[number]
        self._kinds[error.kind] += 1
        if self._kinds[error.kind] == 1:
            peer = client.peer
            self._log(
                f"rig: closed the connection of process {peer.pid}, user {peer.uid} ({error.kind}): {error}; "
                "later ones of this kind are closed without an entry here"
            )
        with suppress(OSError):
            connection.send(frame(Closed(str(error))), socket.MSG_NOSIGNAL)
        self._drop(number)

    def _drop(self, number: int) -> None:
        connection, client = self._clients.pop(number)
        self._selector.unregister(connection)
        connection.close()
        if client.hello is not None:
            self._say(Gone(number))
        self._tell_interest()

    def _flush(self) -> None:
        """The end: what still waits for clients goes out, for FLUSH_S at most."""
        for connection, client in self._clients.values():
            with suppress(OSError):
                connection.settimeout(FLUSH_S / max(1, len(self._clients)))
                while client.queue:
                    client.queue.sent(connection.send(client.queue.next, socket.MSG_NOSIGNAL))
            connection.close()
        self._listener.close()
        self._channel.close()
        self._selector.close()


def main() -> None:
    """`python -m rig.daemon.server LISTENER CHANNEL`: the descriptors of both sockets."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends when the metering process has
    listener, channel = (socket.socket(fileno=int(argument)) for argument in sys.argv[1:3])
    Server(listener, MessageChannel(channel, ToServer), print_error).run()


if __name__ == "__main__":
    main()
