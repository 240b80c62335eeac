"""Pages of a meter's history, read from its store by the server process (C-3).

Metering decides who may read, and does nothing more: the store can be read at any time without disturbing the one that
writes it, so whoever reads a year of load profile holds up nothing. What was not written to the history yet, which is
a matter of seconds, is not in a page.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import msgspec

from rig.daemon.protocol import (
    Asked,
    LogPage,
    NumberedEvent,
    NumberedSnapshot,
    ProfilePage,
    ReadLog,
    ReadProfile,
    ReadSnapshots,
    SnapshotsPage,
    WordRun,
)
from rig.errors import RigError
from rig.meter.billing.events import ColdStarted, DataCleared, MasterResetDone, Programmed
from rig.store.errors import StoreError
from rig.store.history import encode_words
from rig.store.reading import HistoryReader, StoredEvent

FROM_STORE = (ReadLog, ReadSnapshots, ReadProfile)
"""Requests that are answered with a page."""

MOST_LINES = 512
MOST_CODES = 256
MOST_SNAPSHOTS = 16
MOST_WORDS = 16384
MOST_CAUSES = 16
MOST_PAGE_BYTES = 100_000
"""Of the texts in a page: a message holds 128 KiB."""

_ANEW = {kind.code for kind in (Programmed, DataCleared, MasterResetDone, ColdStarted)}
"""Codes of events after which registers are others, or begin anew."""

Page = LogPage | SnapshotsPage | ProfilePage


class PageError(RigError):
    """Error of a page that cannot be had: one sentence."""


def page(folder: Path | None, asked: Asked) -> Page:
    """Read a page; `folder` is the store's, None for a meter without. Raises PageError."""
    if folder is None:
        raise PageError("the meter has no store, so it has no history: name one in rig.toml under [meter]")
    try:
        with HistoryReader(folder) as history:
            match asked:
                case ReadLog(most, before, codes):
                    return _log(history, _bounded(most, MOST_LINES), before, codes)
                case ReadSnapshots(causes, most):
                    return _snapshots(history, causes, _bounded(most, MOST_SNAPSHOTS))
                case ReadProfile(recording, first):
                    return _profile(history, recording, first)
    except OverflowError:
        raise PageError("a number is asked for that no history can have: give one below 2^63") from None
    except sqlite3.Error as error:
        raise PageError(f"the meter's history is damaged ({error}): rig store check says more") from None
    except StoreError as error:
        raise PageError(str(error)) from None
    raise PageError(f"{type(asked).__name__} is answered with no page")


def _bounded(most: int, bound: int) -> int:
    if not 1 <= most <= bound:
        raise PageError(f"a page of {most} is asked for: give 1 to {bound}")
    return most


def _log(history: HistoryReader, most: int, before: int | None, codes: list[int] | None) -> LogPage:
    if codes is not None and not 1 <= len(codes) <= MOST_CODES:
        raise PageError(f"lines of {len(codes)} codes are asked for: give 1 to {MOST_CODES}, or none for all")
    found: list[NumberedEvent] = []
    size = 0
    for event in reversed(list(history.events(codes=codes, last=most, before=before))):
        size += len(event.details) + len(event.name) + 64
        if size > MOST_PAGE_BYTES:
            break
        found.append(_line(event))
    return LogPage(found[::-1])


def _line(event: StoredEvent) -> NumberedEvent:
    try:
        details = msgspec.json.decode(event.details, type=dict)
    except (msgspec.MsgspecError, ValueError):
        details = {}
    return NumberedEvent(event.number, event.utc_ns, event.code, event.name, details)


def _snapshots(history: HistoryReader, causes: list[str], most: int) -> SnapshotsPage:
    if not 1 <= len(causes) <= MOST_CAUSES:
        raise PageError(f"snapshots of {len(causes)} causes are asked for: give 1 to {MOST_CAUSES}")
    begun = [event.number for event in history.events(codes=_ANEW, last=1)]
    found: list[NumberedSnapshot] = []
    size = 0
    for each in reversed(list(history.snapshots(kinds=causes, last=most))):
        if begun and each.number < begun[0]:
            break
        size += len(each.registers) + 64
        if size > MOST_PAGE_BYTES:
            break
        found.append(NumberedSnapshot(each.number, each.utc_ns, each.kind, each.registers))
    return SnapshotsPage(found[::-1])


def _profile(history: HistoryReader, recording: int | None, first: int) -> ProfilePage:
    recordings = {each.id: each for each in history.recordings()}
    if not recordings:
        raise PageError("the meter has no load profile: its program has no [recorder]")
    chosen = recordings.get(max(recordings) if recording is None else recording)
    if chosen is None:
        known = " or ".join(str(number) for number in sorted(recordings))
        raise PageError(f"the store has no recording {recording}: give {known}")
    following = [each for each in recordings if each > chosen.id]
    runs: list[WordRun] = []
    room = MOST_WORDS
    proceed: int | None = None
    for run in history.words(chosen.id, max(0, first)):
        taken = run.words[:room]
        if taken:
            runs.append(WordRun(run.first, encode_words(taken)))
        room -= len(taken)
        if len(taken) < len(run.words):
            proceed = run.first + len(taken)
            break
    ended_ns = recordings[min(following)].utc_ns if following else None
    return ProfilePage(chosen.id, chosen.utc_ns, ended_ns, chosen.settings, runs, proceed)
