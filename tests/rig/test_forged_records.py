"""Records with a good CRC that no gateware makes, through the whole service (H-8, H-9)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from link_bench import BEGIN_UTC_NS, WATTS, Rig, seconds

from gateware.record_words import Record
from gateware.registers import TICK_BITS
from rig.meter.billing.events import ClockSetTo, PowerDown
from rig.meter.billing.quantity import NANO, Quantity
from rig.meter.measuring.events import EnergyMissing, MeasurementError

_TICKS = 1 << TICK_BITS
EVERY = 20
"""One record of so many is forged: three a second."""

CPU_S = 0.5
"""What a forged record may take: usual are 2 ms, and up to 150 with garbage collected; the review's took 12 s."""

FORGERIES: dict[str, Callable[[Record], Record]] = {
    "a sum of 2**62": lambda r: replace(r, sums=(*r.sums[:3], 1 << 62, *r.sums[4:])),
    "all sums -2**63": lambda r: replace(r, sums=(-(1 << 63),) * len(r.sums)),
    "no length": lambda r: replace(r, tick_end=r.tick_start),
    "no samples": lambda r: replace(r, samples=0),
    "2**32 - 1 samples": lambda r: replace(r, samples=2**32 - 1),
    "2**32 - 1 cycles": lambda r: replace(r, cycles=2**32 - 1),
    "an end 2.6 years later": lambda r: replace(r, tick_end=(r.tick_end + (1 << 47) - 1) % _TICKS),
    "an end 1.3 years later, samples and all": lambda r: replace(
        r, tick_end=(r.tick_start + 256 * (2**32 - 1)) % _TICKS, samples=2**32 - 1
    ),
    "an end before the beginning": lambda r: replace(r, tick_end=(r.tick_start - 1) % _TICKS),
    "both ends an hour later": lambda r: replace(
        r, tick_start=(r.tick_start + 12 * 10**9) % _TICKS, tick_end=(r.tick_end + 12 * 10**9) % _TICKS
    ),
    "both ends an hour earlier": lambda r: replace(
        r, tick_start=(r.tick_start - 12 * 10**9) % _TICKS, tick_end=(r.tick_end - 12 * 10**9) % _TICKS
    ),
    "both ends 5 ms later": lambda r: replace(r, tick_start=r.tick_start + 16_667, tick_end=r.tick_end + 16_667),
    "another sequence, an hour earlier": lambda r: replace(
        r,
        sequence=(r.sequence + 77) % 2**32,
        tick_start=(r.tick_start - 12 * 10**9) % _TICKS,
        tick_end=(r.tick_end - 12 * 10**9) % _TICKS,
    ),
    "another sequence": lambda r: replace(r, sequence=(r.sequence + (1 << 31)) % 2**32),
    "an oscillator that stood": lambda r: replace(r, oscillator_step=0),
    "all bits of the words of ticks": lambda r: replace(r, tick_start=2**64 - 1, tick_end=2**64 - 1),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_record_is_a_fault_of_that_record_alone(forgery: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig()
    rig.run(0.5)
    link = rig.service.hardware.link
    oldest = link._oldest
    forged: list[Record] = []

    def forging(before_frame: Callable[[], None]) -> Record | None:
        """As a damaged memory: the same record is forged however often it is read."""
        record = oldest(before_frame)
        if record is None or record.sequence % EVERY:
            return record
        if record not in forged:
            forged.append(record)
        return FORGERIES[forgery](record)

    monkeypatch.setattr(link, "_oldest", forging)
    slowest, advance = 0.0, rig.service.meter.advance

    def timed(record: Record, latest_tick: int | None = None) -> object:
        nonlocal slowest
        begin = time.thread_time()
        result = advance(record, latest_tick)
        slowest = max(slowest, time.thread_time() - begin)
        return result

    monkeypatch.setattr(rig.service.meter, "advance", timed)
    rig.run(2.5)
    assert len(forged) >= 4
    assert slowest < CPU_S
    true_wh = WATTS * (seconds(rig.board.ticks) - 0.1) / 3600
    delivered = rig.service.energy_of_run(Quantity.KWH_DELIVERED) / NANO
    forged_wh = WATTS * seconds(sum(record.ticks for record in forged)) / 3600
    assert true_wh - forged_wh - WATTS * 0.06 / 3600 <= delivered <= true_wh
    assert abs(rig.service.meter.billing.now_ns - BEGIN_UTC_NS - 2.5e9) < 0.06e9 + 1e6
    assert not rig.told(ClockSetTo)
    assert not rig.told(PowerDown)
    missing_s = sum(event.missing_ms for event in rig.events if isinstance(event, EnergyMissing)) / 1000
    assert missing_s * WATTS / 3600 == pytest.approx(true_wh - delivered, abs=WATTS * (0.06 + 0.017) / 3600)
    if forgery != "an oscillator that stood":
        assert rig.told(MeasurementError)
