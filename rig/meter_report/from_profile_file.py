"""A load profile from a CSV of `rig profile export` (rig/profile/reading.py) or `rig report` (records.py)."""

from __future__ import annotations

import csv
import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from rig.files.numbers import exact
from rig.files.text import NotUtf8Error, utf8_text
from rig.meter_report.errors import MeterReportError
from rig.meter_report.meter_data import LoadProfile, MeterData, ProfileChannel, ProfileLine, ProfileMark, SourceKind

MOST_BYTES = 1 << 23
"""A full recorder has 65536 counts, at most so many intervals of some 40 characters: 3 MB."""

HEAD = ["end_local", "flags"]

MOST_CHANNELS = MOST_MINUTES = 255
"""Of any meter: C12.19 counts both in a byte."""

_UNIT = re.compile(r"^(\S{1,40}?)(?:, (\S{1,40}) a pulse)?$")
_NUMBER = re.compile(r"^-?[0-9]{1,28}(\.[0-9]{1,12})?$")
_TIME = r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)"
_MARK = re.compile(rf"^(starts|outage|clock set) {_TIME}(?: to {_TIME})?$")
_SKIPPED = re.compile(r"^(\d{1,9}) words before the first date belong to no known day$")
_ORIGIN = re.compile(r"^([a-zA-Z0-9' ]{1,40}): (.{0,200})$")
"""A row of a plate or of a provenance, as rig report writes them."""
_EVERY = re.compile(r"channels? every (\d{1,3}) min$")


def looks_like_profile(beginning: bytes) -> bool:
    """Return whether a file begins as such a CSV does."""
    first = beginning.removeprefix(BOM_UTF8).split(b"\n", 1)[0]
    return first.startswith(b"# ") and b"load profile" in first


def meter_of_profile_file(data: bytes, path: Path) -> MeterData:
    """Read what a file has. Raises MeterReportError."""
    if len(data) > MOST_BYTES:
        raise MeterReportError(f"{path} is no load profile: it has more than {MOST_BYTES} bytes, which none has")
    try:
        text = utf8_text(data)
    except NotUtf8Error as error:
        raise MeterReportError(f"{path} {error}, or give a file of rig profile export") from None
    lines = text.split("\n")
    about = [line[2:].strip() for line in lines if line.startswith("# ")]
    every = next((int(match[1]) for line in about if (match := _EVERY.search(line)) is not None), None)
    if every is None or not 1 <= every <= MOST_MINUTES:
        raise MeterReportError(f"{path} does not say how long its intervals are: give a file of rig profile export")
    title = about[0]
    mark = title.partition(", load profile")[0] if ", load profile" in title else ""
    rows = _rows(lines, path)
    channels = _channels(next(rows, None), about, path)
    said = [line for line in about[2:] if all(_channel(channel.name, [line]) is None for channel in channels)]
    marks = tuple(found_mark for line in said if (found_mark := _mark(line)) is not None)
    skipped = next((int(match[1]) for line in said if (match := _SKIPPED.match(line)) is not None), 0)
    rest = [line for line in said if _mark(line) is None and _SKIPPED.match(line) is None]
    origin = tuple((match[1], match[2]) for line in rest if (match := _ORIGIN.match(line)) is not None)
    notes = tuple(line for line in rest if _ORIGIN.match(line) is None)
    found = [_line(row, len(channels), number, path) for number, row in rows]
    return MeterData(
        kind=SourceKind.FILE,
        path=str(path),
        mark=mark,
        made_utc=found[-1].end.isoformat() if found else "",
        zone="meter's local time",
        provenance=(("made by", about[1] if len(about) > 1 else ""), *origin),
        profile=LoadProfile(every, channels, tuple(found), marks, skipped, notes),
    )


def _channels(head: tuple[int, list[str]] | None, about: list[str], path: Path) -> tuple[ProfileChannel, ...]:
    """Give the channels that the row of columns names, each in the unit that a line above it says."""
    if head is None:
        raise MeterReportError(f"{path} ends before its columns are named: give a whole file of rig profile export")
    number, row = head
    names = row[2:]
    channels = [channel for name in names if (channel := _channel(name, about)) is not None]
    if row[:2] != HEAD or not 1 <= len(names) <= MOST_CHANNELS or len(channels) < len(names):
        raise MeterReportError(
            f"{path}, line {number}: its columns are not end_local, flags and the channels that its head names"
        )
    return tuple(channels)


def _channel(name: str, about: list[str]) -> ProfileChannel | None:
    """Return a channel, if a line says its unit."""
    for line in about:
        match = _UNIT.match(line.removeprefix(f"{name} in ")) if line.startswith(f"{name} in ") else None
        if match is not None:
            return ProfileChannel(name, match[1], exact(match[2] or "") or None)
    return None


def _mark(line: str) -> ProfileMark | None:
    """Read a mark of the head; None for another line."""
    match = _MARK.match(line)
    if match is None:
        return None
    try:
        return ProfileMark(match[1], datetime.fromisoformat(match[2]), datetime.fromisoformat(match[3] or match[2]))
    except ValueError:
        return None


def _rows(lines: list[str], path: Path) -> Iterator[tuple[int, list[str]]]:
    try:
        for number, line in enumerate(lines, 1):
            if line and not line.startswith("# "):
                yield number, next(csv.reader([line], strict=True))
    except csv.Error as error:
        raise MeterReportError(f"{path} is no CSV ({error}): give a file of rig profile export") from None


def _line(row: list[str], channels: int, number: int, path: Path) -> ProfileLine:
    try:
        if len(row) != channels + 2:
            raise ValueError
        end = datetime.fromisoformat(row[0])
        if end.tzinfo is not None or any(cell and _NUMBER.match(cell) is None for cell in row[2:]):
            raise ValueError
        values = tuple(Decimal(cell) if cell else None for cell in row[2:])
    except ValueError:
        shown = ",".join(row)[:60]
        raise MeterReportError(
            f"{path}, line {number}: {shown!r} is no interval, such as 2026-11-30T00:15:00,,0.125"
        ) from None
    return ProfileLine(end, tuple(flag for flag in row[1].split("+") if flag), values)
