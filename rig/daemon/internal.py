"""Messages between the metering process and its server process (rig/daemon/channel.py).

Frames for clients are made by the metering process, once for all of them; the server only passes them on.
"""

from __future__ import annotations

import msgspec

from rig.daemon.protocol import Asked, Topic

# --- to the server ----------------------------------------------------------------------------------------------


class Serve(msgspec.Struct, frozen=True, tag="serve"):
    """The first message: the frame that answers a Hello up to the client's number, who else may connect, the folder of
    the meter's store, and the number of the first client: no server of a meter gives one that another has given."""

    process: int
    paced: bool
    provenance: bytes
    group: int | None
    store: str | None = None
    first: int = 1


class WelcomeWith(msgspec.Struct, frozen=True, tag="welcome with"):
    """Provenance that a Welcome has from now on: the meter has another program."""

    provenance: bytes


class Publish(msgspec.Struct, frozen=True, tag="publish"):
    """A frame for all who subscribed to a topic."""

    topic: Topic
    frame: bytes


class Answer(msgspec.Struct, frozen=True, tag="answer"):
    """A frame for one client: the answer to its request."""

    client: int
    frame: bytes


class Fetch(msgspec.Struct, frozen=True, tag="fetch"):
    """A client may have what it asked for of the history: the server reads it, and answers."""

    client: int
    number: int
    asked: Asked


class Farewell(msgspec.Struct, frozen=True, tag="farewell"):
    """The last frame, for all."""

    frame: bytes


ToServer = Serve | WelcomeWith | Publish | Answer | Fetch | Farewell

# --- to the metering process ------------------------------------------------------------------------------------


class Interest(msgspec.Struct, frozen=True, tag="interest"):
    """The topics that anyone has subscribed to."""

    topics: list[Topic]


class Ask(msgspec.Struct, frozen=True, tag="ask"):
    """A request of a client: who, as the kernel and its Hello say, and what."""

    client: int
    uid: int
    source: str
    name: str
    number: int
    asked: Asked


class Gone(msgspec.Struct, frozen=True, tag="gone"):
    """A client has left, and its level with it."""

    client: int


ToMetering = Interest | Ask | Gone
