"""Element equations against the closed forms and the known errors of facts/meter-domain.md §3."""

from __future__ import annotations

import cmath
from fractions import Fraction
from math import cos, pi, radians, sin, sqrt

import pytest

from rig.meter.elements import FORMS, TEST_AMPERES, ElementEquation, FormError, form_named, ks_of

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

CLOSED_FORMS = {
    ("1S", "1-phase 2-wire"): lambda v, i: v[0] * i[0],
    ("2S", "1-phase 3-wire"): lambda v, i: (v[0] - v[1]) * (i[0] - i[1]) / 2,
    ("45S", "3-wire delta"): lambda v, i: (v[0] - v[1]) * i[0] + (v[2] - v[1]) * i[2],
    ("45S", "3-wire network"): lambda v, i: v[0] * i[0] + v[1] * i[1],
    ("45S", "4-wire wye"): lambda v, i: v[0] * (i[0] - i[1]) + v[2] * (i[2] - i[1]),
    ("45S", "4-wire delta"): lambda v, i: (v[0] - v[2]) * (i[0] - i[2]) / 2 + v[1] * i[1],
    ("12S", "3-wire network"): lambda v, i: v[0] * i[0] + v[1] * i[1],
    ("25S", "1-phase 3-wire"): lambda v, i: v[0] * i[0] + v[1] * i[1],
    ("6S", "4-wire wye"): lambda v, i: v[0] * (i[0] - i[1]) + v[2] * (i[2] - i[1]),
    ("9S", "4-wire wye"): lambda v, i: v[0] * i[0] + v[1] * i[1] + v[2] * i[2],
    ("8S", "4-wire delta"): lambda v, i: v[0] * i[0] + v[1] * i[1] + v[2] * i[2],
}


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


@pytest.mark.parametrize(
    ("form", "service"), [("6S", "4-wire wye"), ("36S", "4-wire wye"), ("45S", "4-wire wye")]
)
def test_wye_without_blondel_is_exact_while_voltages_sum_to_zero(form, service):
    volts = [phasor(120, 0), phasor(110, -115)]
    volts.append(-sum(volts))
    assert percent(FORMS[form].equation(service), volts, UNEQUAL_AMPERES) == pytest.approx(0, abs=1e-12)


def test_form_6s_with_vb_3_percent_low():
    """§3: +0.76 % on the unbalanced load of §3, 600 VA at 30°, 360 at 10°, 840 at 50°; balanced, 3/297."""
    equation = FORMS["6S"].equation()
    volts = [WYE[0], WYE[1] * 0.97, WYE[2]]
    assert percent(equation, volts, [v / 24 for v in WYE]) == pytest.approx(100 * 0.03 / 2.97, abs=1e-9)
    amperes = [
        va / v.conjugate()
        for v, va in zip(WYE, [phasor(600, -30), phasor(360, -10), phasor(840, -50)], strict=True)
    ]
    assert percent(equation, volts, amperes) == pytest.approx(0.76, abs=0.005)


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
    assert percent(FORMS["45S"].equation("4-wire delta"), volts, UNEQUAL_AMPERES) == pytest.approx(
        0, abs=1e-12
    )


def test_every_equation_says_when_it_is_exact_unless_blondel_does():
    for form in FORMS.values():
        assert len(set(form.services)) == len(form.services)
        for equation in form.equations:
            blondel = len(equation.elements) >= equation.wires - 1 and form.elements.denominator == 1
            assert (equation.exact_when == "") == blondel, (form.name, equation.service)


def test_forms_are_found_in_either_case_and_unknown_ones_listed():
    assert form_named("9s") is FORMS["9S"]
    assert FORMS["9S"].equation() is FORMS["9S"].equation("4-wire wye")
    with pytest.raises(FormError, match=r'form "7X" is not known: choose 1S, 3S, .* or 16S'):
        form_named("7X")
    with pytest.raises(FormError, match=r'form 9S does not meter the service "3-wire delta": choose 4-wire'):
        FORMS["9S"].equation("3-wire delta")


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
