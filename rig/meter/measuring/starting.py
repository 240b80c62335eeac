"""Threshold at which a meter begins to register: its starting current, so that no load registers nothing (review A-7).

A channel is *live* while its r.m.s. value over the last span of windows (span.py) says so:

    state      r.m.s. value            becomes
    idle       below `starts`          idle
    idle       `starts` or more        live
    live       `stops` or more         live
    live       below `stops`           idle

What has an idle channel in it registers nothing: no energy either way, no vars, no volt-amperes, no squares. So an idle
current keeps its phase from registering and no other, in all quadrants. Values are compared exactly, as squares of
rationals. Where the limits come from: docs/decisions/057-starting.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from gateware.record_words import PRODUCTS
from gateware.registers import CHANNELS, VOLTAGES
from rig.meter.measuring.products import Products

STARTING_PARTS = 4000
"""The starting current is the class divided by this: 5 mA of class 20, 50 mA of class 200, 80 mA of class 320, as in
ANSI C12.20 for accuracy class 0.2; IEC 62053-22 has a thousandth of the nominal current: 5 mA of 5 A."""

STARTS = Fraction(3, 4)
"""A current is live from this part of the starting current on: a meter has to register at that current itself, with its
sensors' errors and with what a span holds of the time before."""

STOPS = Fraction(1, 2)
"""And idle again below this part of it."""

STARTS_V = Fraction(1)
"""A voltage is live from 1 V r.m.s. on, under 1 % of the least that a meter is for."""

STOPS_V = Fraction(1, 2)


def starting_amperes(current_class: int) -> Fraction:
    """Give the current in amperes at which a meter of a class registers: 5 mA of class 20."""
    return Fraction(current_class, STARTING_PARTS)


@dataclass(frozen=True, slots=True)
class Limits:
    """The r.m.s. values, in volts or amperes, from which on a channel is live, and below which it is idle again."""

    starts: Fraction
    stops: Fraction


def limits_of_class(current_class: int) -> tuple[Limits, ...]:
    """Give the limits of the six channels of a meter of a current class."""
    starting = starting_amperes(current_class)
    volts, amperes = Limits(STARTS_V, STOPS_V), Limits(STARTS * starting, STOPS * starting)
    return (volts,) * VOLTAGES + (amperes,) * (CHANNELS - VOLTAGES)


class Starting:
    """Channels that are live: bit c of `live` is channel c's. Without `limits` all are, always.

    `gains` are the volts or amperes of a code, by channel.
    """

    def __init__(self, limits: Sequence[Limits] = (), gains: Sequence[Fraction] = (), live: int = 0) -> None:
        self._starts = [(limit.starts / gain) ** 2 for limit, gain in zip(limits, gains, strict=True)]
        self._stops = [(limit.stops / gain) ** 2 for limit, gain in zip(limits, gains, strict=True)]
        self.live = live if limits else _ALL

    def advance(self, squares: Sequence[int], samples: int) -> None:
        """Take in the sums of the channels' squares over so many samples, in codes squared and without DC."""
        for c, (starts, stops) in enumerate(zip(self._starts, self._stops, strict=True)):
            limit = stops if self.live >> c & 1 else starts
            reached = samples > 0 and squares[c] * limit.denominator >= limit.numerator * samples
            self.live = self.live & ~(1 << c) | reached << c

    def live_part(self, products: Products) -> Products:
        """Give the products with 0 in place of those that have an idle channel in them."""
        if self.live == _ALL:
            return products
        return tuple(
            [
                product if self.live >> a & self.live >> b & 1 else 0
                for (a, b), product in zip(PRODUCTS, products, strict=True)
            ]
        )


_ALL = (1 << CHANNELS) - 1
