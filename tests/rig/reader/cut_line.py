"""A line in virtual time to a port in this process, that is cut after so many bytes, and whole when opened anew."""

from __future__ import annotations

from collections.abc import Callable

from psem_client import S, VirtualLine

from rig.reader.line import MeterLineError


class CutLine:
    """The line of a virtual port; `left` bytes go over it, in both directions, before it is lost; None: any number.

    `passed` counts them; `on_cut` is called when it is lost.
    """

    simulated = True

    def __init__(self, line: VirtualLine, left: int | None = None) -> None:
        self.line, self.left, self.passed = line, left, 0
        self.on_cut: Callable[[], None] = lambda: None

    def open(self, device: str, baud: int) -> CutLine:
        return self

    def close(self) -> None:
        """What is still on its way to us is lost."""
        self.clear()

    def now_ns(self) -> int:
        return self.line.now_ns

    def write(self, data: bytes) -> None:
        data, whole = self._pass(data)
        if data:
            self.line.write(data)
        if not whole:
            self._cut()

    def read(self, until_ns: int) -> bytes:
        data = self.line.read(1, max(0, until_ns - self.line.now_ns) / S)
        data, whole = self._pass(data)
        if not whole:
            self._cut()
        return data

    def set_baud(self, baud: int) -> None:
        pass

    def clear(self) -> None:
        self.line._coming.clear()

    def pause(self, seconds: float) -> None:
        self.line.wait(seconds)
        self.clear()

    def _pass(self, data: bytes) -> tuple[bytes, bool]:
        if self.left is None:
            self.passed += len(data)
            return data, True
        passing = data[: self.left]
        self.left -= len(passing)
        self.passed += len(passing)
        return passing, len(passing) == len(data)

    def _cut(self) -> None:
        self.left = None
        self.on_cut()
        raise MeterLineError("the line is lost")
