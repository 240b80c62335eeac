"""What hands have done, and when: what every expectation is measured from."""

from __future__ import annotations

from dataclasses import dataclass

SHOWN = 6
"""Acts that a failure tells of."""


@dataclass(frozen=True, slots=True)
class LoggedAction:
    """Something done to the rig, in words that end a sentence: "the cover off"."""

    at_ns: int
    text: str


class ActionLog:
    """All acts since the meter started, the start the first. Times in texts are seconds from it."""

    def __init__(self, begin_ns: int) -> None:
        self._begin_ns = begin_ns
        self._actions = [LoggedAction(begin_ns, "the meter starts")]

    def note(self, at_ns: int, text: str) -> None:
        """It was done."""
        self._actions.append(LoggedAction(at_ns, text))

    @property
    def last(self) -> LoggedAction:
        """What was done last."""
        return self._actions[-1]

    def time(self, at_ns: int) -> str:
        """An instant as texts have it."""
        return f"{(at_ns - self._begin_ns) / 1e9:.3f} s"

    @property
    def text(self) -> str:
        """The last ones, a line each."""
        return "\n".join(f"  {self.time(act.at_ns):>12}  {act.text}" for act in self._actions[-SHOWN:])
