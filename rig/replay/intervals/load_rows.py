"""The lines of a load record as stamps and numbers, before they are intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from math import lcm
from typing import NamedTuple

from rig.meter.billing.time_units import HOUR_NS
from rig.replay.intervals.columns import Source
from rig.replay.intervals.net import NET


class LoadRow(NamedTuple):
    """A line: its time as it stands there, and by column the texts of its numbers; None where all of them are empty."""

    line: int
    time: datetime
    energies: tuple[str, ...] | None


@dataclass
class Rows:
    """All lines in the order of the file; `columns` are those of COLUMNS that it has, `others` its columns that do not
    count. `numbers` is by column of every text, in the unit of its source. `notes` say how the file was read.
    `named`: the name of the column of times says whether intervals begin or end at them."""

    columns: tuple[str, ...]
    sources: tuple[Source, ...]
    named: bool
    others: tuple[str, ...] = ()
    rows: list[LoadRow] = field(default_factory=list)
    numbers: list[dict[str, Decimal]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def flows(self, place: int) -> bool:
        """Return whether a line has energy."""
        energies = self.rows[place].energies
        return energies is not None and any(known[text] for known, text in zip(self.numbers, energies, strict=True))

    def part_net(self, values: Sequence[tuple[str, ...]]) -> Sequence[tuple[str, ...]]:
        """Put net columns in their two parts; give the texts of all lines for these. Notes are added to."""
        for at, column in enumerate(self.columns):
            if column not in NET:
                continue
            plus, minus = NET[column]
            known = self.numbers[at]
            self.columns = (*self.columns[:at], plus, *self.columns[at + 1 :])
            if all(number >= 0 for number in known.values()):
                continue
            self.columns, self.sources = (*self.columns, minus), (*self.sources, self.sources[at])
            self.numbers[at] = {text: max(number, Decimal(0)) for text, number in known.items()}
            self.numbers.append({text: max(-number, Decimal(0)) for text, number in known.items()})
            there = [texts for texts in values if any(texts)]
            below = sum(known[texts[at]] < 0 for texts in there)
            self.notes.append(f"{column}: {below} of {len(there)} values are below 0: they are {minus}")
            both = {texts: (*texts, texts[at]) for texts in set(values)}
            values = [both[texts] for texts in values]
        return values

    def units(self, length_ns: int) -> tuple[int, list[dict[str, int]]]:
        """Every number exactly, by column, as an integer of kWh (kvarh) over one scale; power flows for `length_ns`."""
        factors = [
            source.factor * Fraction(length_ns, HOUR_NS) if source.power else source.factor for source in self.sources
        ]
        all_numbers = [number for known in self.numbers for number in known.values()]
        places = max((-int(number.as_tuple().exponent) for number in all_numbers), default=0)
        common = lcm(*(factor.denominator for factor in factors))
        scale = 10 ** max(places, 0)
        units = []
        for factor, known in zip(factors, self.numbers, strict=True):
            whole = int(factor * common)
            ratios = {text: number.as_integer_ratio() for text, number in known.items()}
            units.append({text: ratio[0] * (scale // ratio[1]) * whole for text, ratio in ratios.items()})
        return scale * common, units
