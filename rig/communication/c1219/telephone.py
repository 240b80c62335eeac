"""Facts of a port's modem, as its tables have them (ST90 to ST97; X-3)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ModemFacts:
    """Facts of one modem: `numbers` and the status of the last call to each, as ST97 counts them; counts of windows,
    set-up strings, calls a day and events; `identity` of the meter in packets."""

    numbers: tuple[str, ...]
    statuses: tuple[int, ...]
    prefix: str
    answers: bool
    locks_out: bool
    setup_strings: int
    setup_length: int
    answer_windows: int
    originate_windows: int
    calls_a_day: int
    events: int
    identity: int
