"""What stands for nothing in a load's record: words in cells, as N/A, and lines below the intervals, as totals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rig.files.strict_toml import shown

MOST_BELOW = 12
"""Lines below the intervals."""

NONE_WORDS = {"n/a", "na", "null", "none", "-", "--", "\u2013", "\u2014", "nd", "n/d", "missing", "#n/a"}


def without_footer(
    times: Sequence[int], lines: list[tuple[int, list[str]]], notes: list[str]
) -> list[tuple[int, list[str]]]:
    """Lines without those at their end that have no time, as totals and remarks."""
    end = len(lines)
    while end > max(len(lines) - MOST_BELOW, 1):
        cells = lines[end - 1][1]
        if any(sign.isdigit() for place in times for sign in "".join(cells[place : place + 1])):
            break
        end -= 1
    for line, cells in lines[end:]:
        notes.append(f"line {line}, {shown(' '.join(cells).strip())}, has no time: passed over")
    return lines[:end]


def cell_text(text: str, empty: Counter[str]) -> str:
    """A cell's text, empty for a word that stands for none; these are counted."""
    if text.lower() not in NONE_WORDS:
        return text
    empty[text] += 1
    return ""
