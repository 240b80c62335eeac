"""Choice from a Green Button feed of what counts: a usage point, and by column a series of it.

What is not sure is asked for: which usage point of several (`--meter`), which series of several for one column
(`--columns kwh_delivered=NAME`), each by its title or by its number in the feed. What does not count is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rig.files.strict_toml import shown
from rig.replay.espi.reading_types import REGISTERS, SERVICES, Meaning, meaning
from rig.replay.espi.series import Point, Series
from rig.replay.intervals.columns import COLUMNS
from rig.replay.intervals.encoding import IntervalFileError
from rig.replay.intervals.record import counted
from rig.replay.intervals.writing import Writing

MOST_TOLD = 6


@dataclass(frozen=True)
class ChosenSeries:
    """A series that counts, with its name for people, and what its readings mean."""

    name: str
    series: Series
    means: Meaning

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it gives, of net readings two."""
        return (self.means.column,) if self.means.negative is None else (self.means.column, self.means.negative)


class GreenButtonChoice:
    """Chooses of one feed. Methods raise IntervalFileError; `notes` are added to."""

    def __init__(self, path: Path, notes: list[str]) -> None:
        self.path, self.notes = path, notes

    def point(self, points: Sequence[Point], wanted: str | None) -> Point:
        """The usage point that is asked for, or the only one of electricity."""
        electric = [point for point in points if point.service in (None, 0)]
        electric = [point for point in electric if any(isinstance(meaning(s.type), Meaning) for s in point.series)]
        if not electric:
            reasons = [
                f"of {SERVICES.get(point.service, 'another service')}" if point.service else str(meaning(one.type))
                for point in points
                for one in point.series
                if point.service or not isinstance(meaning(one.type), Meaning)
            ]
            found = "; ".join(dict.fromkeys(reasons))
            raise IntervalFileError(
                f"{self.path}: its readings are {found}: they must be energy or power of electricity, uom 72, 38, "
                "73 or 63"
            )
        names = [f"{k} {shown(point.title)}" if point.title else str(k) for k, point in enumerate(electric, 1)]
        if wanted is not None:
            matching = _matching(wanted, [point.title for point in electric])
            if len(matching) != 1:
                raise IntervalFileError(
                    f"{self.path} has {'no' if not matching else 'several'} usage point {shown(wanted)} for "
                    f"--meter: it has {_listed(names)}"
                )
            return electric[matching[0]]
        if len(electric) > 1:
            raise IntervalFileError(
                f"{self.path} has {len(electric)} usage points of electricity, {_listed(names)}: say which with "
                "--meter, by its number or its title"
            )
        if others := [point for point in points if point is not electric[0]]:
            kinds = dict.fromkeys(SERVICES.get(point.service or 0, "readings that do not count") for point in others)
            self.notes.append(f"{counted(len(others), 'usage point')} of {' and '.join(kinds)} passed over")
        return electric[0]

    def series(self, point: Point, writing: Writing) -> list[ChosenSeries]:
        """By column, the series that count."""
        names = [
            f"{k} {shown(one.title)}" if one.title else f"{k} (without a title)"
            for k, one in enumerate(point.series, 1)
        ]
        means = [meaning(one.type) for one in point.series]
        chosen: list[ChosenSeries] = []
        given = {key: name for key, name in writing.columns.items() if key in COLUMNS}
        if len(given) != len(writing.columns):
            raise IntervalFileError(
                f"{self.path} is a Green Button feed: --columns must give {', '.join(COLUMNS)} a series"
            )
        for column, wanted in given.items():
            matching = _matching(wanted, [one.title for one in point.series])
            right = [k for k in matching if isinstance(m := means[k], Meaning) and m.column == column]
            if len(right) != 1:
                raise IntervalFileError(
                    f"{self.path} has no one series {shown(wanted)} of {column} for --columns: it has {_listed(names)}"
                )
            chosen.append(ChosenSeries(names[right[0]], point.series[right[0]], _sure(means[right[0]])))
        taken = {column for one in chosen for column in one.columns}
        by_column: dict[str, list[int]] = {}
        left = []
        for k, found in enumerate(means):
            if isinstance(found, str):
                left.append(f"{names[k]}, {found}")
            elif taken.isdisjoint((found.column, found.negative)):
                by_column.setdefault(found.column, []).append(k)
            elif not any(one.series is point.series[k] for one in chosen):
                left.append(f"{names[k]}, not chosen")
        for column, places in by_column.items():
            plain = [k for k in places if _sure(means[k]).negative is None] or places
            plain = [k for k in plain if not _sure(means[k]).register] or plain
            if len(plain) > 1:
                listed = _listed([f"{names[k]} of {_length(point.series[k])}" for k in plain])
                raise IntervalFileError(
                    f"{self.path} has {len(plain)} series of {column}, {listed}: say which with --columns "
                    f"{column}=NAME, by its number or its title"
                )
            for k in places:
                if k not in plain:
                    register = _sure(means[k]).register
                    left.append(f"{names[k]}, {'a register beside energies' if register else 'net beside its parts'}")
            chosen.append(ChosenSeries(names[plain[0]], point.series[plain[0]], _sure(means[plain[0]])))
        if left:
            self.notes.append(f"series that do not count: {_listed(left)}")
        return self._without_net(chosen)

    def _without_net(self, chosen: list[ChosenSeries]) -> list[ChosenSeries]:
        """Net readings give two columns, of which neither may be there besides."""
        for one in chosen:
            if one.means.negative is not None and any(other.means.column == one.means.negative for other in chosen):
                raise IntervalFileError(
                    f"{self.path}: series {one.name} is net and gives {one.means.negative} too, which has a series "
                    f"of its own: say with --columns {one.means.column}=NAME which it is"
                )
        for one in chosen:
            self.notes += [f"readings of {one.name} {note}" for note in one.means.notes]
        return chosen


def _sure(found: Meaning | str) -> Meaning:
    assert isinstance(found, Meaning)
    return found


def _matching(wanted: str, titles: Sequence[str]) -> list[int]:
    """The places of a title, or of a number from 1 on."""
    named = [k for k, title in enumerate(titles) if title.strip().lower() == wanted.strip().lower()]
    if not named and wanted.isascii() and wanted.isdigit() and len(wanted) < 6 and 1 <= int(wanted) <= len(titles):
        return [int(wanted) - 1]
    return named


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:MOST_TOLD]) + (", …" if len(names) > MOST_TOLD else "")


def _length(series: Series) -> str:
    lengths = Counter(reading.duration_s for reading, _ in series.readings)
    if lengths and series.type.accumulation in REGISTERS:
        return "a register"
    return f"{lengths.most_common(1)[0][0] / 60:g} min" if lengths else "no readings"
