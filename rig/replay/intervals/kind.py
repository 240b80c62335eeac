"""Kind of a file by its beginning, a load record or a recording of waveforms, for the command that got the other."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from rig.files.strict_toml import ConfigError
from rig.replay.intervals.encoding import decode, is_xml, utf_of
from rig.replay.intervals.header import has_header
from rig.replay.intervals.packages import WrongPackage, unpacked
from rig.replay.intervals.writing import Writing

BEGINNING = 64 << 10
"""Bytes that are looked at."""

_RESOURCES = re.compile(r"<(?:\w+:)?(?:UsagePoint|IntervalBlock|IntervalReading|ReadingType|MeterReading)\b")
_WAVE = re.compile(r"[vi][abcn](?:[ _(\[].*)?|.*(?:_|[(\[]\s*)(?:[mk]?[va]|volts?|amperes?|amps?)[)\]]?", re.IGNORECASE)
_ENERGY = re.compile(r"[^a-z](?:[kmg]?wh?|[kmg]?varh?)(?![a-z])", re.IGNORECASE)
_COMTRADE = (".cfg", ".cff")
_BESIDE_A_CFG = (".dat", ".hdr", ".inf")
MOST_LINES = 40


def is_load_record(path: Path) -> bool:
    """Return whether a file begins as a load record does: a Green Button feed, or columns of times and energies."""
    text = _beginning(path)
    if text is None:
        return False
    if is_xml(text.encode()):
        return _RESOURCES.search(text) is not None
    try:
        return has_header(path, text, Writing())
    except (ConfigError, csv.Error):
        return False


def is_recording(path: Path) -> bool:
    """Return whether a file is COMTRADE's by its name, or names columns of volts or amperes."""
    suffix = path.suffix.lower()
    if not path.is_file():
        return False
    if suffix in _COMTRADE or (suffix in _BESIDE_A_CFG and path.with_suffix(".cfg").exists()):
        return True
    lines = (_beginning(path) or "").splitlines()[:MOST_LINES]
    if any(_ENERGY.search(f" {line}") for line in lines):
        return False
    return any(_WAVE.fullmatch(name.strip(' "')) for line in lines for name in re.split(r"[,;\t|]", line))


def _beginning(path: Path) -> str | None:
    """A file's first bytes as text, unpacked if they are packed; None where there is none."""
    try:
        with path.open("rb") as file:
            data = file.read(BEGINNING)
            if data.startswith((b"\x1f\x8b", b"PK\x03\x04")):
                data = unpacked(data + file.read(64 << 20), BEGINNING, [])[:BEGINNING]
        return data.decode("utf-16-le", "replace") if utf_of(data) == "utf-16-le" else decode(path, data, [])
    except (OSError, WrongPackage):
        return None
    except ConfigError:
        return data.decode("cp1252", "replace")
