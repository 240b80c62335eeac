"""DES keys of C12.21's authentication: what they make of a ticket, and of the token that answers it (X-1, S-1).

    meter   ticket, eight random bytes
    client  token, DES of the ticket
    meter   DES of the token

Each side has so proven that it has the key; nothing that follows is protected by it, and 56 bits are few
(docs/decisions/128-authentication.md). One block at a time (ECB), FIPS 46-3.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from rig.errors import RigError

KEY_BYTES = 8
BLOCK_BYTES = 8

_TEXT = re.compile(rf"[0-9A-Fa-f]{{{2 * KEY_BYTES}}}")
_PARITY = 0x01
"""Bit of each byte that DES leaves out."""

_WEAK = frozenset(
    bytes.fromhex(text)
    for text in (
        "0101010101010101", "FEFEFEFEFEFEFEFE", "E0E0E0E0F1F1F1F1", "1F1F1F1F0E0E0E0E", "01FE01FE01FE01FE",
        "FE01FE01FE01FE01", "1FE01FE00EF10EF1", "E01FE01FF10EF10E", "01E001E001F101F1", "E001E001F101F101",
        "1FFE1FFE0EFE0EFE", "FE1FFE1FFE0EFE0E", "011F011F010E010E", "1F011F010E010E01", "E0FEE0FEF1FEF1FE",
        "FEE0FEE0FEF1FEF1",
    )
)  # fmt: skip
"""Weak and semi-weak keys (FIPS 74): with a weak one DES of the token is the ticket, which anybody can send back."""


class DesKeyError(RigError):
    """A key that is none, or cannot be used here: one sentence, without it, to come after what it is of."""


@dataclass(frozen=True, slots=True)
class DesKey:
    """A key of eight bytes, not in its repr. Raises DesKeyError for one that makes DES its own inverse."""

    data: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if bytes(byte & ~_PARITY for byte in self.data) in {bytes(b & ~_PARITY for b in weak) for weak in _WEAK}:
            raise DesKeyError("is one of the sixteen weak keys of DES: draw another at random")

    @classmethod
    def parse(cls, text: str) -> DesKey:
        """Read a key as sixteen hexadecimal digits. Raises DesKeyError, also where it could not be used."""
        if not _TEXT.fullmatch(text):
            raise DesKeyError("must be sixteen hexadecimal digits and no more")
        key = cls(bytes.fromhex(text))
        key.encrypted(bytes(BLOCK_BYTES))
        return key

    def encrypted(self, block: bytes) -> bytes:
        """Give DES of eight bytes. Raises DesKeyError where the library is not installed."""
        try:
            from Crypto.Cipher import DES
        except ImportError:
            raise DesKeyError(
                'needs pycryptodome: run `.venv/bin/pip install -e ".[authentication]"` in the project folder'
            ) from None
        return bytes(DES.new(self.data, DES.MODE_ECB).encrypt(block))
