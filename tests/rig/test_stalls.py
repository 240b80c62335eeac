"""A host that stalls: what the ring keeps apart registers to the last digit; what it merges keeps its energy."""

from __future__ import annotations

import random
from collections.abc import Iterable
from functools import cache

import pytest

from gateware.record_words import SAFE_SAMPLES
from rig.hardware.config import Config
from rig.hardware.selection import open_hardware
from rig.meter.billing.quantity import Quantity
from rig.meter.measuring.events import MeasurementError, WindowsMerged
from rig.meter.measuring.measurement import Fault
from rig.meter.meter import WindowResult
from rig.program.build import default_program
from rig.service.service import Service

CONFIG = Config()
SECOND_NS = 1_000_000_000
WINDOWS_A_SECOND = 60  # of the lively load, but for a per mille
ENERGY, REACTIVE = (1, -1, -1, 1), (1, 1, -1, -1)
"""Signs of P and Q by quadrant (docs/metering.md)."""
ANGLE_RAD = 1.57 * (60.03 - 59.95) / 60
"""By how much the turn of the td delay, a quarter cycle, can be off. The lively load's line is at 59.95 to 60.03 Hz,
and a merged record has one frequency. Q = (C − P·cos θ)/sin θ is then off by P times that."""


def metered(seconds: float, stalls: Iterable[tuple[float, float]] = ()) -> tuple[Service, list[WindowResult]]:
    """A meter in service on the simulated board, not polled at all in stalls of (begin, length) in seconds."""
    hardware = open_hardware(CONFIG, 20, paced=False)
    service = Service(hardware, CONFIG, default_program())
    service.begin()
    begun_ns = hardware.clock.now_ns()
    results: list[WindowResult] = []
    for begin, length in stalls:
        results += service.run(begun_ns + round(begin * SECOND_NS))
        hardware.clock.wait_until(begun_ns + round((begin + length) * SECOND_NS))
    results += service.run(begun_ns + round(seconds * SECOND_NS))
    return service, results


@cache
def undisturbed() -> tuple[Service, list[WindowResult]]:
    """Thirteen seconds of it, each record read as it comes."""
    return metered(13.0)


def signed(flowed: list[int], kind: int, signs: tuple[int, ...]) -> int:
    """The net of a kind of energy: 0 Wh, 1 varh."""
    return sum(sign * flowed[4 * quadrant + kind] for quadrant, sign in enumerate(signs))


def by_place(results: list[WindowResult], until: int) -> list[int]:
    """nWh, nvarh, nVAh rms and nVAh td of each quadrant, of the records up to a tick."""
    flowed = [0] * 16
    for result in results:
        if result.window.energies is not None and result.window.tick_end <= until:
            result.window.energies.add_to(flowed)
    return flowed


def last_common(*runs: list[WindowResult]) -> int:
    ends = set.intersection(*({r.window.tick_end for r in run if r.window.energies is not None} for run in runs))
    return max(ends)


def test_stalls_of_one_two_and_almost_four_seconds_change_no_digit() -> None:
    """At random instants, with pauses between: every window comes as it was, and every register is the same."""
    rng = random.Random(20261129)
    lengths = [1.0, 2.0, 3.9]
    rng.shuffle(lengths)
    stalls, at = [], 0.5
    for length in lengths:
        at += rng.uniform(0.1, 0.9)
        stalls.append((at, length))
        at += length + 1.0  # to read what waits
    meter, plain = undisturbed()
    stalled, late = metered(at, stalls)
    until = last_common(plain, late)
    assert late[-2].window.tick_end <= until
    assert not stalled.measurement.faults
    assert stalled.measurement.merged_windows == 0
    flowed = by_place(plain, until)
    assert by_place(late, until) == flowed
    assert all(any(flowed[k::4]) for k in range(4)), "of every kind there is something"
    for a, b in zip(plain, late, strict=False):
        assert (a.window.tick_end, a.window.energies) == (b.window.tick_end, b.window.energies)
        assert a.window.record.sums[:39] == b.window.record.sums[:39]  # not the phasors, whose step is the host's
    assert meter.meter.billing.registers.energy(Quantity.KWH_DELIVERED) > 0


def told(results: list[WindowResult]) -> list[WindowsMerged]:
    return [event for r in results for event in r.events if isinstance(event, WindowsMerged)]


def merges(length: float) -> None:
    """A stall that the ring does not outlast: what is beyond it comes as one record, energy whole, and it is told."""
    seconds = 1.0 + length + 2.0
    _, plain = undisturbed() if seconds <= 13 else metered(seconds)
    stalled, late = metered(seconds, [(1.0, length)])
    ring = stalled.hardware.link.identity.ring
    long = [r.window for r in late if r.window.record.windows > 1]
    assert 1 <= len(long) <= 2
    merged = sum(w.record.windows for w in long)
    assert abs(merged - (length * WINDOWS_A_SECOND - ring)) < 0.01 * length * WINDOWS_A_SECOND + 3
    assert stalled.measurement.merged_windows == merged
    assert stalled.measurement.faults == {Fault.MERGED: len(long)}
    (event,) = told(late)
    assert (event.windows, event.tick) == (long[0].record.windows, long[0].tick_start)
    assert not any(isinstance(e, MeasurementError) for r in late for e in r.events)
    assert Fault.MERGED in stalled.meter.faults

    until = last_common(plain, late)
    assert sum(r.window.record.samples for r in late if r.window.tick_end <= until) == sum(
        r.window.record.samples for r in plain if r.window.tick_end <= until
    )
    one, other = by_place(plain, until), by_place(late, until)
    assert signed(other, 0, ENERGY) == pytest.approx(signed(one, 0, ENERGY), rel=1e-6)  # DC: one mean, not many
    assert abs(signed(other, 1, REACTIVE) - signed(one, 1, REACTIVE)) <= ANGLE_RAD * sum(one[0::4])
    # By Cauchy and Schwarz a changing load has more VAh rms when merged, and by the triangle less VAh td.
    assert sum(other[2::4]) >= sum(one[2::4])
    assert sum(other[3::4]) <= sum(one[3::4])


def test_a_stall_longer_than_the_ring_merges_tells_and_loses_no_energy() -> None:
    merges(6.0)


@pytest.mark.slow
def test_a_stall_of_ten_minutes_loses_no_energy() -> None:
    merges(600.0)


def test_a_record_as_long_as_a_sum_can_bear_is_forty_minutes() -> None:
    rate = open_hardware(CONFIG, 20, paced=False).link.identity
    assert SAFE_SAMPLES * rate.ticks_per_sample / rate.tick_hz > 40 * 60
