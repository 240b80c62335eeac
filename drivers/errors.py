"""Base of every error of the drivers that a person can correct."""

from __future__ import annotations


class DriverError(Exception):
    """One sentence that names the device, pin or file, what is wrong with it, and what would be right."""
