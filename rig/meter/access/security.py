"""A program's seal and keys, as the meter's door uses them (S-1, S-2, M-7)."""

from __future__ import annotations

from dataclasses import dataclass, field
from hmac import compare_digest

KEY_BYTES = 3
FACTORY_KEY = bytes(KEY_BYTES)
"""Key of a level for which none was chosen."""

SEALING_FIRMWARE = frozenset({"6.28", "7.17", "7.18"})
"""Versions of the notice that are protected against reprogramming under seal (M-7)."""


@dataclass(frozen=True, slots=True)
class Security:
    """Seal setting, keys of levels 1 to 4, and the firmware version emulated, None for the project's own.

    No key is in its repr, and nothing here gives one back.
    """

    seal: bool
    keys: tuple[bytes, bytes, bytes, bytes] = field(repr=False)
    firmware: str | None = None

    @property
    def seals(self) -> bool:
        """True if a meter with this program is sealed: as set, and as far as its firmware can."""
        return self.seal and (self.firmware is None or self.firmware in SEALING_FIRMWARE)

    def level_of(self, key: bytes, sealed: bool) -> int:
        """Highest level that a key grants, 0 for none; the factory key grants none while the meter is sealed.

        Every key is compared, each in constant time, so that how long it takes tells nothing.
        """
        level = 0
        for candidate, known in enumerate(self.keys, 1):
            right = compare_digest(key, known)
            chosen = not compare_digest(known, FACTORY_KEY)
            level = max(level, candidate * (right & (chosen | (not sealed))))
        return level
