"""A program as it may be handed out: its file's tables without the keys of levels, and made a program again (S-1)."""

from __future__ import annotations

from typing import Any

import msgspec

from rig.files.strict_toml import ConfigError, convert
from rig.meter.access.security import Keys
from rig.program.build import Program, build
from rig.program.schema import ProgramFile

MOST_SAVED_BYTES = 80 * 1024
"""Of saved_size: with a program that waits (24 kB) and the rest of a meter it is within the 128 kB of a save."""


def public_file(file: ProgramFile) -> dict[str, Any]:
    """Give the tables of a program's file as plain values; of [security] the seal alone."""
    tables: dict[str, Any] = msgspec.to_builtins(file)
    return {**tables, "security": {"seal": file.security.seal}}


def program_of_tables(tables: dict[str, Any]) -> Program:
    """Make a program of what public_file gives; its keys are the factory's. Raises ConfigError."""
    return build(convert(tables, ProgramFile))


def saved_text(program: Program) -> str:
    """Give a meter's own copy of a program as JSON text, in which there is no key."""
    return msgspec.json.encode(program.with_hashed_keys().file).decode()


def saved_size(program: Program) -> int:
    """Return how many bytes saved_text has as a string of a state, which is JSON itself."""
    return len(msgspec.json.encode(saved_text(program)))


def public_tables(text: str) -> dict[str, Any]:
    """Give the tables of saved_text as public_file gives those of a program."""
    tables: dict[str, Any] = msgspec.json.decode(text)
    return {**tables, "security": {"seal": tables["security"]["seal"]}}


def program_of_saved(text: str, keys: Keys | None) -> Program:
    """Make a meter's own copy again of saved_text, with its hashed keys. Raises ConfigError."""
    try:
        file = msgspec.json.decode(text, type=ProgramFile)
    except msgspec.MsgspecError as error:
        raise ConfigError(str(error)) from None
    return build(file).with_hashed_keys(keys)
