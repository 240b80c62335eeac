"""Figures against long division, digit by digit, and floats against exact rationals."""

from __future__ import annotations

import sys
from fractions import Fraction
from math import inf, nextafter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.meter.reading.figures import kilo, kilo_text, units
from tests.rig.reading.read_meters import long_division

nanos = st.one_of(st.integers(-(10**25), 10**25), st.integers(-(10**13), 10**13), st.integers(-3, 3))
ratios = st.one_of(st.just(Fraction(1)), st.fractions(Fraction(1, 10**4), 10**5, max_denominator=10**4))


@given(nanos, st.integers(0, 15), ratios)
def test_text_is_long_division_cut_short(nano: int, decimals: int, ratio: Fraction) -> None:
    assert kilo_text(nano, decimals, ratio) == long_division(Fraction(nano, 10**12) * ratio, decimals)


@given(nanos, st.integers(0, 12), st.integers(0, 12), ratios)
def test_fewer_decimals_are_the_same_digits(nano: int, some: int, more: int, ratio: Fraction) -> None:
    short, long = (kilo_text(nano, decimals, ratio).lstrip("-") for decimals in sorted((some, more)))
    assert long.startswith(short)


@given(nanos)
def test_twelve_decimals_are_all_there_is(nano: int) -> None:
    assert Fraction(kilo_text(nano, 12)) == Fraction(nano, 10**12)


@given(nanos, ratios)
def test_a_float_is_the_nearest(nano: int, ratio: Fraction) -> None:
    for found, exact in (
        (kilo(nano, ratio), Fraction(nano, 10**12) * ratio),
        (units(nano, ratio), Fraction(nano, 10**9) * ratio),
    ):
        below, above = (Fraction(nextafter(found, end)) for end in (-inf, inf))
        assert abs(found - exact) <= min(abs(below - exact), abs(above - exact))


@pytest.mark.parametrize(
    ("nano", "decimals", "text"),
    [
        (0, 0, "0"),
        (0, 3, "0.000"),
        (999_999_999_999, 0, "0"),
        (999_999_999_999, 6, "0.999999"),
        (-999_999, 6, "0.000000"),
        (-1_000_000, 6, "-0.000001"),
        (1, 12, "0.000000000001"),
        (2**53 * 10**12 + 1, 3, "9007199254740992.000"),
        (123_456_789_012_345_678_901_234, 6, "123456789012.345678"),
        (10**12 - 1, 11, "0.99999999999"),
    ],
)
def test_texts(nano: int, decimals: int, text: str) -> None:
    assert kilo_text(nano, decimals) == text


def test_a_ratio_is_exact() -> None:
    """A third of three kilowatt-hours is one, in every digit."""
    assert kilo_text(3 * 10**12, 6, Fraction(1, 3)) == "1.000000"
    assert kilo(3 * 10**12, Fraction(1, 3)) == 1.0
    assert kilo_text(10**12, 4, Fraction(4200, 120) * Fraction(600, 5)) == "4200.0000"


def test_a_register_larger_than_floats_still_has_its_digits() -> None:
    assert kilo_text(10**400, 0) == "1" + "0" * 388
    assert kilo(10**300) < sys.float_info.max
