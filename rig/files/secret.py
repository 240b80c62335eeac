"""Files with a password or a key in their one line, as a person or a script writes them (S-1)."""

from __future__ import annotations

import stat
from pathlib import Path

from rig.files.bounded import TooLongError, read_bounded

MOST_BYTES = 1 << 10


class SecretFileError(Exception):
    """A file without a secret in one line: what is wrong with it, to be said after its path, without its content."""


def secret_line(path: Path) -> str:
    """Read a file's one line; what Windows' editors put before and behind it is no part of it."""
    try:
        text = read_bounded(path, MOST_BYTES).decode("utf-8-sig").strip("\r\n")
    except (OSError, ValueError) as error:
        raise SecretFileError(f"cannot be read ({why_unread(error)})") from None
    if not text or "\n" in text or "\r" in text:
        raise SecretFileError("has more than one line" if text else "is empty")
    return text


def open_to_others(path: Path, mode: int) -> str | None:
    """Say so, and what mends it, if a file's mode lets others than its owner read or write it."""
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        return f"{path} can be read or written by others than its owner: chmod 600 {path}"
    return None


def why_unread(error: Exception) -> str:
    """Say why a file could not be read, without what stands in it."""
    match error:
        case OSError():
            return str(error.strerror)
        case TooLongError():
            return str(error)
        case UnicodeDecodeError():
            return "it is no text"
    return "no file can have that name"
