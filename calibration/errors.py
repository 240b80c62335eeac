"""Base of every error of calibration that a person can correct."""

from __future__ import annotations


class CalibrationError(ValueError):
    """Constants that cannot be used: one sentence naming file, key, value and what would be right."""
