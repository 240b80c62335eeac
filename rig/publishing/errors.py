"""Errors of publishing."""

from __future__ import annotations

from rig.errors import RigError


class PublishingError(RigError):
    """A publisher that cannot work as it is configured: one sentence with the key and what would be right."""
