"""[security] as what the meter's protocols ask for (S-1, S-2)."""

from __future__ import annotations

from dataclasses import dataclass, field

from rig.program import schema

KEY_BYTES = 3
FACTORY_KEY = bytes(KEY_BYTES)


@dataclass(frozen=True)
class Security:
    """Whether the seal protects metrological parameters, and the keys of levels 1 to 4; keys are not for showing."""

    seal: bool
    keys: tuple[bytes, bytes, bytes, bytes] = field(repr=False)


def security(table: schema.SecurityTable) -> Security:
    """The security of a program."""
    level_1, level_2, level_3, level_4 = (
        int(text, 16).to_bytes(KEY_BYTES, "big")
        for text in (table.level_1, table.level_2, table.level_3, table.level_4)
    )
    return Security(table.seal, (level_1, level_2, level_3, level_4))
