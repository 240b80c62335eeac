"""The switches of the front and the pulse inputs, in the bench's words (D-3 to D-6, P-5, Q-5).

Between one movement and the next at least PAUSE_S pass: no hand is faster.
"""

from __future__ import annotations

from math import isfinite

from rig.bench.contact_drivers import ContactDriver
from rig.bench.errors import WrongArgument
from rig.bench.rig import Rig
from rig.meter.billing.time_units import SECOND_NS

PRESS_S = 0.2
"""How long a button is pressed by `press`."""

PRESS_MOST_S = 1.0

PAUSE_S = 0.1

LIMITS_S = (3.0, 6.0)
"""Where holding a button or a magnet begins to mean something else to the meter."""

SLACK_S = 1.0
"""How far off a person's hold may be, on its side of LIMITS_S."""

CLEAR_S = 0.05
"""And how clear of them."""


def allowed(seconds: float) -> tuple[float, float]:
    """The least and the most that someone who cannot be exact may hold: what means the same to the meter."""
    least, most = max(seconds - SLACK_S, PRESS_S), seconds + SLACK_S
    for limit in LIMITS_S:
        if seconds >= limit:
            least = max(least, limit + CLEAR_S)
        else:
            most = min(most, limit - CLEAR_S)
    return min(least, seconds), max(most, seconds)


class MovedContact:
    """One contact that can be moved."""

    def __init__(self, rig: Rig, driver: ContactDriver, closed: str, opened: str) -> None:
        """The words are those of failures: what it is to operate it, and to let it go."""
        self._rig, self._driver = rig, driver
        self._words = {True: closed, False: opened}

    def _move(self, closed: bool) -> None:
        self._pause()
        self._note(self._driver.move(closed), closed)

    def _hold(self, seconds: float, least_s: float, most_s: float) -> None:
        if not (isfinite(seconds) and seconds > 0):
            raise WrongArgument(f"nothing can be held for {seconds:g} s: give more than 0")
        self._pause()
        begin_ns, end_ns = self._driver.hold(seconds, least_s, most_s)
        self._note(begin_ns, True)
        self._note(end_ns, False)

    def _pause(self) -> None:
        if self._rig.now_ns < self._rig.next_action_ns:
            self._rig.run_until(self._rig.next_action_ns)

    def _note(self, at_ns: int, closed: bool) -> None:
        self._rig.note_action(at_ns, self._words[closed])
        self._rig.next_action_ns = max(at_ns, self._rig.now_ns) + round(PAUSE_S * SECOND_NS)


class Magnet(MovedContact):
    """The magnet at twelve o'clock."""

    def place(self) -> None:
        """Bring it there, and leave it."""
        self._move(True)

    def remove(self) -> None:
        """Take it away."""
        self._move(False)

    def hold(self, seconds: float) -> None:
        """Bring it there, wait so long, take it away."""
        self._hold(seconds, *allowed(seconds))


class Button(MovedContact):
    """SCROLL, or demand reset."""

    def press(self) -> None:
        """Press it briefly."""
        self._hold(PRESS_S, 0.0, PRESS_MOST_S)

    def hold(self, seconds: float) -> None:
        """Press it, wait so long, let it go."""
        self._hold(seconds, *allowed(seconds))

    def push(self) -> None:
        """Press it, and keep it pressed until `release`."""
        self._move(True)

    def release(self) -> None:
        """Let it go."""
        self._move(False)


class TestSwitch(MovedContact):
    """The Test switch; open is its test position, in the notice's words."""

    __test__ = False  # not a test case, whatever pytest makes of the name

    def open(self) -> None:
        """To the test position."""
        self._move(True)

    def close(self) -> None:
        """Back."""
        self._move(False)


class Cover(MovedContact):
    """The meter's cover."""

    def off(self) -> None:
        """Take it off."""
        self._move(True)

    def on(self) -> None:
        """Put it on."""
        self._move(False)


class InputContact(MovedContact):
    """Another meter's output at a pulse input."""

    def close(self) -> None:
        """It closes."""
        self._move(True)

    def open(self) -> None:
        """It opens."""
        self._move(False)

    def pulse(self, pulses: int, closed_s: float = 0.1) -> None:
        """So many closures, each so long; a person makes them as long as they like."""
        if pulses < 0:
            raise WrongArgument(f"an input cannot be given {pulses} pulses: give 0 or more")
        for _ in range(pulses):
            self._hold(closed_s, 0.0, PRESS_MOST_S)
