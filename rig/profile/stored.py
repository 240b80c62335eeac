"""A load profile read back from a store (T-4)."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rig.meter.billing.metric import RecorderError
from rig.meter.billing.profile import Profile, ProfileFault
from rig.meter.billing.profile_reading import read_profile
from rig.results.provenance import Provenance
from rig.store.errors import StoreError
from rig.store.reading import HistoryReader, Run, StoredRecording
from rig.store.recording_settings import settings_of
from rig.store.saved_meter import last_saved, origin


def stored_profile(folder: Path, number: int | None = None) -> tuple[Provenance, Profile]:
    """A recording of a store, by default the newest, as far as its words go back, and where it comes from.

    What of the history is not as it was written is left out, and is among the profile's faults. Raises StoreError.
    """
    restored, kept = last_saved(folder)
    try:
        chosen, until_ns, runs, damaged = _recording(folder, number, restored.utc_ns)
        settings = settings_of(chosen.settings)
    except sqlite3.Error as error:
        raise StoreError(f"the history in {folder} is damaged ({error}): rig store check says more") from None
    except StoreError:
        raise
    except (ArithmeticError, KeyError, RecursionError, TypeError, ValueError, RecorderError) as error:
        raise StoreError(f"the settings of a recording in {folder} cannot be read: {error}") from None
    try:
        newest = datetime.fromtimestamp(until_ns // 10**9, UTC) + timedelta(days=1)  # wherever the meter stands
    except (OverflowError, ValueError):
        raise StoreError(f"a recording in {folder} ends in no year of the calendar ({until_ns} ns)") from None
    # Words that went missing leave what is after them; the dates in it set the reader right.
    words = runs[-1].words if runs else ()
    profile = read_profile(words, settings, newest.date())
    left_out = tuple(ProfileFault(0, f"{row} is not as it was written: left out") for row in damaged)
    return origin(kept), replace(profile, faults=(*left_out, *profile.faults))


def _recording(folder: Path, number: int | None, saved_ns: int) -> tuple[StoredRecording, int, list[Run], list[str]]:
    """A recording, the instant at which it ended (the next one began, or of the last save), its words, damaged rows."""
    with HistoryReader(folder) as history:
        recordings = {recording.id: recording for recording in history.recordings()}
        if not recordings and history.damaged:
            raise StoreError(f"{history.damaged[0]} in {folder} is not as it was written: rig store check says more")
        if not recordings:
            raise StoreError(f"{folder} has no load profile: the meter's program has no [recorder]")
        chosen = recordings.get(max(recordings) if number is None else number)
        if chosen is None:
            known = " or ".join(str(n) for n in sorted(recordings))
            raise StoreError(f"{folder} has no recording {number}: give {known}")
        later = [n for n in recordings if n > chosen.id]
        words = history.words(chosen.id)
        return chosen, recordings[min(later)].utc_ns if later else saved_ns, words, history.damaged
