"""A client of a running meter: what tools, tests and users' own programs share (docs/interface.md).

with MeterClient.connect(path, "command line", "my tool") as meter:
    meter.ask(ResetDemand())
    meter.subscribe(Topic.READINGS)
    for message in meter.messages():
        print(message)
"""

from __future__ import annotations

import errno
import socket
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from rig.daemon.frames import FrameError, FrameReader, frame
from rig.daemon.protocol import (
    VERSION,
    Asked,
    Closed,
    Done,
    Ended,
    FromDaemon,
    Hello,
    Request,
    RequestRefused,
    Subscribe,
    Topic,
    Welcome,
)
from rig.errors import RigError

M = TypeVar("M")

ANSWER_S = 10.0
"""A daemon that has not answered in this time is taken to be stuck."""

PUBLICATION_S = 60.0
"""A meter that has not published in this time what it publishes each second of its own time is taken to be none."""

MOST_KEPT_BYTES = 1 << 26
"""Of publications that come while an answer is awaited: a daemon sends far less in ANSWER_S."""

READ_BYTES = 1 << 16


class ClientError(RigError):
    """No meter there: one sentence with the socket and what would be right."""


class MeterGone(ClientError):
    """A meter that was there and has gone, or does not answer: one sentence."""

    status = 1


class RequestRefusedError(RigError):
    """The meter refused what was asked: its sentence."""

    status = 1

    def __init__(self, sentence: str, needs_key: bool = False, why: str | None = None) -> None:
        super().__init__(sentence)
        self.needs_key, self.why = needs_key, why


class MeterClient:
    """A connection to a daemon, used by one thread. `welcome` says which daemon it is, `path` where.

    Publications that come while an answer is awaited wait for `messages` or `poll`.
    """

    welcome: Welcome

    def __init__(self, connection: socket.socket, path: Path) -> None:
        self._socket, self.path = connection, path
        self._reader: FrameReader[Any] = FrameReader(FromDaemon)
        self._waiting: deque[Any] = deque()
        self._number = 0
        self._received = 0

    @classmethod
    def connect(cls, path: Path, source: str = "command line", name: str = "", wait_s: float = ANSWER_S) -> MeterClient:
        """Connect to the daemon at `path` and be welcomed. Raises ClientError."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        client = cls(connection, path)
        try:
            connection.settimeout(wait_s)
            connection.connect(str(path))
            client._send(Hello(VERSION, source, name))
            welcome = client._next(time.monotonic() + wait_s)
            if not isinstance(welcome, Welcome):
                raise ClientError(f"what answers at {path} is not a meter's daemon: it sends {type(welcome).__name__}")
            client.welcome = welcome
        except FileNotFoundError:
            connection.close()
            raise ClientError(f"no meter runs at {path}: start one with rig run or rig serve") from None
        except ValueError:
            connection.close()
            raise ClientError(f"{str(path)!r} is not a path for a socket: it contains a NUL") from None
        except OSError as error:
            connection.close()
            why = (
                "nothing answers" if error.errno in (errno.ECONNREFUSED, errno.ECONNRESET) else error.strerror or error
            )
            raise ClientError(f"no meter runs at {path} ({why}): start one with rig run or rig serve") from None
        except BaseException:
            connection.close()
            raise
        return client

    def fileno(self) -> int:
        """Give the descriptor, for select."""
        return self._socket.fileno()

    def subscribe(self, *topics: Topic, lossless: bool = False) -> None:
        """Have publications of these topics, and no others, from now on."""
        self._send(Subscribe(list(topics), lossless))

    def ask(self, asked: Asked, wait_s: float = ANSWER_S) -> Any:
        """Ask for something, and wait for its result. Raises RequestRefusedError, or ClientError for no answer."""
        number = self.request(asked)
        deadline = time.monotonic() + wait_s
        most = self._received + MOST_KEPT_BYTES
        kept: list[Any] = []
        try:
            while True:
                match self._next(deadline):
                    case Done(number=answered, result=result) if answered == number:
                        return result
                    case RequestRefused(number=answered) as refused if answered == number:
                        raise RequestRefusedError(refused.sentence, refused.needs_key, refused.why)
                    case other:
                        kept.append(other)
                if self._received > most:
                    raise ClientError(
                        f"what answers at {self.path} is not a meter's daemon: it sends without answering"
                    )
        finally:
            self._waiting.extendleft(reversed(kept))

    def request(self, asked: Asked) -> int:
        """Send a request without waiting; its answer, of this number, comes among the messages."""
        self._number += 1
        self._send(Request(self._number, asked))
        return self._number

    def messages(self) -> Iterator[Any]:
        """Give all messages that come, up to Ended. Raises ClientError where the daemon goes without it."""
        while True:
            message = self._next(None)
            yield message
            if isinstance(message, Ended):
                return

    def await_message(self, kind: type[M], wait_s: float = PUBLICATION_S) -> M:
        """Wait for a message of a kind, passing over others. Raises MeterGone, also for one that takes too long."""
        deadline = time.monotonic() + wait_s
        while True:
            message = self._next(deadline)
            if isinstance(message, kind):
                return message
            if isinstance(message, Ended):
                raise MeterGone(f"the meter at {self.path} has ended")
            if time.monotonic() > deadline:
                raise MeterGone(f"what answers at {self.path} has sent no {kind.__name__} in {wait_s:g} s")

    def poll(self) -> Any | None:
        """Give the next message that is there; None: none is. Raises ClientError for a daemon that has gone."""
        return self._next(0.0)

    def close(self) -> None:
        """Leave."""
        self._socket.close()

    def __enter__(self) -> MeterClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _send(self, message: Any) -> None:
        try:
            self._socket.settimeout(ANSWER_S)
            self._socket.sendall(frame(message))
        except OSError:
            pass  # why it is gone is in what it said last, which is read next

    def _next(self, deadline: float | None) -> Any:
        """The next message, up to an instant of time.monotonic(): None for ever, 0 what is there."""
        while True:
            if self._waiting:
                return self._waiting.popleft()
            try:
                if (message := self._reader.take()) is not None:
                    if isinstance(message, Closed):
                        raise MeterGone(f"the meter at {self.path} closed the connection: {message.sentence}")
                    return message
            except FrameError as error:
                raise ClientError(f"what answers at {self.path} is not a meter's daemon: {error}") from None
            if deadline == 0.0:
                self._socket.setblocking(False)
            else:
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    raise MeterGone(f"the meter at {self.path} does not answer: rig stop ends it, or kill its process")
                self._socket.settimeout(left)
            try:
                data = self._socket.recv(READ_BYTES)
            except BlockingIOError:
                return None
            except TimeoutError:
                continue
            except OSError:
                data = b""
            if not data:
                raise MeterGone(f"the meter at {self.path} has ended without a message, perhaps killed")
            self._received += len(data)
            self._reader.feed(data)
