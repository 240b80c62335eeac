"""Failures of a test."""

from __future__ import annotations


class BenchFailure(AssertionError):
    """The meter does not do what the test expects: what was expected, what there was, and what was done last."""
