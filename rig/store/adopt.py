"""Handing a store over to another meter, by an explicit command and with a line in its log (S-3, review H-3).

| the store                                  | what is done                                                     |
|--------------------------------------------|------------------------------------------------------------------|
| is in use                                  | refused, naming the process                                      |
| has no save, or one that cannot be read    | refused                                                          |
| is of a sealed meter, to another           | refused: the seal first                                          |
| is this meter's, with its own history      | nothing, and said so                                             |
| is another meter's                         | its registers go on as this meter's; logged                      |
| and a program waits in it                  | which is the other meter's: it is cleared; logged                |
| has a history of another store             | that is moved aside under a new name, a new one is begun; logged |
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path

import msgspec

from rig.meter.access.events import PendingCleared
from rig.meter.billing.source import Source
from rig.store.errors import StoreError
from rig.store.events import StoreAdopted
from rig.store.meter_items import items_of
from rig.store.owner import StoreOwner
from rig.store.saved_meter import SavedMeter, decoded_save, last_saved
from rig.store.slots import Slots
from rig.store.store import Store


def adopt(folder: Path, meter: StoreOwner, utc_ns: int, fast: Slots | None = None) -> list[str]:
    """Make a store that of `meter`, as the table above has it; sentences on what was done, none if nothing had to be.

    `utc_ns` is the time of the line in the log; `fast` the FRAM that has the store's newest save. Raises StoreError,
    also where anything of the store cannot be read or written.
    """
    _check_sealed(last_saved(folder)[1], meter, folder)
    store = Store.open(folder, fast=fast, foreign_history=True)
    try:
        if store.trouble is not None:
            raise StoreError(store.trouble)
        assert store.restored is not None, "what was saved before it was opened is there"
        saved = decoded_save(store.restored)
        done = [note for note in store.notes if "it is now" in note]
        if saved.owner is not None and saved.owner != meter:
            done.insert(0, f"the store {folder} was of {saved.owner.text} and is now of {meter.text}")
        elif not done:
            return []
        before = (saved.owner or meter).text
        event = StoreAdopted(utc_ns, before, meter.text, "; ".join(done), Source.COMMAND_LINE)
        events: list[StoreAdopted | PendingCleared] = [event]
        if saved.owner != meter:  # what a process that has died left in its ring is not the new meter's
            if (pending := saved.access.pending) is not None:
                events.append(PendingCleared(utc_ns, pending.digest, Source.COMMAND_LINE))
            access = replace(saved.access, pending=None)
            saved = replace(saved, owner=meter, lineage=secrets.token_hex(8), base="", access=access)
        store.append(*items_of(events, saved.recording))
        store.save(msgspec.json.encode(saved), store.restored.utc_ns)
        store.drain()
        if store.trouble is not None:
            raise StoreError(store.trouble)
        return done
    finally:
        store.close()


def _check_sealed(saved: SavedMeter, meter: StoreOwner, folder: Path) -> None:
    if saved.sealed and saved.owner is not None and saved.owner != meter:
        raise StoreError(
            f"the store {folder} is of a sealed meter with {saved.owner.text}: break its seal first (docs/access.md)"
        )
