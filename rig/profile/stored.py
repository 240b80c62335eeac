"""A load profile read back from a store (T-4)."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rig.meter.billing.metric import RecorderError
from rig.meter.billing.profile import Profile
from rig.meter.billing.profile_reading import read_profile
from rig.results.provenance import Provenance
from rig.store.errors import StoreError
from rig.store.reading import HistoryReader, Run, StoredRecording
from rig.store.recording_settings import settings_of
from rig.store.saved_meter import last_saved, origin


def stored_profile(folder: Path, number: int | None = None) -> tuple[Provenance, Profile]:
    """A recording of a store, by default the newest, as far as its words go back, and where it comes from.

    Raises StoreError.
    """
    restored, kept = last_saved(folder)
    try:
        chosen, until_ns, runs = _recording(folder, number, restored.utc_ns)
        settings = settings_of(chosen.settings)
    except sqlite3.Error as error:
        raise StoreError(f"the history in {folder} is damaged ({error}): rig store check says more") from None
    except StoreError:
        raise
    except (ValueError, KeyError, RecorderError) as error:
        raise StoreError(f"the settings of a recording in {folder} cannot be read: {error}") from None
    newest = datetime.fromtimestamp(until_ns // 10**9, UTC) + timedelta(days=1)  # wherever the meter stands
    # Words that went missing leave what is after them; the dates in it set the reader right.
    words = runs[-1].words if runs else ()
    return origin(kept), read_profile(words, settings, newest.date())


def _recording(folder: Path, number: int | None, saved_ns: int) -> tuple[StoredRecording, int, list[Run]]:
    """A recording, the instant at which it ended (the next one began, or of the last save), and its words."""
    with HistoryReader(folder) as history:
        recordings = {recording.id: recording for recording in history.recordings()}
        if not recordings:
            raise StoreError(f"{folder} has no load profile: the meter's program has no [recorder]")
        chosen = recordings.get(max(recordings) if number is None else number)
        if chosen is None:
            known = " or ".join(str(n) for n in sorted(recordings))
            raise StoreError(f"{folder} has no recording {number}: give {known}")
        later = [n for n in recordings if n > chosen.id]
        return chosen, recordings[min(later)].utc_ns if later else saved_ns, history.words(chosen.id)
