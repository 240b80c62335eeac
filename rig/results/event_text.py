"""The log for people: an event's name and details, as the history has them, in one line of words.

Nothing reads these words back: code goes by the fields of the events (rig/meter/billing/log.py). Details of a name that
is not known here, from a history that another version wrote, stand as they are.
"""

from __future__ import annotations

from collections.abc import Mapping

_PHRASES = {
    "seconds left": "{} s left",
    "rate": "rate {}",
    "season": "season {}",
    "cause": "cause {}",
    "resets": "no. {}",
    "intervals": "intervals so far: {}",
    "service": "{}",
    "diagnostic": "{}",
    "phases": "phases {}",
    "faults": "{}",
    "found": "{}",
    "program": "program {}",
}
"""By the name of a detail."""

_PHRASES_OF = {
    ("power up", "seconds"): "after {} s",
    ("clock set to", "seconds"): "by {} s",
}
"""By the names of event and detail, where it means different things."""


def details_text(event: str, details: Mapping[str, object]) -> str:
    """Put what belongs to an event in words: "cause switch, no. 3"; "" for an event with nothing more to it."""
    phrases = [(_PHRASES_OF.get((event, name)) or _PHRASES.get(name), name, value) for name, value in details.items()]
    return ", ".join(f"{name} {value}" if phrase is None else phrase.format(value) for phrase, name, value in phrases)
