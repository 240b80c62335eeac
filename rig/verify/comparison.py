"""Comparison of pulses with a reference: energy by their constant, error, registration. Exact, in rationals."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from rig.verify.errors import VerifyError


@dataclass(frozen=True)
class Comparison:
    """So many pulses of a constant in Wh (varh, VAh), and the reference energy that flowed for them.

    Raises VerifyError where no energy flowed by the reference, or it flowed the other way: a percentage of it says
    nothing then.
    """

    pulses: int
    constant_wh: Fraction
    reference_wh: Fraction

    def __post_init__(self) -> None:
        if self.reference_wh <= 0:
            raise VerifyError(
                f"the reference has {float(self.reference_wh):g} Wh for {self.pulses} pulses, it must be more than 0: "
                "see that the load is on, and that the output's quantity is the one that flows"
            )

    @property
    def energy_wh(self) -> Fraction:
        """Energy that the pulses stand for."""
        return self.pulses * self.constant_wh

    @property
    def error_percent(self) -> Fraction:
        """(metered − reference) / reference, in percent: positive where the pulses say too much."""
        return 100 * (self.energy_wh - self.reference_wh) / self.reference_wh

    @property
    def registration_percent(self) -> Fraction:
        """metered / reference, in percent."""
        return 100 + self.error_percent
