"""A DGCOM host, written from ../shared/facts/meter-domain.md §1.5 to 1.7 with nothing of the meter's side."""

from __future__ import annotations

from collections.abc import Callable


class Refused(Exception):
    """CC came."""


def total(data: bytes) -> bytes:
    low = sum(data) % 65536
    return bytes((low % 256, low // 256))


def digits(data: bytes) -> int:
    """BCD, the least significant byte first."""
    value = 0
    for byte in reversed(data):
        assert byte >> 4 < 10
        assert byte & 15 < 10
        value = 100 * value + 10 * (byte >> 4) + (byte & 15)
    return value


class Host:
    """Commands over a line: `exchange` sends bytes and gives what comes back. `spoilt` packets are asked for again."""

    def __init__(self, exchange: Callable[[bytes], bytes], spoilt: int = 0) -> None:
        self._exchange, self.spoilt = exchange, spoilt

    def command(self, opcode: int, parameters: bytes = b"") -> bytes:
        """The data of all packets; DD is the data of an unlock."""
        assert self._exchange(b"\x55") == b"\x55"
        assert self._exchange(b"\xaa") == b"\xaa"
        body = bytes((opcode,)) + parameters.ljust(8, b"\0")
        answer = self._exchange(body + total(body))
        if answer[:1] == b"\xcc":
            assert answer == b"\xcc"
            raise Refused
        if answer[:1] == b"\xdd":
            return answer
        assert answer[0] == 0x33, answer
        found, packet = b"", answer[1:]
        while packet:
            if self.spoilt:
                self.spoilt -= 1
                assert self._exchange(b"\x99") == packet
            size = packet[0]
            assert (len(packet), packet[-2:]) == (size + 3, total(packet[:-2]))
            found += packet[1 : 1 + size]
            packet = self._exchange(b"\x66")
        return found
