"""What ends a test: each says in the bench's words what was expected and what there was."""

from __future__ import annotations


class BenchFailure(AssertionError):
    """The rig does not do what the test expects, or nobody did what it asked for."""


class HoldMissed(AssertionError):
    """A person held something too short or too long: the meter may have taken it for something else, so the test must
    begin again."""


class NotFitted(RuntimeError):
    """This rig cannot do what the test asks for: a sentence that says what it would need."""
