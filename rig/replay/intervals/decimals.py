"""Decimal sign of a load record: found from all of its numbers, or given with `--decimal`.

numbers                                separated by a comma         by ; or tab
no comma                               point                        point
no comma, each with a point could      point                        refused if by ;
part thousands, as 1.234
commas, no points                      comma, told; refused where   comma
                                       each could part thousands
1,234.5 and like it                    comma parts thousands, told  the same
1.234,5 and like it                    point parts thousands, told  the same
others                                 refused, each by itself      the same
blanks or apostrophes, 1 234           part thousands               the same
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple

_POINT_GROUPS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?", re.ASCII)
_COMMA_GROUPS = re.compile(r"[+-]?\d{1,3}(\.\d{3})+(,\d*)?", re.ASCII)
_BLANKS = re.compile("[ \u00a0\u202f\u2009'\u2019]")
_BLANK_GROUPS = re.compile("[+-]?\\d{1,3}([ \u00a0\u202f\u2009'\u2019]\\d{3})+([.,]\\d*)?", re.ASCII)
_COMMA = re.compile(r"[+-]?\d*,\d+", re.ASCII)


class Notation(NamedTuple):
    """The decimal sign, whether the other one parts thousands, and a note."""

    decimal: str
    thousands: bool
    note: str | None

    def plain(self, text: str) -> str:
        """Give a number as Python reads it; one that is written otherwise as no number."""
        if _BLANK_GROUPS.fullmatch(text):
            text = _BLANKS.sub("", text)
        if self.decimal == ".":
            if "," not in text:
                return text
            return text.replace(",", "") if self.thousands and _POINT_GROUPS.fullmatch(text) else "no number"
        if "." not in text:
            return text.replace(",", ".")
        if self.thousands and _COMMA_GROUPS.fullmatch(text):
            return text.replace(".", "").replace(",", ".")
        return "no number"


def notation_of(texts: Collection[str], separator: str, given: str | None) -> Notation | None:
    """Give how numbers are written; None where commas, or points, may be either."""
    commas = [text for text in texts if "," in text]
    points = [text for text in texts if "." in text]
    if given is not None:
        return Notation(given, True, None)
    if not commas:
        if (
            separator == ";"
            and points
            and all(_COMMA_GROUPS.fullmatch(text) and text.lstrip("+-")[0] != "0" for text in points)
        ):
            return None
        return Notation(".", False, None)
    example = commas[0]
    if points:
        if all(_POINT_GROUPS.fullmatch(text) for text in commas) and any("." in text for text in commas):
            return Notation(".", True, f"commas part thousands, as in {example!r}")
        if all(_COMMA_GROUPS.fullmatch(text) for text in points):
            return Notation(",", True, f"the comma is the decimal sign and points part thousands, as in {points[0]!r}")
        return Notation(".", False, None)
    if separator != ",":
        return Notation(",", False, None)
    if all(_POINT_GROUPS.fullmatch(text) and not text.lstrip("+-").startswith("0") for text in commas):
        return None
    if all(_COMMA.fullmatch(text) for text in commas):
        return Notation(",", False, f"the comma is the decimal sign, as in {example!r}")
    return Notation(".", False, None)
