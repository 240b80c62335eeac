"""Messages between a simulated board in a process of its own and whoever meters on it, over its socket.

The socket is a Unix one of kind SEQPACKET. A connection begins with Join, and is one of three kinds:

    spi     raw SPI frames, each answered by as many bytes: what spidev does
    pins    the messages below, as msgpack: what the kernel does of a GPIO chip, and of a monotonic clock
    edges   Watch alone: pins beside the meter's that outputs are wired to, their edges stamped and numbered

Any number of processes may have a connection `spi` or `edges`, one at a time `pins`. Instants are ns of the board's
time.
"""

from __future__ import annotations

import msgspec

MOST_BYTES = 1 << 16
"""Of a message."""

MOST_EDGES = 1024
"""Edges in one message."""


class Join(msgspec.Struct, frozen=True, tag="join"):
    """The first message of a connection of one kind, "spi", "pins" or "edges"; answered by Welcome or BoardRefused."""

    kind: str
    process: int


class Welcome(msgspec.Struct, frozen=True, tag="welcome"):
    """`epoch` names this run of the board, from its reset on. Its time is CLOCK_MONOTONIC less `begun_ns`; `utc_ns` was
    the time of day at its reset. `about` is what the board's maker says of it, for who meters."""

    epoch: str
    begun_ns: int
    utc_ns: int
    about: bytes


class BoardRefused(msgspec.Struct, frozen=True, tag="refused"):
    """The connection is not to be had: one sentence."""

    sentence: str


class ClaimInput(msgspec.Struct, frozen=True, tag="input"):
    """Have the edges of a GPIO, pulled up: those later than the edge of number `after`, None for those from now on.
    Answered by Claimed."""

    pin: int
    after: int | None = None


class Watch(msgspec.Struct, frozen=True, tag="watch"):
    """Have the edges from now on of a GPIO that an output's contact is wired to, which pulls it low while closed.
    Answered by Claimed, or BoardRefused where nothing is wired to it. Numbers begin with 1 for each that watches."""

    pin: int


class ClaimOutput(msgspec.Struct, frozen=True, tag="output"):
    """Have a GPIO as an output, at the level that it has. Answered by Claimed."""

    pin: int


class Claimed(msgspec.Struct, frozen=True, tag="claimed"):
    """The level of a GPIO after its edge of this number; edges are counted from 1, from the board's reset on."""

    pin: int
    high: bool
    number: int


class Drive(msgspec.Struct, frozen=True, tag="drive"):
    """Set the level of an output."""

    pin: int
    high: bool


class Release(msgspec.Struct, frozen=True, tag="release"):
    """Let a GPIO go: it is an input without a pull, and its edges are no longer wanted."""

    pin: int


class Move(msgspec.Struct, frozen=True, tag="move"):
    """A hand closes or opens a contact at an instant, past ones now; `bouncing`, as such a contact does."""

    switch: str
    at_ns: int
    closed: bool
    bouncing: bool


class ReadCounts(msgspec.Struct, frozen=True, tag="read counts"):
    """Ask for Counts."""


class Counts(msgspec.Struct, frozen=True, tag="counts"):
    """Edges that each GPIO has made since the board's reset, up to an instant."""

    at_ns: int
    edges: dict[int, int]


class Edges(msgspec.Struct, frozen=True, tag="edges"):
    """Edges of inputs in order of time: GPIO, number, instant, level from then on."""

    edges: list[tuple[int, int, int, bool]]


class Late(msgspec.Struct, frozen=True, tag="late"):
    """The board could not keep real time: from now on its time is CLOCK_MONOTONIC less `begun_ns`."""

    begun_ns: int


FromClient = Join | Watch | ClaimInput | ClaimOutput | Drive | Release | Move | ReadCounts
FromBoard = Welcome | BoardRefused | Claimed | Counts | Edges | Late
