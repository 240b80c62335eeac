"""The lines of a meter's log: what every kind of event has (T-3, S-3; codes of ANSI C12.19's history log).

A kind of event is one class derived from LogEvent, in the room that finds it: billing's are in
rig/meter/billing/events.py. Its fields are typed, and code goes by them; names and texts are made from them here, for
the history and for JSON, and never read back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from types import MappingProxyType
from typing import ClassVar, TypeVar

from rig.meter.billing.source import Source

E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class LogEvent:
    """A line of the log, at `utc_ns` (UTC, ns).

    `label` is its name in reports and histories; `code` the event's code in C12.19's history log, from 2048 on one of
    our own. Further fields are what belongs to it; `named` has the names that `details` gives those that have another.
    """

    label: ClassVar[str]
    code: ClassVar[int]
    named: ClassVar[Mapping[str, str]] = MappingProxyType({})

    utc_ns: int


@dataclass(frozen=True, slots=True)
class AskedEvent(LogEvent):
    """A line of what was asked for: its `source` says by whom, and `name` which module, where that is one (X-4)."""

    name: str | None = field(default=None, kw_only=True)


def named(events: Iterable[E], module: str | None) -> list[E]:
    """Give the same events, those that a module asked for with the name of the one that is fitted: no other can."""
    return [
        replace(event, name=module)
        if isinstance(event, AskedEvent) and getattr(event, "source", None) is Source.MODULE
        else event
        for event in events
    ]


def details(event: LogEvent) -> dict[str, int | str]:
    """Name what belongs to an event, as the history and JSON have it: whole numbers and texts; None is left out."""
    ordered = sorted(fields(event), key=lambda each: each.kw_only is True)
    names = [each.name for each in ordered if each.name != "utc_ns"]
    values = {event.named.get(name, name): getattr(event, name) for name in names}
    return {name: _plain(value) for name, value in values.items() if value is not None}


def _plain(value: object) -> int | str:
    """A number or a text as it is, an enum by its label (its value, where it has none), several of them in a row."""
    match value:
        case Enum():
            return str(getattr(value, "label", value.value))
        case int() | str():
            return value
        case tuple():
            return ", ".join(str(_plain(each)) for each in value)
    raise TypeError(f"{value!r} can be no detail of an event: give an int, a text, an enum, or a tuple of those")
