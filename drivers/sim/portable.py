"""Cosine and sine from additions and multiplications alone.

One unit in the last place of one input changes a delta-sigma bitstream from some tick on. Libraries differ in
that place between machines; IEEE arithmetic does not. What becomes a signal is therefore computed with these.
"""

from __future__ import annotations

import math

from numba import njit

import gateware.model  # noqa: F401  (tells numba where)

_TURN = 2 * math.pi
# Taylor series over an eighth of a turn: the first term left out is below 2e-18 of the result.
_S1, _S2, _S3, _S4, _S5, _S6, _S7, _S8 = ((-1) ** k / math.factorial(2 * k + 1) for k in range(1, 9))
_C1, _C2, _C3, _C4, _C5, _C6, _C7, _C8 = ((-1) ** k / math.factorial(2 * k) for k in range(1, 9))


@njit(cache=True, inline="always")
def cos_sin(turns: float) -> tuple[float, float]:
    """Cosine and sine of an angle given in turns; exact in its periods, within 3e-16 elsewhere."""
    quarters = math.floor(4.0 * turns + 0.5)
    a = (turns - 0.25 * quarters) * _TURN
    q = a * a
    s = a + a * q * (_S1 + q * (_S2 + q * (_S3 + q * (_S4 + q * (_S5 + q * (_S6 + q * (_S7 + q * _S8)))))))
    c = 1.0 + q * (_C1 + q * (_C2 + q * (_C3 + q * (_C4 + q * (_C5 + q * (_C6 + q * (_C7 + q * _C8)))))))
    quadrant = int(quarters) & 3
    if quadrant & 1:
        c, s = -s, c
    if quadrant & 2:
        c, s = -c, -s
    return c, s
