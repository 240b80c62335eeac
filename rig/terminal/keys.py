"""Keys of a terminal as hands on the switches of a simulated rig.

A terminal tells when a key goes down and never when it comes up. So of the keys of buttons and magnet:

    state      key, or time            next       the switch
    up         key                     pressed    is operated
    pressed    TWICE_NS have passed    up         is let go: a short press
    pressed    key                     held       stays operated
    held       key                     up         is let go

and each press of the others, TEST and the cover, moves the switch from one position to the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from rig.meter.front.switches import Change, Switch

TWICE_NS = 400_000_000
"""A second press within this time means hold."""

KEYS = {"m": Switch.MAGNET, "s": Switch.SCROLL, "r": Switch.RESET, "t": Switch.TEST, "c": Switch.COVER}
STAYS = frozenset({Switch.TEST, Switch.COVER})
"""Switches that stay where they are put."""


class Hand(Enum):
    """State of a key that moves a switch."""

    UP = "up"
    PRESSED = "pressed"
    HELD = "held"


@dataclass
class _Key:
    hand: Hand = Hand.UP
    since_ns: int = 0


class Keys:
    """The switches as the keys have them. Time is passed in, in ns of a clock that does not go back."""

    def __init__(self) -> None:
        self._keys = {switch: _Key() for switch in Switch}

    @property
    def next_due_ns(self) -> int | None:
        """Instant at which `advance` is next needed; None while no key waits."""
        return min((k.since_ns + TWICE_NS for k in self._keys.values() if k.hand is Hand.PRESSED), default=None)

    def press(self, character: str, now_ns: int) -> list[Change]:
        """A key came; nothing comes of one that is not in KEYS."""
        changes = self.advance(now_ns)
        switch = KEYS.get(character.lower())
        if switch is None:
            return changes
        key = self._keys[switch]
        match key.hand:
            case Hand.UP if switch in STAYS:
                key.hand = Hand.HELD
            case Hand.UP:
                key.hand = Hand.PRESSED
            case Hand.PRESSED:
                key.hand = Hand.HELD
                return changes
            case Hand.HELD:
                key.hand = Hand.UP
        key.since_ns = now_ns
        return [*changes, Change(now_ns, switch, key.hand is not Hand.UP)]

    def advance(self, now_ns: int) -> list[Change]:
        """Let time pass: short presses end, at their instants."""
        ended = []
        for switch, key in self._keys.items():
            if key.hand is Hand.PRESSED and key.since_ns + TWICE_NS <= now_ns:
                key.hand = Hand.UP
                ended.append(Change(key.since_ns + TWICE_NS, switch, False))
        return sorted(ended, key=lambda change: change.at_ns)
