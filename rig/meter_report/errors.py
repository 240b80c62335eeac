"""Errors of reports of a meter."""

from __future__ import annotations

from rig.errors import RigError


class MeterReportError(RigError):
    """A report that cannot be made: one sentence with the file, what is wrong with it, and what would be right."""
