"""Files of a person's read no further than such a file can be, whatever stands at the path (review H-9).

A file that never ends, such as /dev/zero, or one of gigabytes, is refused after `most` bytes.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

MOST_TOML_BYTES = 1 << 18
"""A program with every key is 8 kB; what a client may send is 64 kB."""

MOST_KEYS_DEEP = 16
"""Keys with dots between them: ours have at most four. tomllib takes time and memory by the square of their number."""

_WORD = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
_DEEP = re.compile(rf"(?<![\w-]){_WORD}(?:[ \t]*+\.[ \t]*+{_WORD}){{{MOST_KEYS_DEEP}}}")


class TooLongError(ValueError):
    """A file, or a key in it, that is longer than any of its kind: what, and how long it may be, after the path."""


def read_bounded(path: Path, most: int) -> bytes:
    """Read a file of at most `most` bytes. Raises OSError; TooLongError for a longer one; ValueError for a NUL in
    the path."""
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise TooLongError(f"has more than {most} bytes, it must have at most so many")
    return data


def parse_toml(text: str) -> dict[str, Any]:
    """Read TOML in bounded time and memory. Raises TooLongError, tomllib.TOMLDecodeError or another ValueError, and
    RecursionError."""
    if len(text) > MOST_TOML_BYTES:
        raise TooLongError(f"has more than {MOST_TOML_BYTES} characters, it must have at most so many")
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") >= MOST_KEYS_DEEP and _DEEP.search(line):
            raise TooLongError(
                f"line {number} has more than {MOST_KEYS_DEEP} keys joined by dots: no such key is known"
            )
    return tomllib.loads(text)
