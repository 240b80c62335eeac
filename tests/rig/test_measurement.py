"""From records to energy: what records hold is what registers, and every fault is named."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from line_records import CHAIN, Wave, records

from calibration.constants import nominal
from gateware.record_words import PRODUCTS, SAFE_SAMPLES, WORD_MEANS, Record, RecordFlag
from gateware.registers import TICK_BITS, Channel, configuration_digest
from rig.meter.billing.quantity import NANO, Quadrant, Quantity
from rig.meter.measuring.elements import FORMS
from rig.meter.measuring.measurement import Fault, Measurement, Window

TICKS_PER_SAMPLE = 256
TICK_HZ = Fraction(10_000_000, 3)  # the ULX3S
DIGEST = configuration_digest({})
CROSSINGS = RecordFlag.START_CROSSING | RecordFlag.END_CROSSING
TIMED = RecordFlag.END_TIMED
VA_IA = PRODUCTS.index((Channel.V1, Channel.I1))


GAIN = Fraction(1000, 2**19)


def make_meter() -> Measurement:
    """A 9S with full scales at which a window of random sums carries some watt-hours."""
    return Measurement(
        equation=FORMS["9S"].equation(),
        calibration=nominal(Fraction(1000), Fraction(1000)),
        tick_hz=TICK_HZ,
        ticks_per_sample=TICKS_PER_SAMPLE,
        config_digest=DIGEST,
    )


def registered(windows: list[Window], quantity: Quantity) -> int:
    return sum(w.energies.of(quantity) for w in windows if w.energies)


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
    most = 2**36  # a sample: within what 20 bits give
    for samples, share in draw(
        st.lists(st.tuples(st.integers(1, 600), st.integers(-most, most)), min_size=1, max_size=12)
    ):
        va_ia = share * samples + (samples > 1 and sequence % 3)  # no whole number a sample
        records.append(make_record(sequence, tick, samples, va_ia))
        sequence += 1
        tick += samples * TICKS_PER_SAMPLE
    return records


@given(runs())
def test_energies_are_the_sum_of_the_records_cut_off_after_the_nwh(records):
    meter = make_meter()
    windows = [meter.advance(r) for r in records]
    assert not any(w.faults for w in windows)
    nwh = GAIN * GAIN * TICKS_PER_SAMPLE / TICK_HZ / 3600 * NANO
    products = [r.sums[VA_IA] for r in records]
    assert registered(windows, Quantity.KWH_DELIVERED) == int(sum(p for p in products if p > 0) * nwh)
    assert registered(windows, Quantity.KWH_RECEIVED) == int(-sum(p for p in products if p < 0) * nwh)
    # Without vars, "td" volt-amperes are the watts, up to a root rounded down a window.
    td = registered(windows, Quantity.KVAH_TD)
    assert 0 <= int(sum(map(abs, products)) * nwh) - td <= 2 * len(records)


@given(runs())
def test_windows_follow_each_other(records):
    meter = make_meter()
    end = None
    for record in records:
        window = meter.advance(record)
        assert end is None or window.tick_start == end
        end = window.tick_end
        assert window.flowed_from == window.tick_start
        assert end - window.tick_start == record.ticks


@given(runs(), st.data())
def test_splitting_records_changes_no_energy(records, data):
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
    in_one, in_two = [whole.advance(r) for r in records], [split.advance(r) for r in parts]
    assert not split.faults
    for quantity in (Quantity.KWH_DELIVERED, Quantity.KWH_RECEIVED):
        assert registered(in_two, quantity) == registered(in_one, quantity)


def test_volt_ampere_hours_rms_are_those_of_each_element():
    """Vrms·Irms of each element over the window, for an hour at 1 V and 1 A full scale in codes."""
    meter = make_meter()
    record = make_record(0, 0, 400, 0)
    sums = list(record.sums)
    for (a, b), value in {
        (Channel.V1, Channel.V1): 9 * 10**12,
        (Channel.I1, Channel.I1): 4 * 10**12,
        (Channel.V3, Channel.V3): 25 * 10**12,
        (Channel.I3, Channel.I3): 10**12,
    }.items():
        sums[PRODUCTS.index((a, b))] = value
    energies = meter.advance(replace(record, sums=tuple(sums))).energies
    assert energies is not None
    va = GAIN * GAIN * (6 + 5) * 10**12 * TICKS_PER_SAMPLE / TICK_HZ / 3600 * NANO
    assert 0 <= va - energies.vah_rms < 1 + Fraction(2, 2**16)
    hours = GAIN * GAIN * TICKS_PER_SAMPLE / TICK_HZ / 3600 * NANO
    squares = (9, 0, 25, 4, 0, 1, 4 + 1)
    assert energies.squares == tuple(int(square * 10**12 * hours) for square in squares)


def test_means_of_the_last_whole_window_serve_the_ones_that_are_not():
    meter = make_meter()
    dc = (1000, 0, 0, 200, 0, 0)  # 10 and 2 codes over 100 samples
    assert meter.dc_codes == (0,) * 6
    meter.advance(make_record(0, 0, 100, 100 * 10 * 2 + 5, CROSSINGS, dc))
    assert meter.dc_codes == (10, 0, 0, 2, 0, 0)
    part = make_record(1, 25600, 50, 50 * 10 * 2 + 7, RecordFlag.END_COMMANDED, tuple(s // 2 for s in dc))
    result = meter.advance(part)
    assert meter.dc_codes == (10, 0, 0, 2, 0, 0)
    assert result.sums.products[VA_IA] == 7


def test_calibrated_offsets_serve_until_there_is_a_whole_window():
    meter = make_meter()
    calibration = nominal(Fraction(1000), Fraction(1000))
    channels = tuple(replace(c, offset_codes=Fraction(5, 2)) for c in calibration.channels)
    offset = Measurement(
        equation=FORMS["9S"].equation(),
        calibration=replace(calibration, channels=channels),
        tick_hz=TICK_HZ,
        ticks_per_sample=TICKS_PER_SAMPLE,
        config_digest=DIGEST,
    )
    # 40 samples of 2.5 codes: every sum is 100 and every product 40 · 6.25 = 250 too big.
    record = make_record(0, 0, 40, 0, TIMED, (100,) * 6)
    record = replace(record, sums=(*(250 + (k == VA_IA) * 9 for k in range(21)), *record.sums[21:]))
    assert offset.advance(record).sums.products == meter.advance(make_record(0, 0, 40, 9)).sums.products


def test_frequency_comes_with_whole_windows():
    meter = make_meter()
    samples = 217
    results = [meter.advance(make_record(k, k * samples * TICKS_PER_SAMPLE, samples, 0, CROSSINGS)) for k in range(4)]
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
    record = replace(make_record(1, 25_600, 100, 10**12), **change)
    result = meter.advance(record)
    assert set(result.faults) == faults == set(meter.faults)
    assert result.energies is not None
    assert result.tick_start >= 25_600
    assert meter.advance(make_record(record.sequence + 1, record.tick_end, 100)).faults == ()


@pytest.mark.parametrize("ticks", [10**6, 2**47 + 10**6], ids=["young", "after 489 days"])
def test_time_does_not_leap_when_the_board_is_reset(ticks):
    meter = make_meter()
    meter.advance(make_record(10**5, ticks, 100))
    before = meter.advance(make_record(10**5 + 1, ticks + 25_600, 100))
    after = meter.advance(make_record(0, 0, 100))
    assert set(after.faults) == {Fault.SEQUENCE, Fault.GAP}
    assert after.tick_start == before.tick_end


def test_record_that_may_have_overflowed_is_not_registered():
    meter = make_meter()
    meter.advance(make_record(0, 0, 100, 10**12, CROSSINGS))
    before = meter.run.samples
    result = meter.advance(make_record(1, 25_600, SAFE_SAMPLES, 10**18, CROSSINGS, (7,) * 6))
    assert result.faults == (Fault.OVERFLOW,)
    assert meter.run.samples == before
    assert result.energies is None
    assert meter.dc_codes == (0,) * 6
    assert meter.advance(make_record(2, result.tick_end, SAFE_SAMPLES - 1)).faults == ()


def test_record_that_comes_twice_is_registered_once():
    meter = make_meter()
    first = meter.advance(make_record(5, 1000, 100, 10**13))
    again = meter.advance(make_record(5, 1000, 100, 10**13))
    assert again.faults == (Fault.REPEATED,)
    assert again.energies is None
    assert (again.tick_start, again.tick_end) == (first.tick_start, first.tick_end)
    assert meter.advance(make_record(6, 1000 + 25_600, 100)).faults == ()


def test_a_window_whose_vars_are_still_to_come_registers_with_the_next():
    """The first that ends at a crossing has no frequency, so no vars yet: nothing of it goes to a quadrant before."""
    waves = [Wave(3e5, 120 * k) for k in range(3)] + [Wave(2e5, 120 * k + 60) for k in range(3)]
    meter = Measurement(
        equation=FORMS["9S"].equation(),
        calibration=nominal(Fraction(1000), Fraction(1000)),
        tick_hz=CHAIN.tick_hz,
        ticks_per_sample=CHAIN.ticks_per_sample,
        config_digest=0,
        quarter=CHAIN.quarter,
    )
    windows = [meter.advance(record) for record in records(waves, 60.0, 0.1)]
    assert windows[0].energies is None
    assert windows[1].flowed_from == windows[0].tick_start
    assert all(w.flowed_from == w.tick_start for w in windows[2:])
    whole = [w.energies for w in windows[1:] if w.energies]
    assert {e.quadrant for e in whole} == {Quadrant.Q1}
    readings = meter.readings(meter.run)
    wh, vah = sum(e.wh for e in whole), sum(e.vah_td for e in whole)
    assert wh == pytest.approx(sum(readings.p_w) * readings.seconds / 3600 * NANO, abs=1)  # cut off after the nWh
    assert vah == pytest.approx(2 * wh, rel=1e-6)  # power factor 0.5; codes are rounded to 1 in 2e5


def test_a_build_without_delays_and_phasors_has_watts_alone():
    meter = make_meter()
    for k in range(4):
        meter.advance(make_record(k, k * 217 * TICKS_PER_SAMPLE, 217, 10**9, CROSSINGS))
    readings = meter.readings(meter.run)
    assert readings.p_w[0] > 0
    assert readings.q_var is readings.p1_w is readings.q1_var is readings.lag_deg is readings.tdr is None


def test_empty_record_is_no_trouble():
    meter = make_meter()
    result = meter.advance(make_record(0, 0, 0))
    assert result.faults == ()
    readings = meter.readings(result.sums)
    assert (readings.seconds, readings.v_rms) == (0.0, (0.0, 0.0, 0.0))
    assert result.energies == (Quadrant.Q1, 0, 0, 0, 0, (0,) * 7)


# --- what no gateware makes, in a frame with a good CRC (H-8, H-9) ---


def absurd(record: Record, **fields: object) -> Record:
    """A record that the FPGA's memory, or whoever forges, has changed."""
    return replace(record, **fields)  # type: ignore[arg-type]


FULL = 217 * 2**38
"""The largest a product comes to in a window of 217 samples: both channels at -2**19 all the time."""

ABSURD = {
    "no length": {"tick_end": 0},
    "more samples than ticks": {"samples": 220},
    "no window": {"windows": 0},
    "more windows than samples": {"windows": 218},
    "more cycles than a line has": {"cycles": 29},
    "a crossing beyond the codes": {"after": 2**19 + 1},
    "a tick beyond its counter": {"tick_end": 217 * TICKS_PER_SAMPLE + 2**TICK_BITS},
    "a product": {"sums": (0,) * VA_IA + (FULL + 1,) + (0,) * (56 - VA_IA)},
    "a product, negative": {"sums": (-FULL - 1,) + (0,) * 56},
    "a phasor": {"sums": (0,) * 39 + (217 * 2**19 * (2**17 - 1) + 1,) + (0,) * 17},
    "a mean": {"sums": (0,) * 56 + (-217 * 2**19 - 1,)},
}


@pytest.mark.parametrize("what", ABSURD)
def test_what_no_window_can_hold_registers_nothing_and_the_next_does(what):
    meter = make_meter()
    first = meter.advance(make_record(0, -217 * TICKS_PER_SAMPLE, 217, 10**12))
    bad = meter.advance(absurd(make_record(1, 0, 217, 10**12), **ABSURD[what]))
    assert Fault.IMPLAUSIBLE in bad.faults
    assert bad.energies is None
    assert bad.sums.samples == 0
    after = meter.advance(make_record(2, 217 * TICKS_PER_SAMPLE, 217, 10**12))
    assert after.energies is not None
    assert after.tick_end == first.tick_end + 2 * 217 * TICKS_PER_SAMPLE
    assert bad.missing_ticks + after.missing_ticks == 217 * TICKS_PER_SAMPLE


def test_the_largest_that_a_window_can_hold_registers():
    full = {VA_IA: FULL, 0: FULL, 39: 217 * 2**19 * (2**17 - 1), 56: -217 * 2**19}
    record = absurd(make_record(0, 0, 217), sums=tuple(full.get(k, 0) for k in range(57)))
    window = make_meter().advance(record)
    assert window.faults == ()
    assert window.energies is not None
    assert window.missing_ticks == 0


@pytest.mark.parametrize("jump", [2**20, 2**40, 2**47 - 2**30, -(2**20), -(2**40)])
def test_a_tick_that_the_clock_does_not_confirm_moves_nothing(jump):
    """A bit of tick_end flips: up to 2.7 years. The clock says that no more than a second has passed."""
    meter, second = make_meter(), int(TICK_HZ)
    length = 217 * TICKS_PER_SAMPLE
    first = meter.advance(make_record(0, 10 * second, 217, 10**12), 11 * second)
    record = make_record(1, 10 * second + length, 217, 10**12)
    forged = meter.advance(absurd(record, tick_end=(record.tick_end + jump) % 2**TICK_BITS), 11 * second)
    assert forged.faults
    assert forged.energies is None or forged.tick_end <= 11 * second
    after = meter.advance(make_record(2, 10 * second + 2 * length, 217, 10**12), 12 * second)
    assert after.tick_end == first.tick_end + 2 * length
    assert after.energies is not None


def test_after_a_board_that_was_reset_the_timeline_goes_on_and_nothing_registers_twice():
    meter = make_meter()
    first = meter.advance(make_record(70, 5000, 100, 10**12))
    meter.skip(12_345)
    after = meter.advance(make_record(1, 40, 100, 10**12))
    assert after.faults == ()
    assert after.tick_start == first.tick_end + 12_345
    assert after.missing_ticks == 0  # told as an outage
    assert first.energies is not None
    assert after.energies is not None
    assert after.energies.wh - first.energies.wh in (0, 1)
