"""The board's ticks and the service's clock: two crystals, compared now and then so that latencies stay constant."""

from __future__ import annotations

from fractions import Fraction

from drivers.clock import Clock
from drivers.spi_link import SpiLink

ANCHOR_NS = 1_000_000_000
"""How often they are compared."""

COMPARED_NS = 20_000_000
"""A comparison that took longer was held up in between, and tells nothing."""

DRIFT = Fraction(500, 1_000_000)
"""Two crystals never differ by more: 50 ppm of a board's oscillator by its data sheet, as much again for age and
temperature, that for two, and a reserve of two and a half."""

ANCHOR_SHARE = 4
"""Of a difference found, one part in so many is taken over: two crystals drift, a reading jitters."""


class BoardTime:
    """Ticks of the meter's timeline, at `tick_hz`, and ns of `clock`, from `begin` on."""

    def __init__(self, link: SpiLink, clock: Clock, tick_hz: Fraction) -> None:
        self._link, self._clock = link, clock
        self._tick_ns = 1_000_000_000 / tick_hz
        self._anchor = (0, 0)

    def begin(self) -> int:
        """From now on, whose board tick is given."""
        self.begin_at(*self.read())
        return self._anchor[0]

    def begin_at(self, tick: int, now_ns: int) -> None:
        """From an instant on, with the board's tick then."""
        self._anchor = tick, now_ns

    def go_on(self, tick: int, now_ns: int) -> None:
        """From now on, where it is `now_ns` at this tick of the meter's timeline."""
        self._anchor = tick, now_ns

    @property
    def compared(self) -> tuple[int, int]:
        """A tick of the meter's timeline, and our clock at it, as compared so far."""
        return self._anchor

    @property
    def due(self) -> bool:
        """True when it is time to compare."""
        return self._clock.now_ns() >= self._anchor[1] + ANCHOR_NS

    def compare(self) -> tuple[int, int, int] | None:
        """The board's tick count, our clock, and the time of day, UTC in ns, at one instant; None if that took long."""
        begin_ns = self._clock.now_ns()
        tick, now_ns = self.read()
        utc_ns = self._clock.utc_ns()
        return None if self._clock.now_ns() - begin_ns > COMPARED_NS else (tick, now_ns, utc_ns)

    def follow(self, tick: int, now_ns: int, most_ns: int) -> None:
        """It was `now_ns` at this tick of the meter's. A difference of `most_ns` or more is a board that was reset, and
        taken over whole."""
        late_ns = now_ns - self.instant_ns(tick)
        if abs(late_ns) < most_ns:
            late_ns //= ANCHOR_SHARE
        self._anchor = tick, self.instant_ns(tick) + late_ns

    def instant_ns(self, tick: int) -> int:
        """Our clock at a tick."""
        anchor_tick, anchor_ns = self._anchor
        return anchor_ns + int((tick - anchor_tick) * self._tick_ns)

    def tick_at(self, instant_ns: int) -> int:
        """The tick of an instant."""
        anchor_tick, anchor_ns = self._anchor
        return anchor_tick + int((instant_ns - anchor_ns) / self._tick_ns)

    def latest_tick(self, now_ns: int) -> int:
        """The tick of the meter's timeline that it is at most: the board's crystal may be fast by DRIFT, and what it is
        ahead of the anchor less than a comparison takes."""
        age_ns = max(0, now_ns - self._anchor[1])
        return self.tick_at(now_ns + COMPARED_NS + int(age_ns * DRIFT))

    def read(self) -> tuple[int, int]:
        """The board's tick count, and the clock in the middle of reading it."""
        before = self._clock.now_ns()
        tick = self._link.ticks()
        return tick, (before + self._clock.now_ns()) // 2
