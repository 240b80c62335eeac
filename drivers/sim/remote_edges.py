"""Edges at GPIO pins of a simulated board in its own process, as a counter on the same computer sees them.

A gpiochip of the kernel's has the same face: lines that are claimed beside those of the meter, pulled up, each edge
stamped with CLOCK_MONOTONIC and numbered from the claim on. Nothing of the simulation is loaded here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from drivers.errors import DriverError
from drivers.pulse_inputs import InputEdge
from drivers.sim.board_messages import Claimed, Edges, FromBoard, Late, Watch
from drivers.sim.remote_board import BoardConnection, BoardGone, connected


class EdgesRefused(DriverError):
    """Pins whose edges are not to be had: one sentence."""


class RemoteLine:
    """One GPIO of those that are watched, as an EdgeSource. `initial` is whether it was found closed."""

    def __init__(self, chip: RemoteEdges, number: int, initial: bool) -> None:
        self.initial = self.level = initial
        self.waiting: deque[InputEdge] = deque()
        self._chip, self._number = chip, number

    def drain(self) -> list[InputEdge]:
        """Give the edges that have come. Raises BoardGone."""
        self._chip.collect()
        edges = list(self.waiting)
        self.waiting.clear()
        return edges

    def read(self) -> bool:
        """Return whether it is closed, as the last edge left it."""
        self._chip.collect()
        return self.level

    def close(self) -> None:
        """Let it go; the last one closes the connection."""
        self._chip.release(self._number)


class RemoteEdges:
    """GPIO pins of the board at `path` that outputs are wired to. Raises BoardGone, and EdgesRefused for a pin that is
    wired to nothing."""

    def __init__(self, path: str, pins: Sequence[int]) -> None:
        self._connection = BoardConnection(connected(path), "edges")
        self._begun_ns = self._connection.welcome.begun_ns
        self._connection.on_message = self._take
        self.lines: dict[int, RemoteLine] = {}
        try:
            for pin in pins:
                self._connection.send(Watch(pin))
                claimed = self._connection.answer(Claimed)
                self.lines[pin] = RemoteLine(self, pin, not claimed.high)
        except BoardGone as error:
            self._connection.close()
            raise EdgesRefused(str(error)) from None
        self._open = set(self.lines)

    def collect(self) -> None:
        """Take in what has come. Raises BoardGone."""
        self._connection.poll()

    def release(self, pin: int) -> None:
        """Close the connection with the last of its lines."""
        self._open.discard(pin)
        if not self._open:
            self._connection.close()

    def _take(self, message: FromBoard) -> None:
        match message:
            case Edges(edges):
                for pin, number, at_ns, high in edges:
                    line = self.lines[pin]
                    line.level = not high
                    line.waiting.append(InputEdge(self._begun_ns + at_ns, not high, number))
            case Late(begun_ns):
                self._begun_ns = begun_ns
