"""The uncertainty of a percentage error, as the GUM (JCGM 100:2008) has it: components, combined, times k = 2.

Components are relative to the reference energy and uncorrelated, so they add as squares (GUM 5.1.2); the model
error = metered / reference − 1 has the sensitivity 1 to each, to the size of the error itself. Those that differ from
one repeat to the next are random, and a mean of n repeats has them divided by √n; the others stay. Where repeats
scatter more than the random components explain, their scatter takes the place of these: it contains them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from math import ceil, inf, isfinite, sqrt
from statistics import stdev

K = 2
"""The coverage factor: about 95 % of a normal distribution."""


class Shape(Enum):
    """Shape of a component's distribution: the divisor that makes a half-width a standard uncertainty (GUM 4.3)."""

    NORMAL = "normal", 1.0
    RECTANGULAR = "rectangular", sqrt(3)
    TRIANGULAR = "triangular", sqrt(6)

    divisor: float

    def __new__(cls, value: str, divisor: float) -> Shape:
        shape = object.__new__(cls)
        shape._value_, shape.divisor = value, divisor
        return shape


@dataclass(frozen=True)
class Component:
    """One source of uncertainty, in percent of the reference energy.

    `half_width_percent` over the divisor of its shape is the standard uncertainty. `freedom` counts the degrees of
    freedom it was found with; inf for what is given. `random`: other in each repeat.
    """

    source: str
    half_width_percent: float
    shape: Shape = Shape.NORMAL
    freedom: float = inf
    random: bool = False

    @property
    def standard_percent(self) -> float:
        """The standard uncertainty."""
        return self.half_width_percent / self.shape.divisor


@dataclass(frozen=True)
class Budget:
    """Budget of the components of a mean of `repeats`, each divided by √repeats where that belongs."""

    components: tuple[Component, ...]

    @property
    def combined_percent(self) -> float:
        """The combined standard uncertainty."""
        return sqrt(sum(part.standard_percent**2 for part in self.components))

    @property
    def expanded_percent(self) -> float:
        """The expanded uncertainty, k = 2."""
        return K * self.combined_percent

    @property
    def freedom(self) -> float:
        """The effective degrees of freedom by Welch and Satterthwaite (GUM G.4.1); inf if all is given."""
        parts = [part for part in self.components if isfinite(part.freedom)]
        below = sum(part.standard_percent**4 / part.freedom for part in parts)
        return self.combined_percent**4 / below if below else inf


def budget(components: Sequence[Iterable[Component]], errors_percent: Sequence[float]) -> Budget:
    """Give the budget of the mean of repeats from the components and the error of each, in percent.

    A component that repeats have by the same source counts with the largest of its values. Raises ValueError
    without a repeat, or where there is not one error for each.
    """
    repeats = len(components)
    if not repeats or len(errors_percent) != repeats:
        raise ValueError(f"{repeats} repeats have {len(errors_percent)} errors")
    worst: dict[str, Component] = {}
    for each in components:
        for part in each:
            if part.source not in worst or part.standard_percent > worst[part.source].standard_percent:
                worst[part.source] = part
    lasting = [part for part in worst.values() if not part.random]
    varying = [part for part in worst.values() if part.random]
    root = sqrt(repeats)
    explained = sqrt(sum(part.standard_percent**2 for part in varying))
    if repeats > 1 and (scatter := stdev(errors_percent)) > explained:
        found = Component(f"repeatability of {repeats}", scatter / root, freedom=repeats - 1, random=True)
        return Budget((*lasting, found))
    scaled = [
        Component(part.source, part.half_width_percent / root, part.shape, part.freedom, random=True)
        for part in varying
    ]
    return Budget((*lasting, *scaled))


def pulses_needed(wanted_percent: float, random_pulses: float, lasting_percent: float = 0.0) -> int | None:
    """Give how many pulses an expanded uncertainty needs; None where no number reaches it.

    `random_pulses` is the standard uncertainty of a count, in pulses, however long it is: relative to n pulses it is
    random_pulses / n. `lasting_percent` is the standard uncertainty that no number of pulses lessens. From
    K² ((100 random / n)² + lasting²) ≤ wanted²:  n ≥ 100 random / √((wanted / K)² − lasting²). Raises ValueError for a
    wanted uncertainty that is not positive.
    """
    if not wanted_percent > 0:
        raise ValueError(f"an uncertainty of {wanted_percent:g} % cannot be reached: give more than 0")
    left = (wanted_percent / K) ** 2 - lasting_percent**2
    if left <= 0:
        return None
    return max(1, ceil(100 * random_pulses / sqrt(left)))
