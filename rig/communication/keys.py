"""Passwords of C12.18 and of procedure 18 as the meter's keys (S-1, docs/access.md)."""

from __future__ import annotations

PADDING = b"\x00 "
"""Clients fill a password up to its twenty bytes with NULs, or with blanks."""

NO_PASSWORD = "000000"
"""Nothing but padding is the factory's key, which stands for no key."""


def key_of(password: bytes) -> str:
    """Return the key that a password gives, as text: what stands before the padding, whatever it is.

    Of text that can be no key the meter's door makes a wrong key, which counts like any other.
    """
    return password.rstrip(PADDING).decode("latin-1") or NO_PASSWORD
