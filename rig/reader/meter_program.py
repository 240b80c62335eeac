"""The program that a meter has, and what a programmer needs of either protocol to write another (X-2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from rig.errors import RigError
from rig.program.build import Program
from rig.program.written import public_file

Progress = Callable[[int, int], None]
"""Called with how many bytes are staged, of how many."""


class ProgramError(RigError):
    """A program that no meter takes, or a meter that takes no program of ours."""


class NotWritten(RigError):
    """A program that the meter does not have, or of which nobody knows."""

    status = 1


class ProgramRefused(RigError):
    """A program that the meter did not take, with its reason: it has the one it had."""

    status = 1


@dataclass(frozen=True)
class MeterProgram:
    """Program in a meter: its digest, and its tables without keys."""

    digest: str
    tables: dict[str, Any]

    def is_of(self, program: Program) -> bool:
        """Say whether it is a file's program, but for keys, which no meter gives."""
        return self.digest == program.digest and self.tables == public_tables(program)


def public_tables(program: Program) -> dict[str, Any]:
    """Give a program's tables as a meter gives them: as JSON has them, without keys."""
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(public_file(program.file)))
    return found


class Programmer(Protocol):
    """A session in which a program can be written. Every method raises MeterSilent, ServiceRefused or DgcomRefused,
    MeterLineError."""

    def in_force(self) -> MeterProgram:
        """Read the program that the meter has. Raises ProgramError for a meter that is not ours."""
        ...

    def stage(self, text: bytes, progress: Progress) -> None:
        """Bring a program's text to the meter, which changes nothing."""
        ...

    def apply(self, text: bytes) -> None:
        """Have the meter take what was staged. Raises ProgramRefused."""
        ...

    def give_password(self, password: bytes) -> bool:
        """Prove a level; whether the password is right."""
        ...
