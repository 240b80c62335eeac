"""The lock-out of a source after wrong keys (S-1).

Each wrong key locks its own source, so nobody can shut out another, for a time by how many count:

    wrong keys   1  2  3  4  5  6  7   8   9   10   11   12   13    14    15 and more
    locked, s    0  0  1  2  4  8  16  32  64  128  256  512  1024  2048  3600

    at                     event                     becomes
    not locked             wrong key                 one more counts; locked for the time above
    locked                 any key, the right too    nothing: it is not looked at, nor is the lock-out longer
    locked                 its time is over          not locked
    not locked             right key of level 4      none count
    not locked             right key, lower level    nothing: who has it could guess level 4 between two log-ons
    either                 an hour since the last    one less counts, and one for each further hour
    either                 clock set, power cycle    nothing: the same time is left

The two tries without a lock-out are there once for all sources together: where two wrong keys of others count, the
first one of a source locks it as if it were its third. So guessing at a port comes to one key an hour before long,
whatever is guessed at others; and no lock-out is for ever, or longer than an hour.
"""

from __future__ import annotations

from rig.meter.access.state import Attempts
from rig.meter.billing.source import Source
from rig.meter.billing.time_units import SECOND_NS

FREE = 2
MOST_WAIT_S = 3600
FORGET_NS = 3600 * SECOND_NS
MOST_DOUBLINGS = 12
"""Enough for an hour: as long as one wrong key takes to be forgotten, so no more than 15 ever count."""


class LockOut:
    """The table, on the attempts of a state, by source. `now_ns` is the meter's clock, UTC.

    Where a time is before the last wrong key's although no clock was set, as after a start with a clock that lost its
    time, the lock-out begins again.
    """

    def __init__(self, attempts: dict[str, Attempts]) -> None:
        self._attempts = attempts

    def wait_s(self, source: Source, now_ns: int) -> int:
        """Whole seconds until a key of the source is looked at; 0: it is now."""
        self._catch_up(now_ns)
        found = self._attempts.get(source.value)
        if found is None:
            return 0
        left_ns = found.failed_ns + found.wait_s * SECOND_NS - now_ns
        return max(0, -(-left_ns // SECOND_NS))

    def failed(self, source: Source, now_ns: int) -> Attempts:
        """A wrong key came from a source that is not locked; gives what counts now and how long it is locked."""
        self._catch_up(now_ns)
        others = sum(self._counting(other, now_ns) for other in self._attempts if other != source.value)
        failures = self._counting(source.value, now_ns) + 1
        doublings = failures - max(0, FREE - others) - 1
        wait_s = min(2 ** min(doublings, MOST_DOUBLINGS), MOST_WAIT_S) if doublings >= 0 else 0
        self._attempts[source.value] = Attempts(failures, now_ns, wait_s)
        return self._attempts[source.value]

    def forget(self, source: Source) -> None:
        """The right key of level 4 came from a source."""
        self._attempts.pop(source.value, None)

    def move_clock(self, by_ns: int) -> None:
        """The meter's clock was set, forward by so much."""
        for found in self._attempts.values():
            found.failed_ns += by_ns

    def _counting(self, name: str, now_ns: int) -> int:
        found = self._attempts.get(name)
        return 0 if found is None else max(0, found.failures - (now_ns - found.failed_ns) // FORGET_NS)

    def _catch_up(self, now_ns: int) -> None:
        for found in self._attempts.values():
            found.failed_ns = min(found.failed_ns, now_ns)
