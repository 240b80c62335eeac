"""Comparisons that requests at the meter's door need, and that take long: of keys with hashes, of a program with those
in force and configured.

Nothing here touches the meter, so it may run beside metering. What comes of it holds for the keys, or the program, that
it was compared with; the door refuses it where others are in force by then.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rig.files.bounded import parse_toml
from rig.files.strict_toml import ConfigError, convert
from rig.meter.access.decision import Asker
from rig.meter.access.security import KEY_BYTES, KeyProof, Security
from rig.meter.billing.source import Source
from rig.program.build import Program, build
from rig.program.schema import ProgramFile
from rig.service.door_error import DoorError

PORTS = frozenset({Source.OPTICAL, Source.RS232, Source.RS485, Source.MODEM})
"""Sources that have sessions of a protocol."""

_KEY = re.compile(rf"[0-9A-Fa-f]{{1,{2 * KEY_BYTES}}}")
_NO_MEMORY = "the computer has no memory to compare keys: try again"


@dataclass(frozen=True)
class OfferedProgram:
    """A program to be written, as the meter's own copy, what it was compared with, and whether keys are the same."""

    program: Program
    instead_of: Program
    same_keys: bool


def key_from(asker: Asker, key: str) -> bytes:
    """Give a key's bytes.

    A person who types what can be no key is told how one looks, by DoorError. At a port it is a wrong key and counts as
    one, as it may come from a list of passwords: then it is b"".
    """
    if _KEY.fullmatch(key):
        return int(key, 16).to_bytes(KEY_BYTES, "big")
    if asker.source in PORTS:
        return b""
    raise DoorError("a key has up to six hexadecimal digits, such as 00A5F1", needs_key=True)


def prove(security: Security, key: bytes) -> KeyProof:
    """Compare a key with those of all levels; 20 to 60 ms. Raises DoorError where there is no memory for it."""
    try:
        return security.proof(key)
    except (ValueError, MemoryError):
        raise DoorError(_NO_MEMORY) from None


def offer(toml: str, present: Program, configured: Program) -> OfferedProgram:
    """Check a program that is to be written, and compare its keys with those of the meter's programs, whose hashes stay
    where they are the same. Raises ConfigError for what is wrong with it, DoorError where there is no memory.
    """
    try:
        data = parse_toml(toml)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"the program is not TOML: {error}") from None
    program = build(convert(data, ProgramFile))
    try:
        same = program.has_keys_of(present)
        as_configured = same if present is configured else program.has_keys_of(configured)
        keys = configured.security.keys if as_configured else present.security.keys if same else None
        return OfferedProgram(program.with_hashed_keys(keys), present, same)
    except (ValueError, MemoryError):
        raise DoorError(_NO_MEMORY) from None
