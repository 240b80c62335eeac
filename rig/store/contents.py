"""What a store holds, for people and programs: registers of the last save, events, snapshots."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from rig.meter.billing.quantity import NANO_PER_KILO
from rig.results.provenance import BOARD
from rig.results.summary import REGISTERS
from rig.store.errors import StoreError
from rig.store.reading import HistoryReader, StoredEvent, StoredSnapshot
from rig.store.saved_meter import SavedMeter, last_saved


class StoreContents(msgspec.Struct, frozen=True):
    """What a store holds: the registers of the last save, the newest events, and the snapshots."""

    simulated: bool
    fidelity: str
    saved: str
    sequence: int
    program: str
    registers: dict[str, float]
    resets: int
    events: list[dict[str, Any]]
    snapshots: list[dict[str, Any]]


def store_contents(folder: Path, events: int) -> StoreContents:
    """Read a store, with so many of its newest events. Raises StoreError where it, or its history, cannot be read."""
    saved, kept = last_saved(folder)
    try:
        with HistoryReader(folder) as history:
            log = [_event(event) for event in history.events(last=events)]
            snapshots = [_snapshot(snapshot) for snapshot in history.snapshots()]
    except (sqlite3.Error, msgspec.DecodeError, LookupError, TypeError) as error:
        raise StoreError(f"the history in {folder} is damaged ({error}): rig store check says more") from None
    return StoreContents(
        simulated=kept.fidelity != BOARD,
        fidelity=kept.fidelity,
        saved=_utc(saved.utc_ns),
        sequence=saved.sequence,
        program=kept.program,
        registers=_registers(kept),
        resets=kept.meter.billing.resets,
        events=log,
        snapshots=snapshots,
    )


def _registers(kept: SavedMeter) -> dict[str, float]:
    registers = kept.meter.billing.registers
    amounts = registers.energy if registers else [0] * 16
    return {q.value.lower().replace(" ", "_"): q.of(amounts) / NANO_PER_KILO for q in REGISTERS}


def _event(event: StoredEvent) -> dict[str, Any]:
    return {"time": _utc(event.utc_ns), "event": event.name, "details": msgspec.json.decode(event.details)}


def _snapshot(snapshot: StoredSnapshot) -> dict[str, Any]:
    """Its energies; the whole of it is in the history."""
    whole = msgspec.json.decode(snapshot.registers)
    amounts = whole.get("energy") or whole["meter"]["billing"]["registers"]["energy"]
    energies = {q.value: q.of(amounts) / NANO_PER_KILO for q in REGISTERS[:2]}
    return {"time": _utc(snapshot.utc_ns), "cause": snapshot.kind, "details": energies}


def _utc(utc_ns: int) -> str:
    return datetime.fromtimestamp(utc_ns // 10**9, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
