"""Settings of a link: the time-outs and sizes of C12.18 at an optical port, and of C12.21 at the others (X-1)."""

from __future__ import annotations

from dataclasses import dataclass

from rig.communication.c1218.packets import MOST_SIZE

MS = 1_000_000
SECOND = 1_000_000_000

LEAST_SIZE = 16
"""Bytes of the smallest packet that is agreed to: eight of data."""

BAUDS = {
    0x01: 300, 0x02: 600, 0x03: 1200, 0x04: 2400, 0x05: 4800, 0x06: 9600, 0x07: 14400, 0x08: 19200, 0x09: 28800,
    0x0A: 57600, 0x0B: 38400, 0x0C: 115200, 0x0D: 128000, 0x0E: 256000,
}  # fmt: skip
"""Codes of negotiate, those from 0B on from the edition of 2006."""

BAUD_CODES = {baud: code for code, baud in BAUDS.items()}

DEFAULT_BAUD = 9600


@dataclass(frozen=True, slots=True)
class Timing:
    """Time-outs in ns, and how often a packet is sent again. `turn_around_ns` is the least pause before an answer.

    `later_ns` is the response time-out of a packet that was sent twice or more, None: the same as of the first.
    `quick_ns` is the least response time-out to a peer that is seen to react sooner (patience.py), and has what must
    follow an acknowledgement be asked for again (link.py); None: neither, as the standards have it.
    """

    traffic_ns: int
    inter_character_ns: int
    response_ns: int
    retries: int = 3
    turn_around_ns: int = 175_000
    later_ns: int | None = None
    quick_ns: int | None = None


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """Settings of a port before anything is negotiated, and the most that it agrees to.

    `standard` as identify gives it: 00 C12.18, 02 C12.21, whose further services come with it; `authenticates`: the
    port has a key, so authenticate is there, too. `address` is the
    device's own identity; identity 0, anybody, is answered unless several devices share the line (`shared_line`).
    """

    standard: int
    timing: Timing
    address: int = 0
    shared_line: bool = False
    size: int = 64
    packets: int = 1
    baud: int = DEFAULT_BAUD
    most_size: int = MOST_SIZE
    most_packets: int = 255
    bauds: frozenset[int] = frozenset({1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200})
    version: int = 2
    revision: int = 0
    authenticates: bool = False

    @property
    def remote(self) -> bool:
        """True for C12.21: timing setup, disconnect, and authenticate where the port has a key."""
        return self.standard == C12_21

    def answers(self, identity: int) -> bool:
        """Return whether packets to an identity are this device's."""
        return identity == self.address if self.shared_line else identity in (0, self.address)


C12_18, C12_21 = 0x00, 0x02

OPTICAL = LinkSettings(C12_18, Timing(6 * SECOND, 500 * MS, 2 * SECOND))
"""An optical port as C12.18 has it."""

REMOTE = LinkSettings(C12_21, Timing(30 * SECOND, SECOND, 4 * SECOND))
"""A port for a modem or a line as C12.21 has it."""
