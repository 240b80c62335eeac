"""A load profile read back from a store (T-4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from rig.keeper import read_kept
from rig.meter.billing.profile import Profile
from rig.meter.billing.profile_reading import read_profile
from rig.recorder_settings import settings_of
from rig.store.disk import Disk
from rig.store.errors import StoreError
from rig.store.journal import NAMES, newest_of, read_copy
from rig.store.reading import HistoryReader


def stored_profile(folder: Path, number: int | None = None) -> tuple[str, Profile]:
    """A recording of a store, by default the newest, as far as its words go back, and the fidelity of its meter.

    Raises StoreError.
    """
    with HistoryReader(folder) as history:
        recordings = {recording.id: recording for recording in history.recordings()}
        if not recordings:
            raise StoreError(f"{folder} has no load profile: the meter's program has no [recorder]")
        chosen = recordings.get(max(recordings) if number is None else number)
        if chosen is None:
            known = " or ".join(str(n) for n in sorted(recordings))
            raise StoreError(f"{folder} has no recording {number}: give {known}")
        runs = history.words(chosen.id)
    _, record = newest_of([read_copy(folder / name, Disk()) for name in NAMES])
    newest = datetime.fromtimestamp(record.utc_ns // 10**9, UTC) + timedelta(days=1)  # wherever the meter stands
    # Words that went missing leave what is after them; the dates in it set the reader right.
    words = runs[-1].words if runs else ()
    return read_kept(record.payload).fidelity, read_profile(words, settings_of(chosen.settings), newest.date())
