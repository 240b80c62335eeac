"""[security] as the meter's door uses it (S-1, S-2)."""

from __future__ import annotations

from rig.files.strict_toml import ConfigError
from rig.meter.access.security import KEY_BYTES, SEALING_FIRMWARE, Security
from rig.meter.firmware import Firmware
from rig.program import schema


def security(table: schema.SecurityTable, firmware: Firmware | None) -> Security:
    """The security of a program. Raises ConfigError for a seal that its firmware has not."""
    if table.seal and firmware is not None and not firmware.seals:
        raise ConfigError(
            f'security.seal is true, but firmware "{firmware.version}" has no protection against reprogramming under '
            f"seal: choose {_or(sorted(SEALING_FIRMWARE))} as meter.firmware, or let seal be false"
        )
    level_1, level_2, level_3, level_4 = (
        int(text, 16).to_bytes(KEY_BYTES, "big")
        for text in (table.level_1, table.level_2, table.level_3, table.level_4)
    )
    return Security(
        table.seal, (level_1, level_2, level_3, level_4), None if firmware is None else firmware.version
    )


def _or(names: list[str]) -> str:
    return " or ".join((", ".join(names[:-1]), names[-1]))
