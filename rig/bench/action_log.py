"""The log of actions on the rig: the last one is the instant that every expectation is measured from."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from rig.meter.billing.time_units import SECOND_NS

KEPT_ACTIONS = 6
"""So many a failure tells of."""


@dataclass(frozen=True, slots=True)
class LoggedAction:
    """An action on the rig, in words that end a sentence: "the cover is taken off"."""

    at_ns: int
    text: str


class ActionLog:
    """The last KEPT_ACTIONS since the meter started, its start among them. Texts have seconds from there."""

    def __init__(self, begin_ns: int) -> None:
        self._begin_ns = begin_ns
        self._actions = deque([LoggedAction(begin_ns, "the meter starts")], maxlen=KEPT_ACTIONS)

    def note(self, at_ns: int, text: str) -> None:
        """Add an action."""
        self._actions.append(LoggedAction(at_ns, text))

    @property
    def last(self) -> LoggedAction:
        """The last action."""
        return self._actions[-1]

    @property
    def recent(self) -> tuple[LoggedAction, ...]:
        """All that are kept, the oldest first."""
        return tuple(self._actions)

    def time(self, at_ns: int) -> str:
        """An instant as texts have it."""
        return time_text(at_ns, self._begin_ns)

    @property
    def text(self) -> str:
        """All that are kept, a line each."""
        return actions_text(self._actions, self._begin_ns)


def time_text(at_ns: int, begin_ns: int) -> str:
    """Seconds since the meter started, to the millisecond."""
    return f"{(at_ns - begin_ns) / SECOND_NS:.3f} s"


def actions_text(actions: Iterable[LoggedAction], begin_ns: int) -> str:
    """Actions, a line each."""
    return "\n".join(f"  {time_text(action.at_ns, begin_ns):>12}  {action.text}" for action in actions)
