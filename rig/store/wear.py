"""Wear of a store's card: what is written to it, and how long it lasts, from the count that saves carry (S-3)."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

from rig.store.record import JournalRecord, Mark

YEAR_NS = 31_557_600 * 10**9
"""A year of 365.25 days."""

LEAST_NS = 60 * 10**9
"""Of less than this nothing is concluded."""

FULL_WRITES = 900
"""How often a card can be written full: a 128 GB card sold for dash cameras is rated 10 000 h at 26 Mbit/s, 117 TB."""

CARD_PAGE = 16
"""KiB that a card programs at least at each sync, of which the store writes 4: flash pages are of 16 KiB, as a rule."""

_AMPLIFICATION = Fraction(CARD_PAGE, 4)


def bytes_per_year(marks: list[Mark]) -> Fraction | None:
    """Give the present rate, from the oldest mark to the newest; None where they tell too little."""
    if len(marks) < 2:
        return None
    ns, written = marks[-1].utc_ns - marks[0].utc_ns, marks[-1].written - marks[0].written
    return None if ns < LEAST_NS or written < 0 else Fraction(written * YEAR_NS, ns)


def card_years(per_year: Fraction, capacity: int) -> Fraction:
    """Return how many years a card of so many bytes lasts, if all of it takes part in levelling wear."""
    return FULL_WRITES * capacity / (per_year * _AMPLIFICATION)


def wear_of(record: JournalRecord, folder: Path) -> str | None:
    """Tell the bytes that a store writes in a year at its present rate, and what that means for its card's life.

    None where the save does not tell: nothing was saved for long enough since the meter was started.
    """
    rate = bytes_per_year(record.marks)
    if not rate:
        return None
    disk = os.statvfs(folder)
    capacity = disk.f_blocks * disk.f_frsize
    return (
        f"{float(rate / 10**9):.3g} GB a year at the present rate; a card of {capacity / 10**9:.3g} GB, as this disk "
        f"is, that can be written full {FULL_WRITES} times and programs {CARD_PAGE} KiB at each sync lasts "
        f"{float(card_years(rate, capacity)):.3g} years of it (docs/store.md)"
    )
