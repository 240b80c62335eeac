"""Contents of a store, for people and programs: the reading of the last save, events, snapshots."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from rig.meter.billing.recorder import RecorderError, RecorderSettings
from rig.meter.billing.snapshot import RegisterReading
from rig.meter.reading.figures import kilo
from rig.results.exact import ExactReading
from rig.results.exact_encoding import exact_reading
from rig.results.provenance import Provenance
from rig.results.registered import energy_registers
from rig.results.summary import REGISTERS, EnergyRegisters
from rig.store.errors import StoreError
from rig.store.reading import HistoryReader, StoredEvent, StoredSnapshot
from rig.store.recording_settings import settings_of
from rig.store.saved_meter import SavedMeter, last_saved, origin
from rig.store.saved_reading import saved_reading

MOST_SNAPSHOTS = 1000
"""The newest, so many are shown: demand resets of eighty years, or self-reads of three."""

_DAMAGED = (
    sqlite3.Error,
    msgspec.DecodeError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    RecorderError,
)
"""What comes of content that nobody wrote so, in a history of an older version, which has no digests."""


class StoreContents(msgspec.Struct, frozen=True):
    """Contents of a store: the registers of the last save, exactly all of it, the newest events, the newest snapshots;
    `damaged` names the rows of the history that are not as they were written, and were left out."""

    provenance: Provenance
    simulated: bool
    fidelity: str
    saved: str
    sequence: int
    program: str
    registers: EnergyRegisters
    resets: int
    exact: ExactReading
    events: list[dict[str, Any]]
    snapshots: list[dict[str, Any]]
    damaged: list[str]


class StoreLook:
    """A store, looked into once: the reading of its last save, its newest events, the registers of each snapshot.

    Raises StoreError where it, or its history, cannot be read.
    """

    def __init__(self, folder: Path, events: int) -> None:
        self.restored, self.saved = last_saved(folder)
        try:
            with HistoryReader(folder) as history:
                self.events = [_event(event) for event in history.events(last=events)]
                self.snapshots = [(stored, _energies(stored)) for stored in history.snapshots(last=MOST_SNAPSHOTS)]
                recorder = _recorder(self.saved, history)
                self.damaged, self.digested = history.damaged, history.digested
        except _DAMAGED as error:
            raise StoreError(f"the history in {folder} is damaged ({error}): rig store check says more") from None
        try:
            self.reading = saved_reading(self.saved, recorder)
        except (ArithmeticError, ValueError) as error:
            raise StoreError(f"save {self.restored.sequence} in {folder} is inconsistent: {error}") from None

    def contents(self) -> StoreContents:
        """Give it as `--json` prints it."""
        return StoreContents(
            provenance=origin(self.saved),
            simulated=origin(self.saved).simulated,
            fidelity=self.saved.fidelity,
            saved=utc_text(self.restored.utc_ns),
            sequence=self.restored.sequence,
            program=self.saved.program,
            registers=energy_registers(self.reading.registers),
            resets=self.reading.resets,
            exact=exact_reading(self.reading),
            events=self.events,
            snapshots=[
                {
                    "time": utc_text(stored.utc_ns),
                    "cause": stored.kind,
                    "details": {q.value: kilo(energies.energy_nwh(q)) for q in REGISTERS[:2]},
                }
                for stored, energies in self.snapshots
            ],
            damaged=self.damaged,
        )


def _recorder(saved: SavedMeter, history: HistoryReader) -> RecorderSettings | None:
    """Find what the load profile of a save is by; None where it has none."""
    found = [recording for recording in history.recordings() if recording.id == saved.recording]
    return settings_of(found[0].settings) if found else None


def _energies(stored: StoredSnapshot) -> RegisterReading:
    """Those of a snapshot; that of a new program is the whole state it found. The whole of it is in the history."""
    whole = msgspec.json.decode(stored.registers)
    amounts = whole.get("energy") or whole["meter"]["billing"]["registers"]["energy"]
    return RegisterReading(tuple(amounts), ())


def _event(event: StoredEvent) -> dict[str, Any]:
    return {"time": utc_text(event.utc_ns), "event": event.name, "details": msgspec.json.decode(event.details)}


def utc_text(utc_ns: int) -> str:
    """Write an instant to the second: "2026-11-29T14:00:00Z"."""
    return datetime.fromtimestamp(utc_ns // 10**9, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
