"""Phrases that all reports have: verdicts, figures, provenance, and the digest that a signature is for."""

from __future__ import annotations

import hashlib

import msgspec

from rig.report.page import Paragraph, Tone
from rig.results.provenance import Provenance

MINUS = "\N{MINUS SIGN}"

DIGEST_DIGITS = 16


def provenance_rows(found: Provenance) -> list[tuple[str, str]]:
    """Give a provenance, row by row."""
    return [(key.replace("_", " "), _plain(value)) for key, value in msgspec.structs.asdict(found).items()]


def _plain(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case None:
            return "none"
        case "":
            return "not known"
    return str(value)


def verdict(passed: bool, why: str) -> Paragraph:
    """Give the verdict, with a word on why."""
    return Paragraph(f"{'PASSED' if passed else 'FAILED'}: {why}", Tone.PASSED if passed else Tone.FAILED)


def signed(percent: float, digits: int = 5) -> str:
    """Write a percentage with its sign."""
    return f"{percent:+.{digits}f} %".replace("-", MINUS)


def unit_of(quantity: str) -> str:
    """Give the unit of a quantity's energy at the meter: "Wh" of "kWh delivered"; "" where it names none."""
    return quantity.split()[0].removeprefix("k") if quantity.split() else ""


def foot(title: str, found: msgspec.Struct) -> str:
    """Give what a signature is for: the result's own digest, so that another's report does not pass for it, that of
    the result as read again from its JSON, where an int is a float that belongs to one."""
    again = msgspec.json.decode(msgspec.json.encode(found), type=type(found))
    digest = hashlib.sha256(msgspec.json.encode(again)).hexdigest()[:DIGEST_DIGITS]
    return f"{title}. Result {digest}"
