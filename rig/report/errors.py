"""Errors of reports."""

from __future__ import annotations

from rig.errors import RigError


class ReportError(RigError):
    """A report that cannot be made: one sentence with the file, the key and what would be right."""
