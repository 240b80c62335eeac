"""The log for people: an event's name and details, as the history has them, in one line of words.

Nothing reads these words back: code goes by the fields of the events (rig/meter/billing/log.py). Details of a name that
is not known here, from a history that another version wrote, stand as they are.
"""

from __future__ import annotations

from collections.abc import Mapping

_PHRASES = {
    "seconds left": "{} s left",
    "milliseconds": "by {} ms",
    "milliseconds missing": "for {} ms",
    "rate": "rate {}",
    "season": "season {}",
    "cause": "cause {}",
    "resets": "no. {}",
    "intervals": "intervals so far: {}",
    "service": "{}",
    "diagnostic": "{}",
    "phases": "phases {}",
    "faults": "{}",
    "windows": "{}",
    "from tick": "from tick {}",
    "found": "{}",
    "program": "program {}",
    "source": "from {}",
    "name": "{}",
    "level": "level {}",
    "times": "{} times",
    "failures": "failures: {}",
    "action": "{}",
    "part": "{}",
    "refusal": "{}",
    "output": "{}",
    "contact": "contact {}",
    "for_ms": "for {} ms",
}
"""By the name of a detail."""

_UNSAID = (("name", ""), ("times", 1))
"""Details that a person need not read."""

_PHRASES_OF = {
    ("power up", "seconds"): "after {} s",
    ("link restored", "seconds"): "after {} s",
    ("pending written", "seconds"): "in {} s",
    ("clock set to", "seconds"): "by {} s",
    ("windows merged", "milliseconds"): "{} ms",
    ("metering taken over", "milliseconds"): "after {} ms",
}
"""By the names of event and detail, where it means different things."""


def details_text(event: str, details: Mapping[str, object]) -> str:
    """Put what belongs to an event in words: "cause switch, no. 3"; "" for an event with nothing more to it."""
    return ", ".join(_phrase(event, *detail) for detail in details.items() if is_said(*detail))


def is_said(name: str, value: object) -> bool:
    """Return whether a person need read a detail."""
    return (name, value) not in _UNSAID


def season_number(value: object) -> object:
    """Return a season's number as people count seasons, from 1; histories count them from 0."""
    return value + 1 if isinstance(value, int) else value


def _phrase(event: str, name: str, value: object) -> str:
    if name == "season":
        value = season_number(value)
    phrase = _PHRASES_OF.get((event, name)) or _PHRASES.get(name)
    return f"{name} {value}" if phrase is None else phrase.format(value)
