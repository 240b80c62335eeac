"""Errors that keep an accuracy test from running: one sentence that a person can act on."""

from __future__ import annotations

from rig.errors import RigError


class AccuracyError(RigError):
    """An accuracy test that cannot be run as asked: one sentence with what would be right. Exit status 2."""
