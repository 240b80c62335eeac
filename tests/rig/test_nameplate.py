"""Nameplates: the four that can be read in the notice, and what is inferred for the others (M-2, M-5)."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.meter.measuring.elements import FORMS, TEST_AMPERES, FormError
from rig.meter.models import MODELS
from rig.meter.nameplate import LEAST_AMPERES, NameplateError, Ratios, max_kw, nameplate

# As printed, but for the lost points of K=1 and MAX 166, and for 0.1 - 20 A, which the notice's ratings have not.
LEGIBLE = {
    ("RXS4e", "45S", 20): "2 EL, 3 Ph 3W, 120-480 V, 0.2-20 A, Ks 1.2, K 0.1, MAX 19.2 kW",
    ("AXRS4e", "4S", 20): "1.5 EL, 1 Ph 3W, 120-480 V, 0.2-20 A, Ks 0.6, K 0.05, MAX 4.8 kW",
    ("RXRS4e", "12S", 200): "2 EL, 3 Ph 3W, 120-480 V, 2-200 A, Ks 14.4, K 1.2, MAX 192 kW",
    ("AXS4e", "36S", 20): "2.5 EL, 3 Ph 4W, 120-480 V Y, 0.2-20 A, Ks 1.8, K 0.15, MAX 16.6 kW",
    ("AXS4e", "6S", 20): "2.5 EL, 3 Ph 4W, 120-480 V Y, 0.2-20 A, Ks 1.8, K 0.15, MAX 16.6 kW",
}
REMARKED = {"45S": "K=1", "4S": "9.6", "36S": "166 KW", "6S": "166 KW", "12S": ""}


@pytest.mark.parametrize(("model", "form", "current_class"), LEGIBLE)
def test_legible_plates(model: str, form: str, current_class: int) -> None:
    plate = nameplate(MODELS[model], FORMS[form], current_class, serial="87 654 320")
    rows = dict(plate.rows())
    assert not plate.inferred
    assert (
        f"{rows['Elements']}, {rows['Service']}, {rows['Volts']}, {rows['Class']}, "
        f"Ks {rows['Ks']}, K {rows['K']}, MAX {rows['MAX']}" == LEGIBLE[model, form, current_class]
    )
    assert (rows["Type"], rows["AE"], rows["Form"], rows["Frequency"]) == (model, "0764", f"FM {form}", "60 Hz")
    assert rows["Serial"] == "87 654 320"
    assert REMARKED[form] in plate.remark
    assert bool(plate.remark) == bool(REMARKED[form]) == ("Remark" in rows)


def test_every_other_plate_says_that_it_is_inferred() -> None:
    legible = {(form, current_class) for _, form, current_class in LEGIBLE}
    for form in FORMS.values():
        for current_class in TEST_AMPERES:
            plate = nameplate(MODELS["RXRS4e"], form, current_class)
            rows = dict(plate.rows())
            assert plate.inferred == ((form.name, current_class) not in legible)
            for label in ("Ks", "K", "MAX"):
                assert rows[label].endswith(" (inferred)") == plate.inferred
            assert plate.k_wh * 12 == plate.ks.wh
            assert "Serial" not in rows
            assert "Autotransformer" not in rows


@pytest.mark.parametrize(
    ("form", "current_class", "kw"),
    [
        ("1S", 200, "96"),
        ("2S", 200, "48"),  # 240 V, as the 4S has it
        ("5S", 10, "9.6"),
        ("9S", 20, "16.62"),
        ("16S", 320, "265.92"),
        ("8S", 20, "16.62"),
    ],
)
def test_inferred_max(form: str, current_class: int, kw: str) -> None:
    assert max_kw(FORMS[form], current_class) == Fraction(kw)


def test_classes_begin_where_the_notice_has_it() -> None:
    """M-2: 0.1-10, 0.2-20, 2-200, 3-320 A."""
    printed = [nameplate(MODELS["AXS4"], FORMS["9S"], c).amperes for c in LEAST_AMPERES]
    assert printed == ["0.1-10 A", "0.2-20 A", "2-200 A", "3-320 A"]
    assert LEAST_AMPERES.keys() == TEST_AMPERES.keys()


def test_a_programmed_ks_is_not_the_plates() -> None:
    plate = nameplate(MODELS["AXS4"], FORMS["45S"], 20, ks_wh=Fraction(1))
    assert (plate.ks.wh, plate.k_wh, plate.inferred) == (1, Fraction(1, 12), True)
    assert plate.remark == "Ks is programmed; by form and class it would be 1.2"
    same = nameplate(MODELS["AXS4"], FORMS["45S"], 20, ks_wh=Fraction("1.2"))
    assert same == nameplate(MODELS["AXS4"], FORMS["45S"], 20)


positive = st.fractions(Fraction(1, 1000), 10_000, max_denominator=1000)


@given(positive, positive, positive.map(lambda r: r + 1))
def test_ratios_multiply_exactly(vt: Fraction, ct: Fraction, autotransformer: Fraction) -> None:
    ratios = Ratios(vt, ct, autotransformer)
    assert ratios.multiplier == ratios.volts * ratios.amperes == vt * ct * autotransformer
    assert isinstance(ratios.multiplier, Fraction)


def test_ratios_on_the_plate() -> None:
    """347–600 V: five to four brings both into the meter's range."""
    ratios = Ratios(Fraction(1), Fraction(400, 5), Fraction(600, 480))
    plate = nameplate(MODELS["RXS4e"], FORMS["9S"], 20, ratios=ratios)
    rows = dict(plate.rows())
    assert (rows["Volts"], rows["VTR"], rows["CTR"]) == ("347-600 V", "1:1", "80:1")
    assert (rows["Autotransformer"], rows["Mult. all rdgs by"]) == ("5:4", "100")
    assert plate.ks == nameplate(MODELS["RXS4e"], FORMS["9S"], 20).ks  # registers stay meter-side


def test_what_cannot_be_on_a_plate() -> None:
    with pytest.raises(NameplateError, match=r"^the CT ratio is 0: give one above 0, such as 60 or 69000/115$"):
        Ratios(ct=Fraction(0))
    with pytest.raises(NameplateError, match="the VT ratio is -1:"):
        Ratios(vt=Fraction(-1))
    with pytest.raises(NameplateError, match=r"the autotransformer's ratio is 4/5: give one of at least 1"):
        Ratios(autotransformer=Fraction(4, 5))
    with pytest.raises(NameplateError, match="is 5/4, but model RXS4 has none: give 1, or a model of the S4e family"):
        nameplate(MODELS["RXS4"], FORMS["9S"], 20, ratios=Ratios(autotransformer=Fraction(5, 4)))
    with pytest.raises(FormError, match="current class 100 is not known"):
        nameplate(MODELS["RXS4"], FORMS["9S"], 100)
