"""Totals of days on one line: they must be the sums of their intervals, to their last decimal, or it is told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from rig.files.strict_toml import shown
from rig.replay.intervals.cell_units import cell_unit
from rig.replay.intervals.channels import ChannelRows, DayTotal
from rig.replay.intervals.columns import UNITS, WrongColumns, words_of
from rig.replay.intervals.decimals import Notation
from rig.replay.intervals.numbers import number_of


def check_totals(
    path: Path,
    names: Sequence[str],
    rows: ChannelRows,
    numbers: Sequence[Mapping[str, Decimal]],
    notation: Notation,
) -> list[str]:
    """Give notes on totals that are not the sums of their lines. Raises WrongColumns where only a total's name has the
    unit of the intervals, and its totals are not their sums."""
    notes = []
    by_column: dict[tuple[int, int], list[DayTotal]] = defaultdict(list)
    for total in rows.totals:
        by_column[total.place, total.at].append(total)
    for (place, at), totals in by_column.items():
        unit = next((word for word in words_of(names[place]) if word in UNITS), None)
        if unit is None and len(rows.columns) > 1 and not rows.channels[at].channel and not rows.channels[at].unit:
            continue  # of which of several series on a line it is, nothing says
        if unit is not None and ("var" in unit) != rows.columns[at].startswith("kvarh"):
            continue
        wrong = [total for total in totals if not _is_sum(total, unit, rows, numbers[at], notation)]
        if not wrong:
            continue
        first = wrong[0]
        amount = sum((numbers[at].get(text, Decimal(0)) for text in first.texts), Decimal(0))
        found = (
            f"column {shown(names[place].strip())} is not the sum of its line in {len(wrong)} of {len(totals)} lines, "
            f"the first line {first.line}: it is {shown(first.text)}, its intervals come to {amount:f}"
        )
        if not rows.sources[at].power and not any(
            not _is_sum(total, unit, _as_power(rows, at), numbers[at], notation) for total in wrong
        ):
            found += ": are they mean powers, in kW?"
        if rows.channels[at].value.by_total:
            raise WrongColumns(f"{found}; say with --columns in which unit they are, as kwh_delivered=NAME")
        notes.append(found)
    return notes


def _as_power(rows: ChannelRows, at: int) -> ChannelRows:
    """The same numbers as mean powers."""
    sources = tuple(replace(s, power=True) if k == at else s for k, s in enumerate(rows.sources))
    return rows._replace(sources=sources)


def _is_sum(
    total: DayTotal, unit: str | None, rows: ChannelRows, numbers: Mapping[str, Decimal], notation: Notation
) -> bool:
    """Return whether a total is the sum of its line's energy; without a unit, or in that of power, of its numbers."""
    own = cell_unit(total.text)
    number = number_of(notation, total.text if own is None else own.number)
    if number is None:
        return False
    unit = own.word.lower() if own is not None else unit
    source, series = rows.sources[total.at], rows.channels[total.at].value.series
    assert series is not None, "only days have totals"
    amount = sum((Fraction(numbers.get(text, Decimal(0))) for text in total.texts), Fraction(0)) * source.factor
    factor = source.factor if unit is None else UNITS[unit]
    energy = amount * Fraction(series.step_min, 60) if source.power else amount
    due = {energy if unit is None or unit.endswith("h") else amount}
    if source.power and unit is None:
        due.add(amount)
    half = Fraction(1, 2 * 10 ** max(-int(number.as_tuple().exponent), 0))
    return any(abs(Fraction(number) * factor - each) <= half * factor for each in due)
