"""The phantom load in integers, as the gateware does it: waves from the sine table, six delta-sigma modulators."""

from __future__ import annotations

import numpy as np
from numba import njit

from gateware.model.sine import SINE_TABLE, sine_of
from gateware.registers import CHANNELS, PHANTOM_HOLD_TICKS, PHANTOM_TERMS

_ONE = 1 << 16
_ANGLE, _ENGAGED = range(2)
"""θ, and whether the engine has started at a boundary."""

# Three modulators share a 64-bit word, a lane each. A lane holds x or y as a number that is never negative: x in
# 2⁻¹⁶ plus 16, y in 2⁻⁸ plus 64, so that sums never touch the next lane and their top bits are the inverted signs.
_LANE = 21
_EACH = 1 | 1 << _LANE | 1 << 2 * _LANE
_X_ZERO = (16 << 16) * _EACH
_Y_ZERO = (64 << 8) * _EACH
_CUT = 0x1FFF * _EACH
_Y_DOWN = ((16 << 8) - (2 << 8)) * _EACH
"""x comes with 16 too much; −2v is +2, less 4 if y is not negative."""


class PhantomModel:
    """Bit- and tick-exact to the gateware's PhantomLoad. Feed register writes and time, get bits.

    Time is counted in strobes of `tick` since reset; a write at a clock belongs after all strobes of earlier
    clocks. `switch` and `set_step` then act from the next strobe on. `set_wave` acts as the engine finds it: with n
    strobes since the last boundary's, that one included, wave i is still free for the values that begin to be held
    at the next boundary if n ≤ 2·i + 1, else it is for those of the boundary after.
    """

    def __init__(self) -> None:
        self._ticks = 0
        self._on = False
        self._step = 0
        self._waves = np.zeros((CHANNELS, PHANTOM_TERMS), np.int64)
        self._taken = self._waves.copy()  # as the engine has met them for the coming values
        self._reset()

    def _reset(self) -> None:
        self._theta = np.zeros(2, np.int64)
        self._u = np.full(2, _ONE * _EACH)
        self._state = np.array([[_X_ZERO] * 2, [_Y_ZERO] * 2])
        self._rests = True

    def switch(self, on: bool) -> None:
        """The PHANTOM register."""
        self._on = on

    def set_step(self, value: int) -> None:
        """The PHANTOM_STEP register."""
        self._step = value

    def set_wave(self, index: int, value: int) -> None:
        """Register `index` of the block PHANTOM_WAVES."""
        where = divmod(index, PHANTOM_TERMS)
        self._waves[where] = value
        if self._ticks % PHANTOM_HOLD_TICKS <= 2 * index:
            self._taken[where] = value

    def wave(self, index: int) -> int:
        """Return what register `index` of the block reads."""
        return int(self._waves[divmod(index, PHANTOM_TERMS)])

    def run(self, ticks: int) -> np.ndarray:
        """The bits of the next `ticks` strobes, uint8, bit c of each is channel c's. Off, they mean nothing."""
        bits = np.empty(ticks, np.uint8)
        place = self._ticks % PHANTOM_HOLD_TICKS
        if self._on:
            self._rests = False
            bits[:] = (1 << CHANNELS) - 1
            _run(bits, place, self._step, self._waves, self._taken, SINE_TABLE, self._theta, self._u, self._state)
        elif ticks:
            if not self._rests:
                self._reset()
            if place + ticks >= PHANTOM_HOLD_TICKS:
                self._taken[:] = self._waves
        self._ticks += ticks
        return bits


@njit(cache=True)  # the cache does not see a changed import, so the table comes as an argument
def _run(
    bits: np.ndarray,
    place: int,
    step: int,
    waves: np.ndarray,
    taken: np.ndarray,
    table: np.ndarray,
    theta: np.ndarray,
    u: np.ndarray,
    state: np.ndarray,
) -> None:
    done = 0
    while done < len(bits):
        count = min(PHANTOM_HOLD_TICKS - place, len(bits) - done)
        _modulate(u, state, bits[done : done + count])
        done += count
        place += count
        if place == PHANTOM_HOLD_TICKS:
            place = 0
            if theta[_ENGAGED]:
                _values(taken, theta[_ANGLE], table, u)
            theta[_ENGAGED] = 1
            theta[_ANGLE] = (theta[_ANGLE] + step) & 0xFFFF_FFFF
            taken[:] = waves


@njit(cache=True)
def _values(waves: np.ndarray, theta: int, table: np.ndarray, u: np.ndarray) -> None:
    u[:] = 0
    for c in range(CHANNELS):
        total = 8
        for k in range(PHANTOM_TERMS):
            amplitude = (waves[c, k] >> 16 & 0xFFFF ^ 0x8000) - 0x8000
            if amplitude == 0:
                continue
            phase = k * (theta >> 8) + ((waves[c, k] & 0xFFFF) << 8)
            if k == 0:
                phase += 1 << 22
            total += amplitude * sine_of(phase, table) >> 12
        u[c // 3] += min(max(total >> 4, -_ONE), _ONE - 1) + _ONE << _LANE * (c % 3)


@njit(cache=True)
def _modulate(u: np.ndarray, state: np.ndarray, bits: np.ndarray) -> None:
    """Fill `bits` with one tick a byte; u (2,) is each input plus one, state (2, 2) x and y of each word."""
    ua, ub = u[0], u[1]
    xa, xb, ya, yb = state[0, 0], state[0, 1], state[1, 0], state[1, 1]
    for t in range(len(bits)):
        high_a, high_b = ya >> 14 & _EACH, yb >> 14 & _EACH
        row = high_a | high_b << 3
        bits[t] = row | row >> _LANE - 1 | row >> 2 * _LANE - 2
        after_a = ya + (xa >> 8 & _CUT) - (high_a << 10) - _Y_DOWN
        after_b = yb + (xb >> 8 & _CUT) - (high_b << 10) - _Y_DOWN
        if ~((ya >> 13 ^ high_a) & (yb >> 13 ^ high_b)) & _EACH:  # some |y| ≥ 32
            after_a, after_b = _hold(xa, ya, after_a), _hold(xb, yb, after_b)
        xa, ya = xa + ua - (high_a << 17), after_a
        xb, yb = xb + ub - (high_b << 17), after_b
    state[0, 0], state[0, 1], state[1, 0], state[1, 1] = xa, xb, ya, yb


@njit(cache=True, inline="always")
def _hold(x: int, y: int, after: int) -> int:
    """`y` in the lanes where its top two bits and the top bit of `x` are equal, `after` in the others."""
    held = ~((y >> 14 ^ y >> 13) | (y >> 14 ^ x >> 20)) & _EACH
    lanes = (held << _LANE) - held
    return (y & lanes) | (after & ~lanes)
