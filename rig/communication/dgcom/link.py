"""Link of DGCOM: a command wakes the meter, is checked by a sum, and is answered in packets (X-1).

The host wakes the meter before each command by two bytes, each of which the meter echoes; then come nine bytes, an
opcode and eight parameters, and their 16-bit sum, least significant byte first. The answer is a status byte, and for a
read packets of a length byte, data and sum; the host says after each packet whether it wants the next, or it again.

    state    byte                       sends               next
    asleep   55                         55                  woken
    asleep   any other                  -                   asleep
    woken    AA                         AA                  command
    woken    55                         55                  woken
    woken    55, once too often         -                   asleep
    woken    any other                  -                   asleep
    command  of 11 the last, sum holds  -                   asked
    command  of 11 the last, or not     99                  command
    asked    any                        -                   asked
    sent     66, a packet is left       the next packet     sent
    sent     66, none is left           -                   asleep
    sent     99                         the packet again    sent
    sent     any other                  -                   asleep

In `asked` the command waits for its answer: CC, refused, or 33, accepted, with the first packet if there is one; of an
unlock DD. Then the link is in `sent` where there are packets, else asleep. From every other state it falls asleep when
nothing has come for WAKE_S, and after MOST_AGAIN repetitions of one packet, or of 55: a head that reflects the meter's
own light would have it wake itself for ever.

Bytes and time in, bytes out. The bytes are as a public driver has them, EnergyICT's for the S4. Ours are the length of
the time-out, and that every packet of a long block has PACKET_BYTES.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

WAKE, READY = 0x55, 0xAA
ACCEPTED, NEXT, AGAIN, REFUSED, UNLOCKED = 0x33, 0x66, 0x99, 0xCC, 0xDD

COMMAND_BYTES = 9
SUM_BYTES = 2
PACKET_BYTES = 128
MOST_AGAIN = 5
WAKE_S = 2.0


class DgcomLinkState(Enum):
    """State of a link."""

    ASLEEP = "asleep"
    WOKEN = "woken"
    COMMAND = "command"
    ASKED = "asked"
    SENT = "sent"


@dataclass(frozen=True)
class Command:
    """A command: its opcode, and eight parameters."""

    opcode: int
    parameters: bytes


def checksum(data: bytes) -> bytes:
    """Give the sum of bytes, 16 bits, least significant byte first."""
    return (sum(data) & 0xFFFF).to_bytes(SUM_BYTES, "little")


def packet(data: bytes) -> bytes:
    """Give a packet: the length, the data, their sum. Raises ValueError for more than a length byte counts."""
    body = bytes((len(data),)) + data
    return body + checksum(body)


def packets(data: bytes) -> list[bytes]:
    """Give the packets of a block: one, or of a long block several."""
    size = PACKET_BYTES if len(data) > 0xFF else max(len(data), 1)
    return [packet(data[at : at + size]) for at in range(0, len(data), size)]


class DgcomLink:
    """The meter's end of a line."""

    def __init__(self) -> None:
        self.state = DgcomLinkState.ASLEEP
        self._received = bytearray()
        self._packets: list[bytes] = []
        self._again = 0
        self._heard_s = 0.0

    def feed(self, data: bytes, now_s: float) -> tuple[bytes, Command | None]:
        """Take bytes as they come: what to send, and a command that waits for its answer. What came after it is lost,
        as a host that waits sends nothing."""
        if now_s - self._heard_s > WAKE_S and self.state is not DgcomLinkState.ASKED:
            self._sleep()
        if data:
            self._heard_s = now_s
        sent = b""
        for byte in data:
            reply, command = self._take(byte)
            sent += reply
            if command is not None:
                return sent, command
        return sent, None

    def answer(self, status: int, blocks: Sequence[bytes] = ()) -> bytes:
        """Answer the command that waits: a status, and the packets of a read. What to send now."""
        if self.state is not DgcomLinkState.ASKED:
            return b""
        self._packets, self._again = list(blocks), 0
        self.state = DgcomLinkState.SENT if blocks else DgcomLinkState.ASLEEP
        return bytes((status,)) + (blocks[0] if blocks else b"")

    def _take(self, byte: int) -> tuple[bytes, Command | None]:
        match self.state:
            case DgcomLinkState.ASLEEP if byte == WAKE:
                self.state, self._again = DgcomLinkState.WOKEN, 0
                return bytes((WAKE,)), None
            case DgcomLinkState.WOKEN if byte == WAKE and self._again < MOST_AGAIN:
                self._again += 1
                return bytes((WAKE,)), None
            case DgcomLinkState.WOKEN if byte == READY:
                self._received.clear()
                self.state = DgcomLinkState.COMMAND
                return bytes((READY,)), None
            case DgcomLinkState.WOKEN:
                self._sleep()
            case DgcomLinkState.COMMAND:
                return self._command(byte)
            case DgcomLinkState.SENT:
                return self._follow(byte), None
        return b"", None

    def _command(self, byte: int) -> tuple[bytes, Command | None]:
        self._received.append(byte)
        if len(self._received) < COMMAND_BYTES + SUM_BYTES:
            return b"", None
        body, check = bytes(self._received[:COMMAND_BYTES]), bytes(self._received[COMMAND_BYTES:])
        self._received.clear()
        if check != checksum(body):
            return bytes((AGAIN,)), None
        self.state = DgcomLinkState.ASKED
        return b"", Command(body[0], body[1:])

    def _follow(self, byte: int) -> bytes:
        if byte == AGAIN and self._again < MOST_AGAIN:
            self._again += 1
            return self._packets[0]
        if byte == NEXT and len(self._packets) > 1:
            del self._packets[0]
            self._again = 0
            return self._packets[0]
        self._sleep()
        return b""

    def _sleep(self) -> None:
        self.state = DgcomLinkState.ASLEEP
        self._received.clear()
        self._packets.clear()
