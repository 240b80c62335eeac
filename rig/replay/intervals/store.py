"""A replayed meter in a store of its own: state, events, snapshots and profile, as a running meter keeps them (S-3)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from rig.meter.billing.billing import Billing, MeterEvent
from rig.meter.meter import MeterState
from rig.program.build import Program
from rig.program.parts import installation_of
from rig.replay.intervals.replay import FIDELITY
from rig.store.errors import StoreError
from rig.store.items import Item, RecordingItem, SnapshotItem, WordsItem
from rig.store.meter_items import items_of
from rig.store.recording_settings import settings_text
from rig.store.saved_meter import SavedMeter
from rig.store.saved_settings import saved_settings
from rig.store.store import Store

RECORDING = 0
FLUSH_BYTES = 1 << 16
"""Saved when there are so many, about: under half of what a save can take."""

_OTHERS_BYTES = 256
_WORD_BYTES = 3


def empty_folder(folder: Path) -> Path:
    """The folder, if a new meter can be kept there. Raises StoreError."""
    if folder.is_dir() and any(folder.iterdir()):
        raise StoreError(f"{folder} is not empty, and a replay keeps a new meter: give a new folder")
    return folder


class ReplayStore:
    """Keeps what happens to a meter from its first moment on; `save` at the end, then `close`.

    A replay can wait for the disk, so everything is saved by the caller's thread and nothing is dropped. Methods raise
    StoreError.
    """

    def __init__(self, folder: Path, program: Program, billing: Billing) -> None:
        self._store = Store.open(empty_folder(folder))
        self._program = program
        self._billing = billing
        self._items: list[Item] = []
        self._bytes = 0
        if (settings := program.billing.recorder) is not None:
            self._items.append(RecordingItem(RECORDING, billing.now_ns, settings.words, settings_text(settings)))

    def keep(self, events: Iterable[MeterEvent]) -> None:
        """Take in what happened."""
        for item in items_of(events, RECORDING):
            self._items.append(item)
            self._bytes += _bytes(item)
            if self._bytes >= FLUSH_BYTES:
                self.save()

    def close(self) -> None:
        """Let go of the folder."""
        self._store.close()

    def save(self) -> None:
        """Put everything so far on the disk."""
        # A replay lets no pulses out, and sees nothing of an installation.
        meter = MeterState(self._billing.state, {}, installation_of(self._program).state)
        settings = saved_settings(self._program.billing, ())
        kept = SavedMeter(FIDELITY, self._program.digest, RECORDING, meter, settings)
        self._store.append(*self._items)
        self._store.save(msgspec.json.encode(kept), self._billing.now_ns)
        self._store.drain()
        self._items, self._bytes = [], 0
        if self._store.waiting or self._store.dropped:
            raise StoreError(self._store.trouble or "the store dropped items")


def _bytes(item: Item) -> int:
    match item:
        case SnapshotItem():
            return len(item.registers)
        case WordsItem():
            return _OTHERS_BYTES + _WORD_BYTES * len(item.words)
    return _OTHERS_BYTES
