"""A unit by phasor arithmetic: what sensors in error make a meter read of a load, by no code that solves."""

from __future__ import annotations

import cmath
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from calibration.observation import ObservedPoint, PhaseReading, PointPlan, Purpose, Sample

Curve = Callable[[float], tuple[float, float]]
"""Of a current: its ratio, and the degrees by which it lags."""


@dataclass
class PhasorUnit:
    """`volts` are factors of the voltage channels, `amperes` curves of the current channels. `owner` is the phase whose
    current each sees, `volts_owner` whose voltage, `turned` are those the wrong way round; `noise` is a share of each
    reading, by channel, and `drift` one more with each sample."""

    volts: list[float] = field(default_factory=lambda: [1.0] * 3)
    amperes: list[Curve] = field(default_factory=lambda: [lambda _: (1.0, 0.0)] * 3)
    owner: list[int] = field(default_factory=lambda: [0, 1, 2])
    volts_owner: list[int] = field(default_factory=lambda: [0, 1, 2])
    turned: list[bool] = field(default_factory=lambda: [False] * 3)
    noise: dict[str, float] = field(default_factory=dict)
    drift: dict[str, float] = field(default_factory=dict)
    reference: tuple[float, float] = (1.0, 1.0)
    applied: tuple[float, float] = (1.0, 1.0)
    dice: random.Random = field(default_factory=lambda: random.Random(5))

    def measure(self, plan: PointPlan, samples: int = 8) -> ObservedPoint:
        """Measure a point."""
        return ObservedPoint(plan, tuple(self._sample(plan, n) for n in range(samples)))

    def _sample(self, plan: PointPlan, n: int) -> Sample:
        true_v = [cmath.rect(plan.volts * self.applied[0], -math.radians(120 * k)) for k in range(3)]
        true_i = [
            cmath.rect(plan.amperes * share * self.applied[1], -math.radians(120 * k + plan.lag_deg))
            for k, share in enumerate(plan.shares)
        ]
        meter = []
        for k in range(3):
            ratio, lag = self.amperes[k](abs(true_i[self.owner[k]]))
            v = true_v[self.volts_owner[k]] * self.volts[k] * self._shaken(f"v{k + 1}", n)
            i = true_i[self.owner[k]] * cmath.rect(ratio, -math.radians(lag)) * self._shaken(f"i{k + 1}", n)
            meter.append(_reading(v, -i if self.turned[k] else i))
        rv, ri = self.reference
        truth = [_reading(v * rv, i * ri) for v, i in zip(true_v, true_i, strict=True)]
        return Sample((meter[0], meter[1], meter[2]), (truth[0], truth[1], truth[2]))

    def _shaken(self, name: str, n: int) -> float:
        return 1 + self.dice.gauss(0, 1) * self.noise.get(name, 0.0) + self.drift.get(name, 0.0) * n


def _reading(v: complex, i: complex) -> PhaseReading:
    power = v * i.conjugate()
    return PhaseReading(abs(v), abs(i), power.real, power.imag)


WIRING = PointPlan("wiring", Purpose.WIRING, 120.0, 5.0, 0.0, 60.0, (1.0, 0.8, 0.6))
"""As calibration/plan.py has it, in plain numbers."""


def solving(amperes: float, hz: float = 60.0) -> PointPlan:
    """A solving point."""
    return PointPlan(f"{amperes:g} A", Purpose.SOLVE, 120.0, amperes, 60.0, hz)
