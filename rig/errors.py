"""What a person can mend: the base of every error of this package (exit status 2)."""

from __future__ import annotations


class RigError(Exception):
    """One sentence that says all: the file, key or part, its value, and what would be right."""
