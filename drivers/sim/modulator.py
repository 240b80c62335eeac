"""Six second-order single-bit delta-sigma modulators, computed together, in integers.

Each is the standard loop of two delaying integrators (Boser and Wooley 1988):

    v  = +1 if y ≥ 0 else −1
    x' = x + u − v
    y' = y + x − 2v,   held within ±LIMIT

With e the quantisation error, V = z⁻²·U + (1 − z⁻¹)²·E: the bit of a tick stands for the input two ticks
before, and the signal is otherwise untouched. A steady input of up to 0.9 never reaches the limit; beyond, it
bounds how long the loop takes to recover, as the supply does in a real part.

u, x and y are whole numbers of 2⁻²⁴, in 32 bits. That is enough: y stays within 32; x, which grows only while y is
negative, and falls or stays while it is not, within 14 for steady inputs up to 1, and within 33 for any that the
interpolation can make of densities up to 1. Between two points u is their interpolation's polynomial of fifth degree,
taken in the middle of two ticks and held for both. What holding takes from a frequency of ω radians a tick, cos(ω/2),
is made up for: the polynomial less an eighth of its second difference is what is held, and at 3.2 kHz 10⁻⁹ is left.
The polynomial goes by its value and its five differences from one held value to the next, whole numbers of 2⁻⁵⁶ in
64 bits: 32 additions leave 2⁻³⁸ of rounding.

The loop is compiled from modulators.cpp, which computes the channels side by side in one register. Where there is no
C++ compiler the same loop runs as Python compiled by numba, slower: the bits are the same, on every machine.
"""

from __future__ import annotations

import ctypes
import math
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from numba import njit

import gateware.model  # noqa: F401  (tells numba where)
from drivers.sim.source import GRID_TICKS, Floats
from gateware.twin.shared_library import CannotCompile, compiled

Bits = npt.NDArray[np.uint8]

DELAY_TICKS = 2
LIMIT = 32
NODES = (-2, -1, 0, 1, 2, 3)
"""Where the six points of a Lagrange interpolation lie, around the interval from 0 to 1 it is used in."""

PLACES = 8
"""Columns of an array of densities: six channels, and two more that fill a register."""

HOLD_TICKS = 2
FRACTION_BITS = 24
_DIFFERENCE_BITS = 56

KEEP_ALIVE = 128
"""An overdriven AMC1306-class part inverts every 128th of equal bits: it cannot be taken for a dead one."""


def lagrange(at: float) -> list[float]:
    """Weights of the points at NODES for the value between them at `at`: a polynomial of fifth degree."""
    return [math.prod((at - m) / (j - m) for m in NODES if m != j) for j in NODES]


def _differences() -> Floats:
    """Return the weights of the points at NODES in the n-th difference of held inputs, (n, points)."""

    def polynomial(tick: Fraction, j: int) -> Fraction:
        at = tick / GRID_TICKS
        return math.prod(((at - m) / (j - m) for m in NODES if m != j), start=Fraction(1))

    def held(number: int, j: int) -> Fraction:
        middle = HOLD_TICKS * number + Fraction(1, 2)
        around = polynomial(middle - 1, j) - 2 * polynomial(middle, j) + polynomial(middle + 1, j)
        return polynomial(middle, j) - around / 8

    order = range(len(NODES))
    values = [[held(number, j) for j in NODES] for number in order]
    exact = [
        [sum((-1) ** (n - k) * math.comb(n, k) * values[k][j] for k in range(n + 1)) for j in order] for n in order
    ]
    return np.array([[float(weight * 2**_DIFFERENCE_BITS) for weight in row] for row in exact])


DIFFERENCES = _differences()


class Modulators(Protocol):
    """Six modulators, from zero. Densities are (points + 5, PLACES), of which the first and last points are neighbours
    needed for the interpolation. Bits are GRID_TICKS bytes a point; bit c is channel c's, 1 for +1."""

    def run(self, density: Floats, bits: Bits) -> None:
        """Make bits, now."""

    def begin(self, density: Floats, bits: Bits) -> None:
        """Have bits made while other things are done, on another core where there is one; finish() before the next."""

    def made(self) -> bool:
        """Return whether finish() would neither wait nor make them."""

    def finish(self) -> None:
        """Finish what was begun: it is there when this returns."""


def modulators() -> Modulators:
    """Six modulators as fast as this machine has them."""
    try:
        return CompiledModulators(_library())
    except CannotCompile:
        return PlainModulators()


class PlainModulators:
    """Without a C++ compiler. What is begun is done at once."""

    def __init__(self) -> None:
        self.state = np.zeros((2, 6), np.int64)
        self._sent = np.tile(np.array([0, 0b111111], np.uint8), KEEP_ALIVE // 2)

    def run(self, density: Floats, bits: Bits) -> None:
        whole = np.empty(KEEP_ALIVE + len(bits), np.uint8)
        whole[:KEEP_ALIVE] = self._sent
        modulate(inputs(density, DIFFERENCES), self.state, whole[KEEP_ALIVE:])
        keep_alive(whole)
        self._sent = whole[-KEEP_ALIVE:].copy()
        bits[:] = whole[KEEP_ALIVE:]

    def begin(self, density: Floats, bits: Bits) -> None:
        self.run(density, bits)

    def made(self) -> bool:
        return True

    def finish(self) -> None:
        """They are."""


class CompiledModulators:
    """By modulators.cpp. What is begun is made by a thread that the interpreter knows nothing of."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        self._begun: tuple[Floats, Bits] | None = None  # kept in place while the thread works on them
        self._handle = library.modulators_new(DIFFERENCES.ctypes.data)

    def run(self, density: Floats, bits: Bits) -> None:
        self._library.modulators_run(self._handle, *_addresses(density, bits))

    def begin(self, density: Floats, bits: Bits) -> None:
        self._begun = density, bits
        self._library.modulators_begin(self._handle, *_addresses(density, bits))

    def made(self) -> bool:
        return bool(self._library.modulators_made(self._handle))

    def finish(self) -> None:
        self._library.modulators_finish(self._handle)
        self._begun = None

    def __del__(self) -> None:
        self._library.modulators_free(self._handle)


def _addresses(density: Floats, bits: Bits) -> tuple[int, int, int]:
    """Of the densities, how many points to make, of the bits."""
    points = len(bits) // GRID_TICKS
    assert density.shape == (points + len(NODES) - 1, PLACES)
    assert density.dtype == np.float64
    assert density.flags.c_contiguous
    assert bits.flags.c_contiguous
    return density.ctypes.data, points, bits.ctypes.data


@cache
def _library() -> ctypes.CDLL:
    return declared(compiled(Path(__file__).with_name("modulators.cpp")))


def declared(library: ctypes.CDLL) -> ctypes.CDLL:
    """A library made from modulators.cpp, with what its functions take and give."""
    pointer, size = ctypes.c_void_p, ctypes.c_size_t
    library.modulators_new.restype = pointer
    library.modulators_new.argtypes = [pointer]
    for name in ("free", "finish", "made"):
        getattr(library, f"modulators_{name}").argtypes = [pointer]
    for name in ("run", "begin"):
        getattr(library, f"modulators_{name}").argtypes = [pointer, pointer, size, pointer]
    return library


@njit(cache=True)
def inputs(density: Floats, differences: Floats) -> np.ndarray:
    """The modulators' inputs at every tick, int64 in 2⁻²⁴, (ticks, 6)."""
    u = np.empty((GRID_TICKS * (len(density) - 5), 6), np.int64)
    d = np.empty(6, np.int64)
    for k in range(len(density) - 5):
        for c in range(6):
            for n in range(6):
                total = differences[n, 0] * density[k, c]
                for j in range(1, 6):
                    total += differences[n, j] * density[k + j, c]
                if n == 0:
                    total += 2.0 ** (_DIFFERENCE_BITS - FRACTION_BITS - 1)  # rounded, not cut
                d[n] = np.int64(total)
            d0, d1, d2, d3, d4, d5 = d[0], d[1], d[2], d[3], d[4], d[5]
            for t in range(GRID_TICKS * k, GRID_TICKS * (k + 1), HOLD_TICKS):
                u[t, c] = u[t + 1, c] = d0 >> (_DIFFERENCE_BITS - FRACTION_BITS)
                d0, d1, d2, d3, d4 = d0 + d1, d1 + d2, d2 + d3, d3 + d4, d4 + d5
    return u


@njit(cache=True, inline="always")
def _step(u: np.int64, x: np.int64, y: np.int64) -> tuple[np.int64, np.int64]:
    one, limit = np.int64(1) << FRACTION_BITS, np.int64(LIMIT) << FRACTION_BITS
    negative = y >> 63
    after = y + x - 2 * one + (negative & 4 * one)
    after = limit if after > limit else after
    after = -limit if after < -limit else after
    return x + u - one + (negative & 2 * one), after


@njit(cache=True)
def modulate(u: np.ndarray, state: np.ndarray, bits: np.ndarray) -> None:
    """Fill `bits` from inputs(); `state` (2, 6) holds x and y of each loop from call to call, in 2⁻²⁴.

    The six are written out side by side: each alone would spend its time waiting for its own result.
    """
    xa, xb, xc, xd, xe, xf = state[0, 0], state[0, 1], state[0, 2], state[0, 3], state[0, 4], state[0, 5]
    ya, yb, yc, yd, ye, yf = state[1, 0], state[1, 1], state[1, 2], state[1, 3], state[1, 4], state[1, 5]
    for t in range(len(bits)):
        low = (ya >= 0) | (yb >= 0) << 1 | (yc >= 0) << 2
        bits[t] = low | (yd >= 0) << 3 | (ye >= 0) << 4 | (yf >= 0) << 5
        xa, ya = _step(u[t, 0], xa, ya)
        xb, yb = _step(u[t, 1], xb, yb)
        xc, yc = _step(u[t, 2], xc, yc)
        xd, yd = _step(u[t, 3], xd, yd)
        xe, ye = _step(u[t, 4], xe, ye)
        xf, yf = _step(u[t, 5], xf, yf)
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
