"""A load profile as pages of words give it: its intervals, and the words themselves (X-1, T-4)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rig.daemon.protocol import ProfilePage
from rig.meter.billing.profile import Profile
from rig.meter.billing.profile_reading import read_profile
from rig.store.recording_settings import settings_of

SECOND_NS = 10**9


@dataclass(frozen=True)
class Recording:
    """A recording: its number, when it began, its words without a gap up to the newest, the first of which has number
    `first`, and what they say."""

    number: int
    began_utc_ns: int
    first: int
    words: tuple[int, ...]
    profile: Profile

    @property
    def sequences(self) -> list[int]:
        """Numbers of the first word of each interval."""
        return [self.first + interval.index for interval in self.profile.intervals]


def recording_of(pages: Sequence[ProfilePage], now_ns: int) -> Recording:
    """Make a recording of all its pages; `now_ns` is the meter's time. Where words are missing, of those after.

    Raises ValueError, KeyError or an error of the settings for what is no recording.
    """
    words: list[int] = []
    first = 0
    for page in pages:
        for run in page.runs:
            if run.first != first + len(words):
                first = run.first
                words.clear()
            words += struct.unpack(f"<{len(run.words) // 2}H", run.words)
    until_ns = pages[-1].ended_utc_ns
    ended = datetime.fromtimestamp((now_ns if until_ns is None else until_ns) // SECOND_NS, UTC)
    newest = ended + timedelta(days=1)  # wherever the meter stands, as rig/profile/stored.py has it
    settings = settings_of(pages[-1].settings)
    return Recording(
        pages[-1].recording, pages[-1].began_utc_ns, first, tuple(words), read_profile(words, settings, newest.date())
    )
