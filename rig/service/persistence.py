"""Keeps a meter in its store: goes on from what was saved, saves what is billed and what happens (S-3).

The state is saved at least every SAVE_NS of the meter's time, and at once when anything happens to what is billed: an
end of interval, a demand reset, test mode, a clock set. So after a cut of power no more than SAVE_NS of energy is
missing, and the outage is in the log. Nothing is measured before the state is back.

What a meter that is started again finds of the time:

    the clock is now                what becomes of the time since the last save
    later, or the same              an outage
    earlier, by STEP_NS or less     none has passed: a slewed clock may be so far ahead, and is slewed back
    earlier, by more                none has passed, and then the clock is set back

What hands had asked for as power failed, a moment past the last record, happens first: test mode that was to begin is
then ended by the outage, and nothing waits for a clock that was set back to come there.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from rig.meter.billing.billing import Billing, MeterEvent
from rig.meter.billing.events import Event, EventKind
from rig.meter.billing.reprogram import reprogram
from rig.meter.clock import STEP_NS
from rig.meter.contacts.pulses import PulseOutput
from rig.meter.installation.installation import Installation
from rig.meter.meter import Meter
from rig.profile.settings import settings_text
from rig.program.build import Program
from rig.program.parts import installation_of, outputs_of
from rig.store.errors import StoreError
from rig.store.items import Item, RecordingItem, SnapshotItem
from rig.store.meter_items import items_of
from rig.store.saved_meter import BOARD, REPROGRAMMED, SavedMeter, decoded_save
from rig.store.saved_settings import saved_settings
from rig.store.store import Restored, Store
from rig.store.writer import StoreWriter

SAVE_NS = 10 * 10**9
"""Most of the meter's time between two saves: docs/decisions/022-store.md has why."""

ASKED_NS = 10**9
"""Hands ask for things at most so long after the end of the last record."""

class Persistence:
    """The billing side of one meter, and where it is kept: a store, or with None nowhere.

    It goes on from the store at `utc_ns`, the time now, as after an outage; a simulated meter not from one on hardware.
    `billing`, `outputs` and `installation` are the meter's. Raises StoreError for a state that cannot be read, or is
    another meter's; then it has let go of the store.
    """

    billing: Billing
    outputs: list[PulseOutput]
    installation: Installation

    def __init__(self, store: Store | None, program: Program, fidelity: str, utc_ns: int) -> None:
        self._program = program
        self._fidelity = fidelity
        self._recording = 0
        self._items: list[Item] = []
        self._saved_ns = -SAVE_NS
        self._told: set[str] = set()
        if store is None or store.restored is None:
            self.billing, said = Billing.begin(program.billing, utc_ns)
            self.outputs = outputs_of(program, {})
            self.installation = installation_of(program)
            self._begin_recording(utc_ns)
        else:
            try:
                said = self._go_on(decoded_save(store.restored), store.restored, utc_ns)
            except BaseException:
                store.close()
                raise
        self._items += items_of(said, self._recording)
        self._writer = None if store is None else StoreWriter(store)

    @property
    def trouble(self) -> str | None:
        """What keeps the store from being written, in a sentence."""
        return self._writer.trouble if self._writer else None

    def keep(self, meter: Meter, events: Iterable[MeterEvent]) -> None:
        """Take in what happened; save if it is time to."""
        events = tuple(events)
        self._items += items_of(events, self._recording)
        if events or self._items or meter.billing.now_ns >= self._saved_ns + SAVE_NS:
            self._save(meter)

    def finish(self, meter: Meter) -> None:
        """Save, wait until that is on the disk, and let go of the store."""
        if self._writer is not None:
            self._save(meter)
            self._writer.close()

    def _save(self, meter: Meter) -> None:
        items, self._items = self._items, []
        self._saved_ns = now_ns = meter.billing.now_ns
        if self._writer is not None:
            items += self._mended(self._writer.notes, now_ns)
            settings = saved_settings(self._program.billing, meter.outputs.values())
            state = SavedMeter(self._fidelity, self._program.digest, self._recording, meter.state, settings)
            self._writer.submit(msgspec.json.encode(state), now_ns, items)

    def _mended(self, notes: Iterable[str], now_ns: int) -> list[Item]:
        """What was damaged or missing in the store belongs to the log: once mended, nothing else tells of it."""
        new = [note for note in notes if note not in self._told]
        self._told.update(new)
        return items_of([Event(now_ns, EventKind.MEMORY_ERROR, (("found", note),)) for note in new], self._recording)

    def _go_on(self, kept: SavedMeter, restored: Restored, utc_ns: int) -> list[MeterEvent]:
        """From where the meter was; with another program, with what that leaves."""
        said: list[MeterEvent] = []
        if (kept.fidelity == BOARD) != (self._fidelity == BOARD):
            there = "on hardware" if kept.fidelity == BOARD else "on a simulated rig"
            raise StoreError(f"the store is of a meter {there}, and this one is not there: give it a store of its own")
        if kept.program == self._program.digest:
            self._recording = kept.recording
            self.billing = Billing(self._program.billing, kept.meter.billing)
            self.outputs = outputs_of(self._program, kept.meter.outputs)
            self.installation = installation_of(self._program, kept.meter.installation)
        else:
            self._recording = kept.recording + 1
            self._items.append(SnapshotItem(restored.utc_ns, REPROGRAMMED, restored.payload.decode()))
            self.billing, said = reprogram(self._program.billing, kept.meter.billing, self._program.digest)
            self.outputs = outputs_of(self._program, {})
            self.installation = installation_of(self._program)
            self._begin_recording(restored.utc_ns)
        said += self.billing.flush_pending(self.billing.now_ns + ASKED_NS)
        said += self.billing.outage(max(utc_ns, self.billing.now_ns))
        if utc_ns < self.billing.now_ns - STEP_NS:
            said += self.billing.set_clock(utc_ns)
        return said

    def _begin_recording(self, utc_ns: int) -> None:
        if (settings := self._program.billing.recorder) is not None:
            self._items.append(RecordingItem(self._recording, utc_ns, settings.words, settings_text(settings)))
