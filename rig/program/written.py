"""A program as it may be handed out: its file's tables without the keys of levels, and made a program again (S-1)."""

from __future__ import annotations

from typing import Any

import msgspec

from rig.files.strict_toml import convert
from rig.program.build import Program, build
from rig.program.schema import ProgramFile


def public_file(file: ProgramFile) -> dict[str, Any]:
    """Give the tables of a program's file as plain values; of [security] the seal alone."""
    tables: dict[str, Any] = msgspec.to_builtins(file)
    return {**tables, "security": {"seal": file.security.seal}}


def program_of_tables(tables: dict[str, Any]) -> Program:
    """Make a program of what public_file gives; its keys are the factory's. Raises ConfigError."""
    return build(convert(tables, ProgramFile))
