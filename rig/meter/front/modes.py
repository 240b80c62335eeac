"""Sequences of the display: which is shown, which item of it, and what is requested of billing (D-2 to D-5).

    event            NORMAL      ALTERNATE   FAST        MAGNET      SWITCH      TEST
    step             next        pass        .           .           next        next
    scroll 3 s       ALTERNATE   -           .           .           -           -
    scroll 6 s       FAST        FAST        .           .           -           -
    scroll let go    -           -           NORMAL      .           -           -
    magnet 3 s       ALTERNATE   swipe       .           .           .           .
    magnet 6 s       MAGNET      MAGNET      .           .           .           .
    magnet away      -           -           .           NORMAL      .           .
    test opened      begin       begin       SWITCH      -           .           begin
    test closed      undo        undo        undo        undo        NORMAL      end
    item over        next        pass        next        next        next        .
    test mode on     TEST        TEST        TEST        TEST        TEST        .
    test mode off    .           .           .           .           .           NORMAL
    reset accepted   NORMAL      NORMAL      NORMAL      NORMAL      NORMAL      -

States: FAST is the alternate sequence in fast scroll while SCROLL is held; MAGNET is the Gyrbox sequence until the
magnet is removed, SWITCH the Gyrbox sequence until the Test switch is closed.

What becomes of it: a state, which begins at its first item; `next` item, after the last the first; `pass` to the next
item, after the last to NORMAL; `swipe` the same where autoscroll is not programmed, else nothing; `begin` and `end` are
requests for test mode; `undo` is the request for its end if `begin` was asked for and billing has not begun it yet; `-`
nothing; `.` cannot be.

Events: "step" is a short press of SCROLL; "test opened" is that the Test switch is open with the cover off, newly;
"test closed" that this is no more; "item over" that an item has stood: 0.5 s in FAST, in TEST for good (its pulses are
counted while it stands, P-1), else as programmed; where autoscroll is not programmed, 6 s in MAGNET, whose sequence
always scrolls, and for good in the others. Then a magnet brought again steps the alternate sequence, as with the cover
on nobody reaches SCROLL. Test mode itself is billing's, which tells it on and off.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from rig.meter.billing.commands import Action
from rig.meter.billing.time_units import SECOND_NS
from rig.meter.display.items import LEAST_SCROLL_S, DisplayItem, DisplaySettings

FAST_NS = SECOND_NS // 2


class Mode(Enum):
    """Sequence that the display shows."""

    NORMAL = "normal"
    ALTERNATE = "alternate"
    GYRBOX = "gyrbox"
    TEST = "test"


class FrontState(Enum):
    """A column of the table."""

    NORMAL = Mode.NORMAL, "NORMAL"
    ALTERNATE = Mode.ALTERNATE, "ALTERNATE"
    FAST = Mode.ALTERNATE, "FAST"
    MAGNET = Mode.GYRBOX, "MAGNET"
    SWITCH = Mode.GYRBOX, "SWITCH"
    TEST = Mode.TEST, "TEST"

    def __init__(self, mode: Mode, heading: str) -> None:
        self.mode = mode
        self.heading = heading


class FrontEvent(Enum):
    """A row of the table."""

    STEP = "step"
    SCROLL_3S = "scroll 3 s"
    SCROLL_6S = "scroll 6 s"
    SCROLL_LET_GO = "scroll let go"
    MAGNET_3S = "magnet 3 s"
    MAGNET_6S = "magnet 6 s"
    MAGNET_AWAY = "magnet away"
    TEST_OPENED = "test opened"
    TEST_CLOSED = "test closed"
    ITEM_OVER = "item over"
    TEST_ON = "test mode on"
    TEST_OFF = "test mode off"
    RESET_ACCEPTED = "reset accepted"


@dataclass
class ModesState:
    """State of Modes: the column of the table, the item's place, when it is over, whether test mode is requested."""

    heading: str
    place: int
    item_due_ns: int | None
    asked: bool


class Modes:
    """The state, and the item shown. `item_due_ns`: when "item over" comes; None: not by itself."""

    def __init__(self, settings: DisplaySettings, at_ns: int) -> None:
        """Begins in NORMAL, its first item standing from `at_ns` on."""
        self._settings = settings
        self._asked = False
        self._begin(FrontState.NORMAL, at_ns)

    @property
    def items(self) -> tuple[DisplayItem, ...]:
        """The sequence shown."""
        settings = self._settings
        match self.state.mode:
            case Mode.NORMAL:
                return settings.normal
            case Mode.ALTERNATE:
                return settings.alternate
            case Mode.GYRBOX:
                return settings.gyrbox
            case Mode.TEST:
                return settings.test

    @property
    def saved(self) -> ModesState:
        """State to continue from."""
        return ModesState(self.state.heading, self.place, self.item_due_ns, self._asked)

    def stand(self, from_ns: int) -> None:
        """The item's time begins at this instant."""
        match self.state:
            case FrontState.TEST:
                self.item_due_ns: int | None = None
            case FrontState.FAST:
                self.item_due_ns = from_ns + FAST_NS
            case state:
                seconds = self._settings.scroll_s or (LEAST_SCROLL_S if state is FrontState.MAGNET else 0)
                self.item_due_ns = from_ns + seconds * SECOND_NS if seconds else None

    def take(self, event: FrontEvent, from_ns: int) -> Action | None:
        """Take an event, and give what it asks of billing; an item that it shows stands from `from_ns` on."""
        match event, self.state:
            case FrontEvent.TEST_ON, state if state is not FrontState.TEST:
                self._asked = False
                self._begin(FrontState.TEST, from_ns)
            case FrontEvent.TEST_OFF, FrontState.TEST:
                self._begin(FrontState.NORMAL, from_ns)
            case FrontEvent.RESET_ACCEPTED, state if state is not FrontState.TEST:
                self._begin(FrontState.NORMAL, from_ns)
            case FrontEvent.STEP | FrontEvent.ITEM_OVER, _:
                self._next(from_ns)
            case FrontEvent.MAGNET_3S, FrontState.ALTERNATE if not self._settings.scroll_s:
                self._next(from_ns)
            case FrontEvent.SCROLL_3S | FrontEvent.MAGNET_3S, FrontState.NORMAL:
                self._begin(FrontState.ALTERNATE, from_ns)
            case FrontEvent.SCROLL_6S, FrontState.NORMAL | FrontState.ALTERNATE:
                self._begin(FrontState.FAST, from_ns)
            case FrontEvent.MAGNET_6S, FrontState.NORMAL | FrontState.ALTERNATE:
                self._begin(FrontState.MAGNET, from_ns)
            case (FrontEvent.SCROLL_LET_GO, FrontState.FAST) | (FrontEvent.MAGNET_AWAY, FrontState.MAGNET):
                self._begin(FrontState.NORMAL, from_ns)
            case FrontEvent.TEST_OPENED, FrontState.FAST:
                self._begin(FrontState.SWITCH, from_ns)
            case FrontEvent.TEST_CLOSED, FrontState.SWITCH:
                self._begin(FrontState.NORMAL, from_ns)
            case FrontEvent.TEST_OPENED, FrontState.NORMAL | FrontState.ALTERNATE | FrontState.TEST:
                self._asked = True
                return Action.TEST_BEGIN
            case FrontEvent.TEST_CLOSED, state if self._asked or state is FrontState.TEST:
                self._asked = False
                return Action.TEST_END
        return None

    def resume(self, saved: ModesState) -> None:
        """Go on from there; where the program no longer has the item, from the first."""
        self.state = next(state for state in FrontState if state.heading == saved.heading)
        self.place = saved.place if saved.place < len(self.items) else 0
        self.item_due_ns = saved.item_due_ns
        self._asked = saved.asked

    def _begin(self, state: FrontState, from_ns: int) -> None:
        self.state, self.place = state, 0
        self.stand(from_ns)

    def _next(self, from_ns: int) -> None:
        self.place = (self.place + 1) % len(self.items)
        if self.place == 0 and self.state is FrontState.ALTERNATE:
            self.state = FrontState.NORMAL
        self.stand(from_ns)
