"""Errors of the store that a person can correct."""

from __future__ import annotations

from rig.errors import RigError


class StoreError(RigError):
    """A store that cannot be used or written: one sentence naming the file, what is wrong and what would be right."""
