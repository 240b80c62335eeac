"""Text for people, on its way to a terminal: the one place where nothing gets through that would control it (H-10).

File names, channel names, events of a store, sentences of a daemon: whatever came from outside may hold ESC sequences,
other control characters (C0, C1, DEL) or marks that turn the direction of writing. All of them are written as Python
writes them in a literal. Everything that a command prints goes through here, or through the console of rig/terminal,
which does the same; `print` is used nowhere else, which a test sees to.
"""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any

MOST_CHARACTERS = 4000
"""Of a sentence: with two paths of the longest that Linux takes it is about so long; a peer's may be any."""


def printable(text: str) -> str:
    """Write a sentence on one line, in which nothing controls a terminal: "\\x1b" for ESC."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def printable_lines(text: str) -> str:
    """Write a text of several lines so; its newlines stay."""
    return "\n".join(map(printable, text.split("\n")))


def print_line(sentence: str) -> None:
    """Print a line on standard output, at once."""
    print(printable(sentence), flush=True)


def print_lines(text: str) -> None:
    """Print a text of several lines on standard output, as it ends."""
    sys.stdout.write(printable_lines(text))


def print_error(sentence: str) -> None:
    """Print a line on standard error, at once; of a sentence longer than MOST_CHARACTERS its beginning."""
    shown = sentence if len(sentence) <= MOST_CHARACTERS else f"{sentence[:MOST_CHARACTERS]} …"
    print(printable(shown), file=sys.stderr, flush=True)


def print_error_lines(text: str) -> None:
    """Print a text of several lines on standard error."""
    print(printable_lines(text), file=sys.stderr, flush=True)


def print_traceback(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print where an error arose on standard error: a `sys.excepthook`."""
    import traceback

    sys.stderr.write(printable_lines("".join(traceback.format_exception(kind, error, trace))))


def json_text(value: Any) -> str:
    """Write plain data or Structs as JSON on one line, in which nothing controls a terminal: "\\u001b" for ESC.

    A path's bytes that are no UTF-8 come as "\\udcff" and so on, which is no text that JSON could hold, spelt out.
    """
    import msgspec

    try:
        encoded = msgspec.json.encode(value)
    except UnicodeEncodeError:
        encoded = msgspec.json.encode(_spelt_out(msgspec.to_builtins(value)))
    text = encoded.decode()
    return text if text.isprintable() else "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    """JSON's way: one unit of UTF-16, or two."""
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[k]:02x}{units[k + 1]:02x}" for k in range(0, len(units), 2))


def _spelt_out(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case dict():
            return {_spelt_out(key): _spelt_out(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_spelt_out(inner) for inner in value]
    return value
