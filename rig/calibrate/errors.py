"""Errors of `rig calibrate` that a person can mend."""

from __future__ import annotations

from rig.errors import RigError


class CalibrateError(RigError):
    """A calibration that cannot begin, or go on, as asked: one sentence. Exit status 2."""


class UnitRefused(CalibrateError):
    """A unit that is not calibrated because something is wrong with it, or with the bench: one sentence that names it.

    `name` is the finding's (calibration/findings.py)."""

    status = 1

    def __init__(self, sentence: str, name: str) -> None:
        super().__init__(sentence)
        self.name = name
