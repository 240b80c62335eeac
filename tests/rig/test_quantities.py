"""Products without DC, exact energy, and the readings for people, against brute force and closed forms."""

from __future__ import annotations

from cmath import exp
from fractions import Fraction
from itertools import pairwise
from math import cos, gcd, pi, radians, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from line_records import window_sums

from calibration.constants import Calibration, ChannelConstants, nominal
from gateware.record_words import PRODUCTS, WORD_MEANS, Record, RecordFlag
from gateware.registers import CHANNELS
from rig.meter.measuring.elements import FORMS
from rig.meter.measuring.frequency import LineFrequency
from rig.meter.measuring.products import Mean, ac_products
from rig.meter.measuring.quantities import Scaling, Sums

TICKS_PER_SAMPLE = 256
TICK_HZ = Fraction(13_312_500, 4)  # the iCEBreaker's modulator clock
SAMPLE_HZ = TICK_HZ / TICKS_PER_SAMPLE
CROSSINGS = RecordFlag.START_CROSSING | RecordFlag.END_CROSSING
CALIBRATION = nominal(Fraction(700), Fraction(30))


def record_of(samples: np.ndarray, first: int = 0, last: int | None = None, cycles: int = 1) -> Record:
    """The record of samples[:, first:last], as the gateware would send it."""
    last = samples.shape[1] - 1 if last is None else last
    x = samples[:, first:last].astype(object)
    sums = [int(np.dot(x[a], x[b])) for a, b in PRODUCTS]
    sums += [0] * (WORD_MEANS - 7 - len(PRODUCTS)) + [int(s) for s in x.sum(axis=1)]
    return Record(
        sequence=0,
        windows=1,
        flags=CROSSINGS,
        tick_start=(first - 1) * TICKS_PER_SAMPLE,
        tick_end=(last - 1) * TICKS_PER_SAMPLE,
        samples=last - first,
        cycles=cycles,
        before=int(samples[0, last - 1]),
        after=int(samples[0, last]),
        config_digest=0,
        overload=0,
        dead=0,
        oscillator_step=0,
        sums=tuple(sums),
    )


def sinusoids(count: int, hz: float, v_rms=(120, 118, 122), i_rms=(5, 3, 7), lag=(30, -20, 60)) -> np.ndarray:
    """Sample codes of three phases, 120° apart, currents lagging their voltages."""
    t = np.arange(count) / float(SAMPLE_HZ)
    gains = [float(c.gain) for c in CALIBRATION.channels]
    rows = [
        sqrt(2) * v_rms[p] / gains[p] * np.sin(2 * pi * (hz * t - p / 3)) for p in range(3)
    ] + [
        sqrt(2) * i_rms[p] / gains[3 + p] * np.sin(2 * pi * (hz * t - p / 3) - radians(lag[p]))
        for p in range(3)
    ]  # fmt: skip
    return np.rint(rows).astype(np.int64)


codes = st.integers(-(2**19), 2**19 - 1)
blocks = st.lists(st.tuples(*[codes] * CHANNELS), min_size=2, max_size=12).map(lambda rows: np.array(rows).T)
means = st.tuples(*[st.fractions(-1000, 1000, max_denominator=500)] * CHANNELS)
calibrations = st.builds(
    lambda gains: Calibration(tuple(ChannelConstants(g) for g in gains), "x", "", False, "x"),
    st.tuples(*[st.decimals("0.00001", "0.1", places=12).map(Fraction)] * CHANNELS),
)
equations = st.sampled_from([(f.name, e) for f in FORMS.values() for e in f.equations])


@given(blocks, means)
def test_products_without_a_given_mean_are_exact_to_one_rounding(samples, mean):
    products = ac_products(record_of(samples), Mean.of_codes(mean))
    x = [[int(c) - m for c in row[:-1]] for row, m in zip(samples, mean, strict=True)]
    exact = [sum(p * q for p, q in zip(x[a], x[b], strict=True)) for a, b in PRODUCTS]
    assert list(products) == [round(e) for e in exact]  # Python rounds a Fraction half to even


@given(blocks, st.tuples(*[st.integers(-1000, 1000)] * CHANNELS))
def test_dc_changes_no_product_of_a_whole_window(samples, dc):
    shifted = samples + np.array(dc)[:, None]
    plain, moved = record_of(samples), record_of(shifted)
    assert ac_products(plain, Mean.of_record(plain)) == ac_products(moved, Mean.of_record(moved))


@given(blocks, means, st.data())
def test_parts_of_a_window_add_up_to_it(samples, mean, data):
    """With one mean for both parts; each of three roundings is at most a half."""
    cut = data.draw(st.integers(1, samples.shape[1] - 1))
    dc = Mean.of_codes(mean)
    whole = ac_products(record_of(samples), dc)
    first, second = ac_products(record_of(samples, 0, cut), dc), ac_products(record_of(samples, cut), dc)
    assert all(abs(a + b - c) <= 1 for a, b, c in zip(first, second, whole, strict=True))


def test_mean_of_a_window():
    record = record_of(np.array([[1, 2, 0]] * 6))
    assert Mean.of_record(record).codes() == (Fraction(3, 2),) * 6


@given(blocks, calibrations, equations)
def test_energy_is_exact_for_every_form(samples, calibration, form):
    _, equation = form
    scaling = Scaling(equation, calibration, SAMPLE_HZ)
    x = [[c.gain * int(k) for k in row[:-1]] for c, row in zip(calibration.channels, samples, strict=True)]
    zero = Mean((0,) * CHANNELS, 1)
    for element, units in zip(equation.elements, scaling.energy(ac_products(record_of(samples), zero)), strict=True):
        joules = sum(
            element.scale
            * sum(w * x[c][k] for c, w in enumerate(element.volt_weights))
            * sum(w * x[3 + c][k] for c, w in enumerate(element.ampere_weights))
            for k in range(len(x[0]))
        ) / SAMPLE_HZ  # fmt: skip
        assert Fraction(units, scaling.units_per_wh) == joules / 3600


@given(calibrations, equations)
def test_unit_of_energy_is_no_finer_than_needed(calibration, form):
    scaling = Scaling(form[1], calibration, SAMPLE_HZ)
    ones = [tuple(int(k == j) for j in range(len(PRODUCTS))) for k in range(len(PRODUCTS))]
    units = [u for products in ones for u in scaling.energy(products)]
    assert gcd(scaling.units_per_wh, *units) == 1


def test_readings_of_sinusoids():
    """Sixty whole cycles: only the rounding to codes remains, 0.3 codes r.m.s. in at least 7e4."""
    count = int(SAMPLE_HZ)
    samples = sinusoids(count + 1, 60.0 * float(SAMPLE_HZ) / count)
    record = record_of(samples, cycles=60)
    readings = Scaling(FORMS["9S"].equation(), CALIBRATION, SAMPLE_HZ).readings(window_sums(record))
    assert readings.seconds == pytest.approx(count / float(SAMPLE_HZ), rel=1e-15)
    assert readings.v_rms == pytest.approx((120, 118, 122), rel=1e-6)
    assert readings.i_rms == pytest.approx((5, 3, 7), rel=1e-6)
    turns = [radians(120 * p + lag) for p, lag in enumerate((30, -20, 60))]
    neutral = sum(amps * exp(-1j * turn) for amps, turn in zip((5, 3, 7), turns, strict=True))
    assert readings.neutral_a == pytest.approx(abs(neutral), rel=1e-6)
    assert readings.s_va == pytest.approx((600, 354, 854), rel=1e-6)
    assert readings.p_w == pytest.approx((600 * cos(pi / 6), 354 * cos(pi / 9), 854 * cos(pi / 3)), rel=1e-6)


def test_volt_amperes_belong_to_the_elements():
    """A 2S sees 240 V line to line and the sum of the two line currents, halved."""
    count = int(SAMPLE_HZ)
    samples = sinusoids(count + 1, 60.0 * float(SAMPLE_HZ) / count)
    samples[1], samples[4] = -samples[0], -samples[3]
    record = record_of(samples)
    readings = Scaling(FORMS["2S"].equation(), CALIBRATION, SAMPLE_HZ).readings(window_sums(record))
    assert readings.p_w == pytest.approx((2 * 600 * cos(pi / 6),), rel=1e-6)
    assert readings.s_va == pytest.approx((2 * 600,), rel=1e-6)


def test_silence_reads_zero():
    scaling = Scaling(FORMS["6S"].equation(), CALIBRATION, SAMPLE_HZ)
    for samples in (0, 1):
        readings = scaling.readings(Sums(samples))
        assert {*readings.v_rms, *readings.i_rms, *readings.p_w, *readings.s_va, readings.neutral_a} == {0.0}
        assert readings.q_var is readings.q1_var is readings.lag_deg is readings.tdr is readings.td_va is None


def test_run_is_the_sum_of_its_windows_exactly():
    scaling = Scaling(FORMS["9S"].equation(), CALIBRATION, SAMPLE_HZ)
    run = Sums()
    samples = sinusoids(2001, 60.0)
    zero = Mean((0,) * CHANNELS, 1)
    units = [0, 0, 0]
    for first in range(0, 2000, 250):
        record = record_of(samples, first, first + 250)
        products = ac_products(record, zero)
        run += window_sums(record, zero)
        units = [u + e for u, e in zip(units, scaling.energy(products), strict=True)]
    whole = record_of(samples)
    assert scaling.readings(run) == scaling.readings(window_sums(whole, zero))
    assert scaling.energy(ac_products(whole, zero)) == tuple(units)


@pytest.mark.parametrize("hz", [47.0, 49.986, 60.0, 62.5])
def test_frequency_from_crossings(hz):
    """Two ends of a window, each off by at most half a code in the slope at the crossing and by the chord."""
    samples = sinusoids(14_000, hz)
    v = samples[0]
    ends = np.flatnonzero((v[:-1] < 0) & (v[1:] >= 0)) + 1
    line = LineFrequency(TICK_HZ, TICKS_PER_SAMPLE)
    assert line.mean_hz is None
    step = 2 * pi * hz / float(SAMPLE_HZ)
    crossing = 0.5 / (np.abs(v).max() * step) * hz / float(SAMPLE_HZ) + 0.016 * step**3 / (2 * pi)
    seen = []
    for first, last in pairwise(ends):
        reading = line.advance(record_of(samples, int(first), int(last)), follows=bool(seen))
        seen.append(reading)
        assert reading is None or abs(reading - hz) < 2 * crossing * hz
    assert seen[0] is None  # it began at a crossing, but where is not known
    assert None not in seen[1:]
    assert abs(line.mean_hz - hz) < 2 * crossing * hz / (len(seen) - 1)


def test_frequency_of_joined_windows_and_after_a_gap():
    samples = sinusoids(3000, 60.0)
    v = samples[0]
    ends = [int(k) for k in np.flatnonzero((v[:-1] < 0) & (v[1:] >= 0)) + 1]
    line = LineFrequency(TICK_HZ, TICKS_PER_SAMPLE)
    line.advance(record_of(samples, ends[0], ends[1]), follows=False)
    joined = line.advance(record_of(samples, ends[1], ends[5], cycles=4), follows=True)
    assert joined == pytest.approx(60, abs=1e-4)
    assert line.advance(record_of(samples, ends[6], ends[7]), follows=False) is None
    assert line.advance(record_of(samples, ends[7], ends[8]), follows=True) == pytest.approx(60, abs=1e-4)
    assert line.mean_hz == pytest.approx(60, abs=1e-4)
