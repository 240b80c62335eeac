"""Security whose keys are hashed by scrypt with its least N: what follows from a right or wrong key is as with any."""

from __future__ import annotations

from collections.abc import Sequence

from rig.meter.access.security import Security, hashed_keys

LEAST = 2
SALTS = [bytes([level]) * 16 for level in range(1, 5)]


def cheap_security(seal: bool, keys: Sequence[bytes], firmware: str | None = None) -> Security:
    """Security with the keys of levels 1 to 4."""
    return Security(seal, hashed_keys(keys, SALTS, LEAST), firmware, LEAST)
