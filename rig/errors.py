"""Base of every error of this package that a person can correct (exit status 2)."""

from __future__ import annotations


class RigError(Exception):
    """One sentence that says all: the file, key or part, its value, and what would be right.

    `status` is the exit status of a command that it ends: 2 could not run, 1 ran and failed.
    """

    status = 2
