"""Plan of a verification: how many pulses it counts, and what it takes for passed."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from calibration.budget import pulses_needed
from rig.verify.errors import VerifyError

LIMIT_PERCENT = 0.03
"""An output must follow the registered energy exactly; so much leaves room for edges, and finds 0.05 %."""

LIMIT_SHARE = 3
"""The uncertainty is brought to one part in so many of the limit, where nothing else is asked for."""

LEAST_PULSES = 10
"""Fewer do not show how far edges scatter."""

MOST_PULSES = 1_000_000


@dataclass(frozen=True)
class Plan:
    """Plan as asked for. Of `pulses`, `seconds` and `energy_wh` one at most is given; else the count goes on until the
    expanded uncertainty is `uncertainty_percent`. Raises VerifyError for what cannot be."""

    pulses: int | None = None
    seconds: float | None = None
    energy_wh: Fraction | None = None
    uncertainty_percent: float | None = None
    limit_percent: float = LIMIT_PERCENT
    repeats: int = 1

    def __post_init__(self) -> None:
        given = {"--pulses": self.pulses, "--seconds": self.seconds, "--energy": self.energy_wh}
        named = [flag for flag, value in given.items() if value is not None]
        if len(named) > 1:
            raise VerifyError(f"{' and '.join(named)} both say how long: give one of them")
        if self.pulses is not None and not 2 <= self.pulses <= MOST_PULSES:
            raise VerifyError(f"--pulses is {self.pulses}, it must be 2 to {MOST_PULSES}")
        for flag, value in {**given, "--uncertainty": self.uncertainty_percent, "--limit": self.limit_percent}.items():
            if value is not None and not 0 < value < float("inf"):
                raise VerifyError(f"{flag} is {value:g}, it must be more than 0, and finite")

    @property
    def by_uncertainty(self) -> bool:
        """True if the count goes on until the uncertainty is the one that is wanted."""
        return self.pulses is None and self.seconds is None and self.energy_wh is None

    @property
    def wanted_percent(self) -> float:
        """The expanded uncertainty that is wanted."""
        return self.uncertainty_percent or self.limit_percent / LIMIT_SHARE

    def pulses_of(self, constant_wh: Fraction, rate_hz: float, edge_s: float) -> int:
        """Give how many pulses a repeat has, by the constant, the pulses that come a second, and the standard
        uncertainty in s of the instant of either end. Raises VerifyError for more than MOST_PULSES."""
        if self.pulses is not None:
            return self.pulses
        if self.energy_wh is not None:
            wanted = max(2, ceil(self.energy_wh / constant_wh))
        elif self.seconds is not None:
            wanted = max(2, int(self.seconds * rate_hz))
        else:
            needed = pulses_needed(self.wanted_percent, 2**0.5 * edge_s * rate_hz) or 0
            wanted = max(LEAST_PULSES, needed)
        if wanted > MOST_PULSES and not self.by_uncertainty:
            length = f"{self.seconds:g} s" if self.seconds is not None else f"{float(self.energy_wh or 0):g} Wh"
            raise VerifyError(f"{length} have {wanted} pulses, more than {MOST_PULSES}: ask for less")
        if wanted > MOST_PULSES:
            raise VerifyError(
                f"an uncertainty of {self.wanted_percent:g} % needs {wanted} pulses, more than {MOST_PULSES}: "
                "ask for a larger one with --uncertainty, or give --pulses"
            )
        return wanted


def check_reached(plan: Plan, lasting_percent: float) -> None:
    """Refuse an uncertainty that is asked for and that no count reaches, as what no count lessens makes
    `lasting_percent` alone (k = 2). Raises VerifyError."""
    wanted = plan.uncertainty_percent
    if plan.by_uncertainty and wanted is not None and lasting_percent >= wanted:
        raise VerifyError(
            f"an uncertainty of {wanted:g} % cannot be reached, as crystals and certificates alone make "
            f"{lasting_percent:.4f} %: ask for a larger one with --uncertainty"
        )
