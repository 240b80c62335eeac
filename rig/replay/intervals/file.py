"""A load's record: energy by interval, from a file (`rig bill`).

What such files do to time is put right where there is one way to, and told:

    no line for some time, or one without numbers  a gap: time passes without energy
    an interval that comes twice                   the first counts
    stamps out of order, or the newest first       put in order
    00:00 for the 24:00 of a day                   taken as the day's end
    all end at :59                                 they end a second later
    stamps near the grid of their intervals        on the grid (rig/replay/intervals/grid.py)
    readings of a register, values of nines        refused, doubted (rig/replay/intervals/climbs.py); said to be
                                                   readings, their differences (rig/replay/intervals/advances.py)
    longer than an hour, over a change of clock    as long as the stamps are apart
    spring's missing hour, autumn's doubled one    see rig/replay/intervals/stamps.py
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from rig.files.strict_toml import shown
from rig.meter.billing.calendar import Calendar
from rig.meter.billing.time_units import HOUR_NS, MINUTE_NS, SECOND_NS
from rig.replay.intervals.advances import advances
from rig.replay.intervals.climbs import value_notes
from rig.replay.intervals.columns import COLUMNS
from rig.replay.intervals.encoding import IntervalFileError, is_xml, read_bytes
from rig.replay.intervals.gaps import gap_notes, short_text
from rig.replay.intervals.green_button import read_green_button
from rig.replay.intervals.grid import on_grid
from rig.replay.intervals.load_rows import LoadRow, Rows
from rig.replay.intervals.record import LONGEST_NS, SHORTEST_NS, LoadInterval, LoadRecord, counted
from rig.replay.intervals.repeats import repeat_note
from rig.replay.intervals.rows import MOST_SHARED, read_rows
from rig.replay.intervals.stamps import instants
from rig.replay.intervals.writing import Writing

MOST_COLUMNS_TOLD = 8
_SCALE = re.compile(r"multiplier|(?<!power)(?<!load)(?<!diversity)(^|_)(factor|ratio|scale)(_|$)")
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_intervals(
    path: Path,
    calendar: Calendar,
    *,
    stamps_end: bool | None,
    minutes: Fraction | None = None,
    writing: Writing | None = None,
) -> LoadRecord:
    """Read a file whose times are those of `calendar`, unless they have an offset. Raises IntervalFileError.

    `stamps_end`: they say when intervals end, else when they begin; None: nobody says, and they are ends, except that
    dates alone are refused. `minutes` is the interval's length; None takes what most stamps are apart. `writing` says
    of the file what it does not show.
    """
    notes: list[str] = []
    data = read_bytes(path, notes)
    writing = writing or Writing()
    if writing.registers and is_xml(data):
        raise IntervalFileError(
            f"{path} is a Green Button feed, which itself says what a register is: omit --registers"
        )
    if writing.registers and stamps_end is False:
        raise IntervalFileError(f"{path}: readings of registers have the time at which they were read: omit --stamps")
    if is_xml(data):
        return read_green_button(path, data, calendar, minutes, writing, notes, stamps_end=stamps_end)
    return _Reading(path, calendar, stamps_end is not False, notes).load(data, minutes, writing, stamps_end is None)


class _Reading:
    """One file on its way to a Load."""

    def __init__(self, path: Path, calendar: Calendar, stamps_end: bool, notes: list[str]) -> None:
        self._path = path
        self._calendar = calendar
        self._stamps_end = stamps_end
        self._notes = notes

    def load(self, data: bytes, minutes: Fraction | None, writing: Writing, unsure: bool) -> LoadRecord:
        table = read_rows(
            self._path, data, ends=self._stamps_end, sure=not unsure, writing=writing, calendar=self._calendar
        )
        self._notes += table.notes
        self._tell_columns(table)
        self._order(table)
        if self._stamps_end:
            self._mend_seconds(table)
        self._snap(table, minutes)
        if self._stamps_end:
            self._mend_midnights(table)
        if not writing.registers:
            self._doubt_values(table)
        stamps = self._instants(table)
        placed = [ns for ns in stamps if ns is not None]
        length_ns = self._length_ns(placed) if minutes is None else int(minutes * MINUTE_NS)
        if not SHORTEST_NS <= length_ns <= LONGEST_NS:
            raise IntervalFileError(
                f"{self._path}: intervals of {length_ns / MINUTE_NS:g} min cannot be, those of 1 s to 31 days can"
            )
        if unsure and not (table.named or writing.registers):
            self._ask_for_days(table.rows, length_ns)
        if not writing.registers:
            self._doubt_stamps(table.rows, length_ns)
        rows: Iterable[tuple[int, LoadRow]] = (
            (ns, row) for ns, row in zip(stamps, table.rows, strict=True) if ns is not None
        )
        if backward := sum(a > b for a, b in pairwise(placed)):
            self._notes.append(f"{counted(backward, 'stamp')} out of order: put in order")
            rows = sorted(rows, key=lambda one: one[0])
        if writing.registers:
            found = advances(self._path, table, [*rows], length_ns)
            notes = (*self._notes, *found.notes)
            return LoadRecord(found.intervals, found.scale, Fraction(length_ns, MINUTE_NS), table.columns, notes)
        scale, units = table.units(length_ns)
        times = (row.time for row in table.rows)
        intervals = self._tiled(rows, len(placed), times, length_ns, units)
        return LoadRecord(intervals, scale, Fraction(length_ns, MINUTE_NS), table.columns, tuple(self._notes))

    def _tell_columns(self, table: Rows) -> None:
        """Those that do not count: a name that is not quite right would lose its energy."""
        if not table.others:
            return
        free = [column for column in COLUMNS if column not in table.columns]
        told = []
        for name in table.others[:MOST_COLUMNS_TOLD]:
            close = difflib.get_close_matches(name, free, 1)
            told.append(f"{shown(name)} (did you mean {close[0]}?)" if close else shown(name))
        more = len(table.others) - len(told)
        names = ", ".join(told) + (f" and {more} more" if more else "")
        one = len(table.others) == 1
        self._notes.append(f"column {names} does not count" if one else f"columns {names} do not count")
        if scales := [shown(name) for name in table.others if _SCALE.search(name)]:
            self._notes.append(f"energies must be as they are without {' and '.join(scales)}: nothing is multiplied")

    # --- stamps ---------------------------------------------------------------------------------------------

    def _order(self, table: Rows) -> None:
        """The oldest first."""
        times = [row.time for row in table.rows]
        falls = sum((b.date() < a.date()) - (b.date() > a.date()) for a, b in pairwise(times))
        if falls > 0 or (
            times[0].date() == times[-1].date() and sum((b < a) - (b > a) for a, b in pairwise(times)) > 0
        ):
            table.rows.reverse()
            self._notes.append("the newest line comes first: read from the last line on")

    def _mend_seconds(self, table: Rows) -> None:
        """Ends of intervals that are all at :59."""
        rows = table.rows
        if all(row.time.second == 59 for row in rows):
            rows[:] = [row._replace(time=row.time.replace(microsecond=0) + _SECOND) for row in rows]
            self._notes.append("all stamps are at 59 s: taken as the minute that follows")

    def _snap(self, table: Rows, minutes: Fraction | None) -> None:
        """Stamps near the grid of their intervals, on it."""
        rows = table.rows
        step = None if minutes is None else timedelta(microseconds=int(minutes * MINUTE_NS) // 1000)
        snapped = on_grid([row.time for row in rows], ends=self._stamps_end, step=step)
        if snapped is not None:
            stamps, note = snapped
            rows[:] = [row._replace(time=time) for row, time in zip(rows, stamps, strict=True)]
            self._notes.append(note)

    def _doubt_values(self, table: Rows) -> None:
        """Readings of a register are no energies, and values of nines may stand for none."""
        rows = [row for row in table.rows if row.energies is not None]
        for place, column in enumerate(table.columns):
            self._notes += value_notes(
                self._path,
                column,
                [row.time for row in rows],
                [table.numbers[place][row.energies[place]] for row in rows if row.energies is not None],
                [row.line for row in rows],
                power=table.sources[place].power,
            )

    def _mend_midnights(self, table: Rows) -> None:
        """A day's last interval that ends at that day's own 00:00."""
        rows = table.rows
        at_midnight = 0
        for place in range(1, len(rows)):
            row, before = rows[place], rows[place - 1].time
            if row.time.hour == row.time.minute == 0 < before.hour and before.date() == row.time.date():
                after = rows[place + 1].time if place + 1 < len(rows) else None
                if before.hour >= 12 and (after is None or after.date() > row.time.date()):
                    rows[place] = row._replace(time=row.time + _DAY)
                    at_midnight += 1
        if at_midnight:
            self._notes.append(f"{counted(at_midnight, 'stamp')} 00:00 after the rest of the day: taken as 24:00")

    def _instants(self, table: Rows) -> Sequence[int | None]:
        rows = table.rows
        if rows[0].time.tzinfo is not None:
            return [(row.time - _EPOCH) // _MICROSECOND * 1000 for row in rows]
        return instants(
            [row.time for row in rows],
            self._calendar,
            ends=self._stamps_end,
            flows=table.flows,
            line=lambda place: rows[place].line,
            notes=self._notes,
        )

    def _length_ns(self, stamps: Sequence[int]) -> int:
        """Return what most stamps are apart; or half of them, and all others a multiple of it."""
        apart = Counter(b - a for a, b in pairwise(sorted(stamps)) if b > a)
        if not apart:
            raise IntervalFileError(
                f"{self._path}: its stamps do not tell how long an interval is: give it with --interval-minutes"
            )
        length_ns, times = apart.most_common(1)[0]
        if 2 * times > apart.total():
            return length_ns
        least_ns = min(apart)
        if 2 * apart[least_ns] < apart.total() or any(ns % least_ns for ns in apart):
            lengths = ", ".join(f"{ns / MINUTE_NS:g} min" for ns, _ in apart.most_common(3))
            raise IntervalFileError(
                f"{self._path}: its stamps are not mostly one length apart ({lengths}): give it with --interval-minutes"
            )
        return least_ns

    def _ask_for_days(self, rows: Sequence[LoadRow], length_ns: int) -> None:
        """Dates, and days' midnights, are of the day that begins there or of the one that ends: nothing shows which."""
        day, length = rows[0].time, timedelta(microseconds=length_ns // 1000)
        if length < _DAY or any((row.time.hour, row.time.minute, row.time.second) != (0, 0, 0) for row in rows):
            return
        begin, end = f"{day:%Y-%m-%d}", f"{day + length:%Y-%m-%d}"
        raise IntervalFileError(
            f"{self._path}, line {rows[0].line}: {begin} can be when an interval begins or ends: say --stamps begin "
            "if its "
            f"energy is from {begin} 00:00 to {end} 00:00, or --stamps end if from {day - length:%Y-%m-%d} 00:00 to "
            f"{begin} 00:00"
        )

    def _doubt_stamps(self, rows: Sequence[LoadRow], length_ns: int) -> None:
        """Say so if the file would hold whole days were its stamps the other way."""
        length = timedelta(microseconds=length_ns // 1000)
        first, last = rows[0].time, rows[-1].time
        if self._stamps_end:
            other, begin, end = "begin", first, last + length
        else:
            other, begin, end = "end", first - length, last
        if length < _DAY and begin < end and all((t.hour, t.minute, t.second) == (0, 0, 0) for t in (begin, end)):
            self._notes.append(
                f"with --stamps {other} the file is of whole days, {begin:%Y-%m-%d} to {end - _DAY:%Y-%m-%d}: are "
                f"its stamps the {other}s of intervals?"
            )

    # --- intervals ------------------------------------------------------------------------------------------

    def _tiled(
        self,
        placed: Iterable[tuple[int, LoadRow]],
        count: int,
        times: Iterable[datetime],
        length_ns: int,
        units: Sequence[dict[str, int]],
    ) -> tuple[LoadInterval, ...]:
        """Intervals one after another, from `count` stamps in order; `times` are as the file has them."""
        intervals: list[LoadInterval] = []
        known: dict[tuple[str, ...], tuple[int, ...]] = {}
        twice: list[LoadRow] = []
        differing = 0
        shift_ns = length_ns if self._stamps_end else 0
        end_ns = None
        for stamp_ns, row in placed:
            if row.energies is None:
                continue
            start_ns = stamp_ns - shift_ns
            energies = known.get(row.energies)
            if energies is None:
                energies = tuple([unit[text] for unit, text in zip(units, row.energies, strict=True)])
                if len(known) < MOST_SHARED:
                    known[row.energies] = energies
            if end_ns is not None and start_ns != end_ns:
                last = intervals[-1]
                if start_ns == last.start_ns or stamp_ns == self._stamp_ns(last):
                    twice.append(row)
                    differing += last.energies != energies
                    continue
                if length_ns > HOUR_NS and end_ns - start_ns == self._clock_shift_ns(last, stamp_ns):
                    if self._stamps_end:
                        start_ns = end_ns
                    else:
                        intervals[-1] = last._replace(end_ns=start_ns)
                elif start_ns < end_ns:
                    raise self._overlap(row, start_ns, end_ns, length_ns)
            elif end_ns is not None:
                start_ns = end_ns  # the same number held once
            end_ns = stamp_ns if self._stamps_end else stamp_ns + length_ns
            intervals.append(LoadInterval(start_ns, end_ns, energies))
        if not intervals:
            raise IntervalFileError(f"{self._path} has no intervals: no line has a number of kWh")
        if twice:
            self._notes.append(repeat_note(self._path, twice, differing, times, count))
        self._notes += gap_notes(self._path, self._calendar, intervals, local=True)
        return tuple(intervals)

    def _stamp_ns(self, interval: LoadInterval) -> int:
        return interval.end_ns if self._stamps_end else interval.start_ns

    def _clock_shift_ns(self, last: LoadInterval, stamp_ns: int) -> int:
        """Return how far the clock was set forward from the last interval's stamp to the next, or at the first."""
        span = self._calendar.span
        return (span(stamp_ns - 1).utc_offset_s - span(self._stamp_ns(last) - 1).utc_offset_s) * SECOND_NS

    def _overlap(self, row: LoadRow, start_ns: int, end_ns: int, length_ns: int) -> IntervalFileError:
        return IntervalFileError(
            f"{self._path}, line {row.line}: an interval of {length_ns / MINUTE_NS:g} min from "
            f"{short_text(self._calendar, start_ns)} overlaps the one before, which ends at "
            f"{short_text(self._calendar, end_ns)}: correct the stamps or --interval-minutes"
        )
