"""[security] as a person types it, and as the meter keeps it (S-1, S-2)."""

from __future__ import annotations

import secrets

from rig.files.strict_toml import ConfigError
from rig.meter.access.hashed_key import SALT_BYTES
from rig.meter.access.security import KEY_BYTES, SEALING_FIRMWARE, Keys, hashed_keys
from rig.meter.firmware import Firmware
from rig.program import schema


def check_seal(table: schema.SecurityTable, firmware: Firmware | None) -> None:
    """Raise ConfigError for a seal that the firmware has not."""
    if table.seal and firmware is not None and not firmware.seals:
        raise ConfigError(
            f'security.seal is true, but firmware "{firmware.version}" has no protection against reprogramming under '
            f"seal: choose {_or(sorted(SEALING_FIRMWARE))} as meter.firmware, or let seal be false"
        )


def typed_keys(table: schema.SecurityTable) -> tuple[bytes, ...]:
    """Give the keys of levels 1 to 4 as a person typed them."""
    typed = (table.level_1, table.level_2, table.level_3, table.level_4)
    return tuple(int(text, 16).to_bytes(KEY_BYTES, "big") for text in typed)


def hashed(table: schema.SecurityTable) -> Keys:
    """Hash the keys of levels 1 to 4, each with a new salt. Some 20 ms, where all four are chosen."""
    keys = typed_keys(table)
    return hashed_keys(keys, [secrets.token_bytes(SALT_BYTES) for _ in keys])


def without_keys(table: schema.SecurityTable) -> schema.SecurityTable:
    """Give the table with no more than its seal."""
    return schema.SecurityTable(seal=table.seal)


def _or(names: list[str]) -> str:
    return " or ".join((", ".join(names[:-1]), names[-1]))
