"""A load profile as pages of words give it: its intervals, and the words themselves (X-1, T-4).

A profile of 128 kB can have 65536 intervals, which take a second to be read; the next time most of it is known, and
only the last days are read again, from a date on before which nothing can change.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from rig.daemon.protocol import ProfilePage
from rig.meter.billing.profile import IntervalFlag, MarkKind, Profile
from rig.meter.billing.profile_reading import read_profile
from rig.meter.billing.time_units import SECOND_NS
from rig.store.recording_settings import settings_of

OVERLAP = 256
"""Words at the end that are asked for again: after a crash of the meter the last ones can be others."""

_DAYS_AGAIN = 3
_NO_COUNT = 0x8000


@dataclass(frozen=True)
class Recording:
    """A recording: its number, when it began, its words without a gap up to the newest, the first of which has number
    `first`, and what they say. Places in `profile` are counted from word number `base`."""

    number: int
    began_utc_ns: int
    first: int
    words: tuple[int, ...]
    base: int
    profile: Profile

    @property
    def end(self) -> int:
        """Number of the word after the newest."""
        return self.first + len(self.words)

    @property
    def sequences(self) -> list[int]:
        """Numbers of the first word of each interval."""
        return [self.base + interval.index for interval in self.profile.intervals]


def resumes_at(before: Recording | None) -> int:
    """Give the number of the word from which on a recording that is known must be asked for."""
    return 0 if before is None else max(before.first, before.end - OVERLAP)


def recording_of(pages: Sequence[ProfilePage], now_ns: int, before: Recording | None = None) -> Recording | None:
    """Make a recording of all its pages; `now_ns` is the meter's time. Where words are missing, of those after.

    `before`: what was known of it, if the pages go on from there; None comes back where they do not fit, and must be
    asked for from the beginning. Raises ValueError, KeyError or an error of the settings for what is no recording.
    """
    first, words = _joined(pages)
    settings = settings_of(pages[-1].settings)
    if before is not None:
        kept = first - before.first
        overlap = before.words[kept:] if 0 <= kept <= len(before.words) else None
        fits = overlap is not None and pages[0].recording == before.number and words[: len(overlap)] == list(overlap)
        if not fits or settings != before.profile.settings:
            return None
        words = [*before.words[:kept], *words]
        dropped = max(0, len(words) - settings.words)
        first, words = before.first + dropped, words[dropped:]
    newest = _newest(pages[-1].ended_utc_ns, now_ns)
    known = None if before is None else _continued(before, first, words, newest)
    base, profile = (first, read_profile(words, settings, newest)) if known is None else known
    return Recording(pages[-1].recording, pages[-1].began_utc_ns, first, tuple(words), base, profile)


def _joined(pages: Sequence[ProfilePage]) -> tuple[int, list[int]]:
    """Give the last words without a gap, and the number of the first."""
    words: list[int] = []
    first = 0
    for page in pages:
        for run in page.runs:
            if run.first != first + len(words):
                first = run.first
                words.clear()
            words += struct.unpack(f"<{len(run.words) // 2}H", run.words)
    return first, words


def _newest(ended_ns: int | None, now_ns: int) -> date:
    """Give a date no earlier than the newest word, wherever the meter stands, as rig/profile/stored.py has it."""
    ended = datetime.fromtimestamp((now_ns if ended_ns is None else ended_ns) // SECOND_NS, UTC)
    return (ended + timedelta(days=1)).date()


def _continued(before: Recording, first: int, words: list[int], newest: date) -> tuple[int, Profile] | None:
    """Give the profile with its base, of which all but the last days are as before; None where that cannot be said."""
    old = before.profile
    days = [mark for mark in old.marks if mark.kind is MarkKind.DAY]
    if old.faults or len(days) <= _DAYS_AGAIN:
        return None
    since = days[-_DAYS_AGAIN]
    begin = before.base + since.index - first
    if begin < 0 or begin + 1 >= len(words) or words[begin + 1] & _NO_COUNT:
        return None
    tail = read_profile(words[begin:], old.settings, newest)
    if tail.skipped or tail.faults or not tail.marks or tail.marks[0].at != since.at:
        return None
    oldest = next((at for at, word in enumerate(words) if word & 0xC000 == _NO_COUNT), None)
    assert oldest is not None  # there is one at `begin`
    least = first + oldest - before.base
    if any(IntervalFlag.DOUBTFUL in interval.flags for interval in tail.intervals):
        return None
    intervals = [each for each in old.intervals if least < each.index < since.index]
    intervals += [replace(each, index=each.index + since.index) for each in tail.intervals]
    marks = [each for each in old.marks if least <= each.index <= since.index]
    marks += [replace(each, index=each.index + since.index) for each in tail.marks[1:]]
    return before.base, Profile(old.settings, tuple(intervals), tuple(marks), (), oldest)
