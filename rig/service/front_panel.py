"""The front of a meter in service: its switches, its display, and what hands on it ask of billing (D-1 to D-7, Q-5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from drivers.switches import Switches
from rig.meter.billing.billing import MeterEvent
from rig.meter.billing.commands import Command
from rig.meter.billing.events import Cause, EndOfInterval, ResetRefused
from rig.meter.billing.quantity import Quantity
from rig.meter.billing.source import Source
from rig.meter.display.items import DisplaySettings
from rig.meter.display.lcd import ALL_SEGMENTS, Lcd
from rig.meter.display.readout import DisplayedNameplate, Readout
from rig.meter.front.face import face
from rig.meter.front.front import Front, FrontSaved
from rig.meter.front.lamp import followed
from rig.meter.front.modes import Mode
from rig.meter.front.override import Override, OverrideSaved
from rig.meter.front.switches import Change, Switch
from rig.meter.meter import Meter

REFRESH_NS = 250_000_000
"""How often what is displayed is looked at anew, while the item stays."""


@dataclass
class PanelState:
    """State of a FrontPanel whose process has died: the front, and what of it is still to be looked at."""

    front: FrontSaved
    override: OverrideSaved
    override_done: bool
    now_ns: int
    ended_ns: int | None


class FrontPanel:
    """A front whose switches are `switches`, from `now_ns` on. Time is that of the hardware's clock, in ns."""

    def __init__(
        self,
        settings: DisplaySettings,
        plate: DisplayedNameplate,
        switches: Switches,
        now_ns: int,
    ) -> None:
        self._switches = switches
        self._readout = Readout(plate)
        self.operated = frozenset(Switch(name) for name, operated in switches.operated().items() if operated)
        self.front = Front(settings, self.operated, now_ns)
        self._override = Override(self.operated)
        self._override_done = False
        self._now_ns = now_ns
        self._ended_ns: int | None = None
        self._lcd = ALL_SEGMENTS
        self._shows: object = None
        self._stale_ns = now_ns

    @property
    def state(self) -> PanelState:
        """State to continue from."""
        return PanelState(self.front.saved, self._override.saved, self._override_done, self._now_ns, self._ended_ns)

    def resume(self, state: PanelState) -> None:
        """Go on from there, the switches as they were counted then."""
        self.front.resume(state.front)
        self._override.resume(state.override)
        self._override_done, self._now_ns, self._ended_ns = state.override_done, state.now_ns, state.ended_ns
        self.operated = frozenset(state.front.operated)

    def poll(self, now_ns: int, test_mode: bool, utc_of: Callable[[int], int]) -> list[Command]:
        """Take in what the switches have done, as far as it is certain by now, and give what that asks of billing.

        `utc_of` gives the meter's time at an instant of the switches' clock.
        """
        commands: list[Command] = []
        for at_ns, name, operated in self._switches.poll(now_ns):
            change = Change(max(at_ns, self._now_ns), Switch(name), operated)
            self._now_ns = change.at_ns
            commands += [Command(utc_of(change.at_ns), action, Source.FRONT) for action in self.front.change(change)]
            self._override_done |= self._override.change(change)
            self.operated = self.operated ^ {change.switch}
        self._now_ns = max(self._now_ns, self._switches.certain_ns)
        self.front.advance(self._now_ns, test_mode)
        return commands

    def take_override(self) -> bool:
        """Say, once, that the override sequence was completed (S-2)."""
        done, self._override_done = self._override_done, False
        return done

    def note_events(self, events: Iterable[MeterEvent]) -> None:
        """Take note of events of billing."""
        for happening in events:
            match happening:
                case EndOfInterval():
                    self._ended_ns = happening.utc_ns
                    if happening.cause is Cause.SWITCH:
                        self.front.reset_accepted(self._now_ns)
                case ResetRefused():
                    self.front.reset_refused(self._now_ns, happening.wait_s)

    @property
    def followed(self) -> Quantity | None:
        """Quantity that the test LED is to show; None: Wh either way (P-1)."""
        mode = self.front.mode
        return followed(
            self.front.item.what,
            alternate=mode is Mode.ALTERNATE,
            test=mode is Mode.TEST,
            apparent_rms=self._readout.plate.apparent_rms,
        )

    def lcd(self, meter: Meter) -> Lcd:
        """The glass: looked at anew when the item changes, and every REFRESH_NS."""
        front = self.front
        shows = front.mode, front.place, front.overlay
        if shows != self._shows or self._now_ns >= self._stale_ns:
            self._shows, self._stale_ns = shows, self._now_ns + REFRESH_NS
            reading = meter.reading()
            since_end_ns = None if self._ended_ns is None else reading.utc_ns - self._ended_ns
            self._lcd = face(front, reading, meter.instant, self._readout, since_end_ns)
        return self._lcd
