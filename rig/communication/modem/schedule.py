"""Calls that are due: by schedule, by event, by command, by a ring to be called back; and repetitions (X-3). Pure.

    what happens                       then
    a minute of the schedule comes     a call is due, whatever became of the one before
    an event, a command, a call-back   a call is due at once
    a call came about                  nothing is due before the next of these
    a call did not come about          again after retry_s, the next number; after `tries` of them it is given up
    outside the originate windows      what is due waits for the next window, but for a command

Two calls that are due at once are one. The clock of the schedule is the meter's local time; when it is set forward,
what it passes over by less than a day is due, once; set back by less than a day, nothing that was due is so again. By
more, it was wrong before: the schedule begins anew. No pause lasts longer for a clock that is set back.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from rig.communication.modem.settings import DAY_MIN, SECOND, ModemSettings
from rig.meter.billing.time_units import DAY_NS, MINUTE_NS


class Cause(Enum):
    """Cause of a call."""

    SCHEDULE = "schedule"
    EVENT = "event"
    COMMAND = "command"
    CALL_BACK = "call-back"


@dataclass
class DueCall:
    """A call that is due: why, how often it was tried, and from when on it may be (again)."""

    cause: Cause
    tried: int = 0
    from_ns: int = 0


class CallSchedule:
    """Calls of one modem. Times are local, in ns since 1970. `given_up` and `made` count."""

    def __init__(self, settings: ModemSettings, local_ns: int) -> None:
        self._settings = settings
        self._seen_ns = local_ns
        """Up to here the schedule has been looked through."""
        self.due: DueCall | None = None
        self.made = self.given_up = 0

    def ask(self, cause: Cause, local_ns: int) -> None:
        """Have a call due now; one that is due already stays, and is tried at once by a command."""
        if self.due is None or cause is Cause.COMMAND:
            self.due = DueCall(cause, from_ns=local_ns)

    def look(self, local_ns: int) -> None:
        """Look what has come due."""
        if local_ns < self._seen_ns - DAY_NS:
            self._seen_ns = local_ns
        if self.due is not None:
            self.due.from_ns = min(self.due.from_ns, local_ns + self._settings.retry_s * SECOND)
        begin_ns = max(self._seen_ns, local_ns - DAY_NS)
        if any(begin_ns < at_ns <= local_ns for at_ns in self._slots(begin_ns, local_ns)):
            self.ask(Cause.SCHEDULE, local_ns)
        self._seen_ns = max(self._seen_ns, local_ns)

    def ready(self, local_ns: int) -> bool:
        """Say whether a call is to be made now."""
        due = self.due
        if due is None or not self._settings.numbers or local_ns < due.from_ns:
            return False
        minute = local_ns // MINUTE_NS % DAY_MIN
        return due.cause is Cause.COMMAND or self._settings.may_call_at(minute)

    @property
    def number(self) -> str:
        """Number to call now: the next one at each repetition."""
        numbers = self._settings.numbers
        return numbers[(self.due.tried if self.due is not None else 0) % len(numbers)]

    def came_about(self) -> None:
        """Take in that the call that was due was answered."""
        self.due = None
        self.made += 1

    def failed(self, local_ns: int) -> None:
        """Take in that it was not."""
        due = self.due
        if due is None:
            return
        due.tried += 1
        due.from_ns = local_ns + self._settings.retry_s * SECOND
        if due.tried >= self._settings.tries:
            self.due = None
            self.given_up += 1

    def next_ns(self, local_ns: int) -> int | None:
        """Give when to look again, local time; None: never."""
        found = [at_ns for at_ns in self._slots(local_ns, local_ns + DAY_NS) if at_ns > local_ns][:1]
        if self.due is not None and self._settings.numbers:
            found.append(max(self.due.from_ns, local_ns + (0 if self.due.from_ns > local_ns else MINUTE_NS)))
        return min(found, default=None)

    def _slots(self, begin_ns: int, end_ns: int) -> list[int]:
        """Instants of the schedule from the day of one instant to that of another."""
        days = range(begin_ns // DAY_NS, end_ns // DAY_NS + 1)
        return sorted(day * DAY_NS + minute * MINUTE_NS for day in days for minute in self._settings.schedule)
