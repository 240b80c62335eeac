"""The meter's own light, reflected by a head into its receiver: found out, and left out (X-1).

    state     what comes                                 becomes   and
    clear     the packet that was sent last, once more   echoing   is left out
    clear     anything else                              clear     is taken
    echoing   what was sent, in order                    echoing   is left out
    echoing   anything else                              clear     is taken
    echoing   the base state                             clear

A head that stops reflecting costs one response time-out at most: the acknowledgement that was left out as an echo is
asked for again, and the next one is none.

No client sends that packet: it has an answer, and a client has none. Until it is found out the acknowledgement before
it passes for one of the client's, which ends nothing but the wait for it.
"""

from __future__ import annotations

from rig.communication.c1218.packets import Packet

MOST_EXPECTED = 1 << 14
"""Bytes whose echo is awaited; a head is not further behind than two packets of the longest."""

LEAST_REQUEST = b"\x20"
"""Codes below are those of answers."""


class OwnEcho:
    """Echo of what was sent: whether it comes back, and what of it is still to come."""

    def __init__(self) -> None:
        self.echoing = False
        self._expected = self._packet = b""

    def sent(self, data: bytes, packet: bytes) -> None:
        """Note what goes out; `packet` is the packet in it, b"" if there is none."""
        self._packet = packet or self._packet
        if self.echoing:
            self._expected = (self._expected + data)[-MOST_EXPECTED:]

    def without(self, data: bytes) -> bytes:
        """Give what came without the echo in it."""
        if not self.echoing:
            return data
        size = min(len(data), len(self._expected))
        if data[:size] != self._expected[:size]:
            self.forget()
            return data
        self._expected = self._expected[size:]
        return data[size:]

    def is_own(self, packet: Packet) -> bool:
        """Say whether a packet that came is the meter's own; if so, more of them will come."""
        own = packet.data < LEAST_REQUEST and packet.encoded() == self._packet
        self.echoing = self.echoing or own
        return own

    def forget(self) -> None:
        """Take what comes as the client's, until it is found out again."""
        self.echoing, self._expected = False, b""
