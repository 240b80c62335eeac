"""The numbers of load records: how large they may be, and how they are written in XML."""

from __future__ import annotations

import re
from decimal import Decimal

MOST_KWH = 10**9
MOST_DECIMALS = 40

_PLAIN = re.compile(r"[+-]?\d{1,15}(\.\d{1,40})?", re.ASCII)
"""Int48 of ESPI has fifteen digits; some utilities write decimals all the same."""


def plain_number(text: str) -> Decimal | None:
    """Read a number without an exponent; None for anything else."""
    return Decimal(text) if _PLAIN.fullmatch(text) else None
