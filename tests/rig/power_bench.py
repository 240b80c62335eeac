"""A meter whose power is cut again and again, at any operation on its disk or any byte on its FRAM's bus.

The whole of it runs: billing, Persistence, StoreWriter and its thread, Store, Journal, History. Only the disk is
simulated (failing_disk.py), and the FRAM chip. The meter has 6 kW from its first record to its last, so what its
registers must hold after every cut follows from the instants of its saves alone: a rate times a time, in integers.

The meter waits for each save, as in real time there are 950 ms for it. What is missing after a cut is the time from
the save that is gone on from to the last record that was metered.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from kept_meter import KWH, MINUTE, SECOND, KeptMeter

from drivers.fram import Fram
from drivers.sim.fram_chip import FramChip, PowerLost
from rig.meter.billing.commands import Action
from rig.program.build import Program
from rig.store.check import check
from rig.store.fram_slots import FramSlots
from rig.store.reading import HistoryReader
from rig.store.saved_meter import decode_saved
from tests.rig.store.failing_disk import FailingDisk, PowerCut, torn

RECORD_MS = 18
"""About a line cycle, and 30 mWh exactly; all records of a poll, which is 20 ms, are handed over together."""

MOST_MISSING_MS = {"disk": 1000, "fram": RECORD_MS}
"""REQUIREMENTS.md S-3: at most one second on an SD card, one poll with FRAM."""


class PowerBench:
    """One meter in `folder` from the first of May on. `found` counts what came of the cuts."""

    def __init__(self, folder: Path, program: Program, begin_ns: int, seed: int, *, fram: bool = False) -> None:
        self.found: Counter[str] = Counter()
        self.most_missing_ms = 0
        self._folder, self._program, self._rng = folder, program, Random(seed)
        self._disk = FailingDisk(torn(self._rng), self._rng)
        self._chip = FramChip() if fram else None
        self._kind = "fram" if fram else "disk"
        self._utc_ns = begin_ns
        self._metered_ns = 0
        """Time that the registers must have, at the save that was gone on from."""
        self._run: tuple[int, int] | None = None
        """From when to when the last run metered, of which no start has found the saves yet."""
        self._from_ns: int | None = None
        """The instant of that save; None before there is one."""
        self._outages: list[tuple[int, int]] = []

    def cut(self) -> None:
        """Power is back, the meter goes on, and power is cut. AssertionError for whatever is not as it must be."""
        rng, disk, chip = self._rng, self._disk, self._chip
        disk.cut_at = disk.operations + rng.choice([rng.randint(1, 24), rng.randint(1, 90)])
        if chip is not None:
            chip.power_left = rng.choice([rng.randrange(2**9), 2**18 + 2**10 + rng.randrange(1 << 16)])
            if rng.random() < 0.7:
                disk.cut_at = None  # it is the FRAM that power fails in
        meter = None
        try:
            meter = self._start()
            self._check(meter)
            while self._record(meter):
                pass
            self.found["cut in metering"] += 1
        except (PowerCut, PowerLost):
            self.found["cut in starting"] += 1
        self._power_fails(meter)

    def finish(self) -> None:
        """Power stays: the log must have every outage, the store must be sound."""
        self._power_returns()
        meter = self._start()
        self._check(meter)
        assert self._from_ns is not None
        self._outages.append((self._from_ns, self._utc_ns))
        metered_ns = self._metered_ns + 3 * MINUTE
        meter.meters(3)
        meter.fails()
        with HistoryReader(self._folder) as history:
            power = [event for event in history.events() if event.name.startswith("power")]
            assert history.gaps() == []
        told = [(down.utc_ns, up.utc_ns) for down, up in zip(power[::2], power[1::2], strict=True)]
        assert told == self._outages
        assert [json.loads(up.details)["seconds"] for up in power[1::2]] == [(b - a) // SECOND for a, b in told]
        assert meter.meter.billing.registers.amounts()[0][0] == metered_ns * KWH // (10 * MINUTE)
        assert [finding for finding in check(self._folder, decode_saved) if not finding.holds] == []
        self.found["outages"] = len(told)

    def _start(self) -> KeptMeter:
        fast = None if self._chip is None else FramSlots("bus", lambda: Fram(self._chip, "bus"))
        return KeptMeter(self._folder, self._program, self._utc_ns, disk=self._disk, fast=fast)

    def _record(self, meter: KeptMeter) -> bool:
        """One record more, and now and then something happens; whether there is power still."""
        ticket = meter.persistence.ticket
        if self._rng.random() < 0.004:
            meter.does(Action.RESET)
            self.found["demand resets"] += 1
        meter.meters(1, milliseconds=RECORD_MS)
        return meter.persistence.ticket == ticket or _flushed(meter)

    def _check(self, meter: KeptMeter) -> None:
        """What a start found: a save of the run before, or the one that it had gone on from; and its energy."""
        restored = meter.restored
        if restored is None:
            assert self._from_ns is None, "a save that was there is gone"
        else:
            self._account(restored.utc_ns)
            assert meter.now_ns == self._utc_ns
        self._run = None
        registered = meter.meter.billing.registers.amounts()[0][0]
        assert registered == self._metered_ns * KWH // (10 * MINUTE)

    def _account(self, saved_ns: int) -> None:
        """Of what the run before has metered, what is there and what is missing."""
        if saved_ns == self._from_ns:  # nothing of it
            from_ns = self._run[0] if self._run else 0
        else:
            assert self._run is not None, "a save of no run"
            up_ns, last_ns = self._run
            assert up_ns <= saved_ns <= last_ns, "a save that never was"
            if self._from_ns is not None:
                self._outages.append((self._from_ns, up_ns))
            self._metered_ns += saved_ns - up_ns
            self._from_ns = from_ns = saved_ns
            self.found["something saved"] += 1
        if self._run is not None:
            missing_ms = (self._run[1] - from_ns) // 10**6
            self.most_missing_ms = max(self.most_missing_ms, missing_ms)
            assert missing_ms <= MOST_MISSING_MS[self._kind], f"{missing_ms} ms are missing"

    def _power_fails(self, meter: KeptMeter | None) -> None:
        if meter is not None:
            self._run = self._utc_ns, meter.now_ns
            self._utc_ns = meter.now_ns
            meter.writer._thread.join(60)
            assert not meter.writer._thread.is_alive()
            meter.writer._store._archive.close()
            meter.writer._store._files.lock.close()
        self._power_returns()
        self._utc_ns += 1 + self._rng.randrange(self._rng.choice([30 * SECOND, 20 * MINUTE]))

    def _power_returns(self) -> None:
        self._disk.restore_power()
        self._disk.cut_at = None
        if self._chip is not None:
            self._chip.power_on()


def _flushed(meter: KeptMeter) -> bool:
    """Wait for the disk; False when power was cut meanwhile."""
    while meter.writer._thread.is_alive():
        if meter.writer.flush(0.05):
            return True
    return False


@contextmanager
def quiet_threads() -> Iterator[None]:
    """The writer's thread ends in a cut, and that is told nowhere."""
    before = threading.excepthook
    threading.excepthook = lambda ended: None if ended.exc_type in (PowerCut, PowerLost) else before(ended)
    try:
        yield
    finally:
        threading.excepthook = before
