"""Reactive power by the quarter-cycle delay, "td" (Q-3): the voltage D samples ago, times the current now.

A load of lag φ on a sine of power S has P = S·cos φ and the delayed product C = S·cos(φ − θ), with θ = 2πfD/f_s what
the line turns in D samples. So

    Q = (C − P·cos θ) / sin θ = S·sin φ,

exactly, at any frequency f, positive where the current lags. The delay itself need not be a quarter cycle; it is one
within 0.3° at 50 and at 60 Hz, as the gateware delays by 65 samples on a line of less than 54 Hz and by 54 on others
(docs/decisions/058-quarter-cycle-by-line.md).

Harmonics are turned by the same *time*: the h-th, of active and reactive power P_h and Q_h, adds
(P_h·(cos hθ − cos θ) + Q_h·sin hθ) / sin θ. With θ = 90° that is Q_1 − P_2 − Q_3 + P_4 + Q_5 − P_6 − Q_7 …, which is
what a meter of this method registers; it is not the sum of the Q_h (docs/decisions/017-td-harmonics.md). Var of the
fundamental alone: rig/meter/measuring/fundamental.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import cos, pi, sin

from gateware.record_words import PRODUCTS, Record, RecordFlag
from gateware.registers import VOLTAGES, Channel, td_delay
from rig.meter.measuring.products import NONE, Mean, Products, added, divide_half_even

TURN_BITS = 30
"""cos θ and sin θ are taken as multiples of 2**-30: Q is off by less than 1e-9 of S, and an exact rational."""

_LEAST_SINE = 1 << TURN_BITS - 1  # 30° to 150°: 20 to 100 Hz with a delay of 54 samples, 17 to 83 Hz with 65

_POWERS = tuple((place, v, i) for place, (v, i) in enumerate(PRODUCTS) if v < VOLTAGES <= i)


def td_products(record: Record, mean: Mean) -> Products:
    """Σ(i_c[n] − ī_c)(v_k[n−D] − v̄_k), each rounded once, in the places of the products v_k·i_c; the others 0.

    The record has no Σ v_k[n−D]; its own Σ v_k stands in. What that costs: docs/decisions/015-td-dc.md.
    """
    n, m, dc = record.samples, mean.samples, mean.sums
    sums = [record.mean_sum(c) for c in Channel]
    made = list(NONE)
    for place, v, i in _POWERS:
        product = m * m * record.delayed(i, v) - m * (dc[v] * sums[i] + dc[i] * sums[v]) + n * dc[v] * dc[i]
        made[place] = divide_half_even(product, m * m)
    return tuple(made)


@dataclass(frozen=True)
class Turn:
    """Angle that the line turns in the delay: cos θ and sin θ in 2**-30."""

    cos: int
    sin: int

    @classmethod
    def of(cls, hz: float, delay_s: float) -> Turn | None:
        """The turn at a line frequency; None where that cannot be one, as θ is not within 30° to 150°."""
        angle = 2 * pi * hz * delay_s
        turn = cls(round(cos(angle) * (1 << TURN_BITS)), round(sin(angle) * (1 << TURN_BITS)))
        return turn if 0 < angle < pi and turn.sin >= _LEAST_SINE else None

    def reactive(self, delayed: Products, products: Products) -> Products:
        """Var in place of watts: (C − P·cos θ)/sin θ in the places of the products v_k·i_c, each rounded once."""
        made = list(NONE)
        for place, _, _ in _POWERS:
            made[place] = divide_half_even((delayed[place] << TURN_BITS) - self.cos * products[place], self.sin)
        return tuple(made)


@dataclass
class QuadratureState:
    """State of a Quadrature: the last frequency in Hz, and what waits to be turned, td products and products
    by the delay of both."""

    hz: float | None
    waiting: dict[int, tuple[Products, Products]]
    samples: int


QUARTER = Turn(0, 1 << TURN_BITS)


class Quadrature:
    """Turns the td products of successive windows into var products, each at its own frequency and delay.

    A window without a frequency takes the last one known. Before there is any it waits for the next window, and is
    turned with it, as long as it ends at a crossing, so that the next can have a frequency; else (no voltage to
    measure) the delay counts as a quarter cycle. So every window is turned once, and none is lost.
    """

    def __init__(self, quarter: int, sample_hz: Fraction) -> None:
        self._quarter, self._sample_hz = quarter, sample_hz
        self._hz: float | None = None
        self._waiting: dict[int, tuple[Products, Products]] = {}  # by delay
        self._samples = 0

    @property
    def state(self) -> QuadratureState:
        """State to continue from."""
        return QuadratureState(self._hz, dict(self._waiting), self._samples)

    def resume(self, state: QuadratureState) -> None:
        """Go on from there."""
        self._hz, self._waiting, self._samples = state.hz, dict(state.waiting), state.samples

    @property
    def waiting(self) -> bool:
        """True while the last window is still to be turned, with the next."""
        return bool(self._waiting)

    def advance(
        self, record: Record, delayed: Products, products: Products, hz: float | None
    ) -> tuple[Products, Products, int]:
        """Take in a window by its td products and its products, free of DC: var products, the products that they are
        of, and of how many samples."""
        delay = td_delay(self._quarter, record.oscillator_step)
        delayed_before, products_before = self._waiting.get(delay, (NONE, NONE))
        self._waiting[delay] = added(delayed_before, delayed), added(products_before, products)
        self._samples += record.samples
        if hz is not None and self._turn_of(delay, hz) is not None:
            self._hz = hz
        if self._hz is None and RecordFlag.END_CROSSING in record.flags:
            return NONE, NONE, 0
        reactive = turned = NONE
        for each, sums in self._waiting.items():
            turn = QUARTER if self._hz is None else self._turn_of(each, self._hz) or QUARTER
            reactive, turned = added(reactive, turn.reactive(*sums)), added(turned, sums[1])
        samples, self._samples = self._samples, 0
        self._waiting.clear()
        return reactive, turned, samples

    def _turn_of(self, delay: int, hz: float) -> Turn | None:
        return Turn.of(hz, float(delay / self._sample_hz))
