"""A recorder kept by the rules of its docstring, beside a plain account of what its words must say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from fractions import Fraction

from rig.meter.billing.profile import IntervalFlag, MarkKind, Profile, ProfileInterval
from rig.meter.billing.quantity import PLACES
from rig.meter.billing.recorder import Metric, Recorder, RecorderChannel, RecorderSettings

SECOND = 10**9
HOUR = 3600 * SECOND
NANOWATT_HOURS = 10**9  # a watt-hour

Clock = Callable[[int], datetime]

Account = tuple[datetime, tuple[int, ...], int, IntervalFlag]
"""End, counts, seconds with power on, flags: all there is to an interval but its place among the words."""


def instant(utc_ns: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=utc_ns // 1000)


def utc_ns(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000


def clock_of(zone: tzinfo) -> Clock:
    return lambda ns: instant(ns).astimezone(zone)


def jumping(at_ns: int, minutes: int) -> Clock:
    """UTC until an instant, and from then on another offset."""
    return lambda ns: instant(ns).astimezone(timezone(timedelta(minutes=minutes if ns >= at_ns else 0)))


def to_six_seconds(wall: datetime) -> datetime:
    return wall.replace(second=wall.second // 6 * 6, microsecond=0)


def settings(interval_min: int = 15, channels: int = 2, memory_bytes: int = 131072) -> RecorderSettings:
    """Channels that count at different paces."""
    pulses = [Fraction(3, 10), Fraction(7, 100), Fraction(1), Fraction(2, 3), Fraction(1, 8)]
    metrics = list(Metric)[:2] * 8
    chosen = zip(metrics, pulses * 3, strict=False)
    return RecorderSettings(interval_min, tuple(RecorderChannel(*pair) for pair in chosen)[:channels], memory_bytes)


class Bench:
    """Time goes on, power fails, clocks are set; `words` are what the recorder wrote, `accounts` what they must say."""

    def __init__(self, program: RecorderSettings, local: Clock, now_ns: int) -> None:
        self.program = program
        self.local = local
        self.recorder = Recorder(program, local)
        self.now_ns = now_ns
        self.words = list(self.recorder.begin(now_ns))
        self.accounts: list[Account] = []
        self.marks: list[tuple[MarkKind, datetime, datetime]] = [(MarkKind.START, self.read(), self.read())]
        self.registers = [Fraction(0)] * len(program.channels)
        self.counted = [0] * len(program.channels)
        self._length = timedelta(minutes=program.interval_min)
        self._begin(self.read())

    def wall(self, ns: int) -> datetime:
        return self.local(ns).replace(tzinfo=None)

    def read(self) -> datetime:
        """The clock, as words can say it."""
        return to_six_seconds(self.wall(self.now_ns))

    # --- what happens ---------------------------------------------------------------------------------------

    def run(self, ns: int, delivered: int = 0, received: int = 0) -> None:
        """Time goes on, and energy (nWh) flows somewhere in it."""
        until = self.now_ns + ns
        while self.now_ns < until:
            self._take(delivered // 3, received // 3)
            delivered, received = delivered - delivered // 3, received - received // 3
            end = self.recorder.next_end_ns(self.now_ns)
            jump = self._jump(self.now_ns, min(end, until))
            step = min(end, until, jump or end)
            if step == until:
                self._take(delivered, received)
                delivered = received = 0
            self.now_ns, self._just_begun = step, False
            if step == end:
                self._end_interval()
            if step == jump:
                self._change_clock()

    def fail(self, ns: int) -> None:
        """Power is off for so long."""
        down_ns, self.now_ns, self._just_begun = self.now_ns, self.now_ns + ns, False
        offset = self._offset(down_ns)
        down, up = self.wall(down_ns), self.wall(self.now_ns) - self._offset(self.now_ns) + offset
        self.words += self.recorder.outage(down_ns, self.now_ns)
        over = self._floor(down) != self._floor(up)
        self._break(down, up, IntervalFlag.OUTAGE, over=over, ends=over)
        self.marks.append((MarkKind.OUTAGE, to_six_seconds(down), to_six_seconds(up)))
        if offset != self._offset(self.now_ns):
            self._move(up, self.wall(self.now_ns))

    def set_clock(self, ns: int) -> None:
        """The clock is set forward by so much, or back."""
        old_ns, self.now_ns = self.now_ns, self.now_ns + ns
        self.words += self.recorder.clock_set(old_ns, self.now_ns)
        self._move(self.wall(old_ns), self.wall(self.now_ns))

    # --- what must come of it -------------------------------------------------------------------------------

    def _end_interval(self) -> None:
        end = self.wall(self.now_ns - 1000) + timedelta(microseconds=1)
        self.words += self.recorder.end_interval(self.now_ns)
        self._close(end)
        self._begin(end)
        if end == datetime.combine(end.date(), datetime.min.time()):
            self.marks.append((MarkKind.DAY, end, end))

    def _change_clock(self) -> None:
        old = self.wall(self.now_ns) - self._offset(self.now_ns) + self._offset(self.now_ns - 1000)
        self.words += self.recorder.clock_change(self.now_ns)
        self._move(old, self.wall(self.now_ns))

    def _move(self, old: datetime, new: datetime) -> None:
        over = self._floor(old) != self._floor(new)
        self._break(old, new, IntervalFlag.CLOCK_SET, over=over, ends=over and not self._just_begun)
        self.marks.append((MarkKind.CLOCK_SET, to_six_seconds(old), to_six_seconds(new)))

    def _break(self, at: datetime, until: datetime, flag: IntervalFlag, over: bool, ends: bool) -> None:
        at, until = to_six_seconds(at), to_six_seconds(until)
        if ends:
            self._flags |= flag
            self._close(at)
        if over:
            self._begin(until)
            if until != self._floor(until):
                self._flags |= flag
        else:
            self._on += at - self._since
            self._since = until
            self._flags |= flag

    def _begin(self, wall: datetime) -> None:
        self._since, self._on, self._flags, self._just_begun = wall, timedelta(), IntervalFlag.NONE, True

    def _close(self, end: datetime) -> None:
        on = self._on + end - self._since
        if on != self._length:
            self._flags |= IntervalFlag.SHORT if on < self._length else IntervalFlag.LONG
        counts = []
        for place, channel in enumerate(self.program.channels):
            count = min(self.registers[place] // channel.pulse - self.counted[place], 16383)
            self.counted[place] += count
            counts.append(count)
        self.accounts.append((end, tuple(counts), on // timedelta(seconds=1), self._flags))

    def _take(self, delivered: int, received: int) -> None:
        amounts = [0] * PLACES
        amounts[0], amounts[4] = delivered, received
        self.recorder.take(amounts, (), ())
        for place, channel in enumerate(self.program.channels):
            flowed = delivered if channel.metric is Metric.KWH_DELIVERED else received
            self.registers[place] += Fraction(flowed, NANOWATT_HOURS)

    def _floor(self, wall: datetime) -> datetime:
        midnight = datetime.combine(wall.date(), datetime.min.time())
        return midnight + (wall - midnight) // self._length * self._length

    def _offset(self, ns: int) -> timedelta:
        offset = self.local(ns).utcoffset()
        assert offset is not None
        return offset

    def _jump(self, begin_ns: int, end_ns: int) -> int | None:
        """When the wall clock jumps, in (begin, end]."""
        if self._offset(begin_ns) == self._offset(end_ns):
            return None
        low, high = begin_ns // 1000, end_ns // 1000
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._offset(middle * 1000) == self._offset(begin_ns) else (low, middle)
        return high * 1000


def accounts(intervals: tuple[ProfileInterval, ...]) -> list[Account]:
    return [(i.end, i.counts, i.seconds, i.flags) for i in intervals]


def marks(profile: Profile) -> list[tuple[MarkKind, datetime, datetime]]:
    return [(mark.kind, mark.at, mark.until) for mark in profile.marks]
