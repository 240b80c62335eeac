"""The asking side of C12.18 and C12.21: one message, and what became of it (X-2). Pure: bytes and time in, bytes out.

    state      event                                      what is known then        becomes
    idle       ask                                                                  asking
    asking     the message is acknowledged                                          awaiting
    asking     a message with a response code             it is the answer          idle
    asking     any other message                          SPOILT                    idle
    asking     never acknowledged, in so many tries       UNHEARD                   idle
    asking     the answer's last instant                  UNHEARD                   idle
    awaiting   a message with a response code             it is the answer          idle
    awaiting   any other message                          SPOILT                    idle
    awaiting   nothing for the traffic time-out           SILENT                    idle
    awaiting   the answer's last instant                  SILENT                    idle
    idle       a message                                  nothing, it is left out   idle

An answer is known once its own acknowledgement has gone out, so that the device may take the next request. Packets,
repetitions and acknowledgements are the link's (rig/communication/c1218/link.py), which both sides share. The address
of a device is in the settings; each session of each device has a `Master` of its own, on whatever line.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from rig.communication.c1218.link import BITS, Link
from rig.communication.c1218.services import Code
from rig.communication.c1218.settings import SECOND, LinkSettings, Timing

TABLE_BYTES = 1 << 17
"""Bytes that come for a table at most: 65535 in the smallest packets, with all their overhead."""

SHORT_BYTES = 1 << 10
"""The same of any other answer."""


class MasterState(Enum):
    """State of a master."""

    IDLE = "idle"
    ASKING = "asking"
    AWAITING = "awaiting"


class Failed(Enum):
    """Reason for which there is no answer."""

    UNHEARD = "what was asked was not acknowledged"
    SILENT = "no answer came"
    SPOILT = "what came is no answer"


@dataclass(frozen=True)
class Answered:
    """An answer: its response code, and the data after it."""

    code: Code
    data: bytes


Outcome = Answered | Failed


class Master:
    """The asking side of one session. `next_ns` is when `tick` or `output` is next needed; `baud` the line's speed.

    `outcome` is of the message that was asked last, None until there is one.
    """

    def __init__(self, settings: LinkSettings) -> None:
        self._link = Link(settings)
        self.settings = settings
        self.state = MasterState.IDLE
        self._outcome: Outcome | None = None
        self._last_ns = 0
        """The answer's last instant."""
        self._byte_ns = 0
        """When the last byte of a packet came."""

    def set_timing(self, timing: Timing) -> None:
        """Have other time-outs in force, such as those of C12.21 once the meter has said that it speaks it."""
        self._link.timing = timing

    def agree(self, size: int, packets: int, baud: int | None) -> None:
        """Have what was negotiated in force from the next packet on."""
        self._link.size, self._link.packets = size, packets
        if baud is not None:
            self._link.baud = baud

    @property
    def baud(self) -> int:
        """Bits a second that are in force."""
        return self._link.baud

    @property
    def most(self) -> int:
        """Bytes of the longest message that can be asked, or answered."""
        return self._link.most

    @property
    def outcome(self) -> Outcome | None:
        """Outcome of the message, once nothing more is to go out for it."""
        return None if self._link.speaks else self._outcome

    @property
    def next_ns(self) -> int | None:
        """Instant of the next thing to do, if no bytes come before."""
        instants = [] if self._link.next_ns is None else [self._link.next_ns]
        if self.state is not MasterState.IDLE:
            instants.append(self._last_ns)
        if self.state is MasterState.AWAITING:
            instants.append(self._silent_ns)
        return min(instants, default=None)

    def ask(self, message: bytes, now_ns: int, answer_bytes: int = SHORT_BYTES) -> None:
        """Send a message of up to `most` bytes; so many come back at most, which bounds the time that it takes."""
        assert self.state is MasterState.IDLE, "one message at a time"
        self._link.received.clear()
        self._link.acknowledged = self._link.failed = False
        self._outcome = None
        self._link.send(message, now_ns)
        self._link.expects = True
        self.state = MasterState.ASKING
        whole_ns = (len(message) + answer_bytes) * BITS * SECOND // self.baud
        self._last_ns = now_ns + whole_ns + 10 * self._link.timing.traffic_ns

    def feed(self, data: bytes, now_ns: int) -> None:
        """Take bytes that came."""
        self._link.feed(data, now_ns)
        if self._link.receiving:
            self._byte_ns = now_ns
        self._attend(now_ns)

    def tick(self, now_ns: int) -> None:
        """Let time-outs happen that are due."""
        self._link.tick(now_ns)
        self._attend(now_ns)

    def output(self, now_ns: int) -> bytes:
        """Take what is to go out now."""
        return self._link.output(now_ns)

    @property
    def _silent_ns(self) -> int:
        return max(self._link.heard_ns, self._byte_ns) + self._link.timing.traffic_ns

    def _attend(self, now_ns: int) -> None:
        link = self._link
        if self.state is MasterState.ASKING and link.acknowledged:
            self.state = MasterState.AWAITING
            link.heard_ns = now_ns  # from here on the device may take its time
        link.acknowledged = False
        if self.state is not MasterState.IDLE and link.received:
            self._end(_answer(link.received.popleft()))
        link.received.clear()
        if self.state is MasterState.ASKING and (link.failed or now_ns >= self._last_ns):
            self._end(Failed.UNHEARD)
        link.failed = False
        if self.state is MasterState.AWAITING and now_ns >= min(self._silent_ns, self._last_ns):
            self._end(Failed.SILENT)

    def _end(self, outcome: Outcome) -> None:
        self.state, self._outcome = MasterState.IDLE, outcome
        self._link.expects = False


def _answer(message: bytes | None) -> Outcome:
    """Read a message as an answer."""
    if not message or message[0] not in set(Code):
        return Failed.SPOILT
    return Answered(Code(message[0]), message[1:])
