"""Coverage factors, against the printed table of the GUM."""

from __future__ import annotations

from math import inf, nan

import pytest

from calibration.coverage import coverage_factor

GUM_TABLE_G_2 = {1: 13.97, 2: 4.53, 3: 3.31, 5: 2.65, 8: 2.37, 10: 2.28, 19: 2.14, 20: 2.13, 50: 2.05, 100: 2.025}
"""JCGM 100:2008, table G.2, the column of 95.45 %."""


@pytest.mark.parametrize(("freedom", "factor"), GUM_TABLE_G_2.items())
def test_factors_are_those_of_the_gum(freedom, factor):
    assert coverage_factor(freedom) == pytest.approx(factor, abs=0.0051)  # as printed


def test_what_is_given_has_the_factor_of_a_normal_distribution():
    assert coverage_factor(inf) == 2.0
    assert coverage_factor(1e5) == pytest.approx(2.0, abs=1e-4)


@pytest.mark.parametrize("freedom", [0, -3, 0.5, nan])
def test_no_freedom_has_no_factor(freedom):
    with pytest.raises(ValueError, match="degrees of freedom"):
        coverage_factor(freedom)
