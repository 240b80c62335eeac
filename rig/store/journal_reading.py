"""Reading a journal without changing it, also while a meter saves: both copies, the log, and the newest of all."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from rig.store.disk import BLOCK, Disk
from rig.store.errors import StoreError
from rig.store.journal import CAPACITY, NAMES, Copy, newest_of, read_copy
from rig.store.log import NAME as LOG
from rig.store.log import SLOTS, LogLook, look_into
from rig.store.record import JournalRecord, version_of
from rig.store.slots import read_slots

_LOOKS = 5
_BETWEEN_S = 0.05


@dataclass(frozen=True)
class JournalLook:
    """Look at a journal's files. `record` is the newest save; `refusal` says why there is none to continue from.

    `log_fault` says what is wrong with the log.
    """

    copies: list[Copy]
    log: LogLook
    log_fault: str = ""
    record: JournalRecord | None = None
    refusal: str = ""


def read_journal(folder: Path) -> JournalLook:
    """Look into a journal; raises nothing.

    The log is read first: what its saves go on from is then in a copy still, or in both are newer ones.
    """
    disk = Disk()
    slots, log_fault = _slots(folder, disk)
    copies = _copies(folder, disk)
    try:
        newest, record = newest_of(copies)
    except StoreError as error:
        return JournalLook(copies, LogLook(), log_fault, refusal=str(error))
    bases = [copy.whole for copy in copies if copy.record is not None]
    try:
        log = look_into(str(folder / LOG), slots or [], bases, record, CAPACITY)
    except StoreError as error:
        return JournalLook(copies, LogLook(), log_fault, refusal=str(error))
    if version_of(newest.whole) > 1 and record.sequence and not log_fault:
        if slots is None:
            log_fault = "is missing"
        elif (size := sum(map(len, slots))) < SLOTS * BLOCK:
            log_fault = f"is cut off: {size} bytes of {SLOTS * BLOCK}"
    return JournalLook(copies, log, log_fault or "; ".join(log.notes), log.newest or record)


def _slots(folder: Path, disk: Disk) -> tuple[list[bytes] | None, str]:
    try:
        slots = read_slots(folder / LOG, SLOTS, disk)
        return (slots if os.path.lexists(folder / LOG) else None), ""
    except StoreError as error:
        return None, str(error)


def _copies(folder: Path, disk: Disk) -> list[Copy]:
    """Both, as they are between two saves: one that is being written looks torn for a moment."""
    for _ in range(_LOOKS):
        copies = [read_copy(folder / name, disk) for name in NAMES]
        if not any(copy.fault for copy in copies):
            break
        time.sleep(_BETWEEN_S)
    return copies
