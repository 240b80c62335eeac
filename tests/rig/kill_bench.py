"""A whole meter that is killed at any instant, over and over: one process after the other on one store (S-3).

Run as a program, so that the processes are forked from one without threads:

    python kill_bench.py FOLDER KILLS SEED

Each process opens the store, goes on as Persistence has it, and meters a load from records as fast as it can, until it
is killed. What flows, and what is asked of the meter, is a function of its clock alone. So the parent knows, for the
instant that was saved, what every register must hold:

- from an account of its own, which knows nothing of the meter's code: energy by quadrant and rate, the recorder's
  pulses, the outputs', the inputs';
- from a meter that is never killed but loses power and gets it back at the same instants: all of its state, demand
  included, and the whole log, snapshots and load profile, item by item.

Prints what it found, for the test to judge. `python -m pytest -m slow tests/proof/test_kill.py` kills it 500 times.
"""

from __future__ import annotations

import json
import os
import select
import signal
import struct
import sys
import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import msgspec
from kill_load import HOUR, MINUTE, SAMPLE_HZ, SECOND, ZONE, Account, Flow, commands

from calibration.constants import nominal
from rig.meter.billing.billing import Billing, MeterEvent
from rig.meter.billing.events import PowerUp, ProfileWords
from rig.meter.billing.log import LogEvent, details
from rig.meter.billing.snapshot import Snapshot
from rig.meter.contacts.functions import LevelOutput, PulsesOutput
from rig.meter.contacts.outputs import OutputId
from rig.meter.contacts.pulses import PulseOutput
from rig.meter.installation.installation import Installation
from rig.meter.measuring.measurement import Measurement
from rig.meter.meter import Meter
from rig.program import schema
from rig.program.build import load_program
from rig.program.parts import installation_of
from rig.service.persistence import Persistence
from rig.store.check import check
from rig.store.events import StoreDamaged
from rig.store.items import EventItem, SnapshotItem, WordsItem
from rig.store.journal import NAMES
from rig.store.journal_reading import read_journal
from rig.store.log import NAME as LOG
from rig.store.reading import HistoryReader
from rig.store.record import JournalRecord
from rig.store.saved_meter import SavedMeter, decode_saved
from rig.store.store import Store

PROGRAM = load_program(Path(schema.__file__).parent / "examples" / "industrial-9s.toml")
FIDELITY = "kill bench"
BEGIN = int(datetime(2026, 3, 7, 6, 0, 0, 123, ZONE).timestamp() * 10**6) * 1000
"""The day before daylight saving begins."""

TICK_HZ = Fraction(SAMPLE_HZ)
TOLD = struct.Struct("<qq")
AFTER_S = 0.1


# --- the meter ------------------------------------------------------------------------------------------------


def metered(
    billing: Billing, installation: Installation, outputs: Sequence[PulseOutput], levels: Sequence[LevelOutput] = ()
) -> Meter:
    """A meter on a board that was just switched on."""
    measurement = Measurement(
        equation=installation.equation,
        calibration=nominal(Fraction(2**19, 1000), Fraction(2**19, 10_000)),
        tick_hz=TICK_HZ,
        ticks_per_sample=1,
        config_digest=0,
        quarter=54,
    )
    return Meter(measurement, billing, installation, TICK_HZ, outputs, levels)


def step(meter: Meter, number: int, window_s: int) -> list[MeterEvent]:
    """The next window of a run."""
    ns = meter.billing.now_ns
    flow = Flow.at(ns, window_s)
    said: list[MeterEvent] = []
    for command in commands(meter.billing.state, ns, flow):
        said += meter.billing.command(command)
    return [*said, *meter.advance(flow.record(number)).events]


def run(folder: Path, pipe: int, utc_ns: int, window_s: int, waits: bool) -> None:
    """Go on from the store at an instant, without end; tell after each window how far it came, and what is saved.

    `waits`: for the disk, so that the meter's time, which passes a thousandfold, does not run away from it. Only then
    does a kill cost no more than the time between two saves.
    """
    persistence = Persistence(Store.open(folder), PROGRAM, FIDELITY, utc_ns)
    meter, writer = metered(persistence.billing, persistence.installation, persistence.outputs), persistence._writer
    assert writer is not None
    number = 0
    while True:
        persistence.keep(meter, step(meter, number, window_s))
        if waits:
            writer.flush()
        os.write(pipe, TOLD.pack(meter.billing.now_ns, writer.saved_utc_ns or 0))
        number += 1


# --- what must come of it -------------------------------------------------------------------------------------


def off_by(account: Account, kept: SavedMeter) -> int:
    """How far the registers of a state are off in all, in nWh and pulses: 0 where each is exact."""
    billing, wrong = kept.meter.billing, 0
    registers, recorder, settings = billing.registers, billing.recorder, PROGRAM.billing.recorder
    assert registers is not None
    assert recorder is not None
    assert settings is not None
    rows = zip([registers.energy, *registers.rates], [account.energy, *account.rates], strict=True)
    wrong += sum(abs(a - b) for found, expected in rows for a, b in zip(found, expected, strict=True))
    wrong += abs(billing.inputs[0] - account.inputs) + billing.inputs[1]
    for channel, counted, carried in zip(settings.channels, recorder.counted, recorder.carried, strict=True):
        metric, pulse = channel.metric, channel.pulse * SECOND
        if metric.quantity is not None:
            flowed = account.of(metric.quantity.adds)
        elif metric.square is not None:
            flowed = account.squares[metric.square]
        else:
            flowed, pulse = account.inputs, channel.pulse
        wrong += abs(counted * pulse + Fraction(carried, pulse.denominator) - flowed)
    outputs = {o.id: (o.quantity, o.kp_wh) for o in PROGRAM.outputs if isinstance(o, PulsesOutput)}
    for id, (quantity, kp_wh) in outputs.items():
        state, flowed = kept.meter.outputs[id], sum(account.pulsed[place] for place in quantity.adds)
        pulse = kp_wh * SECOND
        wrong += abs(state.count - flowed // pulse) + abs(Fraction(state.carried, pulse.denominator) - flowed % pulse)
    led, ks = kept.meter.outputs[OutputId.TEST_LED], PROGRAM.ks.wh * SECOND
    return int(wrong + abs(led.count - sum(account.pulsed[::4]) // ks))


class NeverKilled:
    """The meter that only loses power, and all that happened to it: what the history must hold."""

    def __init__(self) -> None:
        persistence = Persistence(None, PROGRAM, FIDELITY, BEGIN)
        self._meter = metered(persistence.billing, persistence.installation, persistence.outputs)
        self.events: list[Any] = []
        self.snapshots: list[Any] = []
        self.words: list[int] = []
        for item in persistence._items:
            if isinstance(item, WordsItem):
                self.words += item.words

    def go_on(self, utc_ns: int, window_s: int, windows: int, first: bool) -> None:
        """Without power until then, but at the very beginning; then so many windows."""
        meter = self._meter
        if not first:
            self._note(meter.billing.outage(utc_ns))
            installation = installation_of(PROGRAM, meter.installation.state)
            self._meter = meter = metered(meter.billing, installation, list(meter.outputs.values()))
        for number in range(windows):
            self._note(step(meter, number, window_s))

    @property
    def state(self) -> bytes:
        return msgspec.json.encode(self._meter.state)

    def _note(self, events: list[MeterEvent]) -> None:
        for happening in events:
            match happening:
                case LogEvent():
                    self.events.append((happening.utc_ns, happening.code, details(happening)))
                case Snapshot():
                    self.snapshots.append((happening.utc_ns, happening.cause.value, list(happening.energy)))
                case ProfileWords():
                    self.words += happening.words


def wrong_items(folder: Path, saved: JournalRecord, expected: NeverKilled) -> int:
    """Of log, snapshots and profile, history and journal together: how many are not what they must be."""
    events: list[Any] = []
    snapshots: list[Any] = []
    words: list[int] = []
    taken = 0
    if len(saved.items) < saved.next_item - 1:
        with HistoryReader(folder) as history:
            taken = history.taken()
            events += [(e.utc_ns, e.code, json.loads(e.details)) for e in history.events()]
            snapshots += [(s.utc_ns, s.kind, json.loads(s.registers)["energy"]) for s in history.snapshots()]
            words += [word for recorded in history.words(0) for word in recorded.words]
    for item in (numbered.item for numbered in saved.items if numbered.number > taken):
        match item:
            case EventItem():
                events.append((item.utc_ns, item.code, json.loads(item.details)))
            case SnapshotItem():
                snapshots.append((item.utc_ns, item.kind, json.loads(item.registers)["energy"]))
            case WordsItem():
                words += item.words
    # What the kill left half written is told in the log: no part of what happened.
    events = [event for event in events if event[1] != StoreDamaged.code]
    pairs = ((events, expected.events), (snapshots, expected.snapshots), (words, expected.words))
    return sum(
        abs(len(found) - len(right)) + sum(a != b for a, b in zip(found, right, strict=False)) for found, right in pairs
    )


# --- killing --------------------------------------------------------------------------------------------------


def killed(folder: Path, utc_ns: int, window_s: int, waits: bool, rng: Random) -> tuple[int, int]:
    """Let a meter run and kill it: how far it told that it had come, and had saved.

    It is killed at any time, in most cases after it has told something: opening the store is the lesser part.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            run(folder, writer, utc_ns, window_s, waits)
        finally:
            os._exit(1)
    os.close(writer)
    if rng.random() < 0.8:
        select.select([reader], [], [])
    time.sleep(rng.uniform(0, AFTER_S))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the meter ended by itself"
    with os.fdopen(reader, "rb") as pipe:
        told = pipe.read()
    if not told:
        return 0, 0
    advanced_ns, saved_ns = TOLD.unpack(told[-TOLD.size :])
    return advanced_ns, saved_ns


def read_saved(folder: Path) -> JournalRecord | None:
    """The newest save, looked at without opening the store; None before the first."""
    if not any((folder / name).exists() for name in NAMES):
        return None
    saved = read_journal(folder).record
    assert saved is not None
    return saved if saved.sequence else None


def main() -> None:
    folder, kills, rng = Path(sys.argv[1]), int(sys.argv[2]), Random(int(sys.argv[3]))
    account, never_killed = Account(), NeverKilled()
    found: Counter[str] = Counter()
    lost_ns = 0
    now_ns, sequence, before = BEGIN, 0, [0] * 16
    for _ in range(kills):
        utc_ns = now_ns
        if sequence:
            utc_ns += rng.randrange(rng.choice([3 * SECOND, 10 * MINUTE, 5 * HOUR]))
        window_s, waits = rng.choice([2, 5, 30, 300]), rng.random() < 0.6
        advanced_ns, saved_ns = killed(folder, utc_ns, window_s, waits, rng)
        saved = read_saved(folder)
        if saved is None or saved.sequence == sequence:
            found["killed before the first save"] += 1
            found["saves lost"] += saved_ns > now_ns
            continue
        windows, rest = divmod(saved.utc_ns - utc_ns, window_s * SECOND)
        assert windows >= 0, "time went back"
        assert rest == 0, f"a state of no window's end: {rest} ns after one"
        never_killed.go_on(utc_ns, window_s, windows, first=sequence == 0)
        for k in range(windows):
            account.add(utc_ns + k * window_s * SECOND, window_s)
        kept = decode_saved(saved.payload)
        assert kept.meter.billing.registers is not None
        energy = kept.meter.billing.registers.energy
        found["windows"] += windows
        found["saves lost"] += saved.utc_ns < saved_ns
        if waits:
            lost_ns = max(lost_ns, advanced_ns - saved.utc_ns)
        found["registers off"] += off_by(account, kept)
        found["registers that fell"] += sum(a < b for a, b in zip(energy, before, strict=True))
        found["states that differ"] += msgspec.json.encode(kept.meter) != never_killed.state
        found["items wrong"] += wrong_items(folder, saved, never_killed)
        found["findings"] += sum(not f.holds for f in check(folder, decode_saved) if f.part not in (*NAMES, LOG))
        found["items waited"] += len(saved.items) > 0
        now_ns, sequence, before = saved.utc_ns, saved.sequence, energy
    outages = [d for ns, code, d in never_killed.events if code == PowerUp.code]
    print(
        json.dumps(
            found
            | {
                "lost s": lost_ns / SECOND,
                "outages": len(outages),
                "hours": (now_ns - BEGIN) / HOUR,
                "kWh": sum(account.energy[::4]) / 10**12,
                "rates": sum(any(row) for row in account.rates),
                "events": len(never_killed.events),
                "snapshots": len(never_killed.snapshots),
                "words": len(never_killed.words),
            }
        )
    )


if __name__ == "__main__":
    main()
