"""The fundamental of every channel: watts, vars, angles, distortion, and the oscillator that follows the line."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import pi

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from line_records import CHAIN, SAMPLE_HZ, Wave, powers, records, summed
from test_reactive import PEAK, PLACES, load

from calibration.constants import nominal
from gateware.record_words import OSCILLATOR_AMPLITUDE, PRODUCTS, WORD_MEANS, WORD_PHASORS, Record, RecordFlag
from gateware.registers import BY_NAME, CHANNELS, Channel
from rig.meter.measuring.elements import FORMS
from rig.meter.measuring.fundamental import NO_FUNDAMENTAL, OFF_LINE, FundamentalFit
from rig.meter.measuring.oscillator import DEAD_BAND, tracking_step
from rig.meter.measuring.products import Mean, ac_products
from rig.meter.measuring.quantities import Readings, Scaling, Sums

FIT = FundamentalFit(SAMPLE_HZ)
SIXTY = BY_NAME["OSCILLATOR_STEP"].reset or 0


def readings(sums: Sums) -> Readings:
    return Scaling(FORMS["9S"].equation(), nominal(Fraction(1000), Fraction(100)), SAMPLE_HZ).readings(sums)


def record_of(samples: np.ndarray, step: int) -> Record:
    """The record of whole samples (6, n), with an oscillator of exact cosine and sine, rounded."""
    x = samples.astype(object)
    turns = np.arange(samples.shape[1]) * step % 2**32 / 2**32
    wheel = [
        np.rint(OSCILLATOR_AMPLITUDE * f(2 * pi * turns)).astype(np.int64).astype(object) for f in (np.cos, np.sin)
    ]
    sums = [int(np.dot(x[a], x[b])) for a, b in PRODUCTS] + [0] * 36
    for c in Channel:
        sums[WORD_PHASORS - 7 + 2 * c : WORD_PHASORS - 5 + 2 * c] = [
            int(np.dot(x[c], w.astype(np.int64))) for w in wheel
        ]
        sums[WORD_MEANS - 7 + c] = int(x[c].sum())
    n = samples.shape[1]
    return Record(0, 1, RecordFlag(3), 0, n * 256, n, 1, -1, 1, 0, 0, 0, step, tuple(sums))


@given(
    st.integers(120, 900),
    st.floats(45, 65),
    st.floats(-0.9 * OFF_LINE, 0.9 * OFF_LINE),
    st.tuples(*[st.floats(0, 360)] * CHANNELS),
)
def test_sines_are_found_in_any_window(n: int, hz: float, off: float, lags: tuple[float, ...]) -> None:
    """Not whole cycles, oscillator beside the line, DC: only the rounding to codes is left, 0.3 of 2**18 in each
    sample, magnified where the window is little more than half a cycle."""
    turns = hz / float(SAMPLE_HZ) * np.arange(n)
    waves = [Wave(PEAK, lag, 1000.0) for lag in lags]
    record = record_of(
        np.rint([w.at(turns) for w in waves]).astype(np.int64), round(hz * (1 + off) / float(SAMPLE_HZ) * 2**32)
    )
    dc = Mean((1000,) * CHANNELS, 1)
    found = FIT.of(record, dc, ac_products(record, dc), hz)
    assert found.samples == n
    phasors = PEAK * np.exp(-1j * np.radians(lags))
    for place, (a, b) in enumerate(PRODUCTS):
        true = n / 2 * phasors[a] * phasors[b].conjugate()
        assert abs(complex(found.along[place], found.across[place]) - true) < 2e-5 * n / 2 * PEAK**2
    # What a sine leaves of its own square is the rounding to codes and to the oscillator's.
    assert all(abs(rest) < 1e-5 * n / 2 * PEAK**2 for rest in found.rest)


@pytest.mark.parametrize("distorted", [False, True], ids=["sine", "harmonics"])
@pytest.mark.parametrize("hz", [45.0, 50.0, 55.0, 59.98, 60.0, 65.0])
def test_fundamental_power_within_a_hundredth_of_a_percent(hz: float, distorted: bool) -> None:
    """Issue 3: Q1 within 0.01 % from 45 to 65 Hz, over ten seconds; at PF 1 of the apparent power. P1 likewise."""
    waves = load(distorted)
    sums, _ = summed(records(waves, hz, 10))
    first = sums.fundamental
    assert first.samples > 0.99 * sums.samples
    for place, v, i in zip(PLACES, waves[:3], waves[3:], strict=True):
        true = powers(v, i)[1]
        assert abs(first.across[place] / first.samples - true.imag) < 1e-4 * (abs(true.imag) or abs(true))
        assert abs(first.along[place] / first.samples - true.real) < 1e-4 * true.real


@pytest.mark.parametrize("hz", [50.0, 60.0])
def test_angles_and_distortion(hz: float) -> None:
    """Angles of all channels lagging from V1; distortion of all above the fundamental, over ten seconds."""
    waves = load(True)
    seen = readings(summed(records(waves, hz, 10))[0])
    assert seen.lag_deg is not None
    assert seen.tdr is not None
    for lag, tdr, wave in zip(seen.lag_deg, seen.tdr, waves, strict=True):
        assert abs((lag - wave.lag + 180) % 360 - 180) < 0.001
        assert 0 <= lag < 360
        assert tdr == pytest.approx((wave.square() / wave.peak**2 * 2 - 1) ** 0.5, abs=1e-4)


@pytest.mark.parametrize("hz", [45.0, 50.0, 60.0, 60.3])
def test_a_sine_has_next_to_no_distortion(hz: float) -> None:
    """The oscillator begins anew with each record, so its rounding to 18 bits is the same in all: some 5e-7 of the
    amplitude, 1e-6 of the square, which is a distortion of 0.1 %."""
    seen = readings(summed(records(load(False), hz, 1))[0])
    assert seen.tdr is not None
    assert max(seen.tdr) < 2e-3


def test_a_dc_that_is_not_known_yet_is_no_distortion() -> None:
    """A window's own mean beyond the DC known so far: 500 codes, over four whole cycles. What is left is that of a sine
    (below: less than 0.002 of it, here 0.0007), a fourteenth of what the DC would add."""
    hz = float(4 * SAMPLE_HZ / 868)
    turns = hz / float(SAMPLE_HZ) * np.arange(868)
    record = record_of(
        np.rint([Wave(PEAK, 60.0 * c, 500.0).at(turns) for c in range(CHANNELS)]).astype(np.int64), SIXTY
    )
    known = Mean((0,) * CHANNELS, 1)
    found = FIT.of(record, known, ac_products(record, known), hz)
    assert found.samples == 868
    assert max(map(abs, found.rest)) < 868 * 500**2 / 10


def test_no_angle_or_distortion_without_a_fundamental() -> None:
    """One of 0.9 codes comes as codes of ±1, whose fundamental is 4/π·√(1 − (0.5/0.9)²) = 1.06, 0.75 r.m.s. (I-6)."""
    waves = [Wave(PEAK), Wave(0, 0, 12.0), Wave(PEAK, 240), Wave(0), Wave(0.9, 120), Wave(20, 300)]
    seen = readings(summed(records(waves, 60.0, 1))[0])
    assert seen.lag_deg is not None
    assert seen.tdr is not None
    assert [lag is None for lag in seen.lag_deg] == [tdr is None for tdr in seen.tdr]
    assert [lag is None for lag in seen.lag_deg] == [False, True, False, True, True, False]
    assert seen.lag_deg[5] == pytest.approx(300, abs=0.1)  # 20 codes, each rounded


def test_no_angles_without_va() -> None:
    """Windows follow V1 here, so it takes a record without it."""
    (record, *_) = records([Wave(PEAK), *load(False)[1:]], 60.0, 0.1, steer=False)
    quiet = [0, 0, *record.sums[WORD_PHASORS - 5 :]]
    record = replace(record, sums=(*record.sums[: WORD_PHASORS - 7], *quiet))
    mean = Mean.of_record(record)
    fundamental = FIT.of(record, replace(mean, sums=(0, *mean.sums[1:])), ac_products(record, mean), 60.0)
    seen = readings(Sums(fundamental=fundamental))
    assert seen.lag_deg == (None,) * 6
    assert seen.tdr is not None
    assert seen.tdr[1] is not None


def test_fundamental_power_belongs_to_the_elements() -> None:
    """5S on a three-wire delta: Vab·Ia + Vcb·Ic is the three phases' power, of watts and of vars."""
    sums, _ = summed(records(load(False)[:3] + [Wave(PEAK / 4, 120 * k + 40) for k in range(3)], 60.0, 2))
    calibration = nominal(Fraction(1000), Fraction(100))
    three = Scaling(FORMS["9S"].equation(), calibration, SAMPLE_HZ).readings(sums)
    two = Scaling(FORMS["5S"].equation("3-wire delta"), calibration, SAMPLE_HZ).readings(sums)
    for by_three, by_two in ((three.p1_w, two.p1_w), (three.q1_var, two.q1_var)):
        assert by_three is not None
        assert by_two is not None
        assert sum(by_two) == pytest.approx(sum(by_three), rel=1e-6)


def test_neutral_current() -> None:
    """Third harmonics add up in the neutral, fundamentals of a balanced load cancel."""
    waves = [Wave(PEAK, 120 * k) for k in range(3)] + [Wave(PEAK / 4, 120 * k, 0.0, {3: (0.2, 0.0)}) for k in range(3)]
    seen = readings(summed(records(waves, 60.0, 5))[0])
    assert seen.neutral_a == pytest.approx(3 * 0.2 * 12.5 / 2**0.5, rel=1e-4)


RECORD = records(load(True), 60.0, 0.1)[1]
MEAN = Mean.of_record(RECORD)


@pytest.mark.parametrize(
    ("step", "hz"),
    [(SIXTY, None), (0, 60.0), (SIXTY, 60 * (1 + 1.1 * OFF_LINE)), (SIXTY, 60 * (1 - 1.1 * OFF_LINE))],
    ids=["no frequency", "no oscillator", "line faster", "line slower"],
)
def test_no_fundamental_where_it_would_be_wrong(step: int, hz: float | None) -> None:
    record = replace(RECORD, oscillator_step=step)
    assert FIT.of(record, MEAN, ac_products(record, MEAN), hz) is NO_FUNDAMENTAL


def test_no_fundamental_of_a_long_record_that_the_oscillator_slips_in() -> None:
    """Over 1000 cycles 0.03 % off is 0.3 of a turn: were the line not quite steady, they would cancel."""
    record = replace(RECORD, samples=217_014)
    products = ac_products(RECORD, MEAN)
    assert FIT.of(record, MEAN, products, 60 * 1.0003) is NO_FUNDAMENTAL
    assert FIT.of(record, MEAN, products, 60 * 1.0002).samples == 217_014


def test_an_oscillator_that_does_not_follow_is_wrong() -> None:
    """Harmonics leak (docs/decisions/016-oscillator.md), here at 59.75 Hz, still near enough to be used."""
    waves = load(True)
    errors = []
    for steer in (True, False):
        first = summed(records(waves, 59.75, 10, steer=steer))[0].fundamental
        true = powers(waves[1], waves[4])[1].imag
        errors.append(abs(first.across[PLACES[1]] / first.samples / true - 1))
    assert errors[0] < 2e-5
    assert errors[1] > 2e-4


@given(st.floats(45, 65), st.floats(45, 65))
def test_steering_has_a_dead_band(before: float, hz: float) -> None:
    step = tracking_step(0, before, SAMPLE_HZ)
    assert step == pytest.approx(before / float(SAMPLE_HZ) * 2**32, abs=0.5)
    following = tracking_step(step, hz, SAMPLE_HZ)
    if abs(before / hz - 1) > 1.001 * DEAD_BAND:
        assert following == tracking_step(0, hz, SAMPLE_HZ)
    elif abs(before / hz - 1) < 0.999 * DEAD_BAND:
        assert following == step
    assert 0 < following < 1 << BY_NAME["OSCILLATOR_STEP"].width


def test_the_register_begins_at_sixty() -> None:
    assert tracking_step(SIXTY, 60.0, SAMPLE_HZ) == SIXTY
    assert CHAIN.quarter * 4 * 60 == pytest.approx(float(SAMPLE_HZ), rel=0.01)
