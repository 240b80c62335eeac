"""The log: small saves in slots that are written in turn, each beside the last whole save.

A ring of slots (rig/store/slots.py). An entry takes one slot and is whole or nothing, by its checksum; the whole one
with the highest sequence is the newest. A new entry goes into the slot after the one that was written last, but never
over the newest: it is untouched until the new one is on the disk. Of what is found in a slot:

    | entry                          | what it is worth                                                       |
    |--------------------------------|------------------------------------------------------------------------|
    | none, or not whole             | nothing: never written, or torn, which is told and put in order        |
    | whole, its base is there       | a save                                                                 |
    | whole, older than the base     | nothing: superseded                                                    |
    | whole, its base is not there   | nothing; newer than all that is there: told, as saves are missing      |
    | whole, of another store        | nothing; told                                                          |
    | whole, of a newer program      | the store is refused: going on would lose what that saved              |
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rig.store.entry import Entry, decode_entry, encode_entry, record_of
from rig.store.errors import StoreError
from rig.store.record import FORMAT, DamagedRecord, Format, JournalRecord, NewerRecord
from rig.store.slots import Slots

NAME = "billing.log"

SLOTS = 64
"""Of a block each: 256 KiB, as in an FRAM of two megabits."""


class NewerSave(StoreError):
    """A log in which a newer program has saved."""


@dataclass(frozen=True)
class LogLook:
    """Look at a store's log: its newest save, the whole record that this builds on, the slot that it is in,
    and sentences on what does not belong there.

    `entries` counts the whole ones of this store, `others` those of another. `newest` is None where no save is newer
    than the whole ones. `torn` are slots that hold neither a whole entry nor nothing. `ends` has the highest sequence
    that goes on from each base.
    """

    newest: JournalRecord | None = None
    base: bytes = b""
    slot: int = 0
    entries: int = 0
    others: int = 0
    notes: list[str] = field(default_factory=list)
    torn: list[int] = field(default_factory=list)
    ends: dict[int, int] = field(default_factory=dict)


def look_into(
    name: str,
    slots: Sequence[bytes],
    bases: Iterable[bytes],
    newest: JournalRecord,
    most: int,
    fmt: Format = FORMAT,
    *,
    padded: bool = True,
) -> LogLook:
    """Find the newest save in a log that is newer than `newest`, the newest whole one. `bases` are the whole records
    that are there, each of `most` bytes at most.

    `padded`: what follows an entry in its slot must be zeros.
    Raises NewerSave for an entry of a newer program.
    """
    by_crc = {zlib.crc32(base): base for base in bases}
    store, whole = newest.store, newest.sequence
    found = [(slot, entry) for slot, data in enumerate(slots) if (entry := decode_entry(data)) is not None]
    sound = {slot for slot, entry in found if not padded or _empty(slots[slot][entry.end :])}
    torn = [slot for slot, data in enumerate(slots) if slot not in sound and not _empty(data)]
    own = [(slot, entry) for slot, entry in found if entry.store == store]
    own.sort(key=lambda each: each[1].sequence, reverse=True)
    ends: dict[int, int] = {}
    for _, entry in own:
        ends.setdefault(entry.base, entry.sequence)
    notes: list[str] = []
    failed = False
    if len(own) < len(found):
        notes.append(f"{name} holds saves of another store, which are not used")
    for slot, entry in own:
        if entry.sequence <= whole:
            break
        try:
            record = _record(entry, by_crc, most, fmt)
        except NewerRecord as error:
            raise NewerSave(
                f"{name} holds a save that {error}: update the program; an older one would lose what was saved since"
            ) from None
        except DamagedRecord as error:
            if not failed:
                notes.append(f"save {entry.sequence} in {name} {error}: the meter continues from another")
            failed = True
            continue
        return LogLook(record, by_crc[entry.base_crc], slot, len(own), len(found) - len(own), notes, torn, ends)
    slot = own[0][0] if own else 0
    return LogLook(slot=slot, entries=len(own), others=len(found) - len(own), notes=notes, torn=torn, ends=ends)


def _empty(data: bytes) -> bool:
    return data == bytes(len(data))


def _record(entry: Entry, bases: Mapping[int, bytes], most: int, fmt: Format) -> JournalRecord:
    if entry.version > fmt.version:
        raise NewerRecord(f"is of format {entry.version}, this program knows up to {fmt.version}")
    if entry.base_crc not in bases:
        raise DamagedRecord("continues from a whole save that no longer exists")
    return record_of(entry, bases[entry.base_crc], most, fmt)


class Log:
    """A log that is written. `newest` is the slot of the newest save, which is not written over."""

    def __init__(self, slots: Slots, newest: int, version: int = FORMAT.version) -> None:
        self.slots = slots
        self._version = version
        self._newest = self._last = newest

    def write(self, record: JournalRecord, whole: bytes, base: JournalRecord, base_whole: bytes) -> bool:
        """Save `record`, of which `whole` is the encoding, beside its base; False if it does not fit into a slot.

        StoreError if it cannot be written; what was the newest save is untouched.
        """
        data = encode_entry(record, whole, base, base_whole, self._version)
        if len(data) > self.slots.size:
            return False
        slot = (self._last + 1) % self.slots.count
        if slot == self._newest:
            slot = (slot + 1) % self.slots.count
        self._last = slot
        self.slots.write(slot, data)
        self._newest = slot
        return True

    def close(self) -> None:
        """Let go of the slots."""
        self.slots.close()
