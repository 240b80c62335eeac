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
from its value and its five differences from tick to tick, whole numbers of 2⁻⁵⁶ in 64 bits: adding them for 64 ticks
leaves 2⁻³³.

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

FRACTION_BITS = 24
_DIFFERENCE_BITS = 56

KEEP_ALIVE = 128
"""An overdriven AMC1306-class part inverts every 128th of equal bits: it cannot be taken for a dead one."""


def lagrange(at: float) -> list[float]:
    """Weights of the points at NODES for the value between them at `at`: a polynomial of fifth degree."""
    return [math.prod((at - m) / (j - m) for m in NODES if m != j) for j in NODES]


def _differences() -> Floats:
    """What the points at NODES weigh in the interpolation's n-th difference from tick to tick at 0, (n, points)."""

    def weight(at: Fraction, j: int) -> Fraction:
        return math.prod(((at - m) / (j - m) for m in NODES if m != j), start=Fraction(1))

    ticks = range(len(NODES))
    at_ticks = [[weight(Fraction(t, GRID_TICKS), j) for j in NODES] for t in ticks]
    exact = [
        [sum(Fraction((-1) ** (n - t) * math.comb(n, t)) * at_ticks[t][j] for t in range(n + 1)) for j in ticks]
        for n in ticks
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
        """Whether finish() would neither wait nor make them."""

    def finish(self) -> None:
        """What was begun is there when this returns."""


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
            for t in range(GRID_TICKS):
                u[GRID_TICKS * k + t, c] = d[0] >> (_DIFFERENCE_BITS - FRACTION_BITS)
                for n in range(5):
                    d[n] += d[n + 1]
    return u


@njit(cache=True)
def modulate(u: np.ndarray, state: np.ndarray, bits: np.ndarray) -> None:
    """Fill `bits` from inputs(); `state` (2, 6) holds x and y of each loop from call to call, in 2⁻²⁴."""
    one, limit = np.int64(1) << FRACTION_BITS, np.int64(LIMIT) << FRACTION_BITS
    bits[:] = 0
    for c in range(6):
        x, y = state[0, c], state[1, c]
        for t in range(len(bits)):
            bits[t] |= (y >= 0) << c
            v = one if y >= 0 else -one
            x, y = x + (u[t, c] - v), min(max(y + (x - 2 * v), -limit), limit)
        state[0, c], state[1, c] = x, y


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
