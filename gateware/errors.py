"""Base of every error of the gateware's tools that a person can correct."""

from __future__ import annotations


class GatewareError(Exception):
    """One sentence that names the tool, board or file, what is wrong with it, and what would be right."""
