"""Steering of the oscillator that the fundamental is measured with: it follows the line from the Pi.

Why, and why with a dead band: docs/decisions/016-oscillator.md.
"""

from __future__ import annotations

from fractions import Fraction

DEAD_BAND = 2e-5
"""The oscillator stays as it is while the line is nearer than this share: 1.2 mHz at 60 Hz."""


def tracking_step(step: int, hz: float, sample_hz: Fraction) -> int:
    """The value register OSCILLATOR_STEP should have on a line of `hz`; `step` itself within the dead band."""
    wanted = hz / float(sample_hz) * 2**32
    return step if abs(wanted - step) <= DEAD_BAND * wanted else round(wanted)
