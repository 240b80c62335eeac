"""The meter as a whole: what records hold is what registers and pulses say, and every fault is named."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.constants import nominal
from gateware.registers import (
    PRODUCTS,
    SAFE_SAMPLES,
    TICK_BITS,
    WORD_MEANS,
    Channel,
    Record,
    RecordFlag,
    configuration_digest,
)
from rig.meter.elements import FORMS
from rig.meter.meter import Fault, Meter
from rig.meter.pulses import PulseOutput, PulseQuantity, kyz_output, led_output

TICKS_PER_SAMPLE = 256
TICK_HZ = Fraction(10_000_000, 3)  # the ULX3S
DIGEST = configuration_digest({})
KS = Fraction("1.8")
CROSSINGS = RecordFlag.START_CROSSING | RecordFlag.END_CROSSING
TIMED = RecordFlag.END_TIMED
VA_IA = PRODUCTS.index((Channel.V1, Channel.I1))


def make_meter(outputs: list[PulseOutput] | None = None, full_scale: int = 1_000) -> Meter:
    """A 9S. At the default full scales a window of random sums carries some watt-hours."""
    if outputs is None:
        outputs = [
            led_output(KS),
            kyz_output("kyz1", PulseQuantity.KWH_DELIVERED, KS / 12, KS),
            kyz_output("kyz2", PulseQuantity.KWH_RECEIVED, KS / 6, KS),
        ]
    return Meter(
        equation=FORMS["9S"].equation(),
        calibration=nominal(Fraction(full_scale), Fraction(full_scale)),
        tick_hz=TICK_HZ,
        ticks_per_sample=TICKS_PER_SAMPLE,
        config_digest=DIGEST,
        outputs=outputs,
    )


def make_record(
    sequence: int,
    tick_start: int,
    samples: int,
    va_ia: int = 0,
    flags: RecordFlag = TIMED,
    means: tuple[int, ...] = (0,) * 6,
) -> Record:
    sums = [0] * (WORD_MEANS - 7) + list(means)
    sums[VA_IA] = va_ia
    return Record(
        sequence=sequence % 2**32,
        windows=1,
        flags=flags,
        tick_start=tick_start % 2**TICK_BITS,
        tick_end=(tick_start + samples * TICKS_PER_SAMPLE) % 2**TICK_BITS,
        samples=samples,
        cycles=1,
        before=-10,
        after=30,
        config_digest=DIGEST,
        overload=0,
        dead=0,
        oscillator_step=0,
        sums=tuple(sums),
    )


@st.composite
def runs(draw: st.DrawFn) -> list[Record]:
    """Records that follow each other, across the wraps of sequence and ticks, with energy either way."""
    sequence = draw(st.sampled_from([0, 2**32 - 3]))
    tick = draw(st.sampled_from([0, 12345, 2**TICK_BITS - 1000]))
    records = []
    for samples, va_ia in draw(
        st.lists(st.tuples(st.integers(1, 600), st.integers(-(2**44), 2**44)), min_size=1, max_size=12)
    ):
        records.append(make_record(sequence, tick, samples, va_ia))
        sequence += 1
        tick += samples * TICKS_PER_SAMPLE
    return records


@given(runs())
def test_registers_hold_the_sum_of_the_records_and_pulses_follow_them(records):
    meter = make_meter()
    results = [meter.advance(r) for r in records]
    registers = meter.registers
    assert not any(r.faults for r in results)
    assert registers.delivered - registers.received == sum(r.units for r in results)
    gain = Fraction(1000, 2**19)
    wh = sum(r.sums[VA_IA] for r in records) * gain * gain * TICKS_PER_SAMPLE / TICK_HZ / 3600
    assert registers.wh(registers.delivered - registers.received) == wh
    for name, units in {
        "test_led": registers.delivered + registers.received,
        "kyz1": registers.delivered,
        "kyz2": registers.received,
    }.items():
        output = meter.outputs[name]
        assert 0 <= registers.wh(units) - output.count * output.constant_wh < output.constant_wh
        assert output.count == sum(p.output == name for r in results for p in r.pulses)


@given(runs())
def test_pulses_are_in_order_and_inside_their_windows(records):
    meter = make_meter()
    last, end = 0, None
    for record in records:
        result = meter.advance(record)
        assert end is None or result.tick_start == end
        end = result.tick_end
        assert end - result.tick_start == record.ticks
        for pulse in result.pulses:
            assert max(last, result.tick_start + 1) <= pulse.tick <= end
            last = pulse.tick


@given(runs(), st.data())
def test_splitting_records_changes_neither_energy_nor_pulse_count(records, data):
    whole, split = make_meter(), make_meter()
    sequence, parts = records[0].sequence, []
    for record in records:
        samples = record.samples
        first = data.draw(st.integers(1, samples - 1)) if samples > 1 else samples
        share = record.sums[VA_IA] * first // samples
        tick = record.tick_start
        pieces = [(first, share), (samples - first, record.sums[VA_IA] - share)]
        for n, va_ia in pieces if samples > 1 else [(samples, record.sums[VA_IA])]:
            parts.append(make_record(sequence, tick, n, va_ia))
            sequence, tick = sequence + 1, tick + n * TICKS_PER_SAMPLE
    for record in records:
        whole.advance(record)
    for record in parts:
        split.advance(record)
    assert not split.faults
    assert split.registers.delivered == whole.registers.delivered
    assert split.registers.received == whole.registers.received
    assert {n: o.count for n, o in split.outputs.items()} == {n: o.count for n, o in whole.outputs.items()}


def test_means_of_the_last_whole_window_serve_the_ones_that_are_not():
    meter = make_meter([])
    dc = (1000, 0, 0, 200, 0, 0)  # 10 and 2 codes over 100 samples
    assert meter.dc_codes == (0,) * 6
    meter.advance(make_record(0, 0, 100, 100 * 10 * 2 + 5, CROSSINGS, dc))
    assert meter.dc_codes == (10, 0, 0, 2, 0, 0)
    part = make_record(1, 25600, 50, 50 * 10 * 2 + 7, RecordFlag.END_COMMANDED, tuple(s // 2 for s in dc))
    result = meter.advance(part)
    assert meter.dc_codes == (10, 0, 0, 2, 0, 0)
    seven = make_meter([]).advance(make_record(0, 0, 50, 7)).units
    assert result.units == seven


def test_calibrated_offsets_serve_until_there_is_a_whole_window():
    meter = make_meter([])
    calibration = nominal(Fraction(1000), Fraction(1000))
    channels = tuple(replace(c, offset_codes=Fraction(5, 2)) for c in calibration.channels)
    offset = Meter(
        equation=FORMS["9S"].equation(),
        calibration=replace(calibration, channels=channels),
        tick_hz=TICK_HZ,
        ticks_per_sample=TICKS_PER_SAMPLE,
        config_digest=DIGEST,
    )
    # 40 samples of 2.5 codes: every sum is 100 and every product 40 · 6.25 = 250 too big.
    record = make_record(0, 0, 40, 0, TIMED, (100,) * 6)
    record = replace(record, sums=(*(250 + (k == VA_IA) * 9 for k in range(21)), *record.sums[21:]))
    assert offset.advance(record).units == meter.advance(make_record(0, 0, 40, 9)).units


def test_frequency_comes_with_whole_windows():
    meter = make_meter([])
    samples = 217
    results = [
        meter.advance(make_record(k, k * samples * TICKS_PER_SAMPLE, samples, 0, CROSSINGS)) for k in range(4)
    ]
    expected = float(TICK_HZ / TICKS_PER_SAMPLE / samples)
    assert results[0].frequency_hz is None
    assert [r.frequency_hz for r in results[1:]] == pytest.approx([expected] * 3, rel=1e-15)
    assert meter.frequency_hz == pytest.approx(expected, rel=1e-15)


FAULTS = {
    "sequence": ({"sequence": 3}, {Fault.SEQUENCE}),
    "gap": ({"tick_start": 25_856, "tick_end": 51_456}, {Fault.GAP}),
    "length": ({"samples": 99}, {Fault.LENGTH}),
    "overrun": ({"flags": TIMED | RecordFlag.OVERRUN}, {Fault.OVERRUN}),
    "configuration": ({"config_digest": DIGEST ^ 1}, {Fault.CONFIGURATION}),
    "board reset": (
        {"sequence": 0, "tick_start": 0, "tick_end": 25_600, "sums": (1,) + (0,) * 56},
        {Fault.SEQUENCE, Fault.GAP},
    ),
}


@pytest.mark.parametrize(("change", "faults"), FAULTS.values(), ids=FAULTS)
def test_fault_is_named_counted_and_its_energy_registered(change, faults):
    meter = make_meter()
    meter.advance(make_record(0, 0, 100, 10**12))
    before = meter.registers.delivered
    record = replace(make_record(1, 25_600, 100, 10**12), **change)
    result = meter.advance(record)
    assert set(result.faults) == faults == set(meter.faults)
    assert meter.registers.delivered - before == result.units
    assert result.tick_start >= 25_600
    assert meter.advance(make_record(record.sequence + 1, record.tick_end, 100)).faults == ()


def test_record_that_may_have_overflowed_is_not_registered():
    meter = make_meter()
    meter.advance(make_record(0, 0, 100, 10**12, CROSSINGS))
    before = (meter.registers.delivered, meter.run.sums.samples)
    result = meter.advance(make_record(1, 25_600, SAFE_SAMPLES, 10**18, CROSSINGS, (7,) * 6))
    assert result.faults == (Fault.OVERFLOW,)
    assert (meter.registers.delivered, meter.run.sums.samples) == before
    assert result.units == 0
    assert result.pulses == ()
    assert meter.dc_codes == (0,) * 6
    assert meter.advance(make_record(2, result.tick_end, SAFE_SAMPLES - 1)).faults == ()


def test_record_that_comes_twice_is_registered_once():
    meter = make_meter()
    first = meter.advance(make_record(5, 1000, 100, 10**15))
    again = meter.advance(make_record(5, 1000, 100, 10**15))
    assert again.faults == (Fault.REPEATED,)
    assert (again.units, again.pulses) == (0, ())
    assert (again.tick_start, again.tick_end) == (first.tick_start, first.tick_end)
    assert meter.registers.delivered == first.units
    assert meter.advance(make_record(6, 1000 + 25_600, 100)).faults == ()


def test_a_build_without_delays_and_phasors_has_watts_alone():
    meter = make_meter([])
    for k in range(4):
        meter.advance(make_record(k, k * 217 * TICKS_PER_SAMPLE, 217, 10**9, CROSSINGS))
    readings = meter.run.readings()
    assert readings is not None
    assert readings.p_w[0] > 0
    assert readings.q_var is readings.p1_w is readings.q1_var is readings.lag_deg is readings.thd is None


def test_empty_record_is_no_trouble():
    meter = make_meter()
    result = meter.advance(make_record(0, 0, 0))
    assert result.faults == ()
    readings = meter.readings(result.sums)
    assert (result.units, readings.seconds, readings.v_rms) == (0, 0.0, (0.0, 0.0, 0.0))


def test_outputs_need_distinct_names():
    with pytest.raises(ValueError, match="outputs need distinct names, got test_led, test_led"):
        make_meter([led_output(KS), led_output(KS)])
