"""Exact numbers in a program's texts, and numbers in sentences."""

from __future__ import annotations

from fractions import Fraction
from math import floor, log10

from rig.config import exact
from rig.strict_toml import ConfigError, shown


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
