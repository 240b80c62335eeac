"""Instantaneous values that a meter measures and does not register: averages of the last second, as floats (Q-6)."""

from __future__ import annotations

from dataclasses import dataclass

from rig.meter.measuring.quantities import Readings


@dataclass(frozen=True)
class Instantaneous:
    """Averages of the last second: by phase, by element of the form, and the line frequency.

    `sensed_phases` are those whose voltage a coil of the form senses, `metered_phases` those whose current comes to an
    element, such as "ac". A current below `starting_a` is no load.
    """

    phases: Readings
    elements: Readings
    hz: float | None
    sensed_phases: str
    metered_phases: str
    starting_a: float
