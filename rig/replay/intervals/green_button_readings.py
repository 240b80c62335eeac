"""The readings of a Green Button series that count, and of a register their differences.

A register's reading is of an instant: where it has no duration, of its start; else of the end of its time, or of the
begin if --stamps says so. The standard does not say which.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from rig.files.strict_toml import shown
from rig.meter.billing.calendar import Calendar
from rig.meter.billing.time_units import SECOND_NS
from rig.replay.espi.feed import Reading
from rig.replay.espi.reading_types import GOOD_QUALITIES, QUALITIES, REGISTERS
from rig.replay.intervals.encoding import IntervalFileError
from rig.replay.intervals.gaps import LONGEST_GAP_NS, short_text
from rig.replay.intervals.green_button_choice import ChosenSeries
from rig.replay.intervals.record import counted
from rig.replay.intervals.registers import DatedReading, Difference, WrongRegister, differences
from rig.replay.intervals.values import MOST_DECIMALS, plain_number

Span = tuple[int, int]
"""Start and duration of a reading, in seconds."""


class GreenButtonReadings:
    """Takes the readings of one feed's series. `ends`: a register's readings are of their times' ends, and `sure` that
    a person says which. Methods raise IntervalFileError; `notes` are added to."""

    def __init__(self, path: Path, calendar: Calendar, notes: list[str], *, ends: bool, sure: bool) -> None:
        self._path, self._calendar, self._notes = path, calendar, notes
        self._ends, self._sure = ends, sure

    def of(self, one: ChosenSeries) -> list[Reading]:
        """Those of a series, or their differences, in order of time, none over another, each with a value."""
        return self._advances(one) if one.means.register else self._energies(one)

    def number(self, one: ChosenSeries, reading: Reading) -> Decimal:
        """A reading's value."""
        number = plain_number(reading.value or "")
        if number is None:
            raise IntervalFileError(
                f"{self._path}, line {reading.line}: value is {shown(reading.value)}, it must be a number with at most "
                f"{MOST_DECIMALS} decimals"
            )
        if number < 0 and one.means.negative is None:
            raise IntervalFileError(
                f"{self._path}, line {reading.line}: value is {number:f}, of {one.means.column} it must be 0 or "
                "more; what flows the other way has a ReadingType with flowDirection 19, and net readings one with 4"
            )
        return number

    def _energies(self, one: ChosenSeries) -> list[Reading]:
        """Readings that are energies, or powers."""
        found = self._once(one, lambda reading: (reading.start_s, reading.duration_s))
        for a, b in pairwise(found):
            if b.start_s < a.start_s + a.duration_s:
                raise IntervalFileError(
                    f"{self._path}, line {b.line}: the reading of {b.duration_s} s from {self._at(b.start_s)} "
                    "overlaps that in "
                    f"line {a.line}, which is of {a.duration_s} s from {self._at(a.start_s)}: they must follow one "
                    "another"
                )
        return found

    def _once(self, one: ChosenSeries, key_of: Callable[[Reading], Span]) -> list[Reading]:
        """Readings with a value in order of their keys; of one that comes again the one to take."""
        best: dict[Span, tuple[Reading, str]] = {}
        again: list[Reading] = []
        differing = 0
        for reading, updated in one.series.readings:
            if reading.value is None:
                continue
            key = key_of(reading)
            before = best.get(key)
            if before is not None:
                again.append(reading)
                differing += before[0].value != reading.value
            if before is None or updated > before[1]:
                best[key] = (reading, updated)
        found = [best[key][0] for key in sorted(best)]
        if again:
            differ = f", {differing} of them with other values" if differing else ""
            self._notes.append(
                f"{counted(len(again), 'reading')} again, the first in line {again[0].line}{differ}: of each that "
                "of the block updated last counts, of equals the first"
            )
        self._tell_qualities(one, found)
        return found

    def _advances(self, one: ChosenSeries) -> list[Reading]:
        """Differences of a register's readings, as readings."""

        def at(reading: Reading) -> Span:
            return reading.start_s + (reading.duration_s if self._ends else 0), 0

        readings = self._once(one, at)
        values = [DatedReading(at(each)[0], self.number(one, each), each.line) for each in readings]
        kind = f"accumulationBehaviour {one.series.type.accumulation}, {REGISTERS[one.series.type.accumulation or 0]}"
        if len(values) < 2:
            raise IntervalFileError(
                f"{self._path}: {one.name} is a register ({kind}) with {counted(len(values), 'reading')}: it must have "
                "two or more"
            )
        try:
            found, notes = differences(values, net=one.means.negative is not None)
        except WrongRegister as error:
            raise IntervalFileError(
                f"{self._path}: {one.name} is a register ({kind}) by its type, but {error}"
            ) from None
        of_spans = any(reading.duration_s for reading in readings)
        when = f", each taken at the {'end' if self._ends else 'begin'} of its time" if of_spans else ""
        other = "" if self._sure or not of_spans else " (--stamps begin if at the begin)"
        self._notes.append(
            f"readings of {one.name} are those of a register ({kind}){when}{other}: the energy of an interval is the "
            f"difference of two; from {values[0].value:f} in line {values[0].line} to {values[-1].value:f} in line "
            f"{values[-1].line}"
        )
        self._notes += [f"{one.name} {note}" for note in notes]
        self._tell_long(one, found)
        return [Reading(each.start_s, each.duration_s, f"{each.value:f}", (), each.line) for each in found]

    def _tell_long(self, one: ChosenSeries, found: Sequence[Difference]) -> None:
        """Differences over more than the usual time; a year is too long."""
        usual_s = Counter(each.duration_s for each in found).most_common(1)[0][0] if found else 0
        long = [each for each in found if each.duration_s > usual_s]
        if not long:
            return
        longest = max(long, key=lambda each: each.duration_s)
        begin, end = self._at(longest.start_s), self._at(longest.start_s + longest.duration_s)
        if longest.duration_s > LONGEST_GAP_NS // SECOND_NS:
            raise IntervalFileError(
                f"{self._path}, line {longest.line}: {one.name} has no reading from {begin} to {end}, more than a "
                "year: give each part as a file"
            )
        self._notes.append(
            f"{one.name}: {counted(len(long), 'difference')} over more than {usual_s / 60:g} min, the longest from "
            f"{begin} to {end}: energy is spread evenly over each"
        )

    def _tell_qualities(self, one: ChosenSeries, readings: Sequence[Reading]) -> None:
        first: dict[int, Reading] = {}
        times: Counter[int] = Counter()
        for reading in readings:
            for quality in set(reading.qualities) - set(GOOD_QUALITIES):
                first.setdefault(quality, reading)
                times[quality] += 1
        for quality in sorted(first):
            words = QUALITIES.get(quality, "of a quality that is not known")
            self._notes.append(
                f"{one.means.column}: {times[quality]} of {counted(len(readings), 'reading')} {words} (quality "
                f"{quality}), the first from {self._at(first[quality].start_s)}"
            )

    def _at(self, utc_s: int) -> str:
        return short_text(self._calendar, utc_s * SECOND_NS)
