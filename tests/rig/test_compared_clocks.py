"""The board's ticks and the service's clock, compared: a comparison that was held up tells nothing (C-3)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import pytest

from rig.service.board_time import BoardTime

TICK_HZ = Fraction(10_000_000, 3)
UTC_NS = 1_772_323_200 * 10**9
MS = 1_000_000


@dataclass
class HeldUp:
    """A clock, and a board behind a link; reading its tick count takes `took_ns`."""

    took_ns: int
    ns: int = 10**9

    def now_ns(self) -> int:
        return self.ns

    def utc_ns(self) -> int:
        return UTC_NS + self.ns

    def ticks(self) -> int:
        self.ns += self.took_ns
        return 4000


@pytest.mark.parametrize(("took_ns", "counts"), [(0, True), (20 * MS, True), (20 * MS + 1, False), (10**9, False)])
def test_what_takes_longer_than_twenty_milliseconds_tells_nothing(took_ns: int, counts: bool) -> None:
    """The instant is the middle of the reading, the time of day that of its end."""
    clock = HeldUp(took_ns)
    found = BoardTime(clock, clock, TICK_HZ).compare()  # type: ignore[arg-type]
    assert found == ((4000, 10**9 + took_ns // 2, UTC_NS + 10**9 + took_ns) if counts else None)
