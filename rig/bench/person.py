"""A person moves the switches, when asked to; the rig notices by itself that it was done.

    asked               noticed by                          after PATIENCE_S without it
    to operate          the switch, its bounce taken out    the test fails
    to let go           the same                            the test fails
    to hold             both; the time left is counted down

Instants are the switch's stamps, not the asking's. A hold outside its limits cannot be taken back, the meter has seen
it: HoldMissed has the whole test begin again.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Protocol

from rig.bench.clock import LOOK_NS
from rig.bench.errors import HoldMissed, NobodyActed
from rig.bench.rig import Rig
from rig.meter.billing.time_units import SECOND_NS

PATIENCE_S = 60
"""For a person to do what was asked."""

COUNTED_S = 3
"""The last seconds of a hold are counted down."""


@dataclass(frozen=True)
class Prompt:
    """Prompt for a person, as `text` says: to press a switch, or release it; None: to go on with what they do."""

    switch: str
    closed: bool | None
    text: str


class Prompter(Protocol):
    """Shows a person what to do. It returns at once: doing takes time, and the rig runs on."""

    def __call__(self, prompt: Prompt) -> None: ...


WORDS = {
    "scroll": ("press SCROLL", "let SCROLL go"),
    "magnet": ("bring the magnet to twelve o'clock", "take the magnet away"),
    "reset": ("press demand reset", "let demand reset go"),
    "test": ("open the Test switch", "close the Test switch"),
    "cover": ("take the cover off", "put the cover on"),
    "input1": ("close the contact at input 1", "open the contact at input 1"),
    "input2": ("close the contact at input 2", "open the contact at input 2"),
}
"""What operating a switch or an input, and letting it go, is for a person."""


class Person:
    """The driver of one switch or input that a person moves."""

    def __init__(self, rig: Rig, prompter: Prompter, switch: str, patience_s: float = PATIENCE_S) -> None:
        self._rig, self._prompter, self._switch = rig, prompter, switch
        self._patience_s = patience_s

    def move(self, closed: bool) -> int:
        """Nothing is asked where it is so already."""
        since_ns = self._rig.now_ns
        if self._rig.closed(self._switch) is closed:
            return since_ns
        self._ask(closed, f"{self._words(closed)} now")
        return self._await(closed, since_ns)

    def hold(self, seconds: float, least_s: float, most_s: float) -> tuple[int, int]:
        if self._rig.closed(self._switch):
            self.move(False)
        asked_ns = self._rig.now_ns
        aim_s = (least_s + most_s) / 2
        self._ask(True, f"{self._words(True)} now, and keep on for {aim_s:.1f} s: time is counted down")
        begin_ns = self._await(True, asked_ns)
        end_ns = self._count_down(begin_ns, begin_ns + round(aim_s * SECOND_NS))
        if end_ns is None:
            self._ask(False, f"{self._words(False)} now")
            end_ns = self._await(False, begin_ns)
        held_s = (end_ns - begin_ns) / SECOND_NS
        if not least_s <= held_s <= most_s:
            raise HoldMissed(
                f"{self._switch.upper()} was held for {held_s:.2f} s, it must be {least_s:.2f} to {most_s:.2f} s"
            )
        return begin_ns, end_ns

    def _count_down(self, begin_ns: int, aim_ns: int) -> int | None:
        """Until it is to be let go; when it was let go too soon."""
        shown = COUNTED_S + 1
        while (now_ns := self._rig.now_ns) < aim_ns:
            left = ceil((aim_ns - now_ns) / SECOND_NS)
            if left < shown:
                shown = left
                self._prompter(Prompt(self._switch, None, f"{left} …"))
            self._rig.run_until(min(now_ns + LOOK_NS, aim_ns))
            if (end_ns := self._rig.changed_ns(self._switch, False, begin_ns)) is not None:
                return end_ns
        return None

    def _await(self, closed: bool, since_ns: int) -> int:
        rig, switch = self._rig, self._switch
        at_ns = rig.clock.wait_for(lambda: rig.changed_ns(switch, closed, since_ns), self._patience_s)
        if at_ns is None:
            raise NobodyActed(
                rig.explained(
                    f"asked to {self._words(closed)}, nobody did within {self._patience_s:g} s, or the wire of "
                    f"{switch.upper()} is off",
                    f"the rig finds {switch.upper()} {'not operated' if closed else 'operated'}",
                )
            )
        return at_ns

    def _words(self, closed: bool) -> str:
        return WORDS[self._switch][0 if closed else 1]

    def _ask(self, closed: bool, text: str) -> None:
        self._prompter(Prompt(self._switch, closed, text))
