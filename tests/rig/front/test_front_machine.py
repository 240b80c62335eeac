"""Anything at all done to the front, against a model written otherwise: ticks of 0.1 s, counted up one by one."""

from __future__ import annotations

from unittest.mock import patch

from hands import SETTINGS
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from test_modes import table

from rig.meter.billing.commands import Action
from rig.meter.front.front import Front
from rig.meter.front.modes import FrontEvent, FrontState, Modes
from rig.meter.front.switches import Change, Switch

TICK_NS = 10**8
SHORT, LONG, FAST, COVERED = 30, 60, 5, 30
SCROLL, MAGNET, RESET, TEST, COVER = Switch


class Model:
    """One mode, one place, and counters: ticks that each button has been held (None: away, -1: void), that the item
    has stood, that the cover of the display still lasts."""

    def __init__(self, operated: set[Switch]) -> None:
        self.down = set(operated)
        self.held = {switch: -1 if switch in operated else None for switch in (SCROLL, MAGNET)}
        self.switch_counts = TEST not in operated
        self.shown, self.by, self.place, self.stood, self.cover = "normal", "", 0, 0, COVERED
        self.open_asked = False
        self.requests: list[Action] = []

    def show(self, shown: str, by: str = "") -> None:
        if self.shown in ("gyrbox", "test") and shown == "normal":
            self.void(SCROLL, MAGNET)
        self.shown, self.by, self.place, self.stood = shown, by, 0, 0
        if shown == "test" or by == "switch":
            self.void(MAGNET)

    def void(self, *switches: Switch) -> None:
        for switch in switches:
            if self.held[switch] is not None:
                self.held[switch] = -1

    def step(self) -> None:
        length = len(getattr(SETTINGS, self.shown))
        self.place, self.stood = self.place + 1, 0
        if self.place == length:
            self.place = 0
            if self.shown == "alternate" and self.by != "fast":
                self.show("normal")

    def tick(self) -> None:
        covered, self.cover = self.cover > 0, max(self.cover - 1, 0)
        self.stood += not covered
        stands = {"test": 10**9}.get(self.shown, FAST if self.by == "fast" else 10 * SETTINGS.scroll_s)
        for switch in (SCROLL, MAGNET):
            ticks = self.held[switch]
            if ticks is not None and ticks >= 0:
                self.held[switch] = ticks + 1
                self.hold(switch, ticks + 1)
                if self.stood == 0:
                    return  # a mode began at this instant, and so its item
        if self.stood == stands:
            self.step()

    def hold(self, switch: Switch, ticks: int) -> None:
        before_test = self.shown == "normal" or (self.shown == "alternate" and not self.by)
        if ticks == SHORT and self.shown == "normal":
            self.show("alternate")
        elif ticks == LONG and before_test:
            self.show(*(("alternate", "fast") if switch is SCROLL else ("gyrbox", "magnet")))

    def move(self, switch: Switch) -> None:
        """Operate a switch, or let it go if it is operated."""
        wanted = self.wants_test
        self.down ^= {switch}
        operated = switch in self.down
        if switch is RESET and operated:
            self.requests.append(Action.RESET_BY_SWITCH)
        elif switch in self.held and operated:
            other = self.held[MAGNET if switch is SCROLL else SCROLL]
            void = other is not None and other >= 0
            void |= COVER not in self.down if switch is SCROLL else self.shown == "test" or self.by == "switch"
            self.held[switch] = -1 if void else 0
        elif switch in self.held:
            ticks, self.held[switch] = self.held[switch], None
            if switch is SCROLL and ticks is not None and 0 <= ticks < SHORT:
                self.step()
            if self.by == {SCROLL: "fast", MAGNET: "magnet"}[switch] and ticks != -1:
                self.show("normal")
        elif switch is COVER and not operated:
            self.void(SCROLL)
            if self.by == "fast":
                self.show("normal")
        elif switch is TEST:
            self.switch_counts = True
        if self.wants_test and not wanted:
            if self.by == "fast":
                self.show("gyrbox", "switch")
            elif self.shown != "gyrbox":
                self.open_asked = True
                self.requests.append(Action.TEST_BEGIN)
        if wanted and not self.wants_test:
            if self.by == "switch":
                self.show("normal")
            elif self.shown == "test" or self.open_asked:
                self.open_asked = False
                self.requests.append(Action.TEST_END)

    @property
    def wants_test(self) -> bool:
        return self.switch_counts and COVER in self.down and TEST in self.down

    def test_mode(self, on: bool) -> None:
        if on and self.shown != "test":
            self.open_asked = False
            self.show("test")
        elif not on and self.shown == "test":
            self.show("normal")

    def covered(self) -> None:
        self.cover, self.stood = COVERED, 0

    def reset_accepted(self) -> None:
        self.covered()
        if self.shown != "test":
            self.show("normal")
        self.void(SCROLL, MAGNET)


class WatchedModes(Modes):
    """Nothing happens that the table says cannot be."""

    cells = table()

    def take(self, event: FrontEvent, from_ns: int) -> Action | None:
        assert self.cells[event, self.state] != ".", f"{event} in {self.state}"
        return super().take(event, from_ns)


class Hands(RuleBasedStateMachine):
    """Two fronts and the model: one front is told the time at every tick, the other as seldom as can be. Billing obeys
    requests, at once or a little later; it begins and ends test mode by itself too."""

    @initialize(operated=st.sets(st.sampled_from(Switch)))
    def start(self, operated: set[Switch]) -> None:
        self.ticks = 0
        self.model = Model(operated)
        with patch("rig.meter.front.front.Modes", WatchedModes):
            self.often, self.seldom = (Front(SETTINGS, operated, 0) for _ in range(2))
        self.asked: list[Action] = []
        self.test_mode = False

    @property
    def now_ns(self) -> int:
        return self.ticks * TICK_NS

    @rule(switch=st.sampled_from([SCROLL, SCROLL, SCROLL, MAGNET, MAGNET, RESET, TEST, TEST, COVER]))
    def move(self, switch: Switch) -> None:
        change = Change(self.now_ns, switch, switch not in self.model.down)
        self.model.move(switch)
        often, seldom = self.often.change(change), self.seldom.change(change)
        assert often == seldom
        assert list(often) == self.model.requests
        for action in often:
            self.check_cause(action, change)
        self.asked += self.model.requests
        self.model.requests.clear()

    def check_cause(self, kind: Action, change: Change) -> None:
        """Only a press of RESET resets, only the switch open with the cover off begins a test, only its end ends it."""
        down = self.model.down
        match kind:
            case Action.RESET_BY_SWITCH:
                assert (change.switch, change.operated) == (RESET, True)
            case Action.TEST_BEGIN:
                assert {TEST, COVER} <= down
                assert change.operated
            case Action.TEST_END:
                assert not {TEST, COVER} <= down
                assert not change.operated

    @rule(ticks=st.one_of(st.integers(1, 9), st.sampled_from([29, 30, 31, 59, 60, 61, 200])))
    def wait(self, ticks: int) -> None:
        for _ in range(ticks):
            self.ticks += 1
            self.model.tick()
            self.often.advance(self.now_ns, self.test_mode)

    @rule(ticks=st.integers(31, 59))
    def hold_for_alternate(self, ticks: int) -> None:
        self.hold(SCROLL, ticks)

    @rule(switch=st.sampled_from([SCROLL, MAGNET]), ticks=st.integers(60, 80))
    def hold_for_long(self, switch: Switch, ticks: int) -> None:
        self.hold(switch, ticks)

    def hold(self, switch: Switch, ticks: int) -> None:
        """Random moves seldom come to this by themselves."""
        if switch in self.model.down:
            self.move(switch)
        if COVER not in self.model.down:
            self.move(COVER)
        self.move(switch)
        self.wait(ticks)

    @precondition(lambda self: self.asked)
    @rule()
    def billing_obeys(self) -> None:
        kind = self.asked.pop(0)
        if kind is Action.RESET_BY_SWITCH:
            self.model.reset_accepted()
            self.often.reset_accepted(self.now_ns)
            self.seldom.reset_accepted(self.now_ns)
        else:
            self.tell_test_mode(kind is Action.TEST_BEGIN)

    @rule()
    def billing_refuses(self) -> None:
        self.model.covered()
        for front in (self.often, self.seldom):
            front.reset_refused(self.now_ns, 7)

    @rule(on=st.booleans())
    def tell_test_mode(self, on: bool) -> None:
        """Its timer ends it, and by communication it begins and ends."""
        self.test_mode = on
        self.model.test_mode(on)
        self.often.advance(self.now_ns, on)
        self.seldom.advance(self.now_ns, on)

    @rule()
    def look(self) -> None:
        """The front that is seldom told the time shows the same then."""
        self.seldom.advance(self.now_ns, self.test_mode)
        for name in ("state", "place", "item", "overlay", "next_due_ns", "fast", "mode"):
            assert getattr(self.often, name) == getattr(self.seldom, name)

    @invariant()
    def as_the_model(self) -> None:
        if not hasattr(self, "model"):
            return
        front, model = self.often, self.model
        assert (front.mode.value, front.place) == (model.shown, model.place)
        assert front.fast == (model.by == "fast")
        assert (front.overlay is None) == (model.cover == 0)
        assert (front.mode.value == "test") == self.test_mode
        assert front.item is getattr(SETTINGS, model.shown)[model.place]
        if front.state is FrontState.MAGNET:
            assert MAGNET in model.down
        if front.state in (FrontState.FAST, FrontState.SWITCH):
            assert COVER in model.down
        if front.state is FrontState.SWITCH:
            assert TEST in model.down
        if front.state is FrontState.FAST:
            assert SCROLL in model.down
        due_ns = front.next_due_ns
        assert due_ns is None or due_ns > self.now_ns


Hands.TestCase.settings = settings(max_examples=150, stateful_step_count=60)
TestHands = Hands.TestCase
