"""The service with its store: a disk that is full or read-only, and one run after the other (C-3, S-3)."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rig.hardware.config import Config
from rig.hardware.selection import open_hardware
from rig.meter.billing.quantity import Quantity
from rig.program.build import default_program
from rig.service.run_accumulator import RunAccumulator
from rig.service.service import Service
from rig.store.disk import Disk
from rig.store.saved_meter import decode_saved
from rig.store.store import Store
from rig.terminal.run_view import troubles
from tests.rig.store.failing_disk import FULL, READ_ONLY, FailingDisk

CONFIG = Config()
PATIENCE_S = 120


class Run:
    """One run of the plain meter on the simulated rig; `goes_on` meters for so many seconds of its time."""

    def __init__(self, folder: Path, disk: Disk | None = None) -> None:
        self._hardware = open_hardware(CONFIG, 20, paced=False)
        self.service = Service(self._hardware, CONFIG, default_program(), Store.open(folder, disk))
        self.service.begin()
        self.accumulator = RunAccumulator(self.service)

    def goes_on(self, seconds: float) -> int:
        """What is registered meanwhile, in nWh."""
        before = self.service.energy_of_run(Quantity.KWH_DELIVERED)
        for result in self.service.run(self._hardware.clock.now_ns() + round(seconds * 1e9)):
            self.accumulator.add(result)
        return self.service.energy_of_run(Quantity.KWH_DELIVERED) - before

    def finish(self) -> list[int]:
        """The registers, place by place."""
        self.service.finish()
        self._hardware.close()
        return list(self.service.meter.billing.registers.amounts()[0])


def comes_true(that: Callable[[], bool]) -> bool:
    """The store is written by a thread of its own, in its own time."""
    until = time.monotonic() + PATIENCE_S
    while not that() and time.monotonic() < until:
        time.sleep(0.02)
    return that()


@pytest.mark.parametrize(
    ("error", "said"), [(FULL, "No space left on device"), (READ_ONLY, "Read-only file system")], ids=["full", "ro"]
)
def test_metering_goes_on_and_says_that_it_is_not_stored_until_it_is(tmp_path: Path, error: int, said: str) -> None:
    disk = FailingDisk(lambda length: [(0, length)])
    run = Run(tmp_path, disk)
    disk.every = error
    assert run.goes_on(1.0) > 0
    assert comes_true(lambda: run.service.trouble is not None)
    summary = run.accumulator.summary()
    assert f"STORE: {tmp_path}/billing." in troubles(summary)
    assert said in (summary.trouble or "")
    assert run.goes_on(0.5) > 0
    assert summary.faults == {}

    disk.every = None
    assert comes_true(lambda: run.service.trouble is None)
    assert run.goes_on(0.3) > 0
    assert "STORE:" not in troubles(run.accumulator.summary())
    registers = run.finish()
    store = Store.open(tmp_path)
    assert store.restored is not None
    kept = decode_saved(store.restored.payload).meter.billing.registers
    store.close()
    assert kept is not None
    assert kept.energy == registers


def test_the_next_run_goes_on_from_the_last_and_its_energy_is_its_own(tmp_path: Path) -> None:
    first = Run(tmp_path)
    flowed = first.goes_on(1.0)
    before = first.finish()
    second = Run(tmp_path)
    assert list(second.service.meter.billing.registers.amounts()[0]) == before
    assert second.service.energy_of_run(Quantity.KWH_DELIVERED) == 0
    later = second.goes_on(1.0)
    summary = second.accumulator.summary()
    assert summary.energy_wh.delivered == pytest.approx(later / 1e9, rel=1e-12)
    assert summary.registers.kwh_delivered == pytest.approx((flowed + later) / 1e12, rel=1e-12)
    assert summary.stored
    second.finish()
