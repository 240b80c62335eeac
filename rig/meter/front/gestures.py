"""Gestures of a person with a button or a magnet, from when it is pressed and released (D-3, D-4, D-6).

Times are ns of a clock that does not go back.
"""

from __future__ import annotations

from enum import Enum

from rig.meter.billing.time_units import SECOND_NS

SHORT_NS = 3 * SECOND_NS
LONG_NS = 6 * SECOND_NS


class Gesture(Enum):
    """Gesture with one button or magnet."""

    SHORT = "let go within 3 s"
    HELD_3S = "held for 3 s"
    HELD_6S = "held for 6 s"
    LET_GO = "let go after 3 s or more"


class _State(Enum):
    AWAY = "away"
    HELD = "held"
    HELD_3S = "held 3 s"
    HELD_6S = "held 6 s"
    VOID = "void"


class Hold:
    """One button or magnet:

        state      event           next       told
        away       operated        held       -
        away       operated void   void       -
        held       after 3 s       held 3 s   held for 3 s
        held       let go          away       let go within 3 s
        held       made void       void       -
        held 3 s   after 6 s       held 6 s   held for 6 s
        held 3 s   let go          away       let go after 3 s or more
        held 3 s   made void       void       let go after 3 s or more
        held 6 s   let go          away       let go after 3 s or more
        held 6 s   made void       void       let go after 3 s or more
        void       let go          away       -

    Whatever is not in the table changes nothing. Void is what must be let go before it counts again. What is due at an
    instant comes before what is done at it, so 3 s to the ns are held.
    """

    def __init__(self, operated: bool) -> None:
        """`operated`: found so at start, which is no press."""
        self._state = _State.VOID if operated else _State.AWAY
        self._since_ns = 0

    @property
    def state(self) -> tuple[str, int]:
        """State to continue from: the state's name, and since when it is held, in ns."""
        return self._state.value, self._since_ns

    def resume(self, state: tuple[str, int]) -> None:
        """Go on from there."""
        self._state, self._since_ns = _State(state[0]), state[1]

    @property
    def counts(self) -> bool:
        """It is operated, and not void."""
        return self._state not in (_State.AWAY, _State.VOID)

    @property
    def due_ns(self) -> int | None:
        """Instant at which `pass_due` has a gesture; None: not before it is pressed again."""
        match self._state:
            case _State.HELD:
                return self._since_ns + SHORT_NS
            case _State.HELD_3S:
                return self._since_ns + LONG_NS
            case _:
                return None

    def operate(self, at_ns: int, void: bool) -> None:
        """It was operated."""
        if self._state is _State.AWAY:
            self._state, self._since_ns = (_State.VOID if void else _State.HELD), at_ns

    def let_go(self) -> Gesture | None:
        """It was let go."""
        told = Gesture.SHORT if self._state is _State.HELD else self._end
        self._state = _State.AWAY
        return told

    def make_void(self) -> Gesture | None:
        """From now on it does not count until it is let go."""
        told = self._end
        if self._state is not _State.AWAY:
            self._state = _State.VOID
        return told

    def pass_due(self) -> Gesture:
        """Time has come to `due_ns`."""
        if self._state is _State.HELD:
            self._state = _State.HELD_3S
            return Gesture.HELD_3S
        self._state = _State.HELD_6S
        return Gesture.HELD_6S

    @property
    def _end(self) -> Gesture | None:
        return Gesture.LET_GO if self._state in (_State.HELD_3S, _State.HELD_6S) else None
