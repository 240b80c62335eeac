"""The meter's clock: UTC for every tick, from the board's crystal, kept right by comparison with a better one (T-1).

Small differences are slewed away, at no more than SLEW of the time that passes, so intervals keep their length. A
difference of more than STEP_NS is not: it is for the meter to be set (Billing.set_clock), as an event of its own.
"""

from __future__ import annotations

from fractions import Fraction

SECOND_NS = 1_000_000_000
STEP_NS = SECOND_NS
SLEW = 2000
"""One part in so many: 0.05 %, ten times what a poor crystal is off."""


class MeterClock:
    """Time as the meter has it. It only goes forward, but for `set`."""

    def __init__(self, tick_hz: Fraction, tick: int, utc_ns: int) -> None:
        self._rate, self._per = (SECOND_NS / tick_hz).as_integer_ratio()
        self._tick, self._ns, self._remainder = tick, utc_ns, 0
        self._owed = 0

    def advance(self, tick: int) -> int:
        """UTC in ns at a tick, none earlier than the one before."""
        ns, self._remainder = divmod((tick - self._tick) * self._rate + self._remainder, self._per)
        most = ns // SLEW
        slew = max(-most, min(most, self._owed))
        self._owed -= slew
        self._tick, self._ns = tick, self._ns + ns + slew
        return self._ns

    def compare(self, tick: int, utc_ns: int) -> int | None:
        """What another clock says of a tick near the last one. A small difference will be slewed away.

        Returns the UTC to set the clock to where the difference is too much for that, else None.
        """
        mine = self._ns + (tick - self._tick) * self._rate // self._per
        self._owed = utc_ns - mine
        if abs(self._owed) <= STEP_NS:
            return None
        return self._ns + self._owed

    def set(self, utc_ns: int) -> None:
        """From now on, which is the last tick that was asked for, it is `utc_ns`."""
        self._ns, self._owed = utc_ns, 0
