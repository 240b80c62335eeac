"""Values that a save of an older version lacks, and must have had; and what it had, and must not have."""

from __future__ import annotations

import json
from typing import Any

_SOURCES = {
    "demand reset at the switch": "front",
    "test mode": "front",
    "end of test mode": "front",
    "forced rate": "input",
    "end of the forced rate": "input",
    "pulses at an input": "input",
    "demand reset by communication": "command line",
    "self-read": "command line",
}
"""Who asked, by the action, before commands said so. Nothing asked for the last two but programs that used the code."""


def add_sources(saved: Any) -> None:
    """Add who asked to the commands that wait in a save, as JSON has it, where they do not say so."""
    try:
        waiting = saved["meter"]["billing"]["waiting"]
        for command in waiting:
            if "source" not in command and command["action"] in _SOURCES:
                command["source"] = _SOURCES[command["action"]]
    except (KeyError, TypeError):
        return  # it is no save, as whoever reads it will find


def has_written(snapshot: bytes) -> bool:
    """Say whether the snapshot of a save has a written program in it, with the keys of the meter as they were typed."""
    try:
        found = json.loads(snapshot)
    except (ValueError, RecursionError):
        return False  # damaged, or none of ours
    return isinstance(found, dict) and found.get("written") is not None


def without_written(snapshot: str) -> str:
    """Give the snapshot of a save without the written program."""
    return json.dumps({**json.loads(snapshot), "written": None}, separators=(",", ":"), ensure_ascii=False)
