"""Output of `--json`: one value a line, at once (docs/json.md)."""

from __future__ import annotations

from typing import Any

from rig.plain_text import json_text, print_line


def print_json(value: Any) -> None:
    """A value of plain data or Structs, on standard output."""
    print_line(json_text(value))
