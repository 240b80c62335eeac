"""Heads and two-wire adapters that give back what is sent through them: their echo is found out, and left out (X-2).

    state      bytes that come after the first write     gives           then
    unknown    the first bytes of it                     nothing         unknown
    unknown    all of it                                 what is behind  echoing
    unknown    anything else                             them            clear
    echoing    as many as were written                   nothing         echoing
    echoing    more                                      what is behind  echoing
    clear      any                                       them            clear

The first write is identify, which no meter sends. DGCOM's wake-up, which a meter itself gives back, comes after it.
"""

from __future__ import annotations

from enum import Enum

from rig.reader.line import OpenLine

IDENTIFY = 0x20
_DATA_AT = 6


class EchoState(Enum):
    """State of what is known of a line."""

    UNKNOWN = "unknown"
    ECHOING = "echoing"
    CLEAR = "clear"


class WithoutEcho:
    """A line without the echo of another."""

    def __init__(self, line: OpenLine) -> None:
        self._line = line
        self.state = EchoState.UNKNOWN
        self._written = b""
        """Bytes of the last write whose echo has not come."""
        self._held = b""
        """Bytes that came and may be the beginning of an echo."""

    @property
    def simulated(self) -> bool:
        """True if there is no meter behind it."""
        return self._line.simulated

    def now_ns(self) -> int:
        """Give the time."""
        return self._line.now_ns()

    def write(self, data: bytes) -> None:
        """Write all of it."""
        if self.state is EchoState.UNKNOWN and not _is_identify(data):
            self.state = EchoState.CLEAR  # nothing that was sent so far tells an echo from a meter
        self._written, self._held = data, b""
        self._line.write(data)

    def read(self, until_ns: int) -> bytes:
        """Give what comes from the other side."""
        data = self._line.read(until_ns)
        match self.state:
            case EchoState.UNKNOWN if data:
                return self._find_out(data)
            case EchoState.ECHOING:
                echo = min(len(self._written), len(data))
                self._written = self._written[echo:]
                return data[echo:]
        return data

    def set_baud(self, baud: int) -> None:
        """Change the speed."""
        self._line.set_baud(baud)

    def clear(self) -> None:
        """Forget what has come."""
        self._held = b""
        self._line.clear()

    def close(self) -> None:
        """Let it go."""
        self._line.close()

    def _find_out(self, data: bytes) -> bytes:
        came = self._held + data
        if came.startswith(self._written):
            self.state = EchoState.ECHOING
            behind = came[len(self._written) :]
            self._written = self._held = b""
            return behind
        if self._written.startswith(came):
            self._held = came
            return b""
        self.state, self._held = EchoState.CLEAR, b""
        return came


def _is_identify(data: bytes) -> bool:
    return data[_DATA_AT : _DATA_AT + 1] == bytes((IDENTIFY,))
