"""A program's seal and keys, as the meter's door uses them (S-1, S-2, M-7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hmac import compare_digest

from rig.meter.access.hashed_key import COST, SALT_BYTES, HashedKey

KEY_BYTES = 3
FACTORY_KEY = bytes(KEY_BYTES)
"""Key of a level for which none was chosen."""

SEALING_FIRMWARE = frozenset({"6.28", "7.17", "7.18"})
"""Versions of the notice that are protected against reprogramming under seal (M-7)."""

Keys = tuple[HashedKey | None, HashedKey | None, HashedKey | None, HashedKey | None]
"""Keys of levels 1 to 4, None for a level for which none was chosen."""

NO_KEYS: Keys = (None, None, None, None)


def hashed_keys(keys: Sequence[bytes], salts: Sequence[bytes], cost: int = COST) -> Keys:
    """Hash the keys of levels 1 to 4, each with the salt of its own level; the factory's is none."""
    one, two, three, four = (
        None if key == FACTORY_KEY else HashedKey.of(key, salt, cost) for key, salt in zip(keys, salts, strict=True)
    )
    return one, two, three, four


@dataclass(frozen=True, slots=True)
class KeyProof:
    """What a key proves by the keys of `security`: the highest level for which it was chosen, and the highest that it
    opens as the factory's; 0: none."""

    security: Security = field(repr=False)
    chosen: int
    factory: int

    def level(self, sealed: bool) -> int:
        """Highest level granted; the factory key grants none while the meter is sealed."""
        return max(self.chosen, self.factory * (not sealed))


@dataclass(frozen=True, slots=True)
class Security:
    """Seal setting, keys of levels 1 to 4, and the firmware version emulated, None for the project's own.

    Keys are here as hashes only, which are in no repr. `cost` is scrypt's N for a level that has none.
    """

    seal: bool
    keys: Keys = field(repr=False)
    firmware: str | None = None
    cost: int = field(default=COST, repr=False)

    @property
    def seals(self) -> bool:
        """True if a meter with this program is sealed: as set, and as far as its firmware can."""
        return self.seal and (self.firmware is None or self.firmware in SEALING_FIRMWARE)

    def proof(self, key: bytes) -> KeyProof:
        """Compare a key with those of all levels, and with the factory's where a level has none.

        Each takes its milliseconds whatever the others gave, so how long it takes shows nothing. Pure, so that it can
        run beside metering. Raises ValueError where there is no memory for it.
        """
        is_factory = compare_digest(key, FACTORY_KEY)
        chosen = factory = 0
        for level, known in enumerate(self.keys, 1):
            matched = self._matches(known, key)
            chosen = max(chosen, level * matched)
            factory = max(factory, level * (is_factory & (known is None)))
        return KeyProof(self, chosen, factory)

    def has_keys(self, keys: Sequence[bytes]) -> bool:
        """Say whether these are the keys of all four levels. Raises ValueError where there is no memory for it."""
        same = True
        for key, known in zip(keys, self.keys, strict=True):
            matched = self._matches(known, key)
            same &= compare_digest(key, FACTORY_KEY) if known is None else matched
        return same

    def _matches(self, known: HashedKey | None, key: bytes) -> bool:
        """Compare with the key of a level; where it has none, with nobody's, which takes as long."""
        return (HashedKey(bytes(SALT_BYTES), b"", self.cost) if known is None else known).matches(key)
