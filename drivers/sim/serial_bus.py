"""A simulated four-wire RS-485 line: bytes take their time, two drivers at once garble each other, and noise damages.

Node 0 is the master. It drives one pair, which all others hear; they share the other pair, which the master hears. What
is heard comes to a node as a UART's queue gives it: up to QUEUE bytes at a time. Where bytes of two nodes overlap on a
pair, both are heard as what the wires make of them: a 0 wins. A receiver at another speed hears noise. Time is given.
"""

from __future__ import annotations

import random
from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass, field

MASTER = 0
MOST_NODES = 33
"""32 unit loads (TIA-485), and the master."""

BITS = 10
"""Bits of a byte on the wire: start, eight, stop."""

QUEUE = 16
"""Bytes that a 16550 takes before it wakes its driver; a pause does so, too."""

SECOND = 1_000_000_000


class Noise:
    """Noise of a line: in `share` of the bursts a bit is changed, or, in a quarter of those, a byte is lost or added.

    `bursts` and `damaged` count them; which, and where, is by the seed.
    """

    def __init__(self, share: float, seed: int) -> None:
        self.share = share
        self.bursts = self.damaged = 0
        self._random = random.Random(seed)

    def on(self, data: bytes) -> bytes:
        """Give a burst as it is heard."""
        self.bursts += 1
        chance = self._random
        if not data or chance.random() >= self.share:
            return data
        self.damaged += 1
        at = chance.randrange(len(data))
        match chance.randrange(8):
            case 0:
                return data[:at] + data[at + 1 :]
            case 1:
                return data[:at] + bytes((chance.randrange(256),)) + data[at:]
        return data[:at] + bytes((data[at] ^ 1 << chance.randrange(8),)) + data[at + 1 :]


@dataclass(order=True)
class _Byte:
    """A byte on a pair of wires."""

    end_ns: int
    begin_ns: int
    node: int
    given_ns: int
    value: int = field(compare=False)
    baud: int = field(compare=False)


class FourWireBus:
    """The line of a master and `nodes` others, 1 to 32. `next_ns` is when something will be heard next."""

    def __init__(self, nodes: int, noise: Noise | None = None) -> None:
        if not 1 <= nodes < MOST_NODES:
            raise ValueError(f"{nodes} nodes beside the master: an RS-485 line has 1 to {MOST_NODES - 1}")
        self.bauds = [9600] * (nodes + 1)
        """Speed of each node's receiver and driver."""
        self.collisions = 0
        """Bytes garbled by another driver."""
        self._noise = noise
        self._down: list[_Byte] = []
        self._up: list[_Byte] = []
        self._busy_ns = [0] * (nodes + 1)

    @property
    def next_ns(self) -> int | None:
        """Instant at which something will have been heard; None: the line is idle."""
        return min((pair[0].given_ns for pair in (self._down, self._up) if pair), default=None)

    def transmit(self, node: int, data: bytes, now_ns: int) -> int:
        """Drive a burst, after what this node still sends; the instant at which its last byte has gone."""
        pair, baud = self._up if node else self._down, self.bauds[node]
        begin_ns = max(now_ns, self._busy_ns[node])
        heard = data if self._noise is None else self._noise.on(data)
        others = [byte for byte in pair if byte.node != node]
        for number, value in enumerate(heard):
            byte = _Byte(
                begin_ns + (number + 1) * BITS * SECOND // baud, begin_ns + number * BITS * SECOND // baud,
                node, begin_ns + min(len(heard), number // QUEUE * QUEUE + QUEUE) * BITS * SECOND // baud, value, baud,
            )  # fmt: skip
            for other in others:
                if other.begin_ns < byte.end_ns and byte.begin_ns < other.end_ns:
                    self.collisions += 1
                    other.value = byte.value = other.value & byte.value
            insort(pair, byte)
        self._busy_ns[node] = begin_ns + len(data) * BITS * SECOND // baud
        return self._busy_ns[node]

    def heard(self, now_ns: int) -> list[tuple[Sequence[int], bytes, int]]:
        """Take what has been heard by now: which nodes, what, and at which speed it was sent."""
        found: list[tuple[Sequence[int], bytes, int]] = []
        for pair, listeners in ((self._down, range(1, len(self.bauds))), (self._up, range(1))):
            while pair and pair[0].given_ns <= now_ns:
                baud, burst = pair[0].baud, bytearray()
                while pair and pair[0].given_ns <= now_ns and pair[0].baud == baud:
                    burst.append(pair.pop(0).value)
                found.append((listeners, bytes(burst), baud))
        return found

    def as_heard_by(self, node: int, data: bytes, baud: int) -> bytes:
        """Give bytes as a node's receiver has them: at another speed they are noise."""
        return data if baud == self.bauds[node] else bytes(value * 7 + 0x35 & 0xFF for value in data)
