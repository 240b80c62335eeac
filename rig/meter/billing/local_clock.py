"""A clock on the wall: what it shows at an instant, when it is set forward or back, and its standard time (T-1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple

from rig.meter.billing.time_units import DAY_S, SECOND_NS

LOOK_DAYS = 400
"""How far standard time is looked for on either side of daylight time."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_MICROSECOND = timedelta(microseconds=1)


class ClockReading(NamedTuple):
    """Seconds ahead of UTC, and whether that is not the standard time of the place."""

    offset_s: int
    dst: bool


class _Saving(NamedTuple):
    """Daylight time from `start` to `end` (UTC seconds), and the standard offsets before and after it where found."""

    start: int
    end: int
    before: int | None
    after: int | None


class LocalClock:
    """The clock of a zone. Instants are UTC seconds since 1970, or nanoseconds where the name says so.

    A zone changes its clock on a whole second and never twice within a day (the two closest changes in the time zone
    database are nearly four days apart), so one look a day finds every change.
    """

    def __init__(self, zone: tzinfo) -> None:
        self.zone = zone
        self._saving: _Saving | None = None
        self._change = lru_cache(maxsize=64)(self._find_change)

    def local(self, utc_ns: int) -> datetime:
        """Return the time that it shows, rounded down to a microsecond; aware, so it has the zone."""
        return (_EPOCH + timedelta(microseconds=utc_ns // 1000)).astimezone(self.zone)

    def read(self, utc_s: int) -> ClockReading:
        """Return its offset from UTC, and whether daylight saving is on."""
        local = self._at(utc_s)
        return ClockReading(_offset_s(local), bool(local.dst()))

    def steady(self, utc_s: int, since: int, until: int) -> tuple[int, int]:
        """The part of [since, until) around an instant in which it is not set."""
        for day in range(since // DAY_S, (until - 1) // DAY_S + 1):
            change = self._change(day)
            if change is None:
                continue
            if since < change <= utc_s:
                since = change
            elif utc_s < change < until:
                until = change
        return since, until

    def standard_offset_s(self, utc_s: int) -> int:
        """Seconds that standard time is ahead of UTC.

        That is utcoffset − dst, but the dst of a ZoneInfo is a guess (its file holds a flag only), and wrong in every
        year for a zone that once went straight from one standard time to another's daylight time, as America/Inuvik and
        Pacific/Rarotonga did. So it is believed only if it leads to the standard time before or after the daylight
        time. Where the law calls winter the deviation (Europe/Dublin), standard time is summer's.
        """
        local = self._at(utc_s)
        offset, dst = _offset_s(local), local.dst()
        if not dst:
            return offset
        if self._saving is None or not self._saving.start <= utc_s < self._saving.end:
            self._saving = self._find_saving(utc_s)
        stated = offset - dst // _SECOND
        seen = [neighbour for neighbour in (self._saving.before, self._saving.after) if neighbour is not None]
        return stated if stated in seen or not seen else seen[0]

    def instant_ns(self, local: datetime) -> int:
        """Return the instant at which it shows a local time (naive; a microsecond's first nanosecond).

        In a doubled hour it is the first pass, or with fold=1 the second. A time that the clock leaps over comes true
        when it leaps. Raises ValueError for an aware time.
        """
        if local.tzinfo is not None:
            raise ValueError(f"The local time {local} has a zone of its own: give it without")
        aware = local.replace(tzinfo=self.zone)
        shown = (local.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
        shown_s = shown // 10**6
        offset = _offset_s(aware)
        instant = shown_s - offset
        if self.read(instant).offset_s == offset:
            return (shown - offset * 10**6) * 1000
        other = shown_s - _offset_s(aware.replace(fold=1 - local.fold))
        first, last = sorted((instant, other))
        leap, _ = self.steady(last, first, last + 1)
        return leap * SECOND_NS

    def _at(self, utc_s: int) -> datetime:
        return (_EPOCH + timedelta(seconds=utc_s)).astimezone(self.zone)

    def _find_change(self, utc_day: int) -> int | None:
        """The first second of a new reading, after the first of this UTC day and no later than that of the next."""
        low, high = utc_day * DAY_S, (utc_day + 1) * DAY_S
        old = self.read(low)
        if self.read(high) == old:
            return None
        while high - low > 1:
            middle = (low + high) // 2
            if self.read(middle) == old:
                low = middle
            else:
                high = middle
        return high

    def _find_saving(self, utc_s: int) -> _Saving:
        """Around an instant of daylight time: on that day, a change from standard time starts it, one to it ends it."""
        today = utc_s // DAY_S
        start, before = (today - LOOK_DAYS + 1) * DAY_S, None
        for day in range(today, today - LOOK_DAYS, -1):
            change = self._change(day)
            if change is not None and not (reading := self.read(change - 1)).dst:
                start, before = change, reading.offset_s
                break
        end, after = (today + LOOK_DAYS) * DAY_S, None
        for day in range(today, today + LOOK_DAYS):
            change = self._change(day)
            if change is not None and not (reading := self.read(change)).dst:
                end, after = change, reading.offset_s
                break
        return _Saving(start, end, before, after)


def _offset_s(local: datetime) -> int:
    offset = local.utcoffset()
    assert offset is not None  # it has a zone
    return offset // _SECOND
