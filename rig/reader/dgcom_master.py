"""The host's side of DGCOM: one command, and what became of it (X-2). Pure: bytes and time in, bytes out.

    state      byte or time                      sends              what is known then    next
    idle       ask                               55                                       waking
    waking     55                                AA                                       readying
    readying   AA                                the command                              asked
    asked      33, no data is expected                              accepted              idle
    asked      33, data is expected                                                       packet
    asked      DD                                                   unlocked              idle
    asked      CC                                                   refused               idle
    asked      99                                the command                              asked
    packet     of a packet the last, sum holds,  66                                       packet
               more is expected
    packet     of a packet the last, sum holds   33                 the data              idle
    packet     of a packet the last, or not      99                                       packet
    waking     any other byte                    -                                        waking
    readying   any other byte                    -                                        readying
    asked      any other byte                    -                                        asked
    any        nothing for STEP_S, tries left    55                                       waking
    any        nothing for STEP_S, none left                        SILENT                idle
    any        99 so often, packets so bad                          SPOILT                idle

The outcome is known once the last byte has gone out: a meter that still awaits it hears no wake-up. How many packets a
block has, the host must know: only a load profile is longer than a packet (docs/dgcom.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from rig.communication.dgcom.link import (
    ACCEPTED,
    AGAIN,
    NEXT,
    PACKET_BYTES,
    READY,
    REFUSED,
    SUM_BYTES,
    UNLOCKED,
    WAKE,
    checksum,
)
from rig.reader.master import Failed

STEP_NS = 2_000_000_000
"""A public driver's time-out of each step (docs/dgcom.md)."""

TRIES = 5
MOST_SPOILT = 5
PARAMETERS = 8


class HostState(Enum):
    """State of a host."""

    IDLE = "idle"
    WAKING = "waking"
    READYING = "readying"
    ASKED = "asked"
    PACKET = "packet"


class Verdict(Enum):
    """Verdict on a command."""

    ACCEPTED = "accepted"
    UNLOCKED = "unlocked"
    REFUSED = "refused"


@dataclass(frozen=True)
class Replied:
    """A reply: the verdict, and of a read the data."""

    verdict: Verdict
    data: bytes = b""


class DgcomMaster:
    """The host of one line. `next_ns` is when `tick` is next needed; `outcome` is of the last command."""

    baud = 9600

    def __init__(self) -> None:
        self.state = HostState.IDLE
        self._outcome: Replied | Failed | None = None
        self._out = b""
        self._command = b""
        self._packets = self._left = 0
        self._got = bytearray()
        self._data = bytearray()
        self._tries = self._spoilt = 0
        self._step_ns = 0

    @property
    def outcome(self) -> Replied | Failed | None:
        """Outcome of the command, once nothing more is to go out for it."""
        return None if self._out else self._outcome

    @property
    def next_ns(self) -> int | None:
        """Instant of the next thing to do, if no bytes come before."""
        if self._out:
            return 0
        return None if self.state is HostState.IDLE else self._step_ns + STEP_NS

    def ask(self, opcode: int, parameters: bytes, packets: int, now_ns: int) -> None:
        """Send a command; `packets` of data are expected, 0 for one that only does something."""
        body = bytes((opcode,)) + parameters.ljust(PARAMETERS, b"\0")
        self._command = body + checksum(body)
        self._packets = packets
        self._tries, self._spoilt, self._outcome = TRIES, 0, None
        self._wake(now_ns)

    def output(self, now_ns: int) -> bytes:
        """Take what is to go out now."""
        data, self._out = self._out, b""
        return data

    def tick(self, now_ns: int) -> None:
        """Let time-outs happen that are due."""
        if self.state is HostState.IDLE or now_ns < self._step_ns + STEP_NS:
            return
        if self._tries:
            self._wake(now_ns)
        else:
            self._end(Failed.SILENT)

    def feed(self, data: bytes, now_ns: int) -> None:
        """Take bytes that came."""
        self.tick(now_ns)
        for byte in data:
            self._take(byte, now_ns)

    def _wake(self, now_ns: int) -> None:
        self._tries -= 1
        self._left = self._packets
        self._got.clear()
        self._data.clear()
        self._go(HostState.WAKING, bytes((WAKE,)), now_ns)

    def _go(self, state: HostState, out: bytes, now_ns: int) -> None:
        self.state, self._out, self._step_ns = state, out, now_ns

    def _end(self, outcome: Replied | Failed, out: bytes = b"") -> None:
        self.state, self._outcome, self._out = HostState.IDLE, outcome, out

    def _take(self, byte: int, now_ns: int) -> None:
        match self.state:
            case HostState.WAKING if byte == WAKE:
                self._go(HostState.READYING, bytes((READY,)), now_ns)
            case HostState.READYING if byte == READY:
                self._go(HostState.ASKED, self._command, now_ns)
            case HostState.ASKED:
                self._status(byte, now_ns)
            case HostState.PACKET:
                self._got.append(byte)
                self._step_ns = now_ns
                if len(self._got) == 1 + self._got[0] + SUM_BYTES:
                    self._packet(now_ns)

    def _status(self, byte: int, now_ns: int) -> None:
        match byte:
            case value if value == ACCEPTED and not self._packets:
                self._end(Replied(Verdict.ACCEPTED))
            case value if value == ACCEPTED:
                self._go(HostState.PACKET, b"", now_ns)
            case value if value == UNLOCKED:
                self._end(Replied(Verdict.UNLOCKED))
            case value if value == REFUSED:
                self._end(Replied(Verdict.REFUSED))
            case value if value == AGAIN:
                self._repeat(HostState.ASKED, self._command, now_ns)

    def _packet(self, now_ns: int) -> None:
        """Take a whole packet; one shorter than PACKET_BYTES is the last."""
        body, check = bytes(self._got[:-SUM_BYTES]), bytes(self._got[-SUM_BYTES:])
        self._got.clear()
        if check != checksum(body):
            self._repeat(HostState.PACKET, bytes((AGAIN,)), now_ns)
            return
        self._data += body[1:]
        self._left -= 1
        if self._left and len(body) > PACKET_BYTES:
            self._go(HostState.PACKET, bytes((NEXT,)), now_ns)
        else:
            self._end(Replied(Verdict.ACCEPTED, bytes(self._data)), bytes((ACCEPTED,)))

    def _repeat(self, state: HostState, out: bytes, now_ns: int) -> None:
        self._spoilt += 1
        if self._spoilt > MOST_SPOILT:
            self._end(Failed.SPOILT)
        else:
            self._go(state, out, now_ns)
