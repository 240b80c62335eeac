"""Reading a load profile: a recorder's words, back to intervals and marks (T-4).

Counts come channel by channel, the oldest interval first; the sequences of dates and times between them are those that
rig.meter.billing.recorder writes. They are told apart by what the clock must read there:

    | words               | where                                             | meaning                              |
    |---------------------|---------------------------------------------------|--------------------------------------|
    | DATE                | an interval ends at the midnight of this date     | a new day                            |
    | TIME TIME           | anywhere                                          | outage                               |
    | TIME DATE TIME      | anywhere                                          | outage over midnight                 |
    | DATE TIME DATE TIME | anywhere, the first DATE no new day as above      | clock set, or daylight saving        |
    | DATE TIME           | where reading begins, not as above                | recording begins, or the clock was set |

An outage or clock set before the boundary at which the interval just read was to end, has cut it short there.

No word is passed over in silence: each that is damaged or does not fit is a Fault. A count that is damaged is None, and
the rest of its interval stands. Where dates and times do not fit, intervals since the last new day that did are
DOUBTFUL, and the next new day sets the clock right. Dates and times have no parity: a wrong one that fits is not seen.
"""

from __future__ import annotations

import re
from calendar import isleap
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from rig.meter.billing.metric import RecorderSettings
from rig.meter.billing.profile import IntervalFlag, Mark, MarkKind, Profile, ProfileFault, ProfileInterval
from rig.meter.billing.profile_words import Count, Damaged, Date, Decoded, Time, decode

_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)
_TRIES = 4
_SOUND = re.compile("k*")
_decoded = lru_cache(1 << 16)(decode)


def read_profile(words: Sequence[int], settings: RecorderSettings, newest: date) -> Profile:
    """Decode words of one recording, the oldest first, from the first date word on.

    `newest`: a date (or datetime) no earlier than the last word and less than a year later, from which years are
    inferred. An outage of a year or more, or a clock set by more than half a year, cannot be told from a shorter one.
    """
    decoded = list(map(_decoded, words))
    year = _first_year(decoded, newest)
    for _ in range(_TRIES):
        reader = _Reader(decoded, settings, year)
        profile = reader.read()
        last = reader.clock
        wrong = newest.year - last.year - ((last.month, last.day) > (newest.month, newest.day))
        if not wrong or not profile.intervals:
            break
        year += wrong  # a damaged word looked like a date
    return profile


class _Reader:
    """Walks over the words with a clock in hand.

    `clock` is the last local time known, `end` the boundary of the interval that runs then; `on` and `flags` are what
    is known of it up to `clock`. A row of counts stays `pending` until the word behind it shows where it ended.
    """

    def __init__(self, decoded: Sequence[Decoded], settings: RecorderSettings, year: int) -> None:
        self.decoded = decoded
        self.settings = settings
        self.letters = "".join(map(_letter, decoded))
        self.sound = "".join(["k" if type(word) is Count else "-" for word in decoded])
        self.channels = len(settings.channels)
        self.length = timedelta(minutes=settings.interval_min)
        self.intervals: list[ProfileInterval] = []
        self.marks: list[Mark] = []
        self.faults: list[ProfileFault] = []
        self.pending: ProfileInterval | None = None
        self.clock = self.end = datetime(year, 7, 2)  # any date is nearest to it in its own year
        self.on = timedelta()
        self.flags = IntervalFlag.NONE
        self.sure = 0  # intervals before the last new day that came when it was due
        self.doubt: int | None = None  # the first interval since then whose time may be wrong

    def read(self) -> Profile:
        skipped = len(self.decoded)
        if "D" in self.letters:
            skipped = self.letters.index("D")
            index = self._start(skipped)
            while index < len(self.decoded):
                if self.pending is not None and _is_midnight(self.end):
                    index = self._new_day(index)
                elif self.letters[index] == "c":
                    index = self._row(self._whole_rows(index))
                else:
                    index = self._marks(index)
            self._close()
            self._flag_doubtful()
        elif skipped:
            self._fault(0, f"is the first of {skipped} without a date: none of them can be told")
        return Profile(self.settings, tuple(self.intervals), tuple(self.marks), tuple(self.faults), skipped)

    # --- dates and times ------------------------------------------------------------------------------------

    def _start(self, index: int, flag: IntervalFlag = IntervalFlag.NONE) -> int:
        """Set the clock by a date, whatever was before it."""
        after, pairs = index, 0
        while self.letters.startswith("DT", after):
            after, pairs = after + 2, pairs + 1
        times = _run(self.letters, after, "T")
        if pairs and pairs % 2 == 0:  # clock sets
            self._set_clock(self._moment(index, self.clock), flag)
            return index
        if pairs and times % 2 == 0:  # a clock set has two pairs, an outage two times: the first pair stands alone
            self._set_clock(self._moment(index, self.clock), flag)
            self._mark(index, MarkKind.START, self.clock, self.clock)
            return index + 2
        self._set_clock(datetime.combine(_nearest(self.decoded[index], self.clock.date()), time()))
        self._mark(index, MarkKind.DAY, self.clock, self.clock)
        return index + 1

    def _new_day(self, index: int) -> int:
        """The interval that is pending was to end at midnight: a date must follow, unless it was cut short."""
        if self._is_date(index, self.end):
            self._close()
            self._mark(index, MarkKind.DAY, self.clock, self.clock)
            self.sure, self.doubt = len(self.intervals), None
            return index + 1
        if self.letters.startswith(("DTDT", "TDT"), index):
            cut = self._moment(index, self.clock) if self.letters[index] == "D" else self._today(index)
            if self.clock <= cut < self.end:
                return self._marks(index)
        self._fault(index, f"should be the date {self.end.date()}: taken for it")
        self._close()
        self._mark(index, MarkKind.DAY, self.clock, self.clock)
        self._doubt_from(len(self.intervals))
        return index + 1

    def _marks(self, index: int) -> int:
        """Outages and clock sets; whatever else is no count is damaged."""
        if self.letters.startswith("DTDT", index):
            old = self._moment(index, self.clock)
            self._break(index, MarkKind.CLOCK_SET, old, self._moment(index + 2, old))
            return index + 4
        if self.letters.startswith("TDT", index):
            down = self._today(index)
            day = min(day for day in _dates(self.decoded[index + 1], down) if day >= down.date())
            self._break(index, MarkKind.OUTAGE, down, datetime.combine(day, self._time(index + 2)))
            return index + 3
        if self.letters.startswith("TT", index):
            self._break(index, MarkKind.OUTAGE, self._today(index), self._today(index + 1))
            return index + 2
        self._close()
        run = _run(self.letters, index, "DTx")
        if self._day_after_all(index, index):
            return self._resume(index)
        if run == 1:
            return self._row(index)
        lost = run - 2 if self.letters.endswith("DT", index, index + run) else run
        for at in range(index, index + lost):
            self._fault(at, "belongs to dates and times that make no sense together: passed over", lost=1)
        if lost < run:
            return self._resume(index + lost)
        self._doubt_from(len(self.intervals))
        return index + run

    def _break(self, index: int, kind: MarkKind, at: datetime, until: datetime) -> None:
        """The clock ran to `at`, and then from `until`: inside the running interval, or out of it."""
        flag = IntervalFlag.OUTAGE if kind is MarkKind.OUTAGE else IntervalFlag.CLOCK_SET
        cut = self.pending is not None and self.clock <= at < self.end
        if cut:
            self.flags |= flag
            self._close(at)
        else:
            self._close()
        inside = not cut and self.end - self.length <= until < self.end
        fits = self.clock <= at < self.end and (inside or at == self.clock)
        if not fits or (kind is MarkKind.OUTAGE and until < at):
            self._fault(index, f"begins {kind.value} marks, {at} to {until}, in the interval that ends at {self.end}")
            self._distrust()
            self._set_clock(until, flag | IntervalFlag.DOUBTFUL)
        elif inside:
            self.on += at - self.clock
            self.clock = until
            self.flags |= flag
        else:
            self._set_clock(until, flag)
        self._mark(index, kind, at, until)

    def _day_after_all(self, index: int, row: int) -> bool:
        """Return whether a date in a row of counts begins a day: then words before it were wrong, and not it.

        It is a damaged count if the same date stands where the next day is due.
        """
        if self.letters[index] != "D":
            return False
        midnight = datetime.combine(self.clock.date(), time()) + timedelta(days=1)
        if self._is_date(index, midnight):
            due = row + self.channels * -(-(midnight - self.clock) // self.length)
            return not self._is_date(due, midnight)
        return self.doubt is not None and self._is_date(index, self.clock)

    def _resume(self, index: int) -> int:
        """Take up the clock at a date that was not due here."""
        self._fault(index, f"is a date, not due at {self.clock}: reading goes on from it")
        self._distrust()
        return self._start(index, IntervalFlag.DOUBTFUL)

    # --- counts ---------------------------------------------------------------------------------------------

    def _whole_rows(self, index: int) -> int:
        """Rows of sound counts, each of a whole interval with nothing else in it, but for the last, which may end at a
        midnight or be cut short: as `_row` and `_close` would, in a tenth of the time. Nearly all rows are such."""
        self._close()
        if self.on or self.flags or self.end - self.clock != self.length:
            return index
        sound = _SOUND.match(self.sound, index)
        assert sound is not None
        to_midnight = datetime.combine(self.clock.date(), time()) + _DAY - self.clock
        rows = min((sound.end() - index) // self.channels, to_midnight // self.length) - 1
        if rows < 1:
            return index
        behind = index + rows * self.channels
        pulses = iter([word[0] for word in self.decoded[index:behind]])
        end, seconds = self.clock, self.length // _SECOND
        rows_of_counts = zip(*[pulses] * self.channels, strict=True)
        for at, counts in zip(range(index, behind, self.channels), rows_of_counts, strict=True):
            end += self.length
            self.intervals.append(ProfileInterval(at, end, counts, seconds))
        self._set_clock(end)
        return behind

    def _row(self, index: int) -> int:
        """One count of each channel."""
        self._close()
        if index + self.channels > len(self.decoded):
            left = len(self.decoded) - index
            self._fault(index, f"is the first of {left} at the end that are no whole interval: passed over", lost=left)
            return len(self.decoded)
        counts: list[int | None] = []
        for at in range(index, index + self.channels):
            word = self.decoded[at]
            if isinstance(word, Count):
                counts.append(word.pulses)
            elif at > index and self._day_after_all(at, index):
                lost = at - index
                self._fault(index, f"is the first of {lost} before a date that are no interval: passed over", lost=lost)
                return self._resume(at)
            else:
                counts.append(None)
                self._fault(at, f"is damaged: a count of channel {at - index + 1} is unknown")
                if self.letters[at] != "c":
                    self._doubt_from(len(self.intervals))
        flags = IntervalFlag.DAMAGED if None in counts else IntervalFlag.NONE
        self.pending = ProfileInterval(index, self.end, tuple(counts), 0, flags)
        return index + self.channels

    def _close(self, at: datetime | None = None) -> None:
        """The pending interval ended: at its boundary, or before."""
        if self.pending is None:
            return
        at = at or self.end
        on = self.on + at - self.clock
        flags = self.pending.flags | self.flags
        if on != self.length:
            flags |= IntervalFlag.SHORT if on < self.length else IntervalFlag.LONG
        self.intervals.append(replace(self.pending, end=at, seconds=on // _SECOND, flags=flags))
        self.pending = None
        self._set_clock(at)

    # --- small matters --------------------------------------------------------------------------------------

    def _set_clock(self, now: datetime, flag: IntervalFlag = IntervalFlag.NONE) -> None:
        """A new interval runs; the flag is for one that does not begin at a boundary."""
        midnight = datetime.combine(now.date(), time())
        self.clock = now
        self.end = midnight + ((now - midnight) // self.length + 1) * self.length
        self.on = timedelta()
        self.flags = flag if self.end - self.length < now else IntervalFlag.NONE

    def _is_date(self, index: int, day: datetime) -> bool:
        return self.decoded[index : index + 1] == [Date(day.month, day.day)]

    def _moment(self, index: int, near: datetime) -> datetime:
        """Of a date and the time behind it."""
        return datetime.combine(_nearest(self.decoded[index], near.date()), self._time(index + 1))

    def _today(self, index: int) -> datetime:
        return datetime.combine(self.clock.date(), self._time(index))

    def _time(self, index: int) -> time:
        word = self.decoded[index]
        assert isinstance(word, Time)
        return time(word.second // 3600, word.second // 60 % 60, word.second % 60)

    def _mark(self, index: int, kind: MarkKind, at: datetime, until: datetime) -> None:
        self.marks.append(Mark(index, kind, at, until))

    def _fault(self, index: int, text: str, lost: int = 0) -> None:
        self.faults.append(ProfileFault(index, f"word {index} {text}", lost))

    def _distrust(self) -> None:
        """Words since the last new day do not fit, and the clock must be set anew."""
        self._doubt_from(self.sure)
        self._flag_doubtful()
        self.sure = len(self.intervals)

    def _doubt_from(self, interval: int) -> None:
        self.doubt = interval if self.doubt is None else min(interval, self.doubt)

    def _flag_doubtful(self) -> None:
        if self.doubt is not None:
            doubtful = [replace(i, flags=i.flags | IntervalFlag.DOUBTFUL) for i in self.intervals[self.doubt :]]
            self.intervals[self.doubt :] = doubtful
            self.doubt = None


@lru_cache(1 << 16, typed=True)  # a count equals the time of the same number
def _letter(word: Decoded) -> str:
    """c a count, sound or not; D a date, T a time; x neither."""
    if isinstance(word, Count) or (isinstance(word, Damaged) and not word.word & 0x8000):
        return "c"
    if isinstance(word, Time):
        return "T"
    return "D" if isinstance(word, Date) else "x"


def _run(letters: str, index: int, of: str) -> int:
    """Return the number of letters from here on that are among `of`."""
    end = index
    while end < len(letters) and letters[end] in of:
        end += 1
    return end - index


def _is_midnight(moment: datetime) -> bool:
    return moment.time() == time()


def _first_year(decoded: Sequence[Decoded], newest: date) -> int:
    """Of the first date, if all are sound: each is the latest not after the next; one that was set, nearest to that."""
    following = newest.date() if isinstance(newest, datetime) else newest
    for index in range(len(decoded) - 1, -1, -1):
        word = decoded[index]
        if isinstance(word, Date):
            was_set = [type(other) for other in decoded[index : index + 4]] == [Date, Time, Date, Time]
            earlier = [day for day in _dates(word, following) if day <= following]
            following = _nearest(word, following) if was_set else earlier[-1]
    return following.year


def _nearest(word: Decoded, near: date) -> date:
    return min((abs(day - near), day) for day in _dates(word, near))[1]


def _dates(word: Decoded, near: date) -> list[date]:
    """Return the dates that a date word can mean in the years around: within 8 of any there is a 29 February."""
    assert isinstance(word, Date)
    years = range(near.year - 8, near.year + 9)
    return [date(year, *word) for year in years if word != (2, 29) or isleap(year)]
