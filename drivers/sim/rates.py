"""Sampling rates as people write them, exactly: 7680, 1e6/32.497, '30.72 kHz', '10 kS/s', '32.5 us' a sample."""

from __future__ import annotations

import re
from fractions import Fraction

from drivers.sim.recording import RecordingError, shown

_NUMBER = r"\d{1,20}(?:\.\d{0,20})?(?:[eE][+-]?\d{1,2})?|\.\d{1,20}(?:[eE][+-]?\d{1,2})?"
_RATE = re.compile(rf"({_NUMBER})(?:\s*/\s*({_NUMBER}))?\s*([a-zA-Zµμ/ ]*)")
_PER_SECOND = {"hz", "s/s", "sa/s", "sps", "samples/s", "samples/second", "sample/s", "/s", "1/s", "samples a second"}
_PREFIXES = {"": 1, "k": 10**3, "m": 10**6}
_SECONDS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def parse_rate(text: str) -> Fraction:
    """Read a rate in samples a second, exactly, or the time from one sample to the next with its unit.

    RecordingError says why a text is none, and what would be.
    """
    plain = text.strip().replace("µ", "u").replace("μ", "u")
    if "," in plain:
        raise RecordingError(f"--rate is {shown(text)}: write it without commas, with a decimal point")
    found = _RATE.fullmatch(plain)
    if found is None:
        raise _none(text)
    value = Fraction(found[1])
    below = Fraction(found[2] or "1")
    if not value or not below:
        raise _none(text)
    return _with_unit(value / below, found[3].strip(), text)


def _with_unit(value: Fraction, unit: str, text: str) -> Fraction:
    folded = unit.casefold()
    if unit == "" or folded in _PER_SECOND:
        return value
    if folded in _SECONDS:
        return _SECONDS[folded] / value
    prefix, rest = folded[0], folded[1:]
    if rest in _PER_SECOND or prefix == folded == "k" or unit == "M":
        if prefix == "m" and unit[0] == "m" and rest == "hz":
            raise RecordingError(f"--rate is {shown(text)}: mHz are thousandths, MHz is meant?")
        if prefix in _PREFIXES:
            return value * _PREFIXES[prefix]
    raise _none(text)


def _none(text: str) -> RecordingError:
    return RecordingError(
        f"--rate is {shown(text)}, it must be samples a second, such as 7680, 1000000/32.497 or 30.72kHz, "
        f"or the time between two, such as 32.5us"
    )
