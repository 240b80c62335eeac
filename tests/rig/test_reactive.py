"""Var by quarter-cycle delay: exact arithmetic, the definition from 45 to 65 Hz, every window turned once."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import cos, pi, sin

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from line_records import CHAIN, SAMPLE_HZ, Wave, delay_samples, delay_turn, powers, records, summed

from calibration.constants import nominal
from gateware.record_words import PRODUCTS, WORD_DELAYED, Record, RecordFlag
from gateware.registers import CHANNELS, Channel, td_delay
from rig.meter.measuring.elements import FORMS
from rig.meter.measuring.products import NONE, Mean, ac_products
from rig.meter.measuring.quantities import Scaling, Sums
from rig.meter.measuring.reactive import QUARTER, TURN_BITS, Quadrature, Turn, td_products

PEAK = 2.0**18
LAGS = (0.0, 60.0, -36.8698976458)  # PF 1, 0.5 lag, 0.8 lead
VOLT_HARMONICS = {2: (0.01, 20), 3: (0.05, 40), 5: (0.06, -70), 7: (0.03, 10), 11: (0.02, 90), 49: (0.005, 80)}
AMPERE_HARMONICS = {2: (0.02, 80), 3: (0.30, 100), 5: (0.20, -20), 7: (0.1, 60), 11: (0.05, 10), 49: (0.01, 10)}
PLACES = [PRODUCTS.index((Channel(k), Channel(3 + k))) for k in range(3)]
POWER_PLACES = [k for k, (v, i) in enumerate(PRODUCTS) if v < 3 <= i]


def load(distorted: bool, amperes: float = PEAK) -> list[Wave]:
    """Three phases 120° apart, each at another power factor, with DC."""
    v, i = (VOLT_HARMONICS, AMPERE_HARMONICS) if distorted else ({}, {})
    return [Wave(PEAK, 120 * k, 130.0, v) for k in range(3)] + [
        Wave(amperes, 120 * k + LAGS[k], 100.0, i) for k in range(3)
    ]


@pytest.mark.parametrize("distorted", [False, True], ids=["sine", "harmonics"])
@pytest.mark.parametrize("hz", [45.0, 50.0, 55.0, 60.0, 65.0])
def test_var_within_a_hundredth_of_a_percent(hz: float, distorted: bool) -> None:
    """Issue 3: Q(td) within 0.01 % from 45 to 65 Hz, over ten seconds; at PF 1 of the apparent power."""
    waves = load(distorted)
    sums, _ = summed(records(waves, hz, 10))
    assert sums.reactive_samples == sums.samples
    theta = delay_turn(hz)
    for place, v, i in zip(PLACES, waves[:3], waves[3:], strict=True):
        by_order = powers(v, i)
        defined = sum(
            (s.real * (cos(h * theta) - cos(theta)) + s.imag * sin(h * theta)) / sin(theta) for h, s in by_order.items()
        )
        of = abs(by_order[1].imag) or abs(by_order[1])
        assert abs(sums.reactive[place] / sums.reactive_samples - defined) < 1e-4 * of


@pytest.mark.parametrize("hz", [49.0, 50.0, 51.0, 59.5, 60.0, 60.5])
def test_harmonics_in_phase_are_next_to_no_vars_at_50_hz_as_at_60(hz: float) -> None:
    """A-6: 3 % of the third harmonic in the volts and 30 % in the amperes, all in phase: no vars by a quarter cycle;
    with the delay of 60 Hz it was −0.88 % of S at 50 Hz. What is left is P₃·(cos 3θ − cos θ)/sin θ: by 4·P₃ for each
    radian that the delay is not 90° of the line, 0.063 % of S for each degree."""
    waves = [Wave(PEAK, 120 * k, 0, {3: (0.03, 0)}) for k in range(3)]
    waves += [Wave(PEAK, 120 * k, 0, {3: (0.30, 0)}) for k in range(3)]
    sums, _ = summed(records(waves, hz, 5))
    for place in PLACES:
        vars_ = sums.reactive[place] / (PEAK**2 / 2 * sums.samples)
        assert abs(vars_) < 1e-4 + 0.064e-2 * abs(np.degrees(delay_turn(hz)) - 90)
    assert abs(np.degrees(delay_turn(hz)) - 90) < 2


def test_a_record_tells_its_delay() -> None:
    """By its oscillator's step: up to 54 Hz that of 50 Hz, where there is none that of 60 Hz."""
    for hz, delay in ((0.0, 54), (45.0, 65), (50.0, 65), (53.9, 65), (54.2, 54), (60.0, 54), (65.0, 54)):
        assert td_delay(54, round(hz / float(SAMPLE_HZ) * 2**32)) == delay
    assert [td_delay(54, step) for step in ((1 << 20) - 1, 1 << 20, (17 << 20) - 1, 17 << 20)] == [54, 65, 65, 54]


def test_records_of_either_delay_that_wait_together_are_turned_each_by_its_own() -> None:
    quadrature = Quadrature(CHAIN.quarter, SAMPLE_HZ)
    sixty, fifty = (round(hz / float(SAMPLE_HZ) * 2**32) for hz in (60, 50))
    expected = 0
    for step, hz, product in ((sixty, None, 10**9), (fifty, None, 10**10), (fifty, 50.1, 10**8)):
        sums = [0] * 57
        sums[WORD_DELAYED - 7 + 3 * Channel.I1] = product
        record = replace(record_with(sums, 100, CROSSING), oscillator_step=step)
        made, _, samples = quadrature.advance(record, td_products(record, ZERO), NONE, hz)
        turn = Turn.of(50.1, float((54 if step == sixty else 65) / SAMPLE_HZ))
        assert turn is not None
        expected += product / turn.sin * 2**TURN_BITS
    assert samples == 300
    assert made[PLACES[0]] == pytest.approx(expected, abs=1)


def test_lagging_is_positive() -> None:
    sums, _ = summed(records(load(False), 60.0, 1))
    one, lagging, leading = (sums.reactive[place] / (PEAK**2 / 2 * sums.samples) for place in PLACES)
    assert (one, lagging, leading) == pytest.approx((0, sin(pi / 3), -0.6), abs=1e-4)


sums64 = st.integers(-(2**46), 2**46)
dc = st.tuples(*[st.fractions(-1000, 1000, max_denominator=500)] * CHANNELS)


def record_with(sums: list[int], samples: int = 217, flags: RecordFlag = RecordFlag.END_TIMED) -> Record:
    return Record(0, 1, flags, 0, samples * 256, samples, 1, -1, 1, 0, 0, 0, 0, tuple(sums))


@given(st.lists(sums64, min_size=57, max_size=57), dc, st.integers(1, 1000))
def test_delayed_products_without_dc_are_rounded_once(sums: list[int], means: tuple[Fraction, ...], n: int) -> None:
    record = record_with(sums, n)
    made = td_products(record, Mean.of_codes(means))
    for place, (v, i) in enumerate(PRODUCTS):
        exact = Fraction(0)
        if place in POWER_PLACES:
            ones = means[v] * record.mean_sum(i) + means[i] * record.mean_sum(v)
            exact = record.sums[WORD_DELAYED - 7 + 3 * i + v] - ones + n * means[v] * means[i]
        assert made[place] == round(exact)


@given(st.lists(sums64, min_size=42, max_size=42), st.floats(21, 100))
def test_turned_products_are_rounded_once(values: list[int], hz: float) -> None:
    delayed, products = tuple(values[:21]), tuple(values[21:])
    turn = Turn.of(hz, float(CHAIN.quarter / SAMPLE_HZ))
    assert turn is not None
    turned = turn.reactive(delayed, products)
    cosine, sine = (Fraction(x, 2**TURN_BITS) for x in (turn.cos, turn.sin))
    for place in range(len(PRODUCTS)):
        exact = (delayed[place] - products[place] * cosine) / sine if place in POWER_PLACES else Fraction(0)
        assert turned[place] == round(exact)


def test_cosine_and_sine_are_those_of_the_delay() -> None:
    for hz in (45.0, 59.9, 65.0):
        turn = Turn.of(hz, float(delay_samples(hz) / SAMPLE_HZ))
        assert turn is not None
        assert turn.cos / 2**TURN_BITS == pytest.approx(cos(delay_turn(hz)), abs=2**-TURN_BITS)
        assert turn.sin / 2**TURN_BITS == pytest.approx(sin(delay_turn(hz)), abs=2**-TURN_BITS)


@pytest.mark.parametrize("hz", [0.0, 15.0, 110.0, 240.0, 420.0])
def test_what_cannot_be_a_line_frequency_turns_nothing(hz: float) -> None:
    assert Turn.of(hz, float(CHAIN.quarter / SAMPLE_HZ)) is None


ZERO = Mean((0,) * CHANNELS, 1)
CROSSING = RecordFlag.END_CROSSING


@given(
    st.lists(
        st.tuples(
            st.sampled_from([RecordFlag.END_TIMED, CROSSING, RecordFlag.END_COMMANDED]),
            st.none() | st.floats(45, 65),
            st.integers(-(2**40), 2**40),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_every_window_is_turned_once(windows: list[tuple[RecordFlag, float | None, int]]) -> None:
    """A current that draws only vars: C_d alone is turned, so what comes out is what went in over sin θ."""
    quadrature = Quadrature(CHAIN.quarter, SAMPLE_HZ)
    known: Turn | None = None
    waiting: list[int] = []
    for flags, hz, product in windows:
        sums = [0] * 57
        sums[WORD_DELAYED - 7 + 3 * Channel.I1] = product
        record = record_with(sums, 100, flags)
        made, _, samples = quadrature.advance(record, td_products(record, ZERO), NONE, hz)
        waiting.append(product)
        if hz is not None:
            known = Turn.of(hz, float(CHAIN.quarter / SAMPLE_HZ))
        if known is None and flags is CROSSING:
            assert (made, samples) == (NONE, 0)
        else:
            assert samples == 100 * len(waiting)
            assert made[PLACES[0]] == round(Fraction(sum(waiting) << TURN_BITS, (known or QUARTER).sin))
            waiting = []


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_equation_takes_vars_as_it_takes_watts(form) -> None:
    """An element's vars are what the equation makes of its current and its voltage a quarter cycle ago."""
    rng = np.random.default_rng(3)
    samples = rng.integers(-(2**19), 2**19, (CHANNELS, 50)).astype(object)
    delayed = rng.integers(-(2**19), 2**19, (3, 50)).astype(object)
    sums = [0] * 57
    for c in Channel:
        for k in range(3):
            sums[WORD_DELAYED - 7 + 3 * c + k] = int(np.dot(samples[c], delayed[k]))
    reactive = QUARTER.reactive(td_products(record_with(sums), ZERO), NONE)
    shifted = np.concatenate([delayed, samples[3:]])
    watts = tuple(int(np.dot(shifted[a], shifted[b])) for a, b in PRODUCTS)
    for equation in form.equations:
        scaling = Scaling(equation, nominal(Fraction(700), Fraction(30)), SAMPLE_HZ)
        assert scaling.energy(reactive) == scaling.energy(watts)


BALANCED = [Wave(PEAK, 120 * k) for k in range(3)] + [Wave(PEAK / 4, 120 * k + 50) for k in range(3)]


@pytest.mark.parametrize("form", ["5S", "9S", "36S"])
def test_forms_agree_on_a_balanced_load(form: str) -> None:
    """2, 2½ and 3 elements: ΣP, ΣQ, and VA both ways; 5S in a wye by Va(Ia − Ib) + Vc(Ic − Ib)."""
    sums, _ = summed(records(BALANCED, 59.0, 5))
    calibration = nominal(Fraction(1000), Fraction(100))
    readings = Scaling(FORMS[form].equation("4-wire wye"), calibration, SAMPLE_HZ).readings(sums)
    assert readings.q_var is not None
    assert readings.td_va is not None
    va = 3 * 500 * 12.5 / 2  # from peaks
    assert sum(readings.p_w) == pytest.approx(va * cos(50 * pi / 180), rel=2e-5)
    assert sum(readings.q_var) == pytest.approx(va * sin(50 * pi / 180), rel=2e-5)
    assert readings.td_va == pytest.approx(va, rel=2e-5)
    # Two elements take line currents of √3, and so more VA rms than flows.
    assert readings.rms_va == pytest.approx(va * (2 / 3**0.5 if form == "5S" else 1), rel=2e-5)


def test_vectorial_and_arithmetic_apparent_power_differ_where_phases_do() -> None:
    sums, _ = summed(records(load(False), 60.0, 5))
    readings = Scaling(FORMS["9S"].equation(), nominal(Fraction(1000), Fraction(100)), SAMPLE_HZ).readings(sums)
    phase_va = 500 * 50 / 2
    total = phase_va * (1 + np.exp(1j * pi / 3) + 0.8 - 0.6j)
    assert readings.rms_va == pytest.approx(3 * phase_va, rel=2e-5)
    assert readings.td_va == pytest.approx(abs(total), rel=2e-5)


def test_a_build_without_delayed_products_has_no_vars() -> None:
    (record, *_) = records(load(False), 60.0, 0.1)
    products = ac_products(replace(record, sums=(*record.sums[:21], *[0] * 36)), ZERO)
    readings = Scaling(FORMS["9S"].equation(), nominal(Fraction(1000), Fraction(100)), SAMPLE_HZ).readings(
        Sums(record.samples, products)
    )
    assert readings.q_var is readings.td_va is None
