"""Exact numbers in the texts of files and options, and numbers in sentences."""

from __future__ import annotations

import re
from fractions import Fraction
from math import floor, log10

from rig.files.strict_toml import ConfigError, shown

LEAST = Fraction(1, 10**9)
MOST = 10**9
_NUMBER = re.compile(r"\d{1,20}(\.\d{0,20})?(e[+-]?\d{1,2})?|\d{1,20}/\d{1,20}", re.ASCII | re.IGNORECASE)


def exact(text: str) -> Fraction | None:
    """A number of at most MOST from its text, decimal or numerator/denominator, exactly; None for anything else."""
    if not _NUMBER.fullmatch(text.strip()):
        return None
    try:
        value = Fraction(text.strip())
    except ZeroDivisionError:
        return None
    return value if value <= MOST else None


def number(key: str, text: str, rule: str, least: Fraction | int, most: Fraction | int) -> Fraction:
    """A number within bounds, exactly; else ConfigError with `rule`, what it must be."""
    value = exact(text)
    if value is None or not least <= value <= most:
        raise ConfigError(f"{key} is {shown(text)}, it must be {rule}")
    return value


def plain(value: Fraction | int) -> str:
    """For a sentence: 0.15, 28.8, 19200."""
    return f"{float(value):.10g}"


def rounded_up(value: Fraction, digits: int = 2) -> Fraction:
    """The least number of so many significant digits that is no less: what to write instead."""
    step = Fraction(10) ** (floor(log10(value)) - digits + 1)
    return -(-value // step) * step
