"""The text of a load's record: UTF-8, UTF-16 or, of old spreadsheets, Windows-1252; of limited size."""

from __future__ import annotations

import codecs
from pathlib import Path

from rig.files.strict_toml import ConfigError
from rig.replay.intervals.packages import WrongPackage, unpacked

MOST_BYTES = 64 << 20
"""Five years of minutes. What is read of it takes some 15 times its size, below 1 GB."""


class IntervalFileError(ConfigError):
    """A file that is no load's record: one sentence with file, line, value and what would be right."""


def read_bytes(path: Path, notes: list[str]) -> bytes:
    """Read a file, unpacked where it is packed. Raises IntervalFileError, also for one above MOST_BYTES."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise IntervalFileError(f"{path} does not exist: give a CSV file with columns time and kwh_delivered") from None
    except OSError as error:
        raise IntervalFileError(f"{path} cannot be read: {error.strerror}") from None
    if len(data) <= MOST_BYTES:
        try:
            data = unpacked(data, MOST_BYTES, notes)
        except WrongPackage as error:
            raise IntervalFileError(f"{path} {error}") from None
    if len(data) > MOST_BYTES:
        raise IntervalFileError(f"{path} is longer than {MOST_BYTES >> 20} MB: give it in parts")
    return data


def is_xml(data: bytes) -> bool:
    """Return whether a file's first sign but blanks is a bracket, in any encoding."""
    return data[:64].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").startswith(b"<")


def decode(path: Path, data: bytes, notes: list[str]) -> str:
    """Give its text, and a note where it is not in UTF-8. Raises IntervalFileError."""
    name = utf_of(data)
    try:
        text = data.decode(name)
    except UnicodeDecodeError as error:
        if name != "utf-8-sig":
            raise IntervalFileError(f"{path} is not text in UTF-16 ({error.reason}): save it as CSV in UTF-8") from None
        try:
            text, name = data.decode("cp1252"), "Windows-1252"
        except UnicodeDecodeError:
            raise IntervalFileError(f"{path} is not text in UTF-8 ({error.reason}): save it as CSV in UTF-8") from None
    if "\0" in text:
        raise IntervalFileError(f"{path} is not a CSV file: it has zero bytes; save it as CSV in UTF-8")
    if name != "utf-8-sig":
        notes.append(f"the file is read as {name.upper() if name.startswith('utf') else name}")
    return text


def utf_of(data: bytes) -> str:
    """Give which of UTF-8 and UTF-16 a file could be, by its mark or its zero bytes, as Python's codec."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if data[1:40:2].count(0) > 10:
        return "utf-16-le"
    return "utf-16-be" if data[0:40:2].count(0) > 10 else "utf-8-sig"
