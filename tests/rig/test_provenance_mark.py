"""What each result says of itself that nobody may overlook (F-6, C-1)."""

from __future__ import annotations

import pytest

from rig.results.provenance import mark, provenance_of_computation


@pytest.mark.parametrize(
    ("fidelity", "calibrated", "said"),
    [
        ("board", True, ""),
        ("board", False, "UNCALIBRATED"),
        ("exact", True, "SIMULATED (exact)"),
        ("rtl", False, "SIMULATED (rtl)  UNCALIBRATED"),
    ],
)
def test_a_mark(fidelity: str, calibrated: bool, said: str) -> None:
    assert mark(fidelity, calibrated) == said


def test_what_is_computed_is_simulated() -> None:
    assert provenance_of_computation("load record", "1234").mark == "SIMULATED (load record)"
