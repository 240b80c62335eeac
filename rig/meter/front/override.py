"""The override sequence of the front's switches, by which the seal is broken (S-2).

With the cover off: hold SCROLL, bring the magnet to twelve o'clock and take it away three times, release SCROLL, all
within 10 s.

    event            idle    held 0  at 1    held 1  at 2    held 2  at 3    held 3  void
    scroll pressed   held 0  .       .       .       .       .       .       .       .
    pressed unfit    void    .       .       .       .       .       .       .       .
    magnet there     -       at 1    .       at 2    .       at 3    .       void    -
    magnet away      -       .       held 1  .       held 2  .       held 3  .       -
    magnet mistimed  .       void    void    void    void    void    void    void    .
    other switch     -       void    void    void    void    void    void    void    -
    released         .       idle    idle    idle    idle    idle    idle    done    idle
    released late    .       idle    idle    idle    idle    idle    idle    idle    idle

States: `held` and `at` count how often the magnet came; `at` is while it is there. `done` is idle again, and the
sequence is complete. `-` nothing happens, `.` cannot be.

Events: "pressed unfit" is SCROLL pressed with the cover on or the magnet there; "magnet mistimed" a movement of it
less than 0.25 s after the movement before, or 10 s or more after SCROLL was pressed; "other switch" RESET, TEST or the
cover; "released late" SCROLL released 10 s or more after it was pressed. SCROLL found pressed at the start is void.

None of it asks anything of billing: while SCROLL is held the magnet means nothing (rig/meter/front/front.py), and
SCROLL held shows the alternate sequence, after 6 s fast, as ever. No other use of the front brings the magnet while
SCROLL is held, and a demand reset or test mode in between makes the sequence void.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum

from rig.meter.billing.time_units import SECOND_NS
from rig.meter.front.switches import Change, Switch

WITHIN_NS = 10 * SECOND_NS
LEAST_APART_NS = SECOND_NS // 4


class OverrideState(Enum):
    """A column of the table."""

    IDLE = "idle"
    HELD_0 = "held 0"
    AT_1 = "at 1"
    HELD_1 = "held 1"
    AT_2 = "at 2"
    HELD_2 = "held 2"
    AT_3 = "at 3"
    HELD_3 = "held 3"
    VOID = "void"


class OverrideEvent(Enum):
    """A row of the table."""

    PRESSED = "scroll pressed"
    PRESSED_UNFIT = "pressed unfit"
    MAGNET_THERE = "magnet there"
    MAGNET_AWAY = "magnet away"
    MAGNET_MISTIMED = "magnet mistimed"
    OTHER_SWITCH = "other switch"
    RELEASED = "released"
    RELEASED_LATE = "released late"


_IN_ORDER = (
    OverrideState.HELD_0,
    OverrideState.AT_1,
    OverrideState.HELD_1,
    OverrideState.AT_2,
    OverrideState.HELD_2,
    OverrideState.AT_3,
    OverrideState.HELD_3,
)
_NEXT = dict(zip(_IN_ORDER, (*_IN_ORDER[1:], OverrideState.VOID), strict=True))


@dataclass
class OverrideSaved:
    """State of an Override."""

    state: OverrideState
    operated: list[Switch]
    pressed_ns: int
    moved_ns: int
    now_ns: int | None


class Override:
    """The recogniser; `operated` are the switches found so at the start."""

    def __init__(self, operated: Collection[Switch]) -> None:
        self._operated = set(operated)
        self._state = OverrideState.VOID if Switch.SCROLL in operated else OverrideState.IDLE
        self._pressed_ns = self._moved_ns = 0
        self._now_ns: int | None = None

    @property
    def state(self) -> OverrideState:
        """The column of the table."""
        return self._state

    @property
    def saved(self) -> OverrideSaved:
        """State to continue from."""
        return OverrideSaved(self._state, list(self._operated), self._pressed_ns, self._moved_ns, self._now_ns)

    def resume(self, saved: OverrideSaved) -> None:
        """Go on from there."""
        self._state, self._operated = saved.state, set(saved.operated)
        self._pressed_ns, self._moved_ns, self._now_ns = saved.pressed_ns, saved.moved_ns, saved.now_ns

    def change(self, change: Change) -> bool:
        """Take a movement of a switch; whether it completes the sequence. Raises ValueError for a time before."""
        if self._now_ns is not None and change.at_ns < self._now_ns:
            raise ValueError(f"a switch moves at {change.at_ns} ns, but one did at {self._now_ns} ns")
        self._now_ns = change.at_ns
        if change.operated is (change.switch in self._operated):
            return False
        event = self._event(change)
        done = (event, self._state) == (OverrideEvent.RELEASED, OverrideState.HELD_3)
        self._state = self._after(event)
        self._operated ^= {change.switch}
        self._moved_ns = change.at_ns
        if change.switch is Switch.SCROLL and change.operated:
            self._pressed_ns = change.at_ns
        return done

    def _event(self, change: Change) -> OverrideEvent:
        late = change.at_ns - self._pressed_ns >= WITHIN_NS
        match change.switch:
            case Switch.SCROLL if change.operated:
                fit = Switch.COVER in self._operated and Switch.MAGNET not in self._operated
                return OverrideEvent.PRESSED if fit else OverrideEvent.PRESSED_UNFIT
            case Switch.SCROLL:
                return OverrideEvent.RELEASED_LATE if late else OverrideEvent.RELEASED
            case Switch.MAGNET if self._state in _NEXT and (late or change.at_ns - self._moved_ns < LEAST_APART_NS):
                return OverrideEvent.MAGNET_MISTIMED
            case Switch.MAGNET:
                return OverrideEvent.MAGNET_THERE if change.operated else OverrideEvent.MAGNET_AWAY
            case _:
                return OverrideEvent.OTHER_SWITCH

    def _after(self, event: OverrideEvent) -> OverrideState:
        match event:
            case OverrideEvent.PRESSED:
                return OverrideState.HELD_0
            case OverrideEvent.PRESSED_UNFIT:
                return OverrideState.VOID
            case OverrideEvent.RELEASED | OverrideEvent.RELEASED_LATE:
                return OverrideState.IDLE
            case OverrideEvent.MAGNET_THERE | OverrideEvent.MAGNET_AWAY:
                return _NEXT.get(self._state, self._state)
            case OverrideEvent.MAGNET_MISTIMED | OverrideEvent.OTHER_SWITCH:
                return OverrideState.VOID if self._state in _NEXT else self._state
