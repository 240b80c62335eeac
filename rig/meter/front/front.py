"""The front of the meter: its switches become what the display shows, and requests to billing (D-2 to D-6, Q-5).

Advanced by changes of switches, by time, and by what billing tells of test mode and demand resets. What is due comes in
order of time, and before what happens at its instant, so it does not matter how often time is passed in. What a
sequence does then is the table of rig/meter/front/modes.py; what a press or a magnet is, rig/meter/front/gestures.py's.

What counts:

    SCROLL, TEST       with the cover off only; the cover put on makes a press void, and closes the Test switch
    MAGNET             not in test mode, and not in the Gyrbox sequence that the Test switch ends
    SCROLL and MAGNET  the one that began first; the other is void
    RESET              always, once a press
    at start           nothing that is found operated
    at the end of test mode or Gyrbox, and when a reset is accepted    nothing that is held then

What does not count must be let go first.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from rig.meter.billing.commands import Action
from rig.meter.billing.time_units import SECOND_NS
from rig.meter.display.items import DisplayItem, DisplaySettings
from rig.meter.front.gestures import Gesture, Hold
from rig.meter.front.modes import FrontEvent, FrontState, Mode, Modes, ModesState
from rig.meter.front.switches import Change, Switch

OVERLAY_NS = 3 * SECOND_NS

_EVENTS = {
    (Switch.SCROLL, Gesture.SHORT): FrontEvent.STEP,
    (Switch.SCROLL, Gesture.HELD_3S): FrontEvent.SCROLL_3S,
    (Switch.SCROLL, Gesture.HELD_6S): FrontEvent.SCROLL_6S,
    (Switch.SCROLL, Gesture.LET_GO): FrontEvent.SCROLL_LET_GO,
    (Switch.MAGNET, Gesture.HELD_3S): FrontEvent.MAGNET_3S,
    (Switch.MAGNET, Gesture.HELD_6S): FrontEvent.MAGNET_6S,
    (Switch.MAGNET, Gesture.LET_GO): FrontEvent.MAGNET_AWAY,
}

_MAGNET_VOID = (FrontState.TEST, FrontState.SWITCH)
_ENDED_BY_LETTING_GO = (FrontState.TEST, FrontState.SWITCH, FrontState.MAGNET)


@dataclass(frozen=True, slots=True)
class Overlay:
    """Overlay that covers the item for a while: all segments, or after a refused demand reset the time to wait."""

    wait_s: int | None = None


@dataclass
class FrontSaved:
    """State from which a Front continues when the process that had it has died."""

    now_ns: int
    operated: list[Switch]
    holds: dict[Switch, tuple[str, int]]
    test_void: bool
    wait_s: int | None
    covered_until_ns: int
    modes: ModesState


class Front:
    """The face of one meter; `operated` are the switches found so at `at_ns`, the instant it starts.

    All segments stand first, for OVERLAY_NS, as after an accepted demand reset. An item's time begins when nothing
    covers it any more.
    """

    def __init__(self, settings: DisplaySettings, operated: Collection[Switch], at_ns: int) -> None:
        self._now_ns = at_ns
        self._operated = set(operated)
        self._holds = {switch: Hold(switch in operated) for switch in (Switch.SCROLL, Switch.MAGNET)}
        self._test_void = Switch.TEST in operated
        self._overlay, self._covered_until_ns = Overlay(), at_ns + OVERLAY_NS
        self._modes = Modes(settings, self._covered_until_ns)

    @property
    def saved(self) -> FrontSaved:
        """State to continue from."""
        return FrontSaved(
            self._now_ns,
            list(self._operated),
            {switch: hold.state for switch, hold in self._holds.items()},
            self._test_void,
            self._overlay.wait_s,
            self._covered_until_ns,
            self._modes.saved,
        )

    def resume(self, saved: FrontSaved) -> None:
        """Go on from there."""
        self._now_ns, self._operated, self._test_void = saved.now_ns, set(saved.operated), saved.test_void
        for switch, state in saved.holds.items():
            self._holds[switch].resume(state)
        self._overlay, self._covered_until_ns = Overlay(saved.wait_s), saved.covered_until_ns
        self._modes.resume(saved.modes)

    # --- what is shown --------------------------------------------------------------------------------------

    @property
    def mode(self) -> Mode:
        """Sequence that is shown."""
        return self._modes.state.mode

    @property
    def state(self) -> FrontState:
        """The column of the table of rig/meter/front/modes.py."""
        return self._modes.state

    @property
    def fast(self) -> bool:
        """True while the alternate sequence goes by in fast scroll."""
        return self._modes.state is FrontState.FAST

    @property
    def place(self) -> int:
        """Place of the item shown in its sequence, from 0."""
        return self._modes.place

    @property
    def item(self) -> DisplayItem:
        """The item shown, or covered."""
        return self._modes.items[self._modes.place]

    @property
    def overlay(self) -> Overlay | None:
        """Overlay that covers the item; None: nothing."""
        return self._overlay if self._now_ns < self._covered_until_ns else None

    @property
    def next_due_ns(self) -> int | None:
        """Instant of the next change that comes by itself; None: not before something happens."""
        due = [due for due, _ in self._dues()]
        if self._now_ns < self._covered_until_ns:
            due.append(self._covered_until_ns)
        return min(due, default=None)

    # --- what happens ---------------------------------------------------------------------------------------

    def advance(self, now_ns: int, test_mode: bool) -> None:
        """Time has come to `now_ns`, and billing now is in test mode or not. Raises ValueError for a time before."""
        self._pass(now_ns)
        if test_mode is not (self._modes.state is FrontState.TEST):
            self._take(FrontEvent.TEST_ON if test_mode else FrontEvent.TEST_OFF)

    def change(self, change: Change) -> tuple[Action, ...]:
        """Take the change of a switch, and give what it asks of billing at that instant.

        Raises ValueError for a time before.
        """
        self._pass(change.at_ns)
        switch, operated = change.switch, change.operated
        if operated is (switch in self._operated):
            return ()
        wanted_test = self._wants_test
        if operated:
            self._operated.add(switch)
        else:
            self._operated.discard(switch)
        actions: list[Action | None] = []
        match switch:
            case Switch.SCROLL | Switch.MAGNET:
                self._hold(switch, operated)
            case Switch.RESET if operated:
                actions.append(Action.RESET_BY_SWITCH)
            case Switch.COVER if not operated:
                self._tell(Switch.SCROLL, self._holds[Switch.SCROLL].make_void())
            case Switch.TEST:
                self._test_void = False
        if self._wants_test is not wanted_test:
            actions.append(self._take(FrontEvent.TEST_CLOSED if wanted_test else FrontEvent.TEST_OPENED))
        return tuple(action for action in actions if action is not None)

    def reset_accepted(self, at_ns: int) -> None:
        """Demand was reset at the switch; a time that has passed counts as now."""
        self._cover(at_ns, Overlay())
        self._take(FrontEvent.RESET_ACCEPTED)
        for hold in self._holds.values():
            hold.make_void()

    def reset_refused(self, at_ns: int, seconds_left: int) -> None:
        """Demand cannot be reset at the switch before so many seconds; a time that has passed counts as now."""
        self._cover(at_ns, Overlay(seconds_left))

    # --- how ------------------------------------------------------------------------------------------------

    @property
    def _wants_test(self) -> bool:
        return {Switch.COVER, Switch.TEST} <= self._operated and not self._test_void

    def _dues(self) -> list[tuple[int, Switch | None]]:
        """Return what comes by itself, in the order that holds where instants are equal; None is the item's time."""
        dues: list[tuple[int | None, Switch | None]] = [(hold.due_ns, switch) for switch, hold in self._holds.items()]
        dues.append((self._modes.item_due_ns, None))
        return [(due_ns, what) for due_ns, what in dues if due_ns is not None]

    def _pass(self, now_ns: int) -> None:
        if now_ns < self._now_ns:
            raise ValueError(f"something happens at {now_ns} ns, but time has come to {self._now_ns} ns")
        while (dues := self._dues()) and (first := min(dues, key=lambda due: due[0]))[0] <= now_ns:
            self._now_ns, what = first
            if what is None:
                self._take(FrontEvent.ITEM_OVER)
            else:
                self._tell(what, self._holds[what].pass_due())
        self._now_ns = now_ns

    def _hold(self, switch: Switch, operated: bool) -> None:
        hold = self._holds[switch]
        if not operated:
            self._tell(switch, hold.let_go())
            return
        if switch is Switch.SCROLL:
            void = Switch.COVER not in self._operated or self._holds[Switch.MAGNET].counts
        else:
            void = self._modes.state in _MAGNET_VOID or self._holds[Switch.SCROLL].counts
        hold.operate(self._now_ns, void)

    def _tell(self, switch: Switch, gesture: Gesture | None) -> None:
        event = _EVENTS.get((switch, gesture)) if gesture is not None else None
        if event is not None:
            self._take(event)

    def _take(self, event: FrontEvent) -> Action | None:
        """An event of the table, and what becomes void by the step it makes."""
        before = self._modes.state
        action = self._modes.take(event, max(self._now_ns, self._covered_until_ns))
        after = self._modes.state
        if after is not before:
            if after in _MAGNET_VOID:
                self._holds[Switch.MAGNET].make_void()
            if before in _ENDED_BY_LETTING_GO and after is FrontState.NORMAL:
                for hold in self._holds.values():
                    hold.make_void()
        return action

    def _cover(self, at_ns: int, overlay: Overlay) -> None:
        self._pass(max(at_ns, self._now_ns))
        self._overlay, self._covered_until_ns = overlay, self._now_ns + OVERLAY_NS
        self._modes.stand(self._covered_until_ns)
