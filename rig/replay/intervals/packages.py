"""A load's record that came packed, by gzip or as the one in a zip archive; no more is unpacked than is read."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import PurePosixPath

from rig.files.strict_toml import shown

RECORDS = (".xml", ".csv", ".txt", ".tsv")
MOST_MEMBERS = 1000
MOST_MEMBERS_TOLD = 6
_DEFLATED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class WrongPackage(ValueError):
    """A package that cannot be unpacked; the sentence goes on after the file's name."""


def unpacked(data: bytes, most: int, notes: list[str]) -> bytes:
    """Give what is packed in `data`, at most `most` bytes and one more; `data` itself where it is not packed.

    Raises WrongPackage.
    """
    if data.startswith(b"\x1f\x8b"):
        return _gunzipped(data, most)
    if data.startswith(b"PK\x03\x04"):
        return _unzipped(data, most, notes)
    return data


def _gunzipped(data: bytes, most: int) -> bytes:
    found = bytearray()
    members = 0
    while data and len(found) <= most:
        members += 1
        if members > MOST_MEMBERS:
            raise WrongPackage(f"is packed in more than {MOST_MEMBERS} parts: unpack it")
        unpacker = zlib.decompressobj(wbits=31)
        try:
            found += unpacker.decompress(data, most + 1 - len(found))
        except zlib.error:
            raise WrongPackage("is damaged: it cannot be unpacked by gzip") from None
        if len(found) <= most and not unpacker.eof:
            raise WrongPackage("is damaged: its end is missing, by gzip")
        data = unpacker.unused_data.lstrip(b"\0")
    return bytes(found)


def _unzipped(data: bytes, most: int, notes: list[str]) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            member = _record(archive)
            with archive.open(member) as file:
                found = file.read(most + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        if isinstance(error, WrongPackage):
            raise
        raise WrongPackage("is damaged: it cannot be unpacked as a zip archive") from None
    notes.append(f"read is {shown(member.filename)} in the archive")
    return found


def _record(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise WrongPackage(f"is an archive of {len(members)} files: unpack it, and give one")
    if any(member.filename.startswith("xl/") for member in members):
        raise WrongPackage("is an Excel workbook: save the sheet as CSV")
    found = [
        member
        for member in members
        if not member.is_dir()
        and PurePosixPath(member.filename).suffix.lower() in RECORDS
        and not member.filename.startswith("__MACOSX/")
    ]
    if len(found) != 1:
        names = ", ".join(shown(member.filename) for member in found[:MOST_MEMBERS_TOLD]) or "no .xml or .csv"
        more = ", …" if len(found) > MOST_MEMBERS_TOLD else ""
        raise WrongPackage(f"is an archive with {names}{more}: unpack it, and give one file")
    (member,) = found
    if member.flag_bits & 1:
        raise WrongPackage(f"is an archive whose {shown(member.filename)} has a password: unpack it, and give the file")
    if member.compress_type not in _DEFLATED:
        raise WrongPackage(
            f"is an archive whose {shown(member.filename)} is packed otherwise than by deflate: unpack it"
        )
    return member
