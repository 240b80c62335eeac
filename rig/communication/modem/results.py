"""Results of a Hayes modem, read from whatever it sends in command state: echoes, garbage and floods among them (X-3).

A result is a line of its own. What is longer than MOST_LINE is none, and costs no memory; numeric results are read too,
as a modem that has lost its settings gives them.
"""

from __future__ import annotations

from enum import Enum

MOST_LINE = 64


class Result(Enum):
    """Result by its word."""

    OK = "OK"
    CONNECT = "CONNECT"
    RING = "RING"
    NO_CARRIER = "NO CARRIER"
    ERROR = "ERROR"
    NO_DIALTONE = "NO DIALTONE"
    BUSY = "BUSY"
    NO_ANSWER = "NO ANSWER"


_WORDS = {result.value: result for result in Result} | {"NO DIAL TONE": Result.NO_DIALTONE}
_NUMBERS = {
    "0": Result.OK, "1": Result.CONNECT, "2": Result.RING, "3": Result.NO_CARRIER, "4": Result.ERROR,
    "6": Result.NO_DIALTONE, "7": Result.BUSY, "8": Result.NO_ANSWER,
}  # fmt: skip
"""As the Hayes standard numbers them; 5 and from 9 on it is CONNECT at some speed, by maker."""


class ResultReader:
    """Results of what comes. `feed` gives those that are whole, and what followed a CONNECT, which is data."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._too_long = False

    def feed(self, data: bytes) -> tuple[list[Result], bytes]:
        """Read bytes: results in order, up to a CONNECT, and all that came behind its line."""
        found: list[Result] = []
        for at, byte in enumerate(data):
            if byte not in b"\r\n":
                self._too_long |= len(self._line) >= MOST_LINE
                if not self._too_long:
                    self._line.append(byte)
                continue
            result = None if self._too_long else result_of(bytes(self._line))
            self.clear()
            if result is not None:
                found.append(result)
            if result is Result.CONNECT:
                rest = data[at + 1 :]
                return found, rest[1:] if rest[:1] == b"\n" else rest
        return found, b""

    def clear(self) -> None:
        """Forget a line that has begun."""
        self._line.clear()
        self._too_long = False


def result_of(line: bytes) -> Result | None:
    """Read a line; None: it is no result, but an echo or garbage."""
    try:
        text = line.decode("ascii").strip()
    except UnicodeDecodeError:
        return None
    if text.startswith("CONNECT ") or text == "CONNECT":
        return Result.CONNECT
    return _WORDS.get(text) or _NUMBERS.get(text)
