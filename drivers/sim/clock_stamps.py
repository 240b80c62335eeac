"""Time stamps of samples as a clock shows them: 10:00:00.000521, 2026-01-15T10:00:00.000521Z, 10:00:00,5 PM."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from drivers.sim.source import Floats

_CLOCK = re.compile(
    r"(?:[\w./-]+(?:T| +))?(\d{1,2}):([0-5]\d):([0-5]\d)(?:[.,](\d{1,12}))?(?: ?([AP])M)?(?:Z| ?[+-]\d\d:?\d\d)?",
    re.ASCII | re.IGNORECASE,
)
_PS = 10**12
_DAY_PS = 86400 * _PS


def is_clock(text: str) -> bool:
    """Return whether a text is a time of day, to the second at least, with or without a date before it."""
    return _CLOCK.fullmatch(text) is not None


def seconds_since_first(texts: Iterable[str]) -> Floats | None:
    """Give by stamp the seconds since the first one, past midnight too; None where one is no time of day."""
    found: list[int] = []
    for text in texts:
        match = _CLOCK.fullmatch(text)
        if match is None:
            return None
        hour = int(match[1]) if match[5] is None else int(match[1]) % 12 + 12 * (match[5].upper() == "P")
        ps = ((hour * 60 + int(match[2])) * 60 + int(match[3])) * _PS + int((match[4] or "0").ljust(12, "0"))
        if found and ps + found[-1] // _DAY_PS * _DAY_PS < found[-1] - _DAY_PS // 2:
            ps += _DAY_PS
        found.append(ps + (found[-1] // _DAY_PS * _DAY_PS if found else 0))
    return np.array([(ps - found[0]) / _PS for ps in found])
