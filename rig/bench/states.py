"""States of a meter that can be seen from outside: its display, and the contacts of an output."""

from __future__ import annotations

from dataclasses import dataclass

from drivers.gpio import Position
from rig.meter.display.lcd import ALL_SEGMENTS, Annunciator, Lcd
from rig.meter.front.modes import Mode

ALL_SEGMENTS_TEXT = "all segments"
"""The text of the check of all segments."""


@dataclass(frozen=True, slots=True)
class ShownFrame:
    """The display: its LCD, which sequence it is of, and the item's name in the program."""

    lcd: Lcd
    mode: Mode
    item: str

    @property
    def checks_segments(self) -> bool:
        """True while all segments stand; then nothing else can be read."""
        return self.lcd == ALL_SEGMENTS

    @property
    def digits(self) -> str:
        """The digits that stand on it."""
        return ALL_SEGMENTS_TEXT if self.checks_segments else self.lcd.text

    @property
    def text(self) -> str:
        """A line."""
        if self.checks_segments:
            return f"{ALL_SEGMENTS_TEXT} ({self.mode.value} sequence)"
        lcd = self.lcd
        lit = " ".join(annunciator.value for annunciator in Annunciator if annunciator in lcd.lit) or "nothing"
        return f'"{lcd.text}" {lcd.unit}, lit {lit} ({self.mode.value} sequence, item "{self.item}")'


@dataclass(frozen=True, slots=True)
class ContactState:
    """The contact of an output that is closed."""

    output: str
    position: Position

    @property
    def text(self) -> str:
        """A line: "KYZ1 K-Y"."""
        return f"{self.output} {self.position.value}"
