"""Approved configurations against Rev. 10's lines and the plates; what is outside runs and is told (D-9, M-8)."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest

from rig.meter import approval
from rig.meter.approval import APPROVED_CONFIGURATIONS, approved, unapproved_services
from rig.meter.measuring.elements import FORMS, SERVICES
from rig.program.check import notes
from tests.rig.display.shown_meters import program

REV_10 = {
    # 120-480V, 0.1-10A, 0.2-20A, 2-200A, 1EL, 2W, 1Ph
    ("1", "1-phase 2-wire"): {10, 20, 200},
    # 120-480V, 0.2-20A, 1.5EL, 3W, 1Ph; 120-480V, 2-200A, 1.5EL, 3W, 1Ph
    ("1.5", "1-phase 3-wire"): {20, 200},
    # 120-480V, 2-200A, 2 element network
    ("2", "3-wire network"): {200},
    # 120-480V, 0.2-20A, 2EL, 3W, Δ
    ("2", "3-wire delta"): {20},
    # 120-480V, 0.2-20A, 2.5EL, 4W, Y or Δ
    ("2.5", "4-wire wye"): {20},
    ("2.5", "4-wire delta"): {20},
}
RATINGS = {("2", "1-phase 3-wire"), ("3", "4-wire wye"), ("3", "4-wire delta")}
"""On the first page, and not in Rev. 10: with every class of the first page."""


def test_d9_every_pair() -> None:
    for elements, service, current_class in product(("1", "1.5", "2", "2.5", "3"), SERVICES, (10, 20, 200, 320)):
        named = current_class in REV_10.get((elements, service), ()) or (elements, service) in RATINGS
        assert approved(Fraction(elements), service, current_class) == named, (elements, service, current_class)


def test_the_docstrings_table_is_the_data() -> None:
    assert approval.__doc__ is not None
    lines = approval.__doc__.split("where\n")[1].split("\n\n")[0].splitlines()
    cells = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in lines]
    assert [
        [f"{float(r.elements):g}", r.service, ", ".join(map(str, sorted(r.classes))), r.where]
        for r in APPROVED_CONFIGURATIONS
    ] == cells


@pytest.mark.parametrize(
    ("form", "current_class", "service"),
    [
        ("45S", 20, "3-wire delta"),
        ("4S", 20, None),
        ("12S", 200, "3-wire network"),
        ("36S", 20, None),
        ("6S", 20, None),
    ],
)
def test_d9_the_legible_plates_are_inside(form: str, current_class: int, service: str | None) -> None:
    assert unapproved_services(FORMS[form], current_class, service) == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ""),
        ('form = "1S"\ncurrent_class = 320', "1 elements in class 320 on 1-phase 2-wire"),
        ('form = "2S"\ncurrent_class = 10', "1.5 elements in class 10 on 1-phase 3-wire"),
        ('form = "25S"\nservice = "3-wire network"\ncurrent_class = 20', "2 elements in class 20 on 3-wire network"),
        ('form = "25S"\nservice = "3-wire network"\ncurrent_class = 200', ""),
        ('form = "5S"\ncurrent_class = 20', "2 elements in class 20 on 3-wire network or 4-wire wye or 4-wire delta"),
        ('form = "14S"\ncurrent_class = 200', "2.5 elements in class 200 on 4-wire wye or 4-wire delta"),
        ('form = "36S"\nservice = "4-wire delta"', ""),
        ('form = "16S"\ncurrent_class = 320', ""),
    ],
)
def test_d9_a_program_outside_runs_and_is_told(text: str, told: str) -> None:
    said = [note for note in notes(program(f"[meter]\n{text}"), 2026) if "approval" in note]
    assert said == ([f"the approval does not name {told}"] if told else [])
