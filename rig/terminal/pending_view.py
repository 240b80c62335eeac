"""A program that waits, in words: which, until when, and who wrote it (docs/access.md)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rig.meter.billing.calendar import Calendar


def pending_lines(pending: dict[str, Any], calendar: Calendar) -> Iterator[str]:
    """Give the lines that say what waits; `pending` is a PendingAnswer as it comes, times are local by the calendar."""

    def local(utc_ns: int) -> str:
        return f"{calendar.local(utc_ns):%Y-%m-%d %H:%M:%S}"

    waiting = pending["waiting"]
    if waiting is None:
        yield "no program waits"
    else:
        at_ns = waiting["at_utc_ns"]
        until = "until its activation is asked for" if at_ns is None else f"until {local(at_ns)}"
        yield f"program {waiting['digest']} waits {until}"
        yield f"written {local(waiting['written_utc_ns'])} from {waiting['source']}, at level {waiting['level']}"
    if pending["activated_utc_ns"] is not None:
        yield f"one was activated {local(pending['activated_utc_ns'])}"
