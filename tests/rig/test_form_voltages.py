"""The quick start's table of what a form's replay wants, against the element equations (review B-8)."""

from __future__ import annotations

import re
from pathlib import Path

from rig.meter.measuring.elements import FORMS, PHASES

PAGE = Path(__file__).parents[2] / "docs" / "quickstart.md"


def documented() -> dict[str, tuple[str, set[str]]]:
    """Form → its service and the slots, as the page has them."""
    found = {}
    for forms, service, wanted in re.findall(r"^\| ((?:\d+S ?)+) \| ([^|]+?) \| ([^|]+?) \|$", PAGE.read_text(), re.M):
        slots = set(re.findall(r"\b[vi][abc]\b", re.sub(r"\(.*?\)", "", wanted)))
        found |= {form: (service.split(",")[0], slots) for form in forms.split()}
    return found


def test_the_table_is_that_of_the_equations() -> None:
    page = documented()
    assert page.keys() == FORMS.keys()
    for name, form in FORMS.items():
        equation = form.equation()
        there = dict(zip(PHASES, equation.service_type.voltages, strict=True))
        slots = set()
        for element in equation.elements:
            slots |= {f"v{p}" for p, w in zip(PHASES, element.volt_weights, strict=True) if w and there[p]}
            slots |= {f"i{p}" for p, w in zip(PHASES, element.ampere_weights, strict=True) if w}
        assert page[name] == (equation.service, slots), name
