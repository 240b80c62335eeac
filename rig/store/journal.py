"""The billing journal: two whole saves in files that are overwritten in place, and beside them the log of small ones.

A whole save goes into one copy, is synced, and then into the other. Small saves go into the log (rig/store/log.py):
each is what the state is beside the last whole one, and takes one block of the disk. The newest of all, by its
sequence, is the meter's state. Nothing that this depends on is ever written over: the whole save that the newest small
one builds on stays in one copy until the next is on the disk in the other. So no power failure can tear both. Nothing
is allocated, and a full disk stops nothing. A save is whole

    | when                                                        | why                                               |
    |-------------------------------------------------------------|---------------------------------------------------|
    | the last whole one is WHOLE_NS old, or there was none       | damage to a copy and the log costs no more        |
    | whoever saves asks for it: what is billed has closed        | what matters is there twice                       |
    | it does not fit into a slot of the log                      | many items wait, or the state has much changed    |
    | there is no log, or it cannot be written                    | it is the other way; and whole where that fails   |

With an FRAM (`fast`) small saves go there, and into the log only each SLOW_NS, with items for the history, or where the
FRAM fails. What is found when a journal is opened:

    | one copy  | the other | what is done                                            |
    |-----------|-----------|---------------------------------------------------------|
    | missing   | missing   | a new journal is begun                                  |
    | unused    | missing   | goes on: its beginning was cut short                    |
    | unused    | unused    | goes on: nothing was ever saved                         |
    | unused    | damaged   | goes on, and says so: its first save was cut short      |
    | valid     | older     | goes on from the newer one                              |
    | valid     | damaged   | goes on from the valid one, and says so                 |
    | valid     | missing   | goes on from the valid one, makes the other, says so    |
    | valid     | no file   | goes on from the valid one, makes the other, says so    |
    | damaged   | damaged   | refuses                                                 |
    | damaged   | missing   | refuses                                                 |
    | damaged   | no file   | refuses                                                 |
    | newer     | valid     | refuses: written by a newer program                     |
    | newer     | damaged   | refuses: written by a newer program                     |
    | foreign   | valid     | refuses: of two meters                                  |

"No file" is a link, a FIFO, a socket, a file with several names: it is replaced, and what it leads to is not touched.
A copy gets its name only once it is whole on the disk, with a record of sequence 0 in it. So an empty file, or one of
zeros, is never a beginning: it is damage.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from rig.files.own import ForeignFile
from rig.store.disk import Disk
from rig.store.errors import StoreError
from rig.store.log import NAME as LOG
from rig.store.log import SLOTS, Log, LogLook, NewerSave, look_into
from rig.store.record import (
    FORMAT,
    ZEROED,
    DamagedRecord,
    Format,
    JournalRecord,
    NewerRecord,
    decode,
    encode,
    raw,
    run_of,
    version_of,
)
from rig.store.slots import CannotMake, FileSlots, Slots

NAMES = ("billing.a", "billing.b")

CAPACITY = 1 << 19
"""Size of a copy in bytes, written once when it is made. A save writes only what its record needs."""

WHOLE_NS = 15 * 60 * 10**9
"""Most of the meter's time between two whole saves."""

SLOW_NS = 60 * 10**9
"""Most of the meter's time between two saves on the disk while an FRAM has them all."""


@dataclass(frozen=True)
class Copy:
    """Copy of the journal, one file: a record, or what is wrong with it. `size` is at most CAPACITY.

    `missing`: no file of ours is there, and one can be made; `replaced`: something else is, which then goes. `stray` is
    the place of the first byte behind the record that is not zero, as all are since format 2; None: there is none.
    """

    path: Path
    size: int = 0
    whole: bytes = b""
    record: JournalRecord | None = None
    fault: str = ""
    newer: bool = False
    missing: bool = False
    replaced: bool = False
    stray: int | None = None


def read_copy(path: Path, disk: Disk, fmt: Format = FORMAT) -> Copy:
    """Look at one copy; raises nothing."""
    try:
        data = disk.read(path, CAPACITY)
    except FileNotFoundError:
        return Copy(path, fault="is missing", missing=True)
    except ForeignFile as error:
        return Copy(path, fault=f"is not a store's file: {error.strerror}", missing=True, replaced=True)
    except OSError as error:
        return Copy(path, fault=f"cannot be read ({error.strerror})")
    try:
        whole = raw(data)
        return Copy(path, len(data), whole, decode(whole, fmt), stray=_stray(data, whole))
    except DamagedRecord as error:
        return Copy(path, len(data), fault=str(error), stray=0)
    except NewerRecord as error:
        return Copy(path, len(data), fault=str(error), newer=True)


def _stray(data: bytes, whole: bytes) -> int | None:
    found = data[len(whole) :].lstrip(b"\0")
    return len(data) - len(found) if found else None


def newest_of(copies: list[Copy]) -> tuple[Copy, JournalRecord]:
    """The copy to go on from. StoreError if there is none that one may go on from."""
    for copy in copies:
        if copy.newer:
            raise StoreError(
                f"{copy.path} {copy.fault}: update the program; an older one would lose what was saved since"
            )
    valid = [(copy, copy.record) for copy in copies if copy.record is not None]
    if not valid:
        a, b = copies
        raise StoreError(
            f"{a.path} {a.fault} and {b.path} {b.fault}: the registers are not restarted at zero unasked; "
            f"put back a copy of one of the two files, or move the folder {a.path.parent} away to begin a new meter"
        )
    if len({record.store for _, record in valid}) > 1:
        a, b = copies
        raise StoreError(f"{a.path} and {b.path} are of two different meters: put back the file that belongs here")
    return max(valid, key=lambda found: found[1].sequence)


class Journal:
    """An open journal. `record` is the newest one; `notes` are sentences on what was repaired. Used by one thread.

    `trouble` is a sentence on what could not be written although the save was made. `open` makes the newest record
    surely durable where it stands, and then whole in both copies: a process that was killed before its save had reached
    the disk leaves a record, or a name, that looks whole, but only in the system's memory, and so does a sync that
    failed. Left as it is, the next save could be torn with no whole one beside it. What is written then has the number
    of this run in it: small saves of a run before, in an FRAM that was not there meanwhile, do not go on from it.
    """

    def __init__(self, disk: Disk, fmt: Format) -> None:
        self.notes: list[str] = []
        self.record: JournalRecord
        self.trouble: str | None = None
        self._disk = disk
        self._format = fmt
        self._paths: list[Path] = []
        self._files: dict[int, int] = {}
        self._base: tuple[JournalRecord, bytes]
        self._holders: set[int] = set()  # the copies that surely have the base
        self._last = 1  # the copy that was written last
        self._lengths = [CAPACITY, CAPACITY]  # of what is in the copies at most; zeros follow
        self._tried = 0
        self._run = 0
        self._log: Log | None = None
        self._log_file: FileSlots | None = None
        self._logless: str | None = None
        self._logless_ns = 0
        self._fast: Log | None = None
        self._fast_well = False
        self._slow_ns = 0
        self._torn: list[tuple[Slots, int]] = []

    @classmethod
    def open(cls, folder: Path, disk: Disk, fmt: Format = FORMAT, fast: Slots | None = None) -> Journal:
        """Open or begin the journal in a folder. StoreError: refused as above, or cannot be written."""
        journal = cls(disk, fmt)
        try:
            journal._open(folder, fast)
        except BaseException:
            journal.close()
            raise
        return journal

    @property
    def fast(self) -> bool:
        """True if an FRAM had the last save."""
        return self._fast is not None and self._fast_well

    @property
    def next_sequence(self) -> int:
        """A number above those of all saves that were ever tried: one that failed may be found later all the same."""
        return max(self.record.sequence, self._tried) + 1

    def write(self, record: JournalRecord, whole: bool = False) -> None:
        """Make `record` the newest; it survives whatever happens once this returns. `whole`: as a whole save.

        StoreError if it does not fit or cannot be written; then the one before is still the newest, untouched.
        """
        encoded = encode(record, self._format.version, self._run)
        if len(encoded) > CAPACITY:
            raise StoreError(f"a record of {len(encoded)} bytes does not fit the journal, it holds {CAPACITY}")
        self._tried = max(self._tried, record.sequence)
        if self._logless and abs(record.utc_ns - self._logless_ns) >= WHOLE_NS:
            self._logless_ns = record.utc_ns
            self._open_log(self._paths[0].parent, fresh=True)
        faults: list[str] = []
        whole = whole or not self._base[0].sequence or abs(record.utc_ns - self._base[0].utc_ns) >= WHOLE_NS
        first, second = (self._write_whole, self._write_small) if whole else (self._write_small, self._write_whole)
        if not (first(record, encoded, faults) or second(record, encoded, faults)):
            raise StoreError(faults[0])
        self.record = record
        self.trouble = "; ".join([*([self._logless] if self._logless else []), *dict.fromkeys(faults)]) or None

    def settle(self) -> None:
        """Make the newest record a whole save, in both copies. StoreError if it cannot be written."""
        if self._base[0].sequence != self.record.sequence:
            self.write(self.record, whole=True)

    @property
    def files(self) -> list[tuple[Path, int, os.stat_result]]:
        """Path, size in bytes and open file of each copy, and of the log, if there is one."""
        copies = [(self._paths[k], CAPACITY, os.fstat(file)) for k, file in sorted(self._files.items())]
        log = self._log_file
        return copies if log is None else [*copies, (Path(log.name), log.count * log.size, log.opened)]

    def renewed(self, folder: Path) -> Journal:
        """Make all files anew from the newest record, over whatever is at their names; this one is closed. StoreError.

        Saves go on being numbered, so that none that is left in an FRAM is newer than the next.
        """
        journal = Journal(self._disk, self._format)
        journal.notes, journal.record = self.notes, self.record
        journal._tried, journal._run = self._tried, self._run
        try:
            journal._begin(folder)
            journal._renew_log()
        except BaseException:
            journal.close()
            raise
        journal._fast, journal._fast_well = self._fast, self._fast_well
        self._fast = None
        self.close()
        return journal

    def renew_log(self) -> None:
        """Make the log anew, after a whole save of what only it may have. StoreError if that cannot be written."""
        self.settle()
        if self._base[0].sequence != self.record.sequence:
            raise StoreError(f"the last save is in no copy of the journal, only in {LOG}: {self.trouble}")
        self._renew_log()

    def close(self) -> None:
        """Let go of all files."""
        while self._files:
            self._disk.close(self._files.popitem()[1])
        for log in (self._log, self._fast):
            if log is not None:
                log.close()
        self._log = self._log_file = self._fast = None

    def _write_whole(self, record: JournalRecord, encoded: bytes, faults: list[str]) -> bool:
        """Into both copies, one after the other; True as soon as one has it."""
        first = 1 - self._last if len(self._holders) == 2 else next(k for k in (0, 1) if k not in self._holders)
        for copy in (first, 1 - first):
            self._holders.discard(copy)
            self._lengths[copy] = max(self._lengths[copy], len(encoded))
            try:
                with _writing(self._paths[copy]):
                    self._disk.write(self._files[copy], encoded.ljust(self._lengths[copy], b"\0"), 0)
                    self._disk.sync(self._files[copy])
            except StoreError as error:
                faults.append(str(error))
                if copy == first:
                    return False
            else:
                self._base, self._last = (record, encoded), copy
                self._lengths[copy] = len(encoded)
                self._holders.add(copy)
        return True

    def _write_small(self, record: JournalRecord, encoded: bytes, faults: list[str]) -> bool:
        """Into the FRAM, if there is one, and the log if it is time, or there is none; whether it is there."""
        self._fast_well = fast = _put(self._fast, record, encoded, self._base, faults)
        if fast and not record.items and abs(record.utc_ns - self._slow_ns) < SLOW_NS:
            return True
        self._slow_ns = record.utc_ns
        return _put(self._log, record, encoded, self._base, faults) or fast

    # --- opening ----------------------------------------------------------------------------------------------

    def _open(self, folder: Path, fast: Slots | None) -> None:
        self._paths = [folder / name for name in NAMES]
        copies = [read_copy(path, self._disk, self._format) for path in self._paths]
        if all(copy.missing and not copy.replaced for copy in copies):
            self.record = _unused()
            self._begin(folder)
            self._open_log(folder, fresh=True)
            if fast is not None:
                self._open_fast(fast, [])
            return
        newest, self.record = newest_of(copies)
        old = version_of(newest.whole) < ZEROED
        bases = [copy.whole for copy in copies if copy.record is not None]
        runs = [run_of(base) for base in bases]
        self._run = next(run for k in (1, 2) if (run := (run_of(newest.whole) + k) & 0xFFFF) not in runs)
        look = self._open_log(folder, bases, fresh=old or self.record.sequence == 0)
        stands = next(k for k in (0, 1) if copies[k] is newest)
        if fast is not None:
            in_fast = self._open_fast(fast, bases)
            if in_fast.newest is not None and (look.newest is None or in_fast.newest.sequence > look.newest.sequence):
                look = in_fast
        if look.newest is not None:
            self.record = look.newest
            stands = next(k for k in (0, 1) if copies[k].whole == look.base)
        self._tried = self.record.sequence
        self._tell(copies, newest)
        self._settle(copies, stands)
        for slots, slot in self._torn:
            with suppress(StoreError):  # it holds nothing, and the next start tries again
                slots.write(slot, b"")

    def _begin(self, folder: Path) -> None:
        """Both copies made, with the record in them."""
        self._paths = [folder / name for name in NAMES]
        self._base = self.record, encode(self.record, self._format.version, self._run)
        self._lengths = [len(self._base[1])] * 2
        for k, path in enumerate(self._paths):
            self._files[k] = self._make(path, self._base[1])
        self._holders = {0, 1}
        self._slow_ns = self._logless_ns = self.record.utc_ns

    def _settle(self, copies: list[Copy], stands: int) -> None:
        """The newest record whole in both copies; `stands` is the one that it is in, or goes on from."""
        encoded = encode(self.record, self._format.version, self._run)
        self._files[stands] = self._reopen(copies[stands])
        with _writing(self._paths[stands].parent):
            self._disk.sync_folder(self._paths[stands].parent)
        other = 1 - stands
        if copies[other].missing:
            self._files[other] = self._make(self._paths[other], encoded)
        else:
            self._files[other] = self._reopen(copies[other], encoded)
        if copies[stands].whole != encoded:
            with _writing(self._paths[stands]):
                self._disk.write(self._files[stands], encoded.ljust(len(copies[stands].whole), b"\0"), 0)
                self._disk.sync(self._files[stands])
        self._lengths = [len(encoded), len(encoded)]
        self._base, self._holders, self._last = (self.record, encoded), {0, 1}, stands
        self._slow_ns = self._logless_ns = self.record.utc_ns

    def _tell(self, copies: list[Copy], newest: Copy) -> None:
        other = copies[1 - copies.index(newest)]
        if other.replaced:
            self.notes.append(f"{other.path} {other.fault}; it has been replaced by a copy of {newest.path.name}")
        elif other.missing and self.record.sequence > 0:
            self.notes.append(f"{other.path} was missing and has been recreated from {newest.path.name}")
        elif other.fault and not other.missing:
            self.notes.append(f"{other.path} {other.fault}: the meter goes on from {newest.path.name}")

    def _open_log(self, folder: Path, bases: Sequence[bytes] = (), *, fresh: bool) -> LogLook:
        """Have the log, and what is in it; where none can be made, all saves are whole ones, which is `trouble`.

        `fresh`: no save can have been in one that is missing. StoreError for one that is there and cannot be used: its
        saves are not passed over without being told.
        """
        try:
            slots = FileSlots(folder / LOG, SLOTS, self._disk)
        except CannotMake as error:
            self._logless = self.trouble = f"{error}; until then every save is a whole one"
            return LogLook()
        self._logless = None
        if slots.replaced:
            self.notes.append(f"{slots.name} was not a store's file: {slots.replaced}; it has been recreated")
        elif (slots.made or slots.cut_off) and not fresh:
            what = "was cut off and has its size again" if slots.cut_off else "was missing and has been recreated"
            self.notes.append(f"{slots.name} {what}: the last saves may have been in it")
        self._log_file = slots
        self._log = Log(slots, 0, self._format.version)
        look = self._look(self._log, bases)
        self._log = Log(slots, look.slot, self._format.version)
        return look

    def _renew_log(self) -> None:
        """An empty log in place of whatever is at its name; where none can be made, all saves are whole ones."""
        if self._log is not None:
            self._log.close()
        self._log = self._log_file = None
        try:
            slots = FileSlots(self._paths[0].parent / LOG, SLOTS, self._disk, anew=True)
        except CannotMake as error:
            self._logless, self._logless_ns = f"{error}; until then every save is a whole one", self.record.utc_ns
            return
        self._logless, self._log_file = None, slots
        self._log = Log(slots, 0, self._format.version)

    def _open_fast(self, slots: Slots, bases: Sequence[bytes]) -> LogLook:
        """The same of an FRAM. One that cannot be read is `trouble`, and the log serves; one that has another store's
        saves is refused, as those would be lost."""
        self._fast = Log(slots, 0, self._format.version)
        try:
            look = self._look(self._fast, bases)
        except NewerSave:
            raise
        except StoreError as error:
            self.trouble = f"{error}; saves go to the disk"
            return LogLook()
        self._fast_well = True
        if look.others:
            raise StoreError(
                f"{slots.name} holds saves of another store: put the FRAM back to its own meter, or, "
                "if that is given up, empty it with rig store clear-fram"
            )
        self._fast = Log(slots, look.slot, self._format.version)
        return look

    def _look(self, log: Log, bases: Sequence[bytes]) -> LogLook:
        """Look into a log, and make its newest save surely durable where it stands."""
        found = log.slots.read()
        padded = log.slots.padded
        look = look_into(log.slots.name, found, bases, self.record, CAPACITY, self._format, padded=padded)
        self.notes += look.notes
        if look.newest is not None:
            log.slots.write(look.slot, found[look.slot])
        if look.torn:
            places = ", ".join(str(slot) for slot in look.torn[:3]) + (" and more" if look.torn[3:] else "")
            self.notes.append(f"{log.slots.name}: no whole save in slot {places}: torn by a power failure, or damaged")
            self._torn += [(log.slots, slot) for slot in look.torn]
        return look

    def _make(self, path: Path, whole: bytes) -> int:
        """A new copy at its full size."""
        with _writing(path):
            return self._disk.make(path, whole + bytes(CAPACITY - len(whole)))

    def _reopen(self, copy: Copy, whole: bytes | None = None) -> int:
        """A copy that is there: at its full size again if it was cut off, surely on the disk; as it is, or `whole`."""
        with _writing(copy.path):
            file = self._disk.open(copy.path)
            try:
                data = copy.whole if whole is None else whole.ljust(len(copy.whole), b"\0")
                if copy.stray is not None:
                    data = data.ljust(CAPACITY, b"\0")
                elif copy.size < CAPACITY:
                    self._disk.write(file, bytes(CAPACITY - copy.size), copy.size)
                self._disk.write(file, data, 0)
                self._disk.sync(file)
            except BaseException:
                self._disk.close(file)
                raise
        return file


def _put(
    log: Log | None, record: JournalRecord, encoded: bytes, base: tuple[JournalRecord, bytes], faults: list[str]
) -> bool:
    """Write a record to a log; return whether the log has it now."""
    try:
        return log is not None and log.write(record, encoded, *base)
    except StoreError as error:
        faults.append(str(error))
        return False


def _unused() -> JournalRecord:
    return JournalRecord(
        store=secrets.randbits(63),
        sequence=0,
        utc_ns=0,
        payload=b"",
        next_item=1,
        items=[],
        dropped={},
        recording=None,
    )


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}") from None
