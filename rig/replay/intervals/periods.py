"""Registers by month or by season: how much they grew in each, and the highest demands that were of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rig.meter.billing.maxima import Maximum
from rig.meter.billing.quantity import Amounts

PeriodAmounts = tuple[Amounts, Sequence[Amounts]]
"""Energy in total, and by rate."""


@dataclass
class Stretch:
    """From `begin_ns` to `end_ns`; maxima are by the place of their quantity."""

    name: str
    begin_ns: int
    end_ns: int
    energy: list[int] = field(default_factory=list)
    rates: list[list[int]] = field(default_factory=list)
    maxima: dict[int, Maximum] = field(default_factory=dict)


class Periods:
    """Stretches one after another; several may have the same name."""

    def __init__(self, name: str, utc_ns: int, registers: PeriodAmounts) -> None:
        self.stretches: list[Stretch] = []
        self._registers = registers
        self._open = Stretch(name, utc_ns, utc_ns)

    @property
    def name(self) -> str:
        """Of the stretch that runs."""
        return self._open.name

    def look(self, demands: Sequence[int], at_ns: int) -> None:
        """Demands that count in it. 0 is no maximum, and of equal ones the first stays, as in the meter."""
        keep_highest(self._open.maxima, ((place, Maximum(value, at_ns, ())) for place, value in enumerate(demands)))

    def turn(self, name: str, utc_ns: int, registers: PeriodAmounts) -> None:
        """Another begins, with the registers as they stand."""
        energy, rates = self._registers
        ended, self._registers = self._open, registers
        ended.end_ns = utc_ns
        ended.energy = _less(registers[0], energy)
        ended.rates = [_less(now, then) for now, then in zip(registers[1], rates, strict=True)]
        self.stretches.append(ended)
        self._open = Stretch(name, utc_ns, utc_ns)

    def by_name(self) -> dict[str, Stretch]:
        """Those of the same name together."""
        found: dict[str, Stretch] = {}
        for one in self.stretches:
            sofar = found.get(one.name)
            if sofar is None:
                found[one.name] = Stretch(
                    one.name, one.begin_ns, one.end_ns, one.energy, one.rates, dict(one.maxima)
                )  # fmt: skip
                continue
            sofar.end_ns = one.end_ns
            sofar.energy = _more(sofar.energy, one.energy)
            sofar.rates = [_more(a, b) for a, b in zip(sofar.rates, one.rates, strict=True)]
            keep_highest(sofar.maxima, one.maxima.items())
        return found


def keep_highest(highest: dict[int, Maximum], others: Iterable[tuple[int, Maximum]]) -> None:
    """Put in what is higher."""
    for place, other in others:
        if other.value > (highest[place].value if place in highest else 0):
            highest[place] = other


def _more(one: Amounts, other: Amounts) -> list[int]:
    return [a + b for a, b in zip(one, other, strict=True)]


def _less(one: Amounts, other: Amounts) -> list[int]:
    return [a - b for a, b in zip(one, other, strict=True)]
