"""A key as the meter keeps it: salted, and hashed so slowly that trying all keys takes days (S-1)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from hmac import compare_digest

SALT_BYTES = 16
COST = 1 << 11
"""scrypt's N: with r = 8 it needs 2 MiB and some 5 ms for a key, so a check of four levels 20 to 60 ms here and, on a
Raspberry Pi, less than the 200 ms that a port may take to answer (docs/decisions/116-hashed-keys.md)."""

_BLOCK, _PARALLEL, _DIGEST_BYTES = 8, 1, 32
_END = b"\x80"
"""Comes after the key: HMAC, which scrypt begins with, takes one with NULs behind it as the same key."""


@dataclass(frozen=True, slots=True)
class HashedKey:
    """scrypt (RFC 7914) of a key and an end mark: salt, digest and the N it was made with, none of them in its repr."""

    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)
    cost: int = field(default=COST, repr=False)

    @classmethod
    def of(cls, key: bytes, salt: bytes, cost: int = COST) -> HashedKey:
        """Hash a key with a salt of its own, drawn at random by the caller."""
        return cls(salt, _scrypt(key, salt, cost), cost)

    def matches(self, key: bytes) -> bool:
        """Say whether it is this key, compared in constant time. Takes milliseconds, without Python's lock.

        Raises ValueError where there is no memory for it.
        """
        return compare_digest(_scrypt(key, self.salt, self.cost), self.digest)


def _scrypt(key: bytes, salt: bytes, cost: int) -> bytes:
    most_bytes = 2 * 128 * _BLOCK * (cost + _PARALLEL + 2)
    return hashlib.scrypt(key + _END, salt=salt, n=cost, r=_BLOCK, p=_PARALLEL, maxmem=most_bytes, dklen=_DIGEST_BYTES)
