"""Keeps a meter in its store: goes on from what was saved, saves what is billed and what happens (S-3).

The state is saved at least every SAVE_NS of the meter's time, with an FRAM at each record, and at once when anything
happens to what is billed: an end of interval, a demand reset, test mode, a clock set. So after a power failure no more
than a second of energy is missing, and the outage is in the log, from the last save on. Most saves are small, as
rig/store/journal.py has it. Nothing is measured before the state is back.

What a meter that is started again finds of the time:

    the clock is now                what becomes of the time since the last save
    later, or the same              an outage
    earlier, by STEP_NS or less     none has passed: a slewed clock may be so far ahead, and is slewed back
    earlier, by more                none has passed, and then the clock is set back

What hands had asked for as power failed, a moment past the last record, happens first: test mode that was to begin is
then ended by the outage, and nothing waits for a clock that was set back to come there.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import msgspec

from rig.files.strict_toml import ConfigError
from rig.meter.access.access import Access
from rig.meter.access.security import Keys, Security
from rig.meter.billing.billing import Billing, MeterEvent
from rig.meter.billing.events import Programmed, RegistersCleared
from rig.meter.billing.log import named
from rig.meter.billing.reprogram import reprogram
from rig.meter.billing.source import Source
from rig.meter.billing.state import BillingState
from rig.meter.clock import STEP_NS
from rig.meter.contacts.pulses import PulseOutput
from rig.meter.installation.installation import Installation
from rig.meter.meter import Meter, MeterState
from rig.program.build import Program
from rig.program.parts import installation_of, outputs_of
from rig.program.security import typed_keys
from rig.program.written import program_of_saved, saved_text
from rig.results.provenance import BOARD, Provenance
from rig.service.running import Running
from rig.store.errors import StoreError
from rig.store.events import StoreDamaged
from rig.store.items import Item, RecordingItem, SnapshotItem
from rig.store.meter_items import items_of
from rig.store.owner import check_owner, owner_of
from rig.store.recording_settings import settings_text
from rig.store.saved_meter import REPROGRAMMED, SavedMeter, WrittenProgram, decoded_save, last_saved
from rig.store.saved_settings import saved_settings
from rig.store.store import Restored, Store
from rig.store.writer import StoreWriter

SAVE_NS = 950 * 10**6
"""Most of the meter's time between two saves, to its next record: with the save itself no more than a second
(docs/decisions/048-write-ahead-log.md)."""

ASKED_NS = 10**9
"""Hands ask for things at most so long after the end of the last record."""


class Resumed(NamedTuple):
    """A meter as a process that has died had it, and what it had not brought to the disk, by batch."""

    saved: SavedMeter
    items: Sequence[tuple[int, Sequence[Item]]]


def follows(saved: SavedMeter, stored: bool, restored: Restored | None) -> bool:
    """Return whether a state that outlived its process is newer than what the store has, and of the same meter.

    `stored`: its process had a save on the disk. Where there is none any more, someone has taken the store away, to
    begin a new meter; one that was handed over since is of another lineage (rig/store/adopt.py).
    """
    if restored is None:
        return not stored
    on_disk = decoded_save(restored)
    return on_disk.lineage in (saved.lineage, saved.base) and on_disk.batch <= saved.batch + 1


class Persistence:
    """The billing side of one meter, and where it is kept: a store, or with None nowhere.

    It goes on from the store at `host_utc_ns`, the host's time now, as after an outage; a simulated meter not from one
    on hardware. `clock_offset_ns` is by how much the meter's clock was set to be ahead of the host's.
    `billing`, `outputs` and `installation` are the meter's. Raises StoreError for a state that cannot be read, or is
    another meter's; then it has let go of the store. `resumed` is the meter of a process that has died where its board
    has not: it goes on from that, and there was no outage.
    """

    access: Access
    billing: Billing
    outputs: list[PulseOutput]
    installation: Installation

    def __init__(
        self,
        store: Store | None,
        program: Program,
        fidelity: str,
        host_utc_ns: int,
        written: WrittenProgram | None = None,
        provenance: Provenance | None = None,
        resumed: Resumed | None = None,
    ) -> None:
        self.provenance = provenance
        self._batch, self._lineage, self._base = 0, secrets.token_hex(8), ""
        self._waiting: deque[tuple[int, int, list[Item]]] = deque()
        self._program, self._written = program.with_hashed_keys(), written
        self.clock_offset_ns = 0
        self._fidelity = fidelity
        self._recording = 0
        self._items: list[Item] = []
        self._power_fails = False
        self._saved_ns = -SAVE_NS
        self._told: set[str] = set()
        if resumed is not None:
            said: list[MeterEvent] = []
            self._resume(resumed, store)
        elif store is None or store.restored is None:
            self.billing, said = Billing.begin(program.billing, host_utc_ns)
            self.outputs = outputs_of(program, {})
            self.installation = installation_of(program)
            self._begin_recording(host_utc_ns)
            self.access = Access.begin(program.security, host_utc_ns)
        else:
            try:
                kept = decoded_save(store.restored)
                if written is None:  # a written one takes its nameplate along
                    check_owner(kept.owner, owner_of(program.nameplate), store.folder)
                said = self._go_on(kept, store.restored, host_utc_ns)
            except BaseException:
                store.close()
                raise
        self._add(named(said, program.metering.module))
        self._writer = None if store is None else StoreWriter(store)

    @property
    def trouble(self) -> str | None:
        """Reason why the store cannot be written, in a sentence."""
        return self._writer.trouble if self._writer else None

    def add(self, events: Iterable[MeterEvent]) -> None:
        """Take in what happened; `keep` saves it."""
        self._add(events)

    def keep(self, meter: Meter, events: Iterable[MeterEvent] = ()) -> None:
        """Take in what happened; save if it is time to, or anything has happened since the last save."""
        self._add(events)
        now_ns = meter.billing.now_ns
        if self._items or (now_ns >= self._saved_ns + self._save_ns and now_ns != self._saved_ns):
            self._save(meter)

    @property
    def _save_ns(self) -> int:
        """At each record where that wears nothing, or may be the last time."""
        return 0 if self._power_fails or (self._writer is not None and self._writer.fast) else SAVE_NS

    def power_fails(self, failing: bool, meter: Meter) -> None:
        """Take in what the power-fail input says: as long as power fails, it saves at once and at each record."""
        self._power_fails = failing
        if failing:
            self.keep(meter, ())

    def _add(self, events: Iterable[MeterEvent]) -> None:
        """Put what happened among the items to be saved; where the registers were cleared, a new recording begins."""
        for event in events:
            if isinstance(event, RegistersCleared):
                self._recording += 1
                self._begin_recording(event.utc_ns)
            self._items += items_of([event], self._recording)

    def finish(self, meter: Meter) -> None:
        """Save, wait until that is on the disk, and let go of the store."""
        if self._writer is not None:
            self._save(meter)
            self._writer.close()

    def saved_meter(self, state: MeterState) -> SavedMeter:
        """Return what a save would hold now."""
        return self._saved_meter(state, self._written)

    @property
    def undurable(self) -> list[tuple[int, list[Item]]]:
        """The items that are not on the disk yet, by batch."""
        while self._waiting and self.saved(self._waiting[0][0]):
            self._waiting.popleft()
        waiting = [(batch, items) for _, batch, items in self._waiting]
        return [*waiting, (self._batch + 1, self._items)] if self._items else waiting

    @property
    def stored(self) -> bool:
        """True if the disk has any save of this meter."""
        return self._writer is not None and self._writer.saved_utc_ns is not None

    def _save(self, meter: Meter) -> None:
        items, self._items = self._items, []
        self._saved_ns = now_ns = meter.billing.now_ns
        if self._writer is not None:
            items += self._repaired(self._writer.notes, now_ns)
            if items:
                self._batch += 1
                self._waiting.append((self._writer.submitted + 1, self._batch, items))
            self._writer.submit(self._encoded(meter.state, self._written), now_ns, items)

    def _encoded(self, state: MeterState, written: WrittenProgram | None) -> bytes:
        return msgspec.json.encode(self._saved_meter(state, written))

    def _saved_meter(self, state: MeterState, written: WrittenProgram | None) -> SavedMeter:
        return SavedMeter(
            fidelity=self._fidelity,
            program=self._program.digest,
            recording=self._recording,
            meter=state,
            written=written,
            clock_offset_ns=self.clock_offset_ns,
            access=self.access.state,
            sealed=self.access.sealed,
            settings=saved_settings(self._program.billing, self.outputs),
            provenance=self.provenance,
            batch=self._batch,
            lineage=self._lineage,
            base=self._base,
            owner=owner_of(self._program.nameplate),
        )

    @property
    def ticket(self) -> int:
        """The number of the newest save, for `saved`."""
        return self._writer.submitted if self._writer else 0

    def saved(self, ticket: int) -> bool:
        """Say whether that save is on the disk; without a store nothing waits for one."""
        return self._writer is None or self._writer.saved(ticket)

    def write_program(
        self, program: Program, configured: Program, state: MeterState, source: Source
    ) -> list[MeterEvent]:
        """Make `billing`, `outputs` and `installation` those of another program, from the state as it stands.

        `configured` is what the configuration names: where a start finds that unchanged, the written one goes on.
        """
        now_ns = state.billing.now_ns
        self._items.append(SnapshotItem(now_ns, REPROGRAMMED, self._encoded(state, None).decode()))
        self._write(program, configured, now_ns)
        return self._reprogram(state.billing, now_ns, source)

    def write_keys(self, program: Program, configured: Program, now_ns: int, source: Source) -> list[MeterEvent]:
        """Put a program in force that differs from the present one in its keys at most: billing goes on."""
        self._write(program, configured, now_ns)
        return [Programmed(now_ns, program.digest, source)]

    def _write(self, program: Program, configured: Program, now_ns: int) -> None:
        program, configured = program.with_hashed_keys(), configured.with_hashed_keys()
        if program.is_same_as(configured):
            self._written = None
        else:
            self._written = WrittenProgram(
                saved_text(program),
                configured.digest,
                program.security.keys,
                configured.security.keys,
            )
        self._program = program
        self.access.reprogram(program.security, now_ns)

    def _reprogram(self, old: BillingState, utc_ns: int, source: Source | None = None) -> list[MeterEvent]:
        self._recording += 1
        self.billing, events = reprogram(self._program.billing, old, self._program.digest, source)
        self.outputs = outputs_of(self._program, {})
        self.installation = installation_of(self._program)
        self._begin_recording(utc_ns)
        return events

    def _repaired(self, notes: Iterable[str], now_ns: int) -> list[Item]:
        """Log what was damaged or missing in the store: once repaired, nothing else shows it."""
        new = [note for note in notes if note not in self._told]
        self._told.update(new)
        return items_of([StoreDamaged(now_ns, note) for note in new], self._recording)

    def _go_on(self, kept: SavedMeter, restored: Restored, host_utc_ns: int) -> list[MeterEvent]:
        """Continue from where the meter was; with another program, with what that leaves."""
        said: list[MeterEvent] = []
        if (kept.fidelity == BOARD) != (self._fidelity == BOARD):
            there = "on hardware" if kept.fidelity == BOARD else "on a simulated rig"
            raise StoreError(f"the store is of a meter {there}, and this meter is not: give it a store of its own")
        self._recording, self.clock_offset_ns = kept.recording, kept.clock_offset_ns
        self._batch, self._base = kept.batch, kept.lineage
        self.access = Access(self._program.security, kept.access)
        utc_ns = host_utc_ns + self.clock_offset_ns
        if kept.program == self._program.digest:
            self.billing = Billing(self._program.billing, kept.meter.billing)
            self.outputs = outputs_of(self._program, kept.meter.outputs)
            self.installation = installation_of(self._program, kept.meter.installation)
        else:
            if kept.sealed and self._written is None:  # a written one was allowed under the seal as it was written
                raise StoreError(
                    f"the store is of a sealed meter with program {kept.program}, and the configured program is "
                    f"{self._program.digest}: start it with its own program, and break the seal first (docs/access.md)"
                )
            found = msgspec.json.encode(replace(kept, written=None)).decode()  # hashes of keys are not for the history
            self._items.append(SnapshotItem(restored.utc_ns, REPROGRAMMED, found))
            said = self._reprogram(kept.meter.billing, restored.utc_ns)
            self.access.reprogram(self._program.security, restored.utc_ns)
        said += self.billing.flush_pending(self.billing.now_ns + ASKED_NS)
        said += self.billing.outage(max(utc_ns, self.billing.now_ns))
        if utc_ns < self.billing.now_ns - STEP_NS:
            said += self.billing.set_clock(utc_ns, Source.SERVICE_CLOCK)
        return said

    def _resume(self, resumed: Resumed, store: Store | None) -> None:
        """Continue from where a process that has died was: nothing has happened since."""
        kept = resumed.saved
        durable = 0 if store is None or store.restored is None else decoded_save(store.restored).batch
        self._recording, self.clock_offset_ns = kept.recording, kept.clock_offset_ns
        self._batch, self._lineage, self._base = max(kept.batch, durable), kept.lineage, kept.base
        self._items += [item for batch, items in resumed.items if batch > durable for item in items]
        self.access = Access(self._program.security, kept.access)
        self.billing = Billing(self._program.billing, kept.meter.billing)
        self.outputs = outputs_of(self._program, kept.meter.outputs)
        self.installation = installation_of(self._program, kept.meter.installation)

    def _begin_recording(self, utc_ns: int) -> None:
        if (settings := self._program.billing.recorder) is not None:
            self._items.append(RecordingItem(self._recording, utc_ns, settings.words, settings_text(settings)))


def program_in_force(
    configured: Program, folder: Path | None, running: Running | None = None
) -> tuple[Program, WrittenProgram | None]:
    """Give the program that the meter of a store goes on with, as its own copy: one written to it, unless the
    configured one has changed since. Reads only; a store that cannot be read is for whoever opens it.

    `running` is the last state in its ring. Where that is newer than the last save, a program that was written just
    before the process died is in it alone.

    Raises StoreError for a written program that cannot be read, and for a store of another meter than the program's.
    """
    if folder is None:
        return configured.with_hashed_keys(), None
    try:
        restored, saved = last_saved(folder)
    except StoreError:
        return configured.with_hashed_keys(), None
    if running is not None and follows(running.saved, running.stored, restored):
        saved = running.saved
    pending = saved.access.pending
    program, written = _in_force(configured, saved.written, folder, None if pending is None else pending.under)
    check_owner(saved.owner, owner_of(program.nameplate), folder)
    return program, written


def configured_copy(configured: Program, in_force: Program, written: WrittenProgram | None) -> Program:
    """Give the meter's own copy of the configured program: that in force, or with the hashes by which the written one
    knows its keys."""
    return in_force if written is None else configured.with_hashed_keys(written.instead_of_keys)


def _in_force(
    configured: Program, written: WrittenProgram | None, folder: Path, under: Keys | None
) -> tuple[Program, WrittenProgram | None]:
    """`under` are the hashed keys by which the right of a program that waits was proven: they stay, where they are the
    same."""
    if written is None or not _is_instead_of(configured, written):
        return configured.with_hashed_keys(under if under is not None and _has_keys(configured, under) else None), None
    try:
        program = program_of_saved(written.file, written.keys)
    except ConfigError as error:
        raise StoreError(
            f"the program that was written to the meter in {folder} cannot be read: {error}; "
            "use the version that wrote it"
        ) from None
    if written.instead_of_keys is None:
        copy = configured.with_hashed_keys()
        written = replace(written, instead_of=copy.digest, instead_of_keys=copy.security.keys)
    return program, written


def _has_keys(configured: Program, keys: Keys) -> bool:
    try:
        return Security(configured.file.security.seal, keys).has_keys(typed_keys(configured.file.security))
    except (ValueError, MemoryError):  # without memory for it they are others, which refuses and grants nothing
        return False


def _is_instead_of(configured: Program, written: WrittenProgram) -> bool:
    """Say whether a written program took the place of this one, whose keys are as they were typed."""
    if written.instead_of_keys is None:
        return written.instead_of == configured.older_fingerprint
    known = Security(configured.file.security.seal, written.instead_of_keys)
    return written.instead_of == configured.digest and known.has_keys(typed_keys(configured.file.security))
