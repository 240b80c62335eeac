"""[security] as the meter's door uses it (S-1, S-2)."""

from __future__ import annotations

from rig.meter.access.security import KEY_BYTES, Security
from rig.program import schema


def security(table: schema.SecurityTable) -> Security:
    """The security of a program."""
    level_1, level_2, level_3, level_4 = (
        int(text, 16).to_bytes(KEY_BYTES, "big")
        for text in (table.level_1, table.level_2, table.level_3, table.level_4)
    )
    return Security(table.seal, (level_1, level_2, level_3, level_4))
