"""Units as people write them: 'kV', 'KV', '[V]', 'volts', 'Vrms', 'ampere', 'ms', and columns named with them."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction
from typing import NamedTuple


class Unit(NamedTuple):
    """A unit: the base it is of (V, A, s, or some other that is known), and how many of those it is."""

    base: str
    scale: Fraction = Fraction(1)


_PREFIXES = (
    ("", "", Fraction(1)),
    ("k", "kilo", Fraction(1000)),
    ("m", "milli", Fraction(1, 1000)),
    ("u", "micro", Fraction(1, 10**6)),
    ("n", "nano", Fraction(1, 10**9)),
)
_BASES = {
    "V": ("v", "volt", "volts", "voltios"),
    "A": ("a", "amp", "amps", "ampere", "amperes", "amper", "amperios"),
    "s": ("s", "sec", "secs", "second", "seconds", "sekunde", "sekunden", "segundo", "segundos", "seconde", "secondes"),
}
_KNOWN = {
    prefix + name: Unit(base, factor)
    for base, names in _BASES.items()
    for letter, word, factor in _PREFIXES
    for prefix in (letter, word)
    for name in names
}
_KNOWN |= {"伏": Unit("V"), "千伏": Unit("V", Fraction(1000)), "安": Unit("A"), "千安": Unit("A", Fraction(1000))}
_OTHERS = frozenset(
    (
        *("w", "kw", "mw", "var", "kvar", "mvar", "va", "kva", "mva", "wh", "kwh", "varh", "kvarh", "pf", "hz", "khz"),
        *("mhz", "deg", "degree", "degrees", "°", "rad", "%", "pct", "percent", "pu", "p.u.", "ohm", "ohms", "Ω", "ω"),
        *("kohm", "c", "°c", "k", "f", "bar", "db", "dbm", "min", "h", "rpm", "none"),
    )
)
_QUALITY = re.compile(r"[\s_.,-]*\(?(rms|eff|peak|pk|inst|pri|prim|primary|sec|secondary|ac|dc)\)?$")
_CYRILLIC = str.maketrans("ВвАакКмМсС", "VvAakKmMsS")
_SMALL_SIGNS = str.maketrans({"µ": "u", "μ": "u", "Μ": "M"})
_MEGA = re.compile(r"M\s*[VvAa]")
_TIMES = frozenset(
    (
        *("time", "t", "x-axis", "x axis", "second", "seconds", "sec", "timestamp", "time stamp", "zeit", "temps"),
        *("tiempo", "date/time", "datetime", "date time", "date and time", "local time"),
    )
)
_FACTOR = re.compile(
    r".*?((?<![a-z0-9])x\s*\d+([.,]\d+)?(?![a-z0-9])|[*×·]\s*\d[\d.,]*|(?<![a-z0-9])10\s*\^\s*-?\d+|/\s*\d[\d.,]*$)",
    re.IGNORECASE,
)
_BRACKETS = re.compile(r"\s*[(\[{<]\s*([^()\[\]{}<>]*?)\s*[)\]}>]\s*")
_PHASE_IN_BRACKETS = re.compile(r"([vui])\s*[(\[]\s*([abcrst123]|l[123])\s*[)\]]", re.IGNORECASE)
_AFTER = re.compile(r"(?P<name>.*?)(?P<between>\s+in\s+|[\s_/:=.,-]+)(?P<unit>[^\s_/:=.,-]+)$", re.IGNORECASE)
_WORDS = re.compile(r"[\s_/:=.,-]+")
_LIKE_A_UNIT = re.compile(r"[a-zµμ]?(v|a|volts?|amps?|amperes?)", re.IGNORECASE)


def unit_of(text: str) -> Unit | None:
    """Give the unit that a text means; None for one that is not known. '' is none.

    Case, quotes and brackets do not count, except that MV and MA are not known: they may be milli or mega.
    """
    plain = unicodedata.normalize("NFKC", text).translate(_CYRILLIC).translate(_SMALL_SIGNS)
    plain = plain.strip(" \t\"'`()[]{}<>").strip()
    may_be_mega = _MEGA.match(plain) is not None
    plain = plain.casefold()
    if plain in _OTHERS:
        return Unit(plain)
    if may_be_mega:
        return None
    known = _KNOWN.get(plain.rstrip("."))
    if known is None:
        base = _QUALITY.sub("", plain)
        known = _KNOWN.get(base) if base != plain else None
        if known is not None and known.base == "s":
            return None
    return known


class Heading(NamedTuple):
    """A column's heading apart: its name without the unit, the unit's text ('' when it has none), and the unit.

    `unit` None with a text is a unit that is not understood.
    """

    name: str
    text: str = ""
    unit: Unit | None = None


def heading(text: str) -> Heading:
    """Take a heading apart: a unit in () or [] anywhere in it, or behind _ / : 'in' or a blank at its end.

    A single letter V or A counts only in brackets, behind 'in' and '/', and where the rest names that quantity, for
    'V_A' and 'Channel A' are names.
    """
    text = text.strip().strip("\"'").strip()
    if text.lower().startswith("in ") and (whole := unit_of(text[3:])) is not None:
        return Heading("", text[3:], whole)
    phase = _PHASE_IN_BRACKETS.fullmatch(text)
    if phase is not None and (phase[1] + phase[2]).lower() != "ia":
        return Heading(f"{phase[1]}_{phase[2]}")
    found = [match for match in _BRACKETS.finditer(text) if match[1]]
    for match in reversed(found):
        unit = unit_of(match[1])
        if unit is not None:
            name = (text[: match.start()] + " " + text[match.end() :]).strip()
            return Heading(name, match[1], unit)
    if found:
        return Heading(_BRACKETS.sub(" ", text).strip(), found[-1][1], None)
    inner = _unit_inside(text)
    if inner is not None:
        return inner
    parts = _AFTER.fullmatch(text)
    if parts is None:
        return Heading(text)
    name, between, last = parts["name"], parts["between"], parts["unit"]
    unit = unit_of(last)
    spelled = between.strip().lower() in ("in", "/")
    if unit is not None and unit.base not in "VAs":
        unit = None
    if unit is not None and len(last) == 1 and not spelled and not _names(name, unit.base):
        return Heading(text)
    if unit is None and (not _LIKE_A_UNIT.fullmatch(last) or len(last) == 1 or not _names(name, "VA")):
        return Heading(text)
    return Heading(name.strip(), last, unit)


def is_time(head: Heading) -> bool:
    """Return whether a column is of time stamps, by its unit or its name."""
    if head.unit is not None and head.unit.base in "VAs":
        return head.unit.base == "s"
    return " ".join(head.name.casefold().split()) in _TIMES


def factor_in(name: str) -> str | None:
    """Give the factor in a column's name, as in 'va x1000' or 'ia*10'; None where there is none."""
    found = _FACTOR.match(name.strip())
    return found[1] if found and found.start(1) > 0 else None


def _unit_inside(text: str) -> Heading | None:
    """A unit with a prefix among the words of a heading, such as va_mV_rms or kV va; behind a number it is a voltage
    class."""
    words = _WORDS.split(text)
    for k, word in enumerate(words[:-1]):
        unit = unit_of(word)
        if unit is not None and unit.base in "VA" and unit.scale != 1 and not (k and words[k - 1].isdigit()):
            return Heading("_".join(words[:k] + words[k + 1 :]), word, unit)
    return None


def _names(name: str, bases: str) -> bool:
    """Return whether a name is plainly a voltage (v, u with a phase), a current (i with a phase) or a time."""
    first = {"V": r"[vu]_?([abcrst]|l?[123])n?", "A": r"i_?([abcrst]|l?[123])n?", "s": r"t|time|zeit|temps|tiempo"}
    return any(re.fullmatch(first[base], name.strip(), re.IGNORECASE) for base in bases)
