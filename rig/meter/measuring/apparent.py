"""Volt-ampere-hours rms: each element's Vrms·Irms over about a second at a time (Q-3).

R.m.s. values of one cycle are not those of a load that is on in some cycles and off in others: burst firing with two
cycles of four draws I/√2, where single cycles average I/2. So time is cut into blocks of 60 cycles, one second at
60 Hz, and what registers over a block is √(Σv²·Σi²) of its samples, free of their own DC. It grows with every window of
the block, so pulses come as it flows, and it does not matter how windows are merged into records. Why so, and what a
step of the load within a block costs: docs/decisions/056-about-a-second.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt

from rig.meter.billing.quantity import NANO
from rig.meter.measuring.quantities import Scaling, Sums
from rig.meter.measuring.span import SPAN_CYCLES, most_samples
from rig.meter.measuring.starting import Starting

RMS_PARTS = 1 << 16
"""Square roots are rounded down to this part of a nVAh."""


@dataclass
class ApparentState:
    """State of an ApparentEnergy: the block so far, and what of it was counted, by element."""

    block: Sums
    counted: list[int]


class ApparentEnergy:
    """Volt-ampere-hours rms of the elements of one equation, window by window."""

    def __init__(self, scaling: Scaling) -> None:
        self._scaling = scaling
        self._most_samples = most_samples(scaling.sample_hz)
        hours = 1 / (scaling.sample_hz * 3600)
        # An element's are √(volt square · ampere square) · scale · hours; factors go under the root, too.
        self._factors = [
            (NANO * RMS_PARTS * hours * scale) ** 2
            / (scaling.volt_squares.denominator * scaling.ampere_squares.denominator)
            for scale in scaling.scales
        ]
        self._block = Sums()
        self._counted = [0] * len(scaling.scales)

    @property
    def state(self) -> ApparentState:
        """State to continue from."""
        return ApparentState(self._block, list(self._counted))

    def resume(self, state: ApparentState) -> None:
        """Go on from there, with the same scaling."""
        self._block, self._counted = state.block, list(state.counted)

    def advance(self, sums: Sums, starting: Starting) -> int:
        """Take in what a window adds up to, or several; the energy of it, in 1/RMS_PARTS nVAh and never negative."""
        scaling = self._scaling
        block = self._block
        self._block = Sums(
            block.samples + sums.samples,
            moments=block.moments.plus(sums.moments),
            dc=tuple([one + two for one, two in zip(block.dc, sums.dc, strict=True)]),
            cycles=block.cycles + sums.cycles,
        )
        squares = starting.live_part(self._block.squares)
        total = 0
        for k, (volts, amperes, factor) in enumerate(
            zip(
                scaling.volt_squares.numerators(squares),
                scaling.ampere_squares.numerators(squares),
                self._factors,
                strict=True,
            )
        ):
            # An element's square sums several rounded products, so near zero it may come out a unit below it.
            so_far = isqrt(max(volts, 0) * max(amperes, 0) * factor.numerator // factor.denominator)
            if so_far > self._counted[k]:
                total += so_far - self._counted[k]
                self._counted[k] = so_far
        if self._block.cycles >= SPAN_CYCLES or self._block.samples >= self._most_samples:
            self._block = Sums()
            self._counted = [0] * len(self._counted)
        return total
