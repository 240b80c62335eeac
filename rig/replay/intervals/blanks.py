"""Blanks of a load record: words in cells that stand for nothing, as N/A, and lines below the intervals, as totals."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence

from rig.files.strict_toml import shown

MOST_BELOW = 12
"""Lines below the intervals."""

NONE_WORDS = {"n/a", "na", "null", "none", "-", "--", "\u2013", "\u2014", "nd", "n/d", "missing", "#n/a"}


def without_footer(
    times: Sequence[int], lines: Iterable[tuple[int, list[str]]], notes: list[str]
) -> Iterator[tuple[int, list[str]]]:
    """Give lines without those at their end that have no time, as totals and remarks; of these, notes at the end."""
    last: deque[tuple[int, list[str]]] = deque()
    begun = False
    for line in lines:
        last.append(line)
        if len(last) > MOST_BELOW:
            yield last.popleft()
            begun = True
    below: list[tuple[int, list[str]]] = []
    while len(last) > (not begun):
        cells = last[-1][1]
        if any(sign.isdigit() for place in times for sign in "".join(cells[place : place + 1])):
            break
        below.append(last.pop())
    yield from last
    for number, cells in reversed(below):
        notes.append(f"line {number}, {shown(' '.join(cells).strip())}, has no time: passed over")


def cell_text(text: str, empty: Counter[str]) -> str:
    """A cell's text, empty for a word that stands for none; these are counted."""
    if text.lower() not in NONE_WORDS:
        return text.replace("\u2212", "-")  # the sign of print, which some locales write
    empty[text] += 1
    return ""
