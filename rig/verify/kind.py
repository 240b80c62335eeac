"""Kind of a test of a series: what it is called, what passes it, and how it is judged (kinds.py has them all)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from rig.meter.contacts.outputs import OutputId
from rig.verify.observing import Observed


class Rule(Enum):
    """Rule by which a value passes its limit."""

    WITHIN = "with its uncertainty within ± the limit"
    AT_MOST = "at most the limit"
    AT_LEAST = "at least the limit"

    def holds(self, value: float, uncertainty: float, limit: float) -> bool:
        """Return whether it does."""
        match self:
            case Rule.WITHIN:
                return abs(value) + uncertainty <= limit
            case Rule.AT_MOST:
                return value <= limit
            case _:
                return value >= limit


@dataclass(frozen=True)
class Finding:
    """Finding of a test: a value in `unit`, its uncertainty (k = 2, or a bound), and what is to be said of it."""

    value: float
    unit: str
    uncertainty: float
    passed: bool
    text: str


@dataclass(frozen=True)
class Kind:
    """A kind of test: its name and unit, the rule that its limit is for, the limit where none is given and its source,
    how long it takes where that is not given, and how it is judged: from what was observed, the output it is of, and
    the limit. `more` is true where something else must hold for it to pass, too."""

    name: str
    unit: str
    rule: Rule
    limit: float
    source: str
    seconds: float
    judge: Callable[[Observed, OutputId, float], Finding]
    more: bool = False
