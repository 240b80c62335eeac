"""Sampling rates as people write them on the command line (review C-11), against exact fractions."""

from __future__ import annotations

from fractions import Fraction

import pytest

from drivers.sim.rates import parse_rate
from drivers.sim.recording import RecordingError


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("7680", Fraction(7680)),
        (" 7680 Hz ", Fraction(7680)),
        ("1000000/32.497", Fraction(10**9, 32497)),
        ("1e6/32.497", Fraction(10**9, 32497)),
        ("5e6 / 651", Fraction(5_000_000, 651)),
        ("30.72kHz", Fraction(30720)),
        ("30.72 KHZ", Fraction(30720)),
        ("8k", Fraction(8000)),
        ("10 kS/s", Fraction(10_000)),
        ("1MS/s", Fraction(10**6)),
        ("0.5 MHz", Fraction(500_000)),
        ("1M", Fraction(10**6)),
        ("250 samples/s", Fraction(250)),
        ("32.5us", Fraction(400_000, 13)),
        ("32.5 µs", Fraction(400_000, 13)),
        ("0.25ms", Fraction(4000)),
        ("100 ns", Fraction(10**7)),
        ("1/60s", Fraction(60)),
        (".5k", Fraction(500)),
    ],
)
def test_rates(text: str, rate: Fraction) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["", "fast", "0", "0/1", "1/0", "-5", "nan", "inf", "1e999999999", "5 furlong", "1//2",
                                  "7680 Hz Hz", "1/2/3", "0x10", "1_000", "9" * 50, "٣", "\x1b[31m"])  # fmt: skip
def test_what_is_none(text: str) -> None:
    with pytest.raises(RecordingError, match=r"--rate is .*, it must be samples a second, such as 7680") as caught:
        parse_rate(text)
    assert str(caught.value).isprintable()


def test_what_has_two_meanings() -> None:
    with pytest.raises(RecordingError, match="write it without commas"):
        parse_rate("7,680")
    with pytest.raises(RecordingError, match="mHz are thousandths"):
        parse_rate("1mHz")
