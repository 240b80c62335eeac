"""The two form-A pulse inputs: another meter's contact, counted exactly, and what was lost told (P-5, T-2).

On hardware the edges come through gpiod, because its events carry the kernel's number of each edge of a line: when the
kernel's buffer overflows, the gap in the numbers says how many edges are gone. Everything that counts is pure; where
edges come from is an EdgeSource.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from gpiozero.pins import Factory

from drivers.debounce import BURST_NS, Debouncer, Settled, Verdict
from drivers.pins import GpioError, Pin
from drivers.switches import GOING_ON_NS, SwitchInput

STEADY_NS = 3_000_000
"""Reed contacts bounce 1 ms; the shortest pulse of an S0 output is 30 ms."""

GRACE_NS = 1_000_000
"""The kernel may have stamped an edge and not told it for so long."""

BUFFER_EDGES = 1024
"""What the kernel is asked to keep of a line, its most: bounce and all, seconds at any rate a contact can have."""

_SEQUENCE = 1 << 32


@dataclass(frozen=True, slots=True)
class InputEdge:
    """The contact is `closed` from `time_ns` on. `line_seqno` counts the line's edges from 1; None: nobody counts."""

    time_ns: int
    closed: bool
    line_seqno: int | None = None


class EdgeSource(Protocol):
    """The edges of one contact, in order. `initial` is whether it was found closed."""

    initial: bool

    def drain(self) -> list[InputEdge]: ...

    def read(self) -> bool:
        """Return whether it is closed now."""
        ...

    def close(self) -> None: ...


class PulseCounter:
    """Counts closures from edges. Pure: time is passed in, in ns.

    A closure counts once it has stood for `steady_ns`, stamped with the first edge of its bounce. `lost_edges` is how
    many the kernel could not keep. What they were is known by its number and the levels around them, no more:

        steady_ns = 0, levels fit the number    every edge is a real one: their closures are added to `closures`
        else                                    what the levels prove counts; further closures they may have been are
                                                `in_doubt`

    So the contact has closed at least `closures` times, and at most `closures` + `in_doubt` times.
    """

    def __init__(self, closed: bool, at_ns: int, steady_ns: int = STEADY_NS, *, verdict: Verdict | None = None) -> None:
        self.closures = 0
        self.lost_edges = 0
        self.in_doubt = 0
        burst_ns = max(steady_ns, BURST_NS)
        self._contact = Debouncer(closed, at_ns, steady_ns, burst_ns=burst_ns, late_ns=0, verdict=verdict)
        self._level = closed
        self._last_ns = at_ns
        self._number = 0

    @property
    def closed(self) -> bool:
        """As counted."""
        return self._contact.operated

    @property
    def level(self) -> bool:
        """As the last edge left it."""
        return self._level

    @property
    def next_due_ns(self) -> int | None:
        """Instant at which advance() is next needed; None while nothing happens."""
        return self._contact.next_due_ns

    def edge(self, edge: InputEdge) -> list[Settled]:
        """The next edge; what has settled before it."""
        lost = 0
        if edge.line_seqno is not None:
            lost = (edge.line_seqno - self._number - 1) % _SEQUENCE
            self._number = edge.line_seqno
        if lost:
            self._miss(lost, edge)
        self._contact.edge(edge.time_ns, edge.closed, after_lost=lost > 0)
        self._level, self._last_ns = edge.closed, edge.time_ns
        return self._count(edge.time_ns)

    def read(self, at_ns: int, closed: bool) -> None:
        """The level read at `at_ns`: if it is not what the edges left, one was lost that no number tells."""
        if closed != self._level:
            self.lost_edges += 1
            self._level, self._last_ns = closed, at_ns
            self._contact.read(at_ns, closed)

    def advance(self, now_ns: int) -> list[Settled]:
        """Let time pass; what has settled by now, in order."""
        return self._count(now_ns)

    def end(self) -> None:
        """Nothing comes any more: what has not settled has not counted."""
        self._contact.end()

    def _count(self, now_ns: int) -> list[Settled]:
        settled = self._contact.advance(now_ns)
        self.closures += sum(change.operated for change in settled)
        return settled

    def _miss(self, lost: int, edge: InputEdge) -> None:
        """Edges are lost between the last and `edge`: how many closures can they hide?"""
        self.lost_edges += lost
        closings = (lost + (not self._level)) // 2
        fits = (self._level != edge.closed) == (lost % 2 == 0)
        steady_ns = self._contact.steady_ns
        if steady_ns == 0 and fits:
            self.closures += closings + (edge.closed and self.closed)
            return
        if not fits:
            closings = (lost + 1) // 2
        # The closing before them if it had not stood yet, and that of `edge` if an opening among the lost came first.
        closings += (self._level and not self.closed) + (edge.closed and self.closed)
        if steady_ns:
            silent_ns = edge.time_ns - self._last_ns
            closings = min(closings, silent_ns // (2 * steady_ns) + 2) if silent_ns >= steady_ns else 0
        self.in_doubt += closings


class PulseInput:
    """A pulse input on its source. Poll it often enough that BUFFER_EDGES suffice. `verdict` is told of every edge.

    `going_on` is the level as counted by a process that has died, at `now_ns`, on a source that goes on where it was:
    by `dealt`. Edges may then be up to GOING_ON_NS older.
    """

    def __init__(
        self,
        source: EdgeSource,
        now_ns: int,
        steady_ns: int = STEADY_NS,
        *,
        verdict: Verdict | None = None,
        going_on: bool | None = None,
    ) -> None:
        self._source = source
        self._verdict, self._judged = verdict, 0
        if going_on is not None:
            now_ns -= GOING_ON_NS
        closed = source.initial if going_on is None else going_on
        self._counter = PulseCounter(closed, now_ns, steady_ns, verdict=self._judge)
        self._differs = False

    def _judge(self, at_ns: int, closed: bool, accepted: bool) -> None:
        self._judged += 1
        if self._verdict is not None:
            self._verdict(at_ns, closed, accepted)

    @property
    def dealt(self) -> tuple[int, bool]:
        """The number of the last edge that is decided, as its source numbers them, and the level as counted."""
        return getattr(self._source, "first_number", 0) + self._judged, self.closed

    @property
    def closures(self) -> int:
        """Closures since the start. One found closed at the start is none."""
        return self._counter.closures

    @property
    def lost_edges(self) -> int:
        return self._counter.lost_edges

    @property
    def in_doubt(self) -> int:
        """Number of closures beyond `closures` that there may have been, because edges were lost."""
        return self._counter.in_doubt

    @property
    def closed(self) -> bool:
        """True while it is closed, as counted: for a function that lasts as long (T-2)."""
        return self._counter.closed

    @property
    def next_due_ns(self) -> int | None:
        """Instant at which poll() is next needed, if no edge comes; None while nothing happens."""
        due = self._counter.next_due_ns
        return None if due is None else due + GRACE_NS

    def poll(self, now_ns: int) -> list[Settled]:
        """Closings and openings that are certain by now, in order. Closures that were only proven to have been among
        lost edges have no instant: they are in `closures` alone.
        """
        settled = []
        edges = self._source.drain()
        for edge in edges:
            settled += self._counter.edge(edge)
        settled += self._counter.advance(now_ns - GRACE_NS)
        level = self._source.read()
        if edges or level == self._counter.level:
            self._differs = False
        elif self._differs:  # from poll to poll, with no edge between: the last edge was lost
            self._counter.read(now_ns, level)
            self._differs = False
        else:
            self._differs = True
        return settled

    def close(self) -> None:
        """Let the line go. What has not settled has not counted."""
        self._counter.end()
        self._source.close()


class GpiozeroSource:
    """A contact to ground on a pin of gpiozero's, pulled up: the simulated rig's source. Its edges have no numbers.

    Raises GpioError if the pin cannot be had.
    """

    def __init__(self, what: str, pin: Pin, *, pins: Factory) -> None:
        self._input = SwitchInput(what, pin, pins=pins)
        self.initial, self.first_number = self._input.initial, self._input.first_number

    def drain(self) -> list[InputEdge]:
        return [InputEdge(at_ns, closed) for at_ns, closed in self._input.drain()]

    def read(self) -> bool:
        return bool(self._input.is_active)

    def close(self) -> None:
        self._input.close()


class GpiodSource:
    """A contact to ground on a line of the kernel's, pulled up, its edges stamped and numbered by the kernel.

    `chip` is its device, as /dev/gpiochip0, and `line` the GPIO number. Raises GpioError if it cannot be had.
    """

    def __init__(self, what: str, chip: str, line: int) -> None:
        try:
            import gpiod
            from gpiod.line import Bias, Direction, Edge
        except ImportError:
            raise GpioError(f"{what} needs gpiod, which is not installed: .venv/bin/pip install gpiod==2.5.0") from None
        settings = gpiod.LineSettings(
            direction=Direction.INPUT, bias=Bias.PULL_UP, edge_detection=Edge.BOTH, active_low=True
        )
        self._closing = gpiod.EdgeEvent.Type.RISING_EDGE  # of the logical level: active is closed
        self._line = line
        self._request = _requested(
            what, chip, line, lambda: gpiod.request_lines(chip, {line: settings}, "rig", BUFFER_EDGES)
        )
        self.initial = self.read()

    def drain(self) -> list[InputEdge]:
        edges = []
        while self._request.wait_edge_events(timedelta(0)):
            edges += [
                InputEdge(event.timestamp_ns, event.event_type is self._closing, event.line_seqno)
                for event in self._request.read_edge_events(BUFFER_EDGES)
            ]
        return edges

    def read(self) -> bool:
        return bool(self._request.get_value(self._line))

    def close(self) -> None:
        self._request.release()


def _requested(what: str, chip: str, line: int, request: Callable[[], Any]) -> Any:
    try:
        return request()
    except FileNotFoundError:
        reason = (
            f"{chip} does not exist: run on a Raspberry Pi, or set hardware.gpio_chip to the chip that "
            "`ls /dev/gpiochip*` shows"
        )
    except PermissionError:
        reason = f"no permission for {chip}: sudo adduser $USER gpio, then log in again"
    except ValueError:
        reason = f"{chip} has no line {line}: give the number of a free GPIO on the header, 2 to 27"
    except OSError as error:
        if error.errno == errno.EBUSY:
            reason = f"line {line} of {chip} is in use: give the number of a free GPIO on the header, 2 to 27"
        else:
            reason = f"{chip}, line {line}: {error.strerror}: set hardware.gpio_chip to the header's chip"
    raise GpioError(f"{what} cannot be had, {reason}") from None
