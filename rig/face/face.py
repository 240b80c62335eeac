"""Everything a person sees of the meter at a moment, as data for any sink to draw (D-1)."""

from __future__ import annotations

from dataclasses import dataclass

from drivers.gpio import Position
from rig.meter.display.lcd import Lcd
from rig.meter.front.switches import Switch


@dataclass(frozen=True)
class Face:
    """A moment of the meter's front. `contacts` by name, in order; `operated` switches as in Switch, so COVER is there
    while the cover is off; `plate` the nameplate's lines, label and text; `marks` what every result must say of itself,
    such as "SIMULATED", and stands outside the glass.
    """

    lcd: Lcd
    led_lit: bool = False
    contacts: tuple[tuple[str, Position], ...] = ()
    operated: frozenset[Switch] = frozenset()
    plate: tuple[tuple[str, str], ...] = ()
    marks: str = ""
