"""Numbers that fit: truncated, around the dial, rounded, or told that they do not (D-2)."""

from __future__ import annotations

from fractions import Fraction
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.meter.display.fitting import OVERFLOW, UNKNOWN, count, dial, duration, fitted, gauge, measured, places, words
from rig.meter.display.lcd import TEXT_PLACES, Lcd

KILO = 10**12
shapes = st.integers(4, 9).flatmap(lambda digits: st.tuples(st.just(digits), st.integers(0, min(4, digits - 1))))
registers = st.one_of(st.integers(-(10**30), 10**30), st.integers(-3 * KILO, 3 * KILO), st.integers(-2, 2))


@pytest.mark.parametrize(
    ("nano", "digits", "decimals", "text"),
    [
        (0, 5, 0, "00000"),
        (KILO - 1, 5, 0, "00000"),
        (12_345 * KILO, 5, 0, "12345"),
        (112_345 * KILO, 5, 0, "12345"),
        (1_999_999_999_999, 6, 3, "001.999"),
        (99_999 * KILO + KILO - 1, 5, 0, "99999"),
        (100_000 * KILO, 5, 0, "00000"),
        (-1, 5, 0, "00000"),
        (-1, 9, 0, "000000000"),
        (-KILO, 5, 0, "-00001"),
        (-5 * KILO // 2, 5, 2, "-002.50"),
        (-123_456_789 * KILO, 9, 0, "-23456789"),
        (123_456_789 * KILO, 9, 0, "123456789"),
        (999 * KILO, 4, 4 - 1, "9.000"),
    ],
)
def test_dial(nano: int, digits: int, decimals: int, text: str):
    assert dial(nano, digits, decimals) == text


@given(registers, shapes)
def test_any_register_fits_and_reads_back(nano: int, shape: tuple[int, int]):
    """What is read is the register, truncated toward zero, without what the dial has gone round."""
    digits, decimals = shape
    text = dial(nano, digits, decimals)
    assert Lcd(text=text).text == text
    size = Fraction(abs(nano), KILO)
    steps = int(size * 10**decimals)
    lost = 1 if nano < 0 and steps and digits == TEXT_PLACES else 0
    assert Fraction(text) == (-1 if nano < 0 else 1) * Fraction(steps % 10 ** (digits - lost), 10**decimals)
    assert text.startswith("-") == (nano < 0 and steps > 0)
    assert len(text.strip("-").replace(".", "")) == digits - lost
    assert ("." in text) == (decimals > 0)


@given(st.integers(0, 10**20), shapes)
def test_a_demand_reads_back_or_overflows(nano: int, shape: tuple[int, int]):
    digits, decimals = shape
    text = gauge(nano, digits, decimals)
    if Fraction(nano, KILO) < 10 ** (digits - decimals):
        assert text == dial(nano, digits, decimals)
        assert 0 <= Fraction(nano, KILO) - Fraction(text) < Fraction(1, 10**decimals)
    else:
        assert text == OVERFLOW


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (None, 1, UNKNOWN),
        (nan, 1, UNKNOWN),
        (inf, 1, UNKNOWN),
        (120.06, 1, "120.1"),
        (0.0, 1, "0.0"),
        (-0.04, 1, "0.0"),
        (-460.0, 3, "-460.000"),
        (123456.7891, 4, "123456.789"),
        (123456789.4, 2, "123456789"),
        (999999999.6, 2, OVERFLOW),
        (-12345678.26, 3, "-12345678"),
        (1e300, 3, OVERFLOW),
    ],
)
def test_measured(value: float | None, decimals: int, text: str):
    assert measured(value, decimals) == text
    assert Lcd(text=text).text == text


@given(st.floats(allow_nan=True, allow_infinity=True), st.integers(0, 4))
def test_any_measurement_fits(value: float, decimals: int):
    text = measured(value, decimals)
    Lcd(text=text)
    if text not in (UNKNOWN, OVERFLOW):
        kept = len(text.partition(".")[2])
        assert abs(float(text) - value) <= 0.5001 * 10**-kept


def test_counts_times_and_words():
    assert (count(0), count(10**9 - 1), count(10**9 + 7)) == ("0", "999999999", "7")
    assert duration(15 * 60 * 10**9) == "15:00"
    assert (duration(1), duration(0), duration(-5)) == ("00:01", "00:00", "00:00")
    assert duration(255 * 60 * 10**9) == "255:00"
    assert words("summer holidays") == "summer ho"
    assert words("1.2.3.4.5.6.7.8.9.10") == "1.2.3.4.5.6.7.8.9."
    assert words("in winter x") == "in winter"
    assert (fitted("1P3W 120"), fitted("1234567890")) == ("1P3W 120", OVERFLOW)
    assert places("12:34.56") == 6
