"""What a person can mend: the base of every error of calibration."""

from __future__ import annotations


class CalibrationError(ValueError):
    """Constants that cannot be used: one sentence naming file, key, value and what would be right."""
