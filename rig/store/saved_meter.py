"""A meter as a save of its store holds it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from rig.meter.access.security import Keys
from rig.meter.access.state import AccessState
from rig.meter.meter import MeterState
from rig.program.schema import ProgramFile
from rig.program.security import hashed, without_keys
from rig.results.provenance import BOARD, Provenance
from rig.store.errors import StoreError
from rig.store.journal_reading import read_journal
from rig.store.older import add_sources
from rig.store.owner import StoreOwner
from rig.store.saved_settings import SavedSettings
from rig.store.store import Restored

REPROGRAMMED = "programmed"
"""Kind of the snapshot that holds the whole state a new program found."""


@dataclass(frozen=True)
class WrittenProgram:
    """A program that was written to the meter while it ran: its file's structures as JSON text, with no key in it, and
    its keys, hashed; and the configured program that it took the place of, by digest and hashed keys.

    A save of before keys were hashed has them in `file`; they are hashed as it is read. It names the configured program
    by a digest with its keys in it, which stands in `instead_of` while `instead_of_keys` is None.
    """

    file: str = field(repr=False)
    instead_of: str
    keys: Keys | None = field(default=None, repr=False)
    instead_of_keys: Keys | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.keys is None:
            file = msgspec.json.decode(self.file, type=ProgramFile)
            public = msgspec.structs.replace(file, security=without_keys(file.security))
            object.__setattr__(self, "keys", hashed(file.security))
            object.__setattr__(self, "file", msgspec.json.encode(public).decode())


@dataclass
class SavedMeter:
    """State of a meter as a store holds it: the meter, how it meters ("board", or how it is simulated), the digest of
    its program, the number of its load profile, what of the program the state is to be read by, and whose store it
    is; None in a save of an older version. `batch` counts the batches of items that came with it and before. `lineage`
    names the saves of one process and of those that took over from it, `base` those that it went on from.
    """

    fidelity: str
    program: str
    recording: int
    meter: MeterState
    settings: SavedSettings | None = None
    written: WrittenProgram | None = None
    clock_offset_ns: int = 0
    provenance: Provenance | None = None
    access: AccessState = field(default_factory=AccessState)
    sealed: bool = False
    owner: StoreOwner | None = None
    batch: int = 0
    lineage: str = ""
    base: str = ""


def origin(saved: SavedMeter) -> Provenance:
    """Give where a save comes from; of an older version's, what is known of it."""
    if saved.provenance is not None:
        return saved.provenance
    return Provenance(
        simulated=saved.fidelity != BOARD,
        fidelity=saved.fidelity,
        calibrated=True,
        version="",
        commit="",
        build="",
        program=saved.program,
        configuration="",
        calibration="",
        seed=None,
        begun_utc="",
    )


def decode_saved(payload: bytes) -> SavedMeter:
    """The state in a save. ValueError for what is none, or has something in it that would be lost.

    Where something is missing that has a default, an older version wrote it; what has none, rig/store/older.py adds.
    """
    found = msgspec.json.decode(payload)
    add_sources(found)
    kept = msgspec.convert(found, SavedMeter, str_keys=True)
    unknown = next(_unknown(found, msgspec.to_builtins(kept)), None)
    if unknown is not None:
        raise ValueError(f"it has {unknown}, which is not known here")
    return kept


def last_saved(folder: Path) -> tuple[Restored, SavedMeter]:
    """The last save of a store, and what is in it. Reads only, also while a meter runs. Raises StoreError."""
    look = read_journal(folder)
    if all(copy.missing and not copy.replaced for copy in look.copies):
        raise StoreError(f"{folder} is not a meter's store: give the folder that rig.toml has as store")
    record = look.record
    if record is None:
        raise StoreError(look.refusal)
    if not record.sequence:
        raise StoreError(f"nothing was saved in {folder} yet: run the meter first")
    restored = Restored(record.payload, record.utc_ns, record.sequence)
    return restored, decoded_save(restored)


def _unknown(found: Any, known: Any, place: str = "") -> Iterator[str]:
    """The keys of what was found that what was understood of it has not."""
    if isinstance(found, dict):
        for key, value in found.items():
            if key not in known:
                yield f"{place}{key}"
            else:
                yield from _unknown(value, known[key], f"{place}{key}.")
    elif isinstance(found, list):
        for one, other in zip(found, known, strict=True):
            yield from _unknown(one, other, place)


def decoded_save(restored: Restored) -> SavedMeter:
    try:
        return decode_saved(restored.payload)
    except ValueError as error:
        raise StoreError(
            f"the stored state number {restored.sequence} is not this program's: {error}; "
            "use the version that wrote it, or move the store away to begin a new meter"
        ) from None
