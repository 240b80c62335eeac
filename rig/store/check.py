"""Looking over a store without changing it, also while a meter uses it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import msgspec

from rig.store.errors import StoreError
from rig.store.journal import Copy
from rig.store.journal_reading import JournalLook, read_journal
from rig.store.log import NAME as LOG
from rig.store.outbox import STRIDE
from rig.store.reading import HistoryReader
from rig.store.record import JournalRecord, version_of
from rig.store.wear import wear_of

_LOOKS = 5
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at: a file of the journal, "journal", "payload", "history", "items", "profile" or
    "wear"."""

    part: str
    holds: bool
    found: str


def check(folder: Path, decode: Callable[[bytes], object] = json.loads) -> list[Finding]:
    """Everything that can be said of a store. Reads only.

    `decode` reads a meter's state and raises ValueError for one that it cannot.
    """
    if not folder.is_dir():
        return [Finding("journal", False, f"there is no folder {folder}")]
    for _ in range(_LOOKS):  # the last one counts
        look = read_journal(folder)
        findings = [*(_of_copy(copy) for copy in look.copies), _of_log(look)]
        record = look.record
        if record is None:
            return [*findings, Finding("journal", False, look.refusal), *_of_history(folder, None)]
        findings.append(_of_journal(record, look))
        if record.sequence:
            findings.append(_of_payload(record.payload, decode))
        findings += _of_history(folder, record)
        again = read_journal(folder).record
        if again is not None and again.sequence == record.sequence:
            break  # else the meter has saved meanwhile: journal and history are of different times
    if record is not None and (wear := wear_of(record, folder)) is not None:
        findings.append(Finding("wear", True, wear))
    return findings


def _of_log(look: JournalLook) -> Finding:
    if look.log_fault:
        return Finding(LOG, False, look.log_fault)
    if look.log.torn:
        places = ", ".join(map(str, look.log.torn[:3])) + (" and more" if look.log.torn[3:] else "")
        return Finding(LOG, False, f"no whole save in slot {places}: torn by a cut of power, or damaged")
    newest = look.log.newest
    found = (
        f"{look.log.entries} saves since earlier whole ones"
        if newest is None
        else (f"save {newest.sequence} of {_utc(newest.utc_ns)} is the newest of {look.log.entries}")
    )
    return Finding(LOG, True, found)


def _of_copy(copy: Copy) -> Finding:
    record = copy.record
    if record is None:
        return Finding(copy.path.name, False, copy.fault)
    if copy.tail and version_of(copy.whole) > 1:
        return Finding(copy.path.name, False, f"holds save {record.sequence}, and damage after it")
    return Finding(copy.path.name, True, f"save {record.sequence} of {_utc(record.utc_ns)}, {len(copy.whole)} bytes")


def _of_journal(record: JournalRecord, look: JournalLook) -> Finding:
    dropped = ", ".join(f"{count} {kind}" for kind, count in sorted(record.dropped.items()))
    found = f"goes on from save {record.sequence}, {len(record.items)} items wait for the history"
    found += f", dropped so far: {dropped}" if dropped else ""
    wholes = sorted({copy.record.sequence for copy in look.copies if copy.record is not None})
    if len(wholes) == 2 and look.log.ends.get(wholes[0], wholes[0]) < wholes[1] - 1:
        behind = wholes[1] - wholes[0]
        return Finding("journal", False, f"{found}; the other copy is {behind} saves older: a file was put back")
    return Finding("journal", True, found)


def _of_payload(payload: bytes, decode: Callable[[bytes], object]) -> Finding:
    try:
        decode(payload)
    except ValueError as error:
        return Finding("payload", False, f"the meter's state cannot be read: {error}")
    return Finding("payload", True, f"the meter's state, {len(payload)} bytes")


def _of_history(folder: Path, record: JournalRecord | None) -> list[Finding]:
    try:
        with HistoryReader(folder) as history:
            findings = [_of_database(history, record)]
            if record is not None:
                findings.append(_of_items(history, record))
            return findings + _of_profiles(history)
    except StoreError as error:
        unused = record is not None and len(record.items) == record.next_item - 1
        return [Finding("history", unused, "not begun yet" if unused else str(error))]
    except (sqlite3.Error, TypeError, ValueError) as error:
        return [Finding("history", False, f"is damaged ({error})")]


def _of_database(history: HistoryReader, record: JournalRecord | None) -> Finding:
    faults = history.faults()
    if faults:
        return Finding("history", False, f"is damaged ({faults[0]})")
    if record is not None and history.store() != record.store:
        return Finding("history", False, "is of another meter")
    return Finding("history", True, f"sound, up to item {history.taken()}")


def _of_items(history: HistoryReader, record: JournalRecord) -> Finding:
    """Every number must be in the history or in the journal."""
    taken, waiting = history.taken(), [numbered.number for numbered in record.items]
    if taken >= record.next_item:
        return Finding("items", False, f"the history goes on to {taken}, the journal only to {record.next_item - 1}")
    gaps = history.gaps()
    known = taken
    for number in (*(n for n in waiting if n > taken), record.next_item):
        if number > known + 1:
            gaps.append((known + 1, number - 1))
        known = number
    lost = [f"{first} to {last}" for first, last in gaps if (last + 1) % STRIDE]
    if lost:
        return Finding("items", False, f"missing: {', '.join(lost)}")
    return Finding("items", True, f"{record.next_item - 1} without a gap" if not gaps else "none missing")


def _of_profiles(history: HistoryReader) -> list[Finding]:
    findings = []
    for recording in history.recordings():
        runs = history.words(recording.id)
        gaps = [f"{a.first + len(a.words)} to {b.first - 1}" for a, b in pairwise(runs)]
        count = sum(len(run.words) for run in runs)
        found = f"recording {recording.id} of {_utc(recording.utc_ns)}: {count} words"
        findings.append(Finding("profile", not gaps, found + (f", missing: {', '.join(gaps)}" if gaps else "")))
    return findings


def _utc(utc_ns: int) -> str:
    return (_EPOCH + timedelta(microseconds=utc_ns // 1000)).strftime("%Y-%m-%dT%H:%M:%SZ")
