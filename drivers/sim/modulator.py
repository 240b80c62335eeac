"""Six second-order single-bit delta-sigma modulators, computed together.

Each is the standard loop of two delaying integrators (Boser and Wooley 1988), in double precision:

    v  = +1 if y ≥ 0 else −1
    x' = x + u − v
    y' = y + x − 2v,   held within ±LIMIT

With e the quantisation error, V = z⁻²·U + (1 − z⁻¹)²·E: the bit of a tick stands for the input two ticks
before, and the signal is otherwise untouched. A steady input of up to 0.9 never reaches the limit; beyond, it
bounds how long the loop takes to recover, as the supply does in a real part.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

import gateware.model  # noqa: F401  (tells numba where)
from drivers.sim.source import GRID_TICKS, Floats

DELAY_TICKS = 2
LIMIT = 32.0
NODES = (-2, -1, 0, 1, 2, 3)
"""Where the six points of a Lagrange interpolation lie, around the interval from 0 to 1 it is used in."""

KEEP_ALIVE = 128
"""An overdriven AMC1306-class part inverts every 128th of equal bits: it cannot be taken for a dead one."""


def lagrange(at: float) -> list[float]:
    """Weights of the points at NODES for the value between them at `at`: a polynomial of fifth degree."""
    return [math.prod((at - m) / (j - m) for m in NODES if m != j) for j in NODES]


TICK_WEIGHTS: Floats = np.array([lagrange(t / GRID_TICKS) for t in range(GRID_TICKS)]).T.copy()
"""lagrange() for every tick of a grid interval, (6, GRID_TICKS): at 3.2 kHz within 2e-5."""


@njit(cache=True, inline="always")
def _step(u: float, x: float, y: float) -> tuple[float, float]:
    v = math.copysign(1.0, y)  # y is never −0: no sum of the loop yields it from the zeros it starts with
    after = y + (x - 2.0 * v)
    after = LIMIT if after > LIMIT else after
    after = -LIMIT if after < -LIMIT else after
    return x + (u - v), after


@njit(cache=True)
def modulate(density: Floats, weights: Floats, state: Floats, bits: np.ndarray) -> None:
    """Fill `bits` (uint8, GRID_TICKS a point; bit c is channel c) from `density` (points + 5, 6).

    `weights` are TICK_WEIGHTS; `state` (2, 6) holds x and y of each loop from call to call. The six loops are
    written out side by side: each alone would spend its time waiting for its own result.
    """
    u = np.empty((6, GRID_TICKS))
    xa, xb, xc, xd, xe, xf = state[0, 0], state[0, 1], state[0, 2], state[0, 3], state[0, 4], state[0, 5]
    ya, yb, yc, yd, ye, yf = state[1, 0], state[1, 1], state[1, 2], state[1, 3], state[1, 4], state[1, 5]
    for k in range(density.shape[0] - len(NODES) + 1):
        for c in range(6):
            p0, p1, p2 = density[k, c], density[k + 1, c], density[k + 2, c]
            p3, p4, p5 = density[k + 3, c], density[k + 4, c], density[k + 5, c]
            for t in range(GRID_TICKS):
                early = weights[0, t] * p0 + weights[1, t] * p1 + weights[2, t] * p2
                u[c, t] = early + weights[3, t] * p3 + weights[4, t] * p4 + weights[5, t] * p5
        for t in range(GRID_TICKS):
            low = (ya >= 0.0) | (yb >= 0.0) << 1 | (yc >= 0.0) << 2
            bits[GRID_TICKS * k + t] = low | (yd >= 0.0) << 3 | (ye >= 0.0) << 4 | (yf >= 0.0) << 5
            xa, ya = _step(u[0, t], xa, ya)
            xb, yb = _step(u[1, t], xb, yb)
            xc, yc = _step(u[2, t], xc, yc)
            xd, yd = _step(u[3, t], xd, yd)
            xe, ye = _step(u[4, t], xe, ye)
            xf, yf = _step(u[5, t], xf, yf)
    state[0, 0], state[0, 1], state[0, 2], state[0, 3], state[0, 4], state[0, 5] = xa, xb, xc, xd, xe, xf
    state[1, 0], state[1, 1], state[1, 2], state[1, 3], state[1, 4], state[1, 5] = ya, yb, yc, yd, ye, yf


@njit(cache=True)
def keep_alive(bits: np.ndarray) -> None:
    """Invert every KEEP_ALIVE-th of equal bits of a channel, in place.

    The first KEEP_ALIVE bytes are earlier output, and stay. A run that long contains a whole block of
    GRID_TICKS ticks, so that only channels which such a block shows to be steady are looked at closely.
    """
    every = (1 << 6) - 1
    steady_before = every
    for start in range(KEEP_ALIVE, len(bits), GRID_TICKS):
        ones, some = every, 0
        for t in range(start, start + GRID_TICKS):
            ones &= bits[t]
            some |= bits[t]
        steady = ones | every & ~some
        for c in range(6):
            if (steady | steady_before) >> c & 1:
                _break_runs(bits, start, c)
        steady_before = steady


@njit(cache=True)
def _break_runs(bits: np.ndarray, start: int, c: int) -> None:
    last = bits[start - 1] >> c & 1
    run = 1
    while run < KEEP_ALIVE - 1 and bits[start - 1 - run] >> c & 1 == last:
        run += 1
    for t in range(start, start + GRID_TICKS):
        bit = bits[t] >> c & 1
        run = run + 1 if bit == last else 1
        last = bit
        if run == KEEP_ALIVE:
            bits[t] ^= 1 << c
            last = 1 - bit
            run = 1
