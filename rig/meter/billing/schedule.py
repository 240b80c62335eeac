"""Schedule of the ends of demand intervals and of self-reads, by the local clock (Q-4, T-3)."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from rig.meter.billing.calendar import Calendar
from rig.meter.billing.settings import SelfReadKind, SelfReads
from rig.meter.billing.time_units import HOUR_S, SECOND_NS


def next_boundary_ns(calendar: Calendar, now_ns: int, length_s: int) -> int:
    """The next multiple of a length of time, counted from midnight of the local standard clock."""
    offset_ns = calendar.standard_offset_s(now_ns) * SECOND_NS
    length_ns = length_s * SECOND_NS
    return ((now_ns + offset_ns) // length_ns + 1) * length_ns - offset_ns


def next_self_read_ns(calendar: Calendar, reads: SelfReads, now_ns: int) -> int | None:
    """The next self-read after an instant; None if there is none.

    A midnight that the clock leaps over is where it leaps; of one that it shows twice, it is the first.
    """
    match reads.kind:
        case SelfReadKind.NEVER:
            return None
        case SelfReadKind.HOURS:
            return next_boundary_ns(calendar, now_ns, reads.hours * HOUR_S)
    day = calendar.local(now_ns).date() + timedelta(days=1)
    while reads.kind is SelfReadKind.MONTHLY and day.day != reads.day:
        day += timedelta(days=1)
    return calendar.instant_ns(datetime.combine(day, time()))
