"""Services against geometry; element equations against closed forms, and the known errors of some of them (M-3)."""

from __future__ import annotations

import cmath
from collections.abc import Callable, Sequence
from fractions import Fraction
from math import acos, cos, degrees, pi, radians, sin, sqrt

import numpy as np
import pytest
from line_records import CHAIN, SAMPLE_HZ, Wave, window_sums

from calibration.constants import nominal
from gateware.record_words import PRODUCTS, WORD_MEANS, Record, RecordFlag
from rig.meter.measuring.elements import (
    FORMS,
    SERVICES,
    TEST_AMPERES,
    UNPUBLISHED,
    ElementEquation,
    FormError,
    Rotation,
    form_named,
    ks_of,
)
from rig.meter.measuring.quantities import Scaling, Sums

STEPS = 720


def phasor(rms: float, degrees: float) -> complex:
    return cmath.rect(rms, radians(degrees))


def registered(equation: ElementEquation, volts: list[complex], amperes: list[complex]) -> float:
    """Real power of sinusoids given as r.m.s. phasors of phases a b c, by the equation."""
    return sum(
        float(e.scale)
        * (
            sum(float(w) * v for w, v in zip(e.volt_weights, volts, strict=True))
            * sum(float(w) * i for w, i in zip(e.ampere_weights, amperes, strict=True)).conjugate()
        ).real
        for e in equation.elements
    )


def true_power(volts: list[complex], amperes: list[complex]) -> float:
    return sum((v * i.conjugate()).real for v, i in zip(volts, amperes, strict=True))


def percent(equation: ElementEquation, volts: list[complex], amperes: list[complex]) -> float:
    return 100 * (registered(equation, volts, amperes) / true_power(volts, amperes) - 1)


# A load with nothing in common between phases.
WYE = [phasor(120, 0), phasor(120, -120), phasor(120, 120)]
UNEQUAL_AMPERES = [phasor(5, -30), phasor(3, -130), phasor(7, 70)]


# By service: what is true, what three or two elements, or fewer, make of it, and by how much that is off.
def wye(v, i):
    return v[0] * i[0] + v[1] * i[1] + v[2] * i[2]


def two_wires(v, i):
    return v[0] * i[0] + v[1] * i[1]


def delta(v, i):
    """The third wire's current is what returns."""
    return v[0] * i[0] + v[1] * (-i[0] - i[2]) + v[2] * i[2]


TRUE = {
    "1-phase 2-wire": lambda v, i: v[0] * i[0],
    "1-phase 3-wire": two_wires,
    "3-wire network": two_wires,
    "3-wire delta": delta,
    "4-wire wye": wye,
    "4-wire delta": wye,
}
TWO_ELEMENTS = {
    "3-wire delta": lambda v, i: (v[0] - v[1]) * i[0] + (v[2] - v[1]) * i[2],
    "3-wire network": two_wires,
    "1-phase 3-wire": two_wires,
}
FIVE_S = TWO_ELEMENTS | {
    "4-wire wye": lambda v, i: v[0] * (i[0] - i[1]) + v[2] * (i[2] - i[1]),
    "4-wire delta": lambda v, i: (v[0] - v[2]) * (i[0] - i[2]) / 2 + v[1] * i[1],
}
TWO_AND_A_HALF = {
    "4-wire wye": lambda v, i: v[0] * i[0] - (v[0] + v[2]) * i[1] + v[2] * i[2],
    "4-wire delta": lambda v, i: (v[0] - v[2]) * (i[0] - i[2]) / 2 + v[1] * i[1],
}
CLOSED_FORMS = {
    (form, service): closed
    for forms, by_service in (
        ("1S 3S", {"1-phase 2-wire": lambda v, i: v[0] * i[0]}),
        ("2S 4S", {"1-phase 3-wire": lambda v, i: (v[0] - v[1]) * (i[0] - i[1]) / 2}),
        ("5S 45S", FIVE_S),
        ("12S 25S", TWO_ELEMENTS),
        ("6S 14S 36S 46S", TWO_AND_A_HALF),
        ("8S 15S", {"4-wire delta": wye}),
        ("9S 16S", {"4-wire wye": wye, "4-wire delta": wye}),
    )
    for form in forms.split()
    for service, closed in by_service.items()
}
OFF_BY = {
    "": lambda v, i: 0 * v[0],
    "Va = -Vb": lambda v, i: -(v[0] + v[1]) * (i[0] + i[1]) / 2,
    "Va + Vb + Vc = 0": lambda v, i: -(v[0] + v[1] + v[2]) * i[1],
    "Va = -Vc": lambda v, i: -(v[0] + v[2]) * (i[0] + i[2]) / 2,
}
"""What a form registers beyond the truth, by the condition under which that is nothing."""


def test_every_equation_has_its_closed_form() -> None:
    assert CLOSED_FORMS.keys() == {(f.name, e.service) for f in FORMS.values() for e in f.equations}


def distorted(phase: int, wave: int) -> list[float]:
    """A cycle with a third, a fifth and an even harmonic, different for every phase and for V and I."""
    shift = -2 * pi * phase / 3 + 0.4 * wave * (phase + 1)
    size = 100 + 7 * phase - 90 * wave
    return [
        size
        * (
            sin(x + shift)
            + 0.10 * (1 + wave) * sin(3 * x + phase)
            + 0.05 * (1 + 5 * wave) * sin(5 * x - shift)
            + 0.02 * cos(2 * x + wave)
        )
        for x in (2 * pi * k / STEPS for k in range(STEPS))
    ]


@pytest.mark.parametrize(("form", "service"), CLOSED_FORMS)
def test_equation_is_the_closed_form_on_a_distorted_unbalanced_load(form, service):
    equation = FORMS[form].equation(service)
    volts = [distorted(p, 0) for p in range(3)]
    amperes = [distorted(p, 1) for p in range(3)]
    for k in range(0, STEPS, 7):
        v = [w[k] for w in volts]
        i = [w[k] for w in amperes]
        by_table = sum(
            float(e.scale)
            * sum(float(w) * x for w, x in zip(e.volt_weights, v, strict=True))
            * sum(float(w) * x for w, x in zip(e.ampere_weights, i, strict=True))
            for e in equation.elements
        )
        assert by_table == pytest.approx(CLOSED_FORMS[form, service](v, i), rel=1e-12, abs=1e-9)


def services(elements: Fraction) -> list[tuple[str, ElementEquation]]:
    return [(f.name, e) for f in FORMS.values() if f.elements == elements for e in f.equations]


@pytest.mark.parametrize(("form", "equation"), services(Fraction(3)))
def test_three_elements_are_exact_whatever_the_voltages(form, equation):
    volts = [phasor(120, 3), phasor(97, -110), phasor(131, 145)]
    assert percent(equation, volts, UNEQUAL_AMPERES) == pytest.approx(0, abs=1e-12)


def test_two_elements_are_exact_on_three_wires():
    """Blondel: the currents of three wires sum to zero, whatever the voltages."""
    volts = [phasor(277, 3), phasor(200, -110), phasor(301, 145)]
    amperes = [*UNEQUAL_AMPERES[:2], -sum(UNEQUAL_AMPERES[:2])]
    for form in ("5S", "12S", "25S", "45S"):
        assert percent(FORMS[form].equation("3-wire delta"), volts, amperes) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("form", "service"), [("6S", "4-wire wye"), ("36S", "4-wire wye"), ("45S", "4-wire wye")])
def test_wye_without_blondel_is_exact_while_voltages_sum_to_zero(form, service):
    volts = [phasor(120, 0), phasor(110, -115)]
    volts.append(-sum(volts))
    assert percent(FORMS[form].equation(service), volts, UNEQUAL_AMPERES) == pytest.approx(0, abs=1e-12)


def test_form_6s_with_vb_3_percent_low():
    """§3: +0.76 % on the unbalanced load of §3, 600 VA at 30°, 360 at 10°, 840 at 50°; balanced, 3/297."""
    equation = FORMS["6S"].equation()
    volts = [WYE[0], WYE[1] * 0.97, WYE[2]]
    assert percent(equation, volts, [v / 24 for v in WYE]) == pytest.approx(100 * 0.03 / 2.97, abs=1e-9)
    assert percent(equation, volts, UNEQUAL_LOAD) == pytest.approx(0.76, abs=0.005)


def test_form_2s_on_unequal_halves():
    """§3: exact while balanced, -0.44 % on 120/118 V, here with 16 A and 5 A: (i2 - i1)/(120 i1 + 118 i2)."""
    equation = FORMS["2S"].equation()
    even = [phasor(120, 0), phasor(120, 180), 0j]
    amperes = [phasor(16, 0), phasor(5, 180), 0j]
    assert percent(equation, even, amperes) == pytest.approx(0, abs=1e-12)
    uneven = [phasor(120, 0), phasor(118, 180), 0j]
    assert percent(equation, uneven, amperes) == pytest.approx(-100 * 11 / 2510, abs=1e-9)
    assert percent(equation, uneven, amperes) == pytest.approx(-0.44, abs=0.005)


def test_form_2s_registers_three_quarters_on_a_network():
    volts = [phasor(120, 0), phasor(120, -120), 0j]
    assert percent(FORMS["2S"].equation(), volts, [v / 10 for v in volts]) == pytest.approx(-25, abs=1e-9)


def test_four_wire_delta_with_two_elements():
    """Exact for any phase currents while the lighting legs are balanced."""
    volts = [phasor(120, 0), phasor(120 * sqrt(3), -90), phasor(120, 180)]
    assert percent(FORMS["45S"].equation("4-wire delta"), volts, UNEQUAL_AMPERES) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("form", ["6S", "14S", "36S", "46S"])
@pytest.mark.parametrize("rotation", [1, -1])
def test_d1_two_and_a_half_elements_on_an_ideal_four_wire_delta(form: str, rotation: int) -> None:
    """D-1, "2.5 element, 4 wire, Y or Δ": lamps on both halves, unequal, and a motor on the three lines.

    The witness is what the loads take, each by itself: V²/R of the lamps, 4800 W of the motor at power factor 0.8.
    """
    volts = [phasor(120, 0), phasor(120 * sqrt(3), -90 * rotation), phasor(120, 180)]
    lamps = [volts[0] / 12, 0j, volts[2] / 40]
    star = [v - sum(volts) / 3 for v in volts]  # against the middle of the three lines, 138.6 V each
    motor = [v / abs(v) * phasor(4800 / (3 * 240 / sqrt(3) * 0.8), -degrees(acos(0.8))) for v in star]
    amperes = [a + b for a, b in zip(lamps, motor, strict=True)]
    taken = 120**2 / 12 + 120**2 / 40 + 4800
    assert registered(FORMS[form].equation("4-wire delta"), volts, amperes) == pytest.approx(taken, rel=1e-12)


def test_d1_the_wrong_equation_on_a_delta_is_far_off() -> None:
    """Lamps of 10 A on A alone, high leg 10 A: as a wye it takes Vb for -(Va + Vc), which is nothing there."""
    volts = [phasor(120, 0), phasor(208, -90), phasor(120, 180)]
    amperes = [phasor(10, 0), phasor(10, -90), 0j]
    assert registered(FORMS["36S"].equation("4-wire delta"), volts, amperes) == pytest.approx(1200 + 2080)
    assert registered(FORMS["36S"].equation("4-wire wye"), volts, amperes) == pytest.approx(1200)


def test_every_equation_says_when_it_is_exact_unless_blondel_does():
    for form in FORMS.values():
        assert len(set(form.services)) == len(form.services)
        for equation in form.equations:
            blondel = len(equation.elements) >= equation.wires - 1 and form.elements.denominator == 1
            assert (equation.exact_when == "") == blondel, (form.name, equation.service)


def test_forms_are_found_in_either_case_and_unknown_ones_listed():
    assert form_named("9s") is FORMS["9S"]
    assert FORMS["9S"].equation() is FORMS["9S"].equation("4-wire wye")
    for form in UNPUBLISHED:
        why = f'form "{form}" cannot be metered, its element equation is not published: choose 1S, .* or 16S'
        with pytest.raises(FormError, match=why):
            form_named(form)
    with pytest.raises(FormError, match="not published"):
        form_named("17s")
    with pytest.raises(FormError, match=r'form "7X" is not known: choose 1S, 3S, .* or 16S'):
        form_named("7X")
    with pytest.raises(FormError, match=r'form 9S does not meter the service "3-wire delta": choose 4-wire'):
        FORMS["9S"].equation("3-wire delta")


# --- the table of services ------------------------------------------------------------------------------

STAR = [phasor(1, 0), phasor(1, -120), phasor(1, 120)]
MIDDLE = (STAR[0] + STAR[2]) / 2
AT_NEUTRAL = {
    "1-phase 2-wire": ([1, None, None], [1, None, None]),
    "1-phase 3-wire": ([1, -1, None], [1, -1, None]),
    "3-wire network": ([*STAR[:2], None], [*STAR[:2], None]),
    "3-wire delta": ([STAR[0] - STAR[1], None, STAR[2] - STAR[1]], STAR),
    "4-wire wye": (STAR, STAR),
    "4-wire delta": ([v - MIDDLE for v in STAR], STAR),
}
"""Voltages against the common point, and the currents of a balanced resistive load, out of one star of phases."""


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize("rotation", Rotation)
def test_expected_phasors_are_those_of_the_star(name: str, rotation: Rotation) -> None:
    service = SERVICES[name]
    volts, amperes = (
        [v if v is None or rotation is Rotation.ABC else complex(v).conjugate() for v in side]
        for side in AT_NEUTRAL[name]
    )
    for k, (expected, v) in enumerate(zip(service.phasors(rotation), volts, strict=True)):
        assert (service.voltages[k] is None) == (v is None)
        assert expected == pytest.approx((v or 0) / volts[0], abs=1e-12)
    for lag, i in zip(service.current_lags, amperes, strict=True):
        if lag is None or i is None:
            assert lag is i
        else:
            turned = -degrees(cmath.phase(i / volts[0])) - lag * rotation.value
            assert (turned + 180) % 360 - 180 == pytest.approx(0, abs=1e-9)
    assert service.phasors(None) == service.phasors(Rotation.ABC)
    assert service.rotates == (service.phases == 3)


def test_services_of_the_notice() -> None:
    """M-3, D-1: elements, wires and service, as the notice lists them, 2.5 elements on a 4-wire delta among them."""
    metered = {(f.elements, e.wires, e.service) for f in FORMS.values() for e in f.equations}
    half, five_halves = Fraction(3, 2), Fraction(5, 2)
    assert {m for m in metered if m[0] != 2 or m[1] != 4} == {
        (1, 2, "1-phase 2-wire"),
        (half, 3, "1-phase 3-wire"),
        (2, 3, "1-phase 3-wire"),
        (2, 3, "3-wire network"),
        (2, 3, "3-wire delta"),
        (five_halves, 4, "4-wire wye"),
        (five_halves, 4, "4-wire delta"),
        (3, 4, "4-wire wye"),
        (3, 4, "4-wire delta"),
    }
    assert {m for m in metered if m[0] == 2 and m[1] == 4} == {(2, 4, "4-wire wye"), (2, 4, "4-wire delta")}
    assert {s.name for s in SERVICES.values()} == {service for _, _, service in metered}


def test_exact_forms_have_the_elements_that_blondel_asks_for() -> None:
    for form in FORMS.values():
        for equation in form.equations:
            if not equation.exact_when:
                assert form.elements == equation.service_type.elements


def test_what_is_sensed_and_whose_current_is_used() -> None:
    def of(form: str, service: str) -> tuple[list[str], str]:
        equation = FORMS[form].equation(service)
        return [e.volts for e in equation.sensed], equation.phases

    assert of("36S", "4-wire wye") == (["a", "c"], "abc")  # the middle voltage is made of the others
    assert of("36S", "4-wire delta") == (["a-c", "b"], "abc")
    assert of("9S", "4-wire wye") == (["a", "b", "c"], "abc")
    assert of("45S", "3-wire delta") == (["a-b", "c-b"], "ac")
    assert of("4S", "1-phase 3-wire") == (["a-b"], "ab")
    assert of("1S", "1-phase 2-wire") == (["a"], "a")


# --- through products and scaling -----------------------------------------------------------------------

WHOLE_CYCLES = 60
SAMPLES = round(SAMPLE_HZ)
CALIBRATION = nominal(Fraction(1000), Fraction(100))
ROUNDING = 1e-6
"""Of the apparent power: 0.3 codes of 1e5 and, uncorrelated, the square root of 650 different samples more."""

VOLTS = (
    Wave(95_000, 0, 40, {2: (0.01, 20), 3: (0.05, 40), 5: (0.06, -70), 7: (0.03, 10)}),
    Wave(101_000, 118, -30, {2: (0.02, 80), 3: (0.04, 15), 5: (0.02, 120), 11: (0.02, 90)}),
    Wave(88_000, 243, 0, {3: (0.07, -60), 5: (0.05, 0), 7: (0.02, 33)}),
)
AMPERES = (
    Wave(90_000, 30, 100, {2: (0.02, 80), 3: (0.30, 100), 5: (0.20, -20), 7: (0.1, 60)}),
    Wave(33_000, 151, 0, {3: (0.40, -10), 5: (0.25, 70), 11: (0.1, 5)}),
    Wave(120_000, 228, -70, {2: (0.1, 5), 3: (0.2, 200), 5: (0.10, 20), 7: (0.05, 170)}),
)


def sums_of(volts: Sequence[Wave], amperes: Sequence[Wave]) -> Sums:
    """One window of whole cycles."""
    turns = WHOLE_CYCLES * np.arange(SAMPLES) / SAMPLES + 0.13
    x = np.rint([w.at(turns) for w in (*volts, *amperes)]).astype(np.int64)
    sums = [int(np.dot(x[a], x[b])) for a, b in PRODUCTS]
    sums += [0] * (WORD_MEANS - 7 - len(PRODUCTS)) + [int(s) for s in x.sum(axis=1)]
    end = SAMPLES * CHAIN.ticks_per_sample
    crossings = RecordFlag.START_CROSSING | RecordFlag.END_CROSSING
    record = Record(0, 1, crossings, 0, end, SAMPLES, WHOLE_CYCLES, -1, 1, 0, 0, 0, 0, tuple(sums))
    return window_sums(record)


def watts_of(equation: ElementEquation, sums: Sums) -> float:
    return sum(Scaling(equation, CALIBRATION, SAMPLE_HZ).readings(sums).p_w)


def by_order(waves: Sequence[Wave], full_scale: float) -> dict[int, list[complex]]:
    """R.m.s. phasors of every order, in volts or amperes."""
    parts = [{1: (1.0, w.lag)} | dict(w.harmonics) for w in waves]
    orders = {h for part in parts for h in part}
    return {
        h: [
            phasor(w.peak / sqrt(2) * full_scale / 2**19 * part.get(h, (0, 0))[0], -part.get(h, (0, 0))[1])
            for w, part in zip(waves, parts, strict=True)
        ]
        for h in orders
    }


def watts_by(closed: Callable, volts: Sequence[Wave], amperes: Sequence[Wave]) -> float:
    v, i = by_order(volts, 1000), by_order(amperes, 100)
    return sum(complex(closed(v[h], [x.conjugate() for x in i[h]])).real for h in v.keys() & i.keys())


@pytest.fixture(scope="module")
def distorted_sums() -> Sums:
    return sums_of(VOLTS, AMPERES)


@pytest.mark.parametrize(("form", "service"), CLOSED_FORMS)
def test_every_form_registers_its_closed_form(form: str, service: str, distorted_sums: Sums) -> None:
    """Unbalanced, with harmonics and DC; and what that is off the truth is what its condition says, else nothing."""
    equation = FORMS[form].equation(service)
    registered = watts_of(equation, distorted_sums)
    volt_amperes = 3 * 120 * 17  # of about that size
    assert registered == pytest.approx(
        watts_by(CLOSED_FORMS[form, service], VOLTS, AMPERES), abs=ROUNDING * volt_amperes
    )
    true = watts_by(TRUE[service], VOLTS, AMPERES)
    off = watts_by(OFF_BY[equation.exact_when], VOLTS, AMPERES)
    assert registered - true == pytest.approx(off, abs=ROUNDING * volt_amperes)
    assert (abs(off) > 0.001 * abs(true)) == bool(equation.exact_when)


def steady(rms: Sequence[complex], full_scale: float) -> list[Wave]:
    return [Wave(abs(x) * sqrt(2) / full_scale * 2**19, -degrees(cmath.phase(x))) for x in rms]


UNEQUAL_VA = [phasor(600, -30), phasor(360, -10), phasor(840, -50)]
UNEQUAL_LOAD = [va / v.conjugate() for v, va in zip(WYE, UNEQUAL_VA, strict=True)]
UNEQUAL_WATTS = 600 * cos(radians(30)) + 0.97 * 360 * cos(radians(10)) + 840 * cos(radians(50))


@pytest.mark.parametrize(
    ("form", "volts", "amperes", "percent_off"),
    [
        # 120 V and 118 V with 16 A and 5 A in phase with them: -11/2510.
        ("2S", [120, -118, 0], [16, -5, 0], -100 * 11 / 2510),
        ("4S", [120, -118, 0], [16, -5, 0], -100 * 11 / 2510),
        # 120/208 V network, resistive load on both phases.
        ("2S", [*WYE[:2], 0], [*[v / 10 for v in WYE[:2]], 0], -25),
        # Vb 3 % low, balanced resistive load: the rest, 0.03, of 2.97.
        ("6S", [WYE[0], WYE[1] * 0.97, WYE[2]], [v / 24 for v in WYE], 100 * 0.03 / 2.97),
        ("36S", [WYE[0], WYE[1] * 0.97, WYE[2]], [v / 24 for v in WYE], 100 * 0.03 / 2.97),
        # The same with 600 VA at 30°, 360 at 10° and 840 at 50°: 0.76 %.
        ("6S", [WYE[0], WYE[1] * 0.97, WYE[2]], UNEQUAL_LOAD, 3 * 360 * cos(radians(10)) / UNEQUAL_WATTS),
        # 4-wire delta, half C 2 % low, with the lighting on A alone: half of the 2 %.
        ("5S", [120, phasor(208, -90), -117.6], [10, 0, 0], -1),
        ("36S delta", [120, phasor(208, -90), -117.6], [10, 0, 0], -1),
        # On both halves alike, 10 A each, nothing is off: what A has too little, C has too much.
        ("6S delta", [120, phasor(208, -90), -117.6], [10, 0, -10], 0),
    ],
)
def test_known_errors_through_products_and_scaling(form, volts, amperes, percent_off) -> None:
    name, _, on_delta = form.partition(" ")
    equation = FORMS[name].equation("4-wire delta" if on_delta or form == "5S" else None)
    volts, amperes = [complex(v) for v in volts], [complex(i) for i in amperes]
    sums = sums_of(steady(volts, 1000), steady(amperes, 100))
    true = true_power(volts, amperes)
    assert watts_of(equation, sums) / true == pytest.approx(1 + percent_off / 100, abs=3 * ROUNDING)


# --- test constant --------------------------------------------------------------------------------------

PLATES = {("45S", 20): "1.2", ("4S", 20): "0.6", ("12S", 200): "14.4", ("36S", 20): "1.8", ("6S", 20): "1.8"}


def test_ks_of_the_legible_plates():
    for (form, current_class), ks in PLATES.items():
        assert ks_of(FORMS[form], current_class).wh == Fraction(ks)
    on_plate = {(f.name, c) for f in FORMS.values() for c in TEST_AMPERES if ks_of(f, c).on_plate}
    assert on_plate == set(PLATES)


def test_inferred_ks():
    """§1.1: 7.2 for a 2S of class 200, 12.0 of class 320, 1.8 for a 9S of class 20, 21.6 for a 16S of 200."""
    assert ks_of(FORMS["2S"], 200).wh == Fraction("7.2")
    assert ks_of(FORMS["2S"], 320).wh == 12
    assert ks_of(FORMS["9S"], 20).wh == Fraction("1.8")
    assert ks_of(FORMS["9S"], 10).wh == Fraction("0.9")
    assert ks_of(FORMS["16S"], 200).wh == Fraction("21.6")
    with pytest.raises(FormError, match="current class 100 is not known: choose 10, 20, 200 or 320"):
        ks_of(FORMS["9S"], 100)
