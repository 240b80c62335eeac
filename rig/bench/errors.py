"""Errors of the instruments: each is one sentence that says what would be right."""

from __future__ import annotations

from rig.errors import RigError


class BenchError(RigError):
    """An instrument of the bench could not do what it was asked for."""

    status = 1


class NobodyActed(BenchError):
    """A person was asked to do something, and the rig saw nothing of it; or a wire is off."""


class HoldMissed(BenchError):
    """A person held something too short or too long. The meter may have taken it for something else, so whatever was
    being done must begin again, with a new meter."""


class NotFitted(BenchError):
    """The rig lacks the part that was asked for; the sentence names it."""


class NoLongerKept(BenchError):
    """The bench was asked for something further back than it remembers."""


class DeadlinePast(BenchError):
    """The time in which something was expected was over before the expectation was made."""


class WrongArgument(BenchError, ValueError):
    """An instrument does not know a word, or cannot do anything with a value."""


class NoSuchRegister(BenchError, KeyError):
    """The meter has no register of this name, now or at all."""

    __str__ = Exception.__str__  # KeyError's puts the sentence in quotes
