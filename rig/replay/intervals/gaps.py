"""Gaps of a load's record: time passes without energy, and is told; a gap of more than a year is refused."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from rig.meter.billing.calendar import Calendar
from rig.meter.billing.time_units import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS
from rig.replay.intervals.encoding import IntervalFileError
from rig.replay.intervals.record import LoadInterval, counted, local_text

LONGEST_GAP_NS = 366 * DAY_NS
MOST_GAPS_TOLD = 5


def gap_notes(path: Path, calendar: Calendar, intervals: Sequence[LoadInterval], *, local: bool) -> list[str]:
    """Give notes on gaps. `local`: stamps are local times, so a gap may be an hour that the clock goes through twice.

    Raises IntervalFileError for a gap that is too long.
    """
    gaps = [(a.end_ns, b.start_ns) for a, b in pairwise(intervals) if a.end_ns != b.start_ns]
    for begin_ns, end_ns in gaps:
        if end_ns - begin_ns > LONGEST_GAP_NS:
            raise IntervalFileError(
                f"{path} has nothing from {short_text(calendar, begin_ns)} to {short_text(calendar, end_ns)}, more "
                "than a year: correct the stamps, or give each part as a file"
            )
    notes = []
    for begin_ns, end_ns in gaps[:MOST_GAPS_TOLD]:
        end = short_text(calendar, end_ns)
        note = f"nothing from {short_text(calendar, begin_ns)} to {end}: no energy in that time"
        back_s = calendar.span(begin_ns - 1).utc_offset_s - calendar.span(end_ns).utc_offset_s
        if local and end_ns - begin_ns == back_s * SECOND_NS:
            note += (
                "; the clock goes through this hour twice, and if the file is in standard time all year, give its "
                f"stamps with their offset, as in {end}"
            )
        notes.append(note)
    if more := gaps[MOST_GAPS_TOLD:]:
        hours = sum(end_ns - begin_ns for begin_ns, end_ns in more) / HOUR_NS
        notes.append(f"and {counted(len(more), 'gap')} more without energy, {hours:g} h in all")
    return notes


def short_text(calendar: Calendar, utc_ns: int) -> str:
    """Local time to the minute, to the second where it is not on a full one."""
    return local_text(calendar, utc_ns, "seconds" if utc_ns % MINUTE_NS else "minutes")
