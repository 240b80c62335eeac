"""DC, r.m.s. values and volt-amperes of short records and of loads that repeat every few cycles (review A-4, A-5).

What is right comes from the samples themselves, by numpy and in floats, or in closed form. Limits are the issue's:
0.02 % of the integral of S for energy, 0.02 % for r.m.s. values and volt-amperes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import reduce
from math import pi, sqrt

import msgspec
import numpy as np
import pytest
from sampled_records import SAMPLE_HZ, measurement, metered, one_phase, records_of, seconds

from gateware.record_words import Record, RecordFlag
from rig.meter.billing.quantity import NANO, Quantity
from rig.meter.measuring.measurement import MeasurementState, Window
from rig.meter.measuring.starting import limits_of_class

LIMIT = 2e-4
VOLTS = 120.0


def watt_hours(windows: Sequence[Window], quantity: Quantity) -> float:
    return sum(w.energies.of(quantity) for w in windows if w.energies) / NANO


def net_wh(windows: Sequence[Window]) -> float:
    return watt_hours(windows, Quantity.KWH_DELIVERED) - watt_hours(windows, Quantity.KWH_RECEIVED)


def rms(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(samples**2)))


@pytest.mark.parametrize("hz", [50.0, 60.0])
@pytest.mark.parametrize("begins_at", [0.02, 0.1, 0.25, 0.4, 0.65, 0.9])
@pytest.mark.parametrize("cycles", [3.5, 8.0, 8.4, 20.7])
def test_an_offset_takes_nothing_from_a_short_record(cycles: float, begins_at: float, hz: float) -> None:
    """A-4: 241 V, 0.35 A, an offset of 23 mA, power factor 0.01; with the first window's own DC it was −0.35 % of S."""
    t = seconds(round(cycles / hz * float(SAMPLE_HZ)))
    volts = 241 * sqrt(2) * np.sin(2 * pi * (hz * t + begins_at))
    amperes = 0.35 * sqrt(2) * np.cos(2 * pi * (hz * t + begins_at) - 0.01)
    meter, windows = metered(one_phase(volts, amperes + 0.023), hz)
    hours = len(t) / float(SAMPLE_HZ) / 3600
    assert abs(net_wh(windows) - np.mean(volts * amperes) * hours) < LIMIT * 241 * 0.35 * hours
    assert sum(w.sums.samples for w in windows) == len(t)
    phase = meter.phases(meter.run)
    assert phase.i_rms[0] == pytest.approx(rms(amperes), rel=LIMIT)
    assert watt_hours(windows, Quantity.KVAH_RMS) == pytest.approx(rms(volts) * rms(amperes) * hours, rel=LIMIT)


@pytest.mark.parametrize("tau_s", [0.02, 0.05, 0.2])
def test_a_dc_that_decays_costs_its_mean_times_the_voltage_of_the_partial_cycles(tau_s: float) -> None:
    """The bound of docs/decisions/056-about-a-second.md, met exactly: nobody can tell a load's DC from a sensor's."""
    count = round(8.5 / 60 * float(SAMPLE_HZ))
    t = seconds(count)
    volts = VOLTS * sqrt(2) * np.sin(2 * pi * (60 * t + 0.49))
    amperes = 5 * sqrt(2) * (np.sin(2 * pi * (60 * t + 0.49) - 1.4) + np.exp(-t / tau_s))
    _, windows = metered(one_phase(volts, amperes))
    (first, *_, last) = (w.record.samples for w in windows)
    dc = np.mean(amperes[first : count - last])
    ends = np.sum(volts[:first]) + np.sum(volts[count - last :])
    per_hour = 1 / float(SAMPLE_HZ) / 3600
    apparent = VOLTS * rms(amperes) * count * per_hour
    assert abs(dc * ends * per_hour) > 5 * LIMIT * apparent
    assert net_wh(windows) == pytest.approx((np.sum(volts * amperes) - dc * ends) * per_hour, abs=LIMIT * apparent)
    assert abs(dc * ends) <= 0.9 * abs(dc) / rms(amperes) / 8.5 * VOLTS * rms(amperes) * count


def in_cycles(of: int, on: Sequence[int]) -> Callable[[np.ndarray], np.ndarray]:
    """A sine in some cycles of a few, by number, and nothing in the others."""
    return lambda x: np.sin(2 * pi * x) * np.isin(np.floor(x).astype(int) % of, on)


def half_waves(of: int, positive: Sequence[int], negative: Sequence[int] = ()) -> Callable[[np.ndarray], np.ndarray]:
    """Half a sine in some cycles of a few, by number."""

    def wave(x: np.ndarray) -> np.ndarray:
        sine, cycle = np.sin(2 * pi * x), np.floor(x).astype(int) % of
        return np.maximum(sine, 0) * np.isin(cycle, positive) + np.minimum(sine, 0) * np.isin(cycle, negative)

    return wave


LOADS = {
    "sine": in_cycles(1, [0]),
    "half wave": half_waves(1, [0]),
    "half waves, one positive, one negative": half_waves(2, [0], [1]),
    "half waves, two positive, two negative": half_waves(4, [0, 1], [2, 3]),
    "f/2": in_cycles(2, [0]),
    "f/2, half waves": half_waves(2, [1]),
    "f/3": in_cycles(3, [0]),
    "f/3, half waves": half_waves(3, [0], [2]),
    "f/5": in_cycles(5, [0, 1, 2]),
    "burst, two of four": in_cycles(4, [0, 1]),
    "burst, five of ten": in_cycles(10, [0, 1, 2, 3, 4]),
}


@pytest.mark.parametrize("hz", [50.0, 60.0])
@pytest.mark.parametrize("wave", LOADS.values(), ids=LOADS)
def test_rms_and_volt_amperes_of_loads_that_repeat_every_few_cycles(
    wave: Callable[[np.ndarray], np.ndarray], hz: float
) -> None:
    """A-5: with a running mean that held the window itself, Irms was 0.45 % low and VAh as well."""
    t = seconds(round(10 * float(SAMPLE_HZ)))
    x = hz * t + 0.02
    volts, amperes = VOLTS * sqrt(2) * np.sin(2 * pi * x), 10 * sqrt(2) * wave(x)
    meter, windows = metered(one_phase(volts, amperes), hz)
    alternating = amperes - np.mean(amperes)
    va, hours = rms(volts) * rms(alternating), len(t) / float(SAMPLE_HZ) / 3600
    phase = meter.phases(meter.run)
    assert phase.i_rms[0] == pytest.approx(rms(alternating), rel=LIMIT)
    assert phase.s_va[0] == pytest.approx(va, rel=LIMIT)
    assert watt_hours(windows, Quantity.KVAH_RMS) == pytest.approx(va * hours, rel=LIMIT)
    assert abs(net_wh(windows) - np.mean(volts * alternating) * hours) < LIMIT / 4 * va * hours
    # And so is what a person sees of the last second.
    recent = meter.phases(sum((w.sums for w in windows[-61:-1]), start=windows[-62].sums))
    assert recent.s_va[0] == pytest.approx(va, rel=1e-2)


@pytest.mark.parametrize("cycles", [1, 17, 30, 59])
def test_a_step_of_the_load_counts_by_the_rms_of_its_block(cycles: int) -> None:
    """What a step costs (056): of a block of 60 cycles √(60·Σ over its cycles of I²) counts, not Σ I: from 0 at a
    block's edge to 15 cycles of the step, a quarter of a second, where it comes after a quarter of it."""
    length = 60 / 60
    t = seconds(round((length + 0.1) * float(SAMPLE_HZ)))
    x = 60 * t + 1e-9
    amperes = sqrt(2) * np.sin(2 * pi * x) * np.where(x < cycles, 10, 2)
    _, windows = metered(one_phase(VOLTS * sqrt(2) * np.sin(2 * pi * x), amperes))
    counted = cycles_counted = 0.0
    for window in windows:
        cycles_counted += window.record.cycles
        counted += window.energies.vah_rms if window.energies else 0
        if cycles_counted >= 60:
            break
    expected = VOLTS * sqrt(60 * (cycles * 10**2 + (60 - cycles) * 2**2)) / 60 / 3600 * NANO
    # A window ends within a sample of its crossing, so a block of 60 cycles is one within 1 in 13 000.
    assert counted == pytest.approx(expected, rel=3e-4)


def merged(records: Sequence[Record], by: int) -> list[Record]:
    """The records as a slow host finds them: `by` windows in one."""

    def join(one: Record, other: Record) -> Record:
        flags = (one.flags & RecordFlag.START_CROSSING) | (other.flags & ~RecordFlag.START_CROSSING)
        sums = tuple(a + b for a, b in zip(one.sums, other.sums, strict=True))
        return replace(
            other, windows=one.windows + other.windows, flags=flags, tick_start=one.tick_start, sums=sums,
            samples=one.samples + other.samples, cycles=one.cycles + other.cycles,
        )  # fmt: skip

    joined = [reduce(join, records[k : k + by]) for k in range(0, len(records), by)]
    return [replace(record, sequence=k) for k, record in enumerate(joined)]


@pytest.mark.parametrize("by", [5, 10, 30])
def test_merged_records_have_the_volt_ampere_hours_of_single_ones(by: int) -> None:
    """A-3: 10 A, then 2 A, then back, every half second; merged, VAh rms were 20 % more."""
    t = seconds(round(6 * float(SAMPLE_HZ)))
    x = 60 * t
    amperes = sqrt(2) * np.sin(2 * pi * x) * np.where(np.floor(x) % 60 < 30, 10, 2)
    single = records_of(one_phase(VOLTS * sqrt(2) * np.sin(2 * pi * x), amperes))[1:301]
    registered = []
    for records in (single, merged(single, by)):
        meter = measurement()
        registered.append(watt_hours([meter.advance(record) for record in records], Quantity.KVAH_RMS))
    assert registered[1] == pytest.approx(registered[0], rel=1e-3)


@pytest.mark.parametrize("hz", [45.0, 50.0, 60.0, 65.0])
def test_no_start_makes_a_healthy_voltage_look_lost(hz: float) -> None:
    """C-10: a crossing within 128 samples of the begin does not count; the next one has to come before the timer."""
    cycle = float(SAMPLE_HZ) / hz
    t = seconds(round(3 * cycle))
    for begins_at in np.arange(0, cycle, 2) / cycle:
        records = records_of(one_phase(VOLTS * sqrt(2) * np.sin(2 * pi * (hz * t + begins_at)), 0 * t), hz)
        assert not any(RecordFlag.END_TIMED in record.flags for record in records)
    for place in range(118, 129):
        records = records_of(
            one_phase(VOLTS * sqrt(2) * np.sin(2 * pi * hz * (t - place / float(SAMPLE_HZ))), 0 * t), hz
        )
        assert not any(RecordFlag.END_TIMED in record.flags for record in records)


@pytest.mark.parametrize("taken_over", [1, 2, 3, 20, 61, 75])
def test_a_measurement_taken_over_goes_on_to_the_last_digit(taken_over: int) -> None:
    """Of a load that is on in one cycle of three, with an offset: before DC is known, while the first windows are
    corrected, and in the middle of a block (docs/decisions/047-taking-over.md)."""
    t = seconds(round(1.6 * float(SAMPLE_HZ)))
    x = 60 * t + 0.3
    codes = one_phase(VOLTS * sqrt(2) * np.sin(2 * pi * x), 7 * in_cycles(3, [0])(x) + 0.1)
    records = records_of(codes)
    whole, taken = measurement(), measurement()
    expected = [whole.advance(record).energies for record in records]
    found = [taken.advance(record).energies for record in records[:taken_over]]
    stored = msgspec.json.encode(taken.state)
    resumed = measurement()
    resumed.resume(msgspec.json.decode(stored, type=MeasurementState))
    found += [resumed.advance(record).energies for record in records[taken_over:]]
    assert found == expected
    assert msgspec.json.encode(resumed.state) == msgspec.json.encode(whole.state)
    assert len(stored) < 16_000


@pytest.mark.parametrize("begins_at", [0.0, 0.02, 0.3, 0.6, 0.97])
@pytest.mark.parametrize("on", [[0], [0, 1], [1], [9]])
def test_what_flows_in_the_first_window_alone_registers(on: list[int], begins_at: float) -> None:
    """A current in the record's first cycle, and none in the next: judged by the next it was none (A-4, A-7)."""
    t = seconds(round(20 / 60 * float(SAMPLE_HZ)))
    x = 60 * t + begins_at
    volts, amperes = VOLTS * sqrt(2) * np.sin(2 * pi * x), 20 * half_waves(10, on)(x)
    meter = measurement()
    meter.start_at(limits_of_class(20), 0)
    windows = [meter.advance(record) for record in records_of(one_phase(volts, amperes))]
    hours = len(t) / float(SAMPLE_HZ) / 3600
    alternating = amperes - np.mean(amperes)
    assert net_wh(windows) == pytest.approx(np.mean(volts * alternating) * hours, abs=LIMIT * VOLTS * 20 * hours)


def test_a_record_without_load_registers_nothing_in_its_first_window_either() -> None:
    t = seconds(round(10.4 / 60 * float(SAMPLE_HZ)))
    volts = VOLTS * sqrt(2) * np.sin(2 * pi * (60 * t + 0.3))
    noise = np.random.default_rng(7).normal(0, 0.53e-3, len(t))  # that of 057-starting.md at class 20
    meter = measurement()
    meter.start_at(limits_of_class(20), 0)
    windows = [meter.advance(record) for record in records_of(one_phase(volts, noise + 0.05))]
    assert not any(watt_hours(windows, quantity) for quantity in Quantity)
