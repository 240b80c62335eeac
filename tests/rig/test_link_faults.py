"""Noise, stuck wires, errors of the SPI driver, reloads: energy exact, or the outage told with its length (issue 12).

Witnesses: what an undisturbed board gives of the same bits, sum for sum; and the load's definition, 900 W. The meter
begins at 0.1 s on the board's own time, which goes on whatever happens to the FPGA.
"""

from __future__ import annotations

from itertools import pairwise

import pytest
from link_bench import HARMLESS, WATTS, Rig, WireFault, seconds, ticks

from drivers.spi_link import ForeignBoard
from gateware.record_words import HEADER_WORDS, WORD_MEANS, WORD_PHASORS, Record
from rig.meter.billing.events import PowerDown, PowerUp
from rig.meter.billing.quantity import NANO, Quantity
from rig.service.events import BoardChanged, BoardForeign, LinkFailed, LinkRestored

_PHASORS = range(WORD_PHASORS - HEADER_WORDS, WORD_MEANS - HEADER_WORDS)


def cumulated(records: list[Record]) -> dict[int, tuple[int, ...]]:
    """By the tick at which each record ends: all that adds up, so far."""
    total: list[int] = []
    found = {}
    for record in records:
        adds = [s for k, s in enumerate(record.sums) if k not in _PHASORS]
        adds += [record.samples, record.ticks, record.windows, record.cycles]
        total = adds if not total else [a + b for a, b in zip(total, adds, strict=True)]
        found[record.tick_end] = tuple(total)
    return found


@pytest.fixture(scope="module")
def undisturbed() -> dict[int, tuple[int, ...]]:
    rig = Rig()
    rig.run(8.2)
    assert all(r.windows == 1 for r in rig.records)
    assert rig.told(LinkFailed) == []
    return cumulated(rig.records)


def delivered_wh(rig: Rig) -> float:
    return rig.service.energy_of_run(Quantity.KWH_DELIVERED) / NANO


def nothing_is_missing(rig: Rig, undisturbed: dict[int, tuple[int, ...]]) -> None:
    for one, following in pairwise(rig.records):
        assert following.tick_start == one.tick_end
    assert cumulated(rig.records)[rig.records[-1].tick_end] == undisturbed[rig.records[-1].tick_end]
    assert not rig.service.measurement.faults
    assert rig.told(PowerDown) == []
    # 1e-5: twice the filter's ripple to 3 kHz, as in test_service.
    registered_s = seconds(sum(r.ticks for r in rig.records))
    assert delivered_wh(rig) == pytest.approx(WATTS * registered_s / 3600, rel=1e-5)


@pytest.mark.parametrize("kind", HARMLESS)
def test_no_failing_of_the_link_costs_energy(kind: str, undisturbed: dict[int, tuple[int, ...]]) -> None:
    """Bursts of 1 ms, 20 ms, 0.3 s, and at last 2 s; half of the frames noisy, or all of them dead."""
    bursts = [(1.0, 0.001), (1.5, 0.02), (2.0, 0.3), (3.0, 2.0)]
    rig = Rig([WireFault(kind, ticks(begin), ticks(begin + length)) for begin, length in bursts])
    rig.run(6.2)
    nothing_is_missing(rig, undisturbed)
    assert rig.records[-1].tick_end > ticks(6.1)
    if kind == "noise":
        assert rig.service.hardware.link.counts.crc_errors > 100
    else:
        assert len(rig.told(LinkFailed)) == len(rig.told(LinkRestored)) == 1
        (restored,) = rig.told(LinkRestored)
        assert isinstance(restored, LinkRestored)
        assert restored.failed_s == 2
    assert rig.service.link_fault is None


def test_front_and_requests_go_on_while_the_link_fails() -> None:
    rig = Rig([WireFault("low", ticks(1.0), ticks(4.0))])
    looked: list[float] = []
    rig.service.watch = lambda: looked.append(seconds(rig.board.ticks))
    rig.run(2.0)
    assert "CIPO stays low" in (rig.service.link_fault or "")
    shown = rig.service.reading()
    assert shown.registers
    rig.run(6.0)
    # Each 20 ms, and a try of 1.5 ms; afterwards, sixteen of the records that waited, of 2.2 ms.
    assert max(b - a for a, b in pairwise(looked)) < 0.02 + 0.0015 + 16 * 0.0022
    assert rig.service.link_fault is None


@pytest.mark.parametrize("seed", range(4))
def test_a_reload_costs_an_outage_of_its_length_and_nothing_twice(seed: int) -> None:
    """At moments in and between frames. The outage begins with the last record read before, and ends with the first
    window after the filters have settled: 10 ms, a poll, and the pause of a retry later than the board is there."""
    length_s = (0.0, 0.05, 0.4, 1.3)[seed]
    kind = "reset" if length_s == 0 else "reload"
    began = ticks(2.0) + 12_345 * (seed + 1)
    fault = WireFault(kind, began, began + ticks(length_s))
    rig = Rig([fault], seed=seed)
    rig.run(5.0)
    (changed,) = rig.told(BoardChanged)
    assert isinstance(changed, BoardChanged)
    assert changed.found.startswith("the FPGA board was reset or reloaded")
    (down,), (up,) = rig.told(PowerDown), rig.told(PowerUp)
    outage_s = (up.utc_ns - down.utc_ns) / 1e9
    registered_s = seconds(sum(r.ticks for r in rig.records))
    whole_s = seconds(rig.bus.board.ticks) - seconds(rig.records[0].tick_start)
    # What is not registered and not told is what the last poll left: less than a window, a poll and a reading.
    assert 0 <= whole_s - registered_s - outage_s < 0.06
    assert length_s < outage_s < length_s + 0.8
    assert delivered_wh(rig) == pytest.approx(WATTS * registered_s / 3600, abs=WATTS * 0.005 / 3600)
    assert not rig.service.measurement.faults
    at_end = max(r.tick_end for r in rig.records if r.tick_end < fault.begin + ticks(0.05))
    assert at_end >= fault.begin - ticks(0.06)


def test_another_design_ends_metering_with_the_reason() -> None:
    """A board of another clock is loaded: the energy until then is registered, and what follows is not."""
    rig = Rig()
    rig.run(1.0)

    class OtherClock:
        """A board that says that its clock goes 12 MHz: replies with a good CRC."""

        def __init__(self) -> None:
            self.inner = rig.bus.board

        def xfer2(self, data: list[int]) -> list[int]:
            from gateware.frames import Op, crc32, reply_offset

            reply = bytes(self.inner.xfer2(data))
            if data[0] == Op.READ << 4 | 7 and data[2] == 0:
                at = reply_offset(Op.READ)
                body = bytearray(reply[at:-4])
                body[2 + 4 * 4 : 2 + 4 * 6] = (12_000_000).to_bytes(4, "big") + (1).to_bytes(4, "big")
                reply = reply[:at] + bytes(body) + crc32(bytes(body)).to_bytes(4, "big")
            return list(reply)

    rig.bus.board.reset()
    rig.bus.xfer2 = OtherClock().xfer2  # type: ignore[method-assign]
    with pytest.raises(ForeignBoard, match=r"its modulator clock is 3000000 Hz, and was 3333333\.33333 Hz"):
        rig.run(3.0)
    assert len(rig.told(BoardForeign)) == 1
    assert delivered_wh(rig) == pytest.approx(WATTS * 0.9 / 3600, rel=0.1)
    rig.service.finish()


def test_a_count_that_jumps_is_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bit 40 of the tick count flips for good, which is 3.8 days: the meter's clock does not follow (H-8)."""
    rig = Rig()
    rig.run(2.0)
    before_ns = rig.service.meter.billing.now_ns
    link = rig.service.hardware.link
    count = link.ticks
    monkeypatch.setattr(link, "ticks", lambda: count() ^ 1 << 40)
    rig.run(4.0)
    gone_s = (rig.service.meter.billing.now_ns - before_ns) / 1e9
    assert 0 <= gone_s < 2.1
    assert rig.told(BoardChanged)
    assert not [e for e in rig.events if "clock set" in getattr(e, "label", "")]
