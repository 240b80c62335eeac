"""A Green Button feed as a load's record: one usage point's energies, by their own times in UTC.

a reading again             the one of the block that was updated last counts, of equals the first, told
one over another            refused
no reading for some time    time without energy, told
qualities of readings       counted, and told with how many and the first
a register's readings       their differences (registers.py), at the end of each reading's time unless --stamps begin
another clock than the meter's in LocalTimeParameters    told: rates and days are by the meter's
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import lcm
from pathlib import Path

from rig.meter.billing.calendar import Calendar
from rig.meter.billing.time_units import HOUR_NS, MINUTE_NS, SECOND_NS
from rig.replay.espi.feed import Reading, WrongFeed, read_feed
from rig.replay.espi.local_time import LocalTime
from rig.replay.espi.safe_xml import WrongXml
from rig.replay.espi.series import Point, points_of
from rig.replay.intervals.climbs import value_notes
from rig.replay.intervals.columns import COLUMNS
from rig.replay.intervals.encoding import IntervalFileError, utf_of
from rig.replay.intervals.gaps import gap_notes, short_text
from rig.replay.intervals.green_button_choice import ChosenSeries, GreenButtonChoice
from rig.replay.intervals.green_button_readings import GreenButtonReadings, Span
from rig.replay.intervals.record import LoadInterval, LoadRecord, counted
from rig.replay.intervals.values import MOST_KWH
from rig.replay.intervals.writing import Writing

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Amount = tuple[int, int]
"""An energy in kWh (kvarh): a number over its scale."""


def read_green_button(
    path: Path,
    data: bytes,
    calendar: Calendar,
    minutes: Fraction | None,
    writing: Writing,
    notes: list[str],
    *,
    stamps_end: bool | None,
) -> LoadRecord:
    """Read a feed's bytes; `notes` are added to. `stamps_end`: whether a register's readings are of their times' ends;
    None: nobody says. Raises IntervalFileError."""
    for value, option, why in (
        (minutes, "--interval-minutes", "its readings have their lengths"),
        (writing.time_format, "--time-format", "its times are seconds of UTC"),
        (writing.decimal, "--decimal", "its readings are numbers of XML"),
        (writing.columns.get("time"), "--columns time=", "its readings have their times"),
        (writing.columns.get("meter"), "--columns meter=", "--meter says which usage point"),
    ):
        if value is not None:
            raise IntervalFileError(f"{path} is a Green Button feed, {why}: leave out {option}")
    try:
        points = points_of(read_feed(_document(path, data)))
    except (WrongXml, WrongFeed) as error:
        raise IntervalFileError(f"{path}: {error}") from None
    return _Conversion(path, calendar, notes, stamps_end).record(points, writing)


def _document(path: Path, data: bytes) -> str | bytes:
    """UTF-8 and UTF-16 as text, whatever the document declares; other encodings as bytes, by what it declares."""
    name = utf_of(data)
    try:
        return data.decode(name)
    except UnicodeDecodeError as error:
        if name != "utf-8-sig":
            raise IntervalFileError(f"{path} is not text in UTF-16 ({error.reason}): save it in UTF-8") from None
        return data


class _Conversion:
    """One feed on its way to a load's record."""

    def __init__(self, path: Path, calendar: Calendar, notes: list[str], stamps_end: bool | None) -> None:
        self._path, self._calendar, self._notes = path, calendar, notes
        self._readings = GreenButtonReadings(
            path, calendar, notes, ends=stamps_end is not False, sure=stamps_end is not None
        )

    def record(self, points: Sequence[Point], writing: Writing) -> LoadRecord:
        choice = GreenButtonChoice(self._path, self._notes)
        point = choice.point(points, writing.meter)
        chosen = choice.series(point, writing)
        energies: dict[Span, dict[str, Amount]] = {}
        readings = [self._readings.of(one) for one in chosen]
        for one, found in zip(chosen, readings, strict=True):
            self._take(one, found, energies)
        columns = tuple([name for name in COLUMNS if any(name in one.columns for one in chosen)])
        intervals, scale = self._intervals(energies, columns)
        for one, found in zip(chosen, readings, strict=True):
            if lacking := len(intervals) - len(found):
                self._notes.append(
                    f"{' and '.join(one.columns)}: no reading in {lacking} of "
                    f"{counted(len(intervals), 'interval')}, where there are others: taken as 0"
                )
        self._notes += gap_notes(self._path, self._calendar, intervals, local=False)
        self._tell_clock(point.clock, intervals)
        length_ns = Counter(one.end_ns - one.start_ns for one in intervals).most_common(1)[0][0]
        return LoadRecord(intervals, scale, Fraction(length_ns, MINUTE_NS), columns, tuple(self._notes))

    # --- energies ------------------------------------------------------------------------------------------

    def _take(self, one: ChosenSeries, readings: Sequence[Reading], energies: dict[Span, dict[str, Amount]]) -> None:
        """Add a series' energies in kWh (kvarh) to its columns."""
        column, negative = one.means.column, one.means.negative
        values = [self._readings.number(one, reading) for reading in readings]
        times = [_EPOCH + timedelta(seconds=reading.start_s) for reading in readings]
        lines = [reading.line for reading in readings]
        self._notes += value_notes(self._path, column, times, values, lines, power=one.means.power)
        places = max((-int(value.as_tuple().exponent) for value in values), default=0)
        factors = {
            seconds: one.means.factor * (Fraction(seconds * SECOND_NS, HOUR_NS) if one.means.power else 1)
            for seconds in {reading.duration_s for reading in readings}
        }
        common = lcm(*(factor.denominator for factor in factors.values()))
        scale = 10**places * common
        whole = {seconds: int(factor * common) for seconds, factor in factors.items()}
        for reading, value in zip(readings, values, strict=True):
            numerator, denominator = value.as_integer_ratio()
            amount = numerator * (10**places // denominator) * whole[reading.duration_s]
            if abs(amount) > MOST_KWH * scale:
                raise IntervalFileError(
                    f"{self._path}, line {reading.line}: value is {value:f}, of {column} it must be at most {MOST_KWH} "
                    "in kWh or kvarh"
                )
            key = (reading.start_s, reading.duration_s)
            energies.setdefault(key, {})[negative if negative and amount < 0 else column] = (abs(amount), scale)

    def _intervals(
        self, energies: dict[Span, dict[str, Amount]], columns: Sequence[str]
    ) -> tuple[tuple[LoadInterval, ...], int]:
        if not energies:
            raise IntervalFileError(f"{self._path} has no readings with a value: it must have at least one")
        scale = lcm(*{scale for by_column in energies.values() for _, scale in by_column.values()})
        found: list[LoadInterval] = []
        for start_s, duration_s in sorted(energies):
            by_column = energies[start_s, duration_s]
            start_ns = start_s * SECOND_NS
            if found and start_ns < found[-1].end_ns:
                raise IntervalFileError(
                    f"{self._path}: {' and '.join(columns)} have intervals that overlap at {self._at(start_s)}: "
                    "series of different lengths cannot be read together, choose with --columns"
                )
            known = [by_column.get(column, (0, 1)) for column in columns]
            amounts = tuple([amount * (scale // of) for amount, of in known])
            found.append(LoadInterval(start_ns, start_ns + duration_s * SECOND_NS, amounts))
        return tuple(found), scale

    # --- notes ----------------------------------------------------------------------------------------------

    def _tell_clock(self, clock: LocalTime | None, intervals: Sequence[LoadInterval]) -> None:
        """Say so where the feed's local time is not the meter's."""
        if clock is None:
            return
        for one in intervals:
            offset_s = clock.offset_s(one.start_ns // SECOND_NS)
            ours_s = self._calendar.span(one.start_ns).utc_offset_s
            if offset_s != ours_s:
                self._notes.append(
                    f"the feed's local time is {_offset(offset_s)} at {self._at(one.start_ns // SECOND_NS)}, the "
                    "meter's clock "
                    f"{_offset(ours_s)}: days and rates are by the meter's, which [clock] of its program sets"
                )
                return

    def _at(self, utc_s: int) -> str:
        return short_text(self._calendar, utc_s * SECOND_NS)


def _offset(seconds: int) -> str:
    sign = "-" if seconds < 0 else "+"
    return f"UTC{sign}{abs(seconds) // 3600:02}:{abs(seconds) // 60 % 60:02}"
