"""Stamps of a load's record as instants, by the clock of the calendar: spring's missing hour, autumn's doubled one.

Where the clock goes from 02:00 to 03:00 in spring, and from 02:00 back to 01:00 in autumn:

    stamps                                              taken as
    spring, between 02:00 and 03:00, or both of these   the file is in standard time all year
    … without energy, while lines before and after have  they fill up a day's table: passed over
    spring, one of 02:00 and 03:00                      the leap
    autumn, from 01:00 on, twice                        first pass, second pass
    … once                                              first pass
    autumn, 02:00 twice, where stamps are ends          the ends of first and second pass
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from rig.meter.billing.calendar import Calendar
from rig.meter.billing.time_units import HOUR_NS, SECOND_NS

_EPOCH = datetime(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)
_WEST_NS, _EAST_NS = 17 * HOUR_NS, 41 * HOUR_NS
"""A local day lies in its date's UTC day less 14 h to 12 h more; and a change at its very edge concerns it."""


class _Change(NamedTuple):
    """The clock is set at `at_ns`; before and after it is so many ns ahead of UTC."""

    at_ns: int
    before: int
    after: int

    @property
    def forward(self) -> bool:
        return self.after > self.before

    @property
    def first(self) -> int:
        """The earlier of the wall times before and after it is set; the hour that is skipped or doubled begins."""
        return self.at_ns + min(self.before, self.after)

    @property
    def last(self) -> int:
        """The later of them."""
        return self.at_ns + max(self.before, self.after)


class _Near(NamedTuple):
    """A stamp in an hour that is skipped or doubled, or at its end: its place in the file, and its wall time."""

    place: int
    wall: int


def instants(
    stamps: Sequence[datetime],
    calendar: Calendar,
    *,
    ends: bool,
    flows: Callable[[int], bool],
    line: Callable[[int], int],
    notes: list[str],
) -> list[int | None]:
    """UTC in ns of local times (naive, in the file's order); None for a filler.

    `ends`: they say when intervals end. `flows` and `line` tell of a stamp, by its place, whether there is energy with
    it and where it stands.
    """
    clock = _Clock(calendar)
    found: list[int | None] = []
    near: dict[_Change, list[_Near]] = defaultdict(list)
    for place, stamp in enumerate(stamps):
        wall, state = _wall_ns(stamp), clock.around(stamp.date())
        if isinstance(state, _Change):
            if state.first <= wall <= state.last:
                near[state].append(_Near(place, wall))
            state = state.before if wall < state.last else state.after
        found.append(wall - state)

    fillers: list[int] = []
    second = 0
    for change, ones in near.items():
        if not change.forward:
            second += _doubled(change, ones, found, ends)
            continue
        within = [one.place for one in ones if one.wall != (change.first if ends else change.last)]
        if _fills(within, len(stamps), flows):
            fillers += within
        elif inside := _standard(change, ones):
            notes.append(
                f"line {line(inside.place)} is at {stamps[inside.place].isoformat(' ')}, which the clock skips: the "
                "whole file is taken to be in standard time"
            )
            return [_wall_ns(stamp) - clock.standard(stamp.date()) for stamp in stamps]
    for place in fillers:
        found[place] = None
    if fillers:
        notes.append(
            f"lines without energy in an hour that the clock skips, the first line {line(fillers[0])}: passed over"
        )
    if second:
        notes.append(f"an hour that the clock goes through twice: {second} stamps taken for its second pass")
    return found


def _standard(change: _Change, ones: Sequence[_Near]) -> _Near | None:
    """The stamp that only a clock in standard time shows; None if there is no sign of such."""
    if len({one.wall for one in ones}) == 1 and ones[0].wall in (change.first, change.last):
        return None
    return next((one for one in ones if change.first < one.wall < change.last), ones[0])


def _fills(within: Sequence[int], stamps: int, flows: Callable[[int], bool]) -> bool:
    """Return whether the lines at these places only fill up the table of a day that has an hour less."""
    if not within or any(flows(place) for place in within):
        return False
    before, after = within[0] - 1, within[-1] + 1
    return 0 <= before and after < stamps and flows(before) and flows(after)


def _doubled(change: _Change, ones: Sequence[_Near], found: list[int | None], ends: bool) -> int:
    """Give stamps to the two passes of an hour in the order in which they come; how many are of the second."""
    times, so_far = Counter(one.wall for one in ones), Counter[int]()
    second = 0
    for place, wall in ones:
        is_second = so_far[wall] % 2 == 1
        so_far[wall] += 1
        if wall < change.last or (ends and times[wall] > 1):
            found[place] = wall - (change.after if is_second else change.before)
            second += is_second
    return second


class _Clock:
    """Clock of the calendar, date by date."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self._around: dict[date, int | _Change] = {}
        self._standard: dict[date, int] = {}

    def around(self, day: date) -> int | _Change:
        """Return how far it is ahead of UTC in ns, or the change on this date or close to it."""
        state = self._around.get(day)
        if state is None:
            midnight = _wall_ns(datetime(day.year, day.month, day.day))
            state = self._around[day] = self._look(midnight - _WEST_NS, midnight + _EAST_NS)
        return state

    def standard(self, day: date) -> int:
        """Return how far its standard time is ahead of UTC on a date, in ns."""
        offset = self._standard.get(day)
        if offset is None:
            noon = _wall_ns(datetime(day.year, day.month, day.day, 12))
            offset = self._standard[day] = self._calendar.standard_offset_s(noon) * SECOND_NS
        return offset

    def _look(self, utc_ns: int, until_ns: int) -> int | _Change:
        span = self._calendar.span(utc_ns)
        if self._calendar.span(until_ns).utc_offset_s == span.utc_offset_s:
            return span.utc_offset_s * SECOND_NS
        while True:
            following = self._calendar.span(span.end_ns)
            if following.utc_offset_s != span.utc_offset_s:
                return _Change(following.start_ns, span.utc_offset_s * SECOND_NS, following.utc_offset_s * SECOND_NS)
            span = following


def _wall_ns(local: datetime) -> int:
    """Return the local clock's time, in ns since its 1970."""
    return (local - _EPOCH) // _MICROSECOND * 1000
