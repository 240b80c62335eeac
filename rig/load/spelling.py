"""A load in words, parts with a comma between them: "120 V, 5 A, pf 0.8 lag". docs/load.md has them all.

120 V   120/118/121 V        volts: of A, or by phase
5 A     5/3/0 A              amperes: of each phase, or by phase
pf 0.8 lag   pf 0.9 lead     power factor
received                     energy comes back
50 Hz                        line frequency
h3 A 20 %   h5 V 3 % 160°    a harmonic of the currents, of the voltages; per cent and angle
4-wire delta   CBA           service, rotation
profile house   day 24 s     a day's shape, or a file of one; how long a day takes
lively   solar   alarms      a scenario
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, get_args

from rig.files.strict_toml import ConfigError, convert, hint, shown
from rig.load.description import LoadDescription, Service, check

PLACE = "--load: "

_NUMBER = r"\d{1,9}(?:\.\d{0,9})?"
_LIST = rf"({_NUMBER}(?:\s*/\s*{_NUMBER}){{0,5}})"
_SCENARIOS = ("lively", "solar", "alarms")

Found = dict[str, Any]


def _values(key: str) -> Callable[[re.Match[str]], Found]:
    def read(found: re.Match[str]) -> Found:
        values = [float(value) for value in found[1].split("/")]
        return {key: values if len(values) > 1 else values[0]}

    return read


def _power_factor(found: re.Match[str]) -> Found:
    return {"pf": float(found[1])} | ({"sense": found[2].lower()} if found[2] else {})


def _harmonic(found: re.Match[str]) -> Found:
    key = "volts_harmonics" if found[2].upper() == "V" else "amps_harmonics"
    return {key: [{"order": int(found[1]), "percent": float(found[3]), "angle_deg": float(found[4] or 0)}]}


_PARTS: tuple[tuple[str, Callable[[re.Match[str]], Found]], ...] = (
    (rf"{_LIST}\s*V", _values("volts")),
    (rf"{_LIST}\s*A", _values("amps")),
    (rf"({_NUMBER})\s*Hz", lambda found: {"hz": float(found[1])}),
    (rf"pf\s*({_NUMBER})(?:\s+(lag|lead))?", _power_factor),
    (rf"h(\d{{1,3}})\s+([VA])\s+({_NUMBER})\s*%(?:\s+(-?{_NUMBER})\s*(?:°|deg)?)?", _harmonic),
    (r"received", lambda found: {"received": True}),
    (r"(ABC|CBA)", lambda found: {"rotation": found[1].upper()}),
    (rf"day\s+({_NUMBER})\s*s", lambda found: {"day_seconds": float(found[1])}),
    (r"profile\s+(\S.*)", lambda found: {"profile": found[1]}),
    (rf"({'|'.join(_SCENARIOS)})", lambda found: {"scenario": found[1].lower()}),
    (rf"({'|'.join(get_args(Service))})", lambda found: {"service": found[1].lower()}),
)
"""What a part may be, in either case, and what it says."""

_EXAMPLES = ("120 V", "5 A", "pf 0.8 lag", "60 Hz", "h3 A 20 %", "received", "CBA", "profile house")


def read_load(text: str, place: str = PLACE) -> LoadDescription:
    """Read a load. `place` begins sentences. Raises ConfigError."""
    said: Found = {}
    for part in (part.strip() for part in text.split(",")):
        for key, value in _part(part, place).items():
            if key in said and not isinstance(value, list):
                raise ConfigError(f"{place}{shown(part)} is the second word on {key}: give one")
            if key in said and key in ("volts", "amps"):
                raise ConfigError(f"{place}{shown(part)} is the second word on {key}: give one, by phase as 5/4/3 A")
            said[key] = [*said[key], *value] if key in said else value
    try:
        load = convert(said, LoadDescription)
    except ConfigError as error:
        raise ConfigError(f"{place}{error}") from None
    check(load, place)
    return load


def _part(part: str, place: str) -> Found:
    for pattern, read in _PARTS:
        if found := re.fullmatch(pattern, part, re.IGNORECASE | re.ASCII):
            return read(found)
    known = [*_EXAMPLES, *_SCENARIOS, *get_args(Service)]
    what = shown(part) if part else "nothing between two commas"
    raise ConfigError(f"{place}{what} is not understood: write parts such as {', '.join(known)}; {_close(part, known)}")


def _close(part: str, known: list[str]) -> str:
    return hint(part, known, 'as in "5 A, pf 0.8 lag"')
