"""Hands on a front by a script, and what it then shows: shared by the tests of the front.

A script is words in order of time, in seconds: `C1` takes the cover off at 1 s, `S2.5` presses SCROLL, `M` brings the
magnet, `R` presses RESET, `T` opens the Test switch; in small letters they are let go. `B` and `b`: billing begins and
ends test mode; `A`: it accepts a reset; `@9`: nothing happens but time.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from rig.meter.billing.commands import Action
from rig.meter.billing.quantity import Quantity
from rig.meter.display.items import DisplayItem, DisplaySettings, EnergyItem
from rig.meter.front.front import Front
from rig.meter.front.switches import Change, Switch

S = 10**9

SWITCHES = {"S": Switch.SCROLL, "M": Switch.MAGNET, "R": Switch.RESET, "T": Switch.TEST, "C": Switch.COVER}


def sequence(name: str, length: int) -> tuple[DisplayItem, ...]:
    """Items that differ by name."""
    return tuple(DisplayItem(f"{name} {k}", EnergyItem(Quantity.KWH_DELIVERED)) for k in range(length))


SETTINGS = DisplaySettings(
    scroll_s=6,
    normal=sequence("normal", 3),
    alternate=sequence("alternate", 2),
    gyrbox=sequence("gyrbox", 19),
    test=sequence("test", 3),
)


def at_of(word: str) -> int:
    """When it is, in ns."""
    return int(Decimal(word[1:]) * S)


class Hands:
    """A front, and a script played on it word by word."""

    def __init__(self, operated: Sequence[Switch] = (), settings: DisplaySettings | None = None) -> None:
        self.front = Front(settings or SETTINGS, operated, 0)
        self.test_mode = False

    def play(self, script: str) -> tuple[tuple[int, Action], ...]:
        """Play it; all it made the front ask of billing, and when, in ns."""
        return tuple((at_of(word), action) for word in script.split() for action in self._word(word))

    def _word(self, word: str) -> tuple[Action, ...]:
        letter, at_ns = word[0], at_of(word)
        if letter.upper() in SWITCHES:
            return self.front.change(Change(at_ns, SWITCHES[letter.upper()], letter.isupper()))
        if letter == "A":
            self.front.reset_accepted(at_ns)
        else:
            self.test_mode = letter == "B" or (letter == "@" and self.test_mode)
            self.front.advance(at_ns, self.test_mode)
        return ()
