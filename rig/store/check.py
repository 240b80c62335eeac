"""Looking over a store without changing it, also while a meter uses it.

Every byte of every file is held against something, so that no bit can flip unseen:

    | file                     | held against                                                                       |
    |--------------------------|------------------------------------------------------------------------------------|
    | billing.a, billing.b     | the record's CRC-32; what follows it must be zeros, but in a copy of format 1      |
    | billing.log              | the CRC-32 of each slot's entry; what follows that, and an empty slot, must be zeros  |
    | history.sqlite           | its pages' sums (rig/store/page_sums.py); its rows' digests (rig/store/digests.py) |
    | history.sqlite-wal       | SQLite's own checksums, frame by frame (rig/store/wal_file.py)                     |
    | history.sums             | its CRC-32                                                                         |
    | contacts                 | the CRC-32 of each output's contact (drivers/contact_memory.py)                    |
    | lock                     | the CRC-32 of the process's number (rig/files/claim.py)                            |

`history.sqlite-shm` is SQLite's scratch memory: it is made anew when the history is opened, and not looked at.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import msgspec

from drivers.contact_memory import contact_faults
from rig.files.claim import claim_fault
from rig.files.own import open_to_read
from rig.meter.contacts.outputs import KYZ_OUTPUTS, OutputId
from rig.store.errors import StoreError
from rig.store.history import NAME
from rig.store.journal import Copy
from rig.store.journal_reading import JournalLook, read_journal
from rig.store.lock import LOCK
from rig.store.log import NAME as LOG
from rig.store.outbox import STRIDE
from rig.store.page_sums import SUMS, DamagedSums, check_pages, read_sums
from rig.store.reading import HistoryReader
from rig.store.record import ZEROED, JournalRecord, version_of
from rig.store.wear import wear_of

CONTACTS = "contacts"
"""Beside the store: which contact each output closed last."""

_MOST_CONTACTS_BYTES = 1 << 12
_NO_SUMS = "there is none, as an older version had none: the next start makes it"
_LOOKS = 5
_BETWEEN_S = 0.05
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at: a file by its name, or what is in them: "journal", "payload", "history", "rows",
    "items", "profile", "wear"."""

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
            findings.append(Finding("journal", False, look.refusal))
            return [*findings, *_of_pages(folder, None), *_of_history(folder, None), *_of_others(folder)]
        findings.append(_of_journal(record, look))
        if record.sequence:
            findings.append(_of_payload(record.payload, decode))
        findings += [*_of_pages(folder, record), *_of_history(folder, record), *_of_others(folder)]
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
        return Finding(LOG, False, f"no whole save in slot {places}: torn by a power failure, or damaged")
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
    found = f"save {record.sequence} of {_utc(record.utc_ns)}, {len(copy.whole)} bytes"
    if copy.stray is not None and version_of(copy.whole) >= ZEROED:
        return Finding(
            copy.path.name, False, f"{found}; byte {copy.stray}, behind them, is not zero: no figure is in it"
        )
    return Finding(copy.path.name, True, found)


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


def _of_pages(folder: Path, record: JournalRecord | None) -> list[Finding]:
    """The pages of the history, its log and its sums: one finding for each fault, or one for all that hold."""
    path = folder / NAME
    if not path.exists():
        return []
    try:
        for _ in range(_LOOKS):
            report = check_pages(path)
            if not report.faults:
                break
            time.sleep(_BETWEEN_S)  # a checkpoint may have been at work
        sums = read_sums(path.with_name(SUMS))
    except (OSError, DamagedSums) as error:
        sums = None
        if isinstance(error, OSError):
            return [Finding(NAME, False, f"cannot be read ({error.strerror})")]
    findings = [Finding(name, False, fault) for name, fault in report.faults]
    if sums is not None and record is not None and sums.store != record.store:
        findings.append(Finding(SUMS, False, f"is of store {sums.store:016x}, the journal of {record.store:016x}"))
    if findings or report.known:
        return findings or [Finding(NAME, True, f"{report.pages} pages as they were written")]
    try:
        with HistoryReader(folder) as history:
            sound = not history.digested
    except (StoreError, sqlite3.Error):
        sound = False
    return [Finding(SUMS, sound, _NO_SUMS if sound else "is missing: the meter recreates it at its next start")]


def _of_rows(history: HistoryReader) -> Finding:
    if not history.digested:
        return Finding("rows", True, "without digests, as an older version wrote them: the next start gives them some")
    damaged = history.damaged_rows()
    if damaged:
        return Finding("rows", False, f"{NAME}: not as they were written: {', '.join(damaged)}")
    return Finding("rows", True, "every row has its digest")


def _of_others(folder: Path) -> list[Finding]:
    """The files that hold no figures: which contacts were closed last, and who has the store."""
    findings = []
    for name, faults in ((CONTACTS, _contact_faults), (LOCK, _lock_faults)):
        path = folder / name
        try:
            found = faults(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            found = [f"cannot be read ({error.strerror})"]
        findings += [Finding(name, False, fault) for fault in found]
    return findings


def _contact_faults(path: Path) -> list[str]:
    with open_to_read(path) as file:
        return contact_faults(
            file.read(_MOST_CONTACTS_BYTES), [output.value for output in (OutputId.TEST_LED, *KYZ_OUTPUTS)]
        )


def _lock_faults(path: Path) -> list[str]:
    fault = claim_fault(path)
    return [fault] if fault else []


def _of_history(folder: Path, record: JournalRecord | None) -> list[Finding]:
    try:
        with HistoryReader(folder) as history:
            findings = [_of_database(history, record)]
            findings.append(_of_rows(history))
            if record is not None:
                findings.append(_of_items(history, record, folder))
            return findings + _of_profiles(history)
    except StoreError as error:
        unused = record is not None and len(record.items) == record.next_item - 1
        return [Finding("history", unused, "not begun yet" if unused else str(error))]
    except (sqlite3.Error, ArithmeticError, TypeError, ValueError) as error:
        return [Finding("history", False, f"is damaged ({error})")]


def _of_database(history: HistoryReader, record: JournalRecord | None) -> Finding:
    faults = history.faults()
    if faults:
        return Finding("history", False, f"is damaged ({faults[0]})")
    if record is not None and history.store() != record.store:
        found = f"{NAME} is of store {history.store():016x}, the journal of store {record.store:016x}"
        return Finding("history", False, f"{found}: put back the file that belongs here")
    return Finding("history", True, f"sound, up to item {history.taken()}")


def _of_items(history: HistoryReader, record: JournalRecord, folder: Path) -> Finding:
    """Every number must be in the history or in the journal, `record` being the journal before the history was read."""
    taken, waiting = history.taken(), [numbered.number for numbered in record.items]
    if taken >= record.next_item:
        now = read_journal(folder).record or record  # a meter at work may have gone on meanwhile
        if taken >= now.next_item:
            return Finding("items", False, f"the history goes on to {taken}, the journal only to {now.next_item - 1}")
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
    try:
        return (_EPOCH + timedelta(microseconds=utc_ns // 1000)).strftime("%Y-%m-%dT%H:%M:%SZ")
    except OverflowError:  # no year of the calendar's
        return f"{utc_ns} ns"
