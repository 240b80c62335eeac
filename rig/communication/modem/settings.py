"""Settings of a meter's modem: how it is set up, when it answers, whom it calls and when (X-3).

They are what tables 90 to 98 of C12.19 have: set-up strings, answer and originate windows, telephone numbers, the
schedule, lock-out. Times are of the local day, in minutes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

SECOND = 1_000_000_000
DAY_MIN = 1440

LG144 = ("AT&F", "ATE0V1Q0", "ATS0=0&C1&D2")
"""Set-up of the internal modem board: factory settings, no echo, words for results, never answering by itself, carrier
detect as it is, hanging up when DTR falls. Its own manual was not to hand; these are common to Hayes modems."""


class CallEvent(Enum):
    """Event of the meter for which it can call, by the name of the log."""

    POWER_UP = "power up"
    SEAL_BROKEN = "seal broken"
    DEMAND_RESET = "demand reset"
    DIAGNOSTIC_ON = "diagnostic on"


@dataclass(frozen=True, slots=True)
class Window:
    """Minutes of the day from `begin` on and before `end`; over midnight where `end` is not later."""

    begin: int
    end: int

    def holds(self, minute: int) -> bool:
        """Say whether a minute of the day is in it."""
        if self.begin < self.end:
            return self.begin <= minute < self.end
        return minute >= self.begin or minute < self.end


@dataclass(frozen=True, slots=True)
class ModemSettings:
    """Settings of one modem.

    `rings` before it answers in a window of `answer_windows`, `rings_outside` at all other times, 0: not at all;
    without windows all day is one. `numbers` are tried one after the other. `schedule` has minutes of the day at which
    it calls, `events` those for which it does, within `originate_windows`. A call that does not come about is tried
    `tries` times, `retry_s` apart. `call_back`: rings are not answered, and once they have stopped it calls. After
    `lockout_calls` calls in a row in which no level was proven it answers none for `lockout_s`; 0: no lock-out. A call
    ends after `idle_s` in which nothing was said, and after `longest_s` whatever is said.
    """

    setup: tuple[str, ...] = LG144
    prefix: str = "ATDT"
    numbers: tuple[str, ...] = ()
    rings: int = 1
    rings_outside: int = 0
    answer_windows: tuple[Window, ...] = ()
    originate_windows: tuple[Window, ...] = ()
    schedule: tuple[int, ...] = ()
    events: frozenset[CallEvent] = field(default_factory=frozenset)
    tries: int = 3
    retry_s: int = 300
    call_back: bool = False
    lockout_calls: int = 0
    lockout_s: int = 1800
    idle_s: int = 60
    longest_s: int = 3600

    def rings_at(self, minute: int) -> int:
        """Rings before it answers at a minute of the day; 0: it does not."""
        inside = not self.answer_windows or any(window.holds(minute) for window in self.answer_windows)
        return self.rings if inside else self.rings_outside

    def may_call_at(self, minute: int) -> bool:
        """Say whether it may call at a minute of the day."""
        return not self.originate_windows or any(window.holds(minute) for window in self.originate_windows)
