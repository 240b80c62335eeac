"""Text of a person's file, which must be in UTF-8: else a sentence with the line, the byte, and what to do."""

from __future__ import annotations


class NotUtf8Error(ValueError):
    """A file in another encoding, such as Latin-1: where it is first seen, after the path. What stands there is not
    quoted, as a file can have a key."""


def utf8_text(data: bytes) -> str:
    """Decode a whole file, with or without a byte order mark. Raises NotUtf8Error."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        at = len(data) - len(error.object) + error.start  # the mark is no part of what was decoded
        line = data.count(b"\n", 0, at) + 1
        raise NotUtf8Error(
            f"is not in UTF-8: its line {line} has the byte 0x{data[at]:02x} (byte {at + 1} of the file), as files in "
            "another encoding have; save it in UTF-8"
        ) from None
