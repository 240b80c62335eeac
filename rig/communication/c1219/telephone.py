"""Facts of a port's modem, as its tables have them (ST90 to ST97; X-3)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CallWindow:
    """Minutes of every day in which calls are answered, or made: where they begin, and how many there are."""

    begin: int
    minutes: int


@dataclass(frozen=True)
class ModemFacts:
    """Facts of one modem: `numbers` and the status of the last call to each, as ST97 counts them; its set-up strings;
    counts of calls a day and events; `identity` of the meter in packets.

    `rings` before it answers, within its windows or without any at all times, and `rings_outside` of them, 0: never.
    After `lockout_calls` calls in a row that proved nothing it answers none for `lockout_minutes`; 0: no lock-out.
    """

    numbers: tuple[str, ...] = ()
    statuses: tuple[int, ...] = (0,)
    prefix: str = "ATDT"
    answers: bool = True
    setup: tuple[str, ...] = ()
    rings: int = 1
    rings_outside: int = 0
    lockout_calls: int = 0
    lockout_minutes: int = 0
    answer_windows: tuple[CallWindow, ...] = ()
    originate_windows: tuple[CallWindow, ...] = ()
    calls_a_day: int = 0
    events: int = 0
    identity: int = 0

    @property
    def longest_number(self) -> int:
        """Characters of the longest number, 1 at least."""
        return max(map(len, self.numbers), default=1)

    @property
    def longest_setup(self) -> int:
        """Characters of the longest set-up string."""
        return max(map(len, self.setup), default=0)
