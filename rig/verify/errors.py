"""Errors that keep an output from being verified: one sentence that a person can act on."""

from __future__ import annotations

from rig.errors import RigError


class VerifyError(RigError):
    """A verification that cannot be begun as asked: one sentence with what would be right. Exit status 2."""


class CountLost(VerifyError):
    """A count that broke off, so that nothing is known of the rest: one sentence. Nothing is made up for it."""
