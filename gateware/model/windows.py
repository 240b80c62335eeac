"""Samples to records, in integers, as the gateware does it: windows, 64-bit sums, coalescing."""

from __future__ import annotations

from collections import deque

import numpy as np
from numba import njit

from gateware.chain import Chain
from gateware.model.sine import SINE_TABLE, sine_of
from gateware.record_words import RECORD_WORDS, WORD_DELAYED, WORD_MEANS, WORD_PHASORS, RecordFlag
from gateware.registers import CHANNELS, LINE_50_BITS, LINE_50_MOST, TICK_BITS, VOLTAGES, Capability, td_delay

_CROSSING = int(RecordFlag.END_CROSSING)
_TIMED = int(RecordFlag.END_TIMED)
_COMMANDED = int(RecordFlag.END_COMMANDED)
_FROM_CROSSING = int(RecordFlag.START_CROSSING)
_FROM_PHANTOM = int(RecordFlag.PHANTOM)

# Scalars of the state, kept in one array for the compiled loop.
(
    _BELOW, _LENGTH, _AFTER, _CLOSE_AT, _PENDING,
    _SEQUENCE, _WINDOWS, _SAMPLES, _CYCLES, _OVERLOAD, _DEAD, _START, _PREVIOUS, _FROM,
    _PHANTOM, _PHASE, _STEP, _PLACE,
) = range(18)  # fmt: skip
_REFERENCE, _HYSTERESIS, _MIN, _MAX, _DIGEST, _IS_PHANTOM, _NEXT_STEP = range(7)

_LINE = 128  # samples of the voltages kept for the td products
_TURN = np.int64(1) << 32
_PHASE_DROP = 8  # the sine takes the phase in 2⁻²⁴ of a turn
_QUARTER_TURN = 1 << 22


class Windows:
    """Windows and the record FIFO. `waiting` holds finished records as 64 words each, oldest first."""

    def __init__(self, chain: Chain) -> None:
        self._room = chain.ring
        has = chain.capabilities
        delayed = Capability.DELAYED_PRODUCTS in has
        self._quarters = (chain.quarter, td_delay(chain.quarter, 1 << LINE_50_BITS)) if delayed else (0, 0)
        self._phasors = Capability.PHASORS in has
        self._state = np.zeros(18, np.int64)
        self._line = np.zeros((_LINE, VOLTAGES), np.int64)
        self._state[_START] = self._state[_PREVIOUS] = chain.tick_start
        self._sums = np.zeros(RECORD_WORDS, np.int64)
        self._clear = True
        self.waiting: deque[np.ndarray] = deque()

    def set_close_at(self, tick: int) -> None:
        """The tick of a commanded closing, once armed."""
        self._state[_CLOSE_AT] = tick

    def arm(self) -> None:
        """Arm the commanded closing."""
        self._state[_PENDING] = 1

    def restep(self, step: int) -> None:
        """Change the oscillator's step of the record in progress, which has one sample."""
        self._state[_STEP] = step

    def feed(
        self, samples: np.ndarray, stamps: np.ndarray, overload: np.ndarray, dead: np.ndarray, config: np.ndarray
    ) -> np.ndarray:
        """Take sample sets (n, 6) with the tick counts at which they were complete.

        Returns how each set ends the window before it, as RecordFlag bits (n,).

        config: reference channel, hysteresis, shortest and longest window, configuration digest, whether the
        phantom load is on, the step for the oscillator of the next record.
        """
        closings = np.zeros(len(samples), np.int64)
        at = 0
        while at < len(samples):
            record = np.zeros(RECORD_WORDS, np.uint64)
            room = len(self.waiting) < self._room
            at, made = _feed(
                samples, stamps, overload, dead, at, room, config, self._quarters, self._phasors, SINE_TABLE,
                self._line, self._state, self._sums, record, closings,
            )  # fmt: skip
            if made:
                self.waiting.append(record)
        return closings


@njit(cache=True)
def _feed(
    samples: np.ndarray,
    stamps: np.ndarray,
    overload: np.ndarray,
    dead: np.ndarray,
    at: int,
    room: bool,
    config: np.ndarray,
    quarters: tuple[int, int],
    phasors: bool,
    table: np.ndarray,
    line: np.ndarray,
    state: np.ndarray,
    sums: np.ndarray,
    record: np.ndarray,
    closings: np.ndarray,
) -> tuple[int, bool]:
    """Runs until the samples end or a record is made; returns where, and whether."""
    ring = (np.int64(1) << TICK_BITS) - 1
    while at < len(samples):
        x = samples[at]
        value = x[min(config[_REFERENCE], 2)]
        past = ((state[_CLOSE_AT] - stamps[at]) & ring) >> (TICK_BITS - 1)
        crossing = state[_BELOW] == 1 and value >= 0 and state[_LENGTH] >= config[_MIN]
        commanded = state[_PENDING] == 1 and past == 1
        timed = state[_LENGTH] >= config[_MAX]
        closings[at] = crossing * _CROSSING | timed * _TIMED | commanded * _COMMANDED
        before = state[_AFTER]
        state[_AFTER] = value
        state[_LENGTH] = (state[_LENGTH] + 1) & 0xFFFF
        if crossing or commanded or timed:
            state[_LENGTH] = 1
        if value >= 0:
            state[_BELOW] = 0
        elif value < -config[_HYSTERESIS]:
            state[_BELOW] = 1
        if commanded:
            state[_PENDING] = 0

        made = False
        if (crossing or commanded or timed) and state[_SAMPLES] != 0:
            state[_WINDOWS] += 1
            state[_CYCLES] += crossing
            if room:
                made = True
                flags = state[_FROM] * _FROM_CROSSING
                flags |= closings[at]
                flags |= state[_PHANTOM] * _FROM_PHANTOM
                low = np.int64(0xFFFF_FFFF)
                record[0] = state[_SEQUENCE] << 32 | (state[_WINDOWS] & 0xFF_FFFF) << 8 | flags
                record[1] = state[_START]
                record[2] = state[_PREVIOUS]
                record[3] = state[_SAMPLES] << 32 | (state[_CYCLES] & 0xFF_FFFF)
                record[4] = (before & low) << 32 | (value & low)
                record[5] = config[_DIGEST] << 32 | state[_OVERLOAD] << 8 | state[_DEAD]
                record[6] = state[_STEP] if phasors else 0
                for w in range(7, RECORD_WORDS):
                    record[w] = np.uint64(sums[w])
                    sums[w] = 0
                state[_SEQUENCE] = (state[_SEQUENCE] + 1) & low
                state[_START] = state[_PREVIOUS]
                state[_FROM] = crossing
                state[_WINDOWS] = state[_SAMPLES] = state[_CYCLES] = state[_OVERLOAD] = state[_DEAD] = 0
                state[_PHANTOM] = 0
        if state[_SAMPLES] == 0:
            state[_PHASE] = 0
            state[_STEP] = config[_NEXT_STEP]
        else:
            state[_PHASE] = (state[_PHASE] + state[_STEP]) % _TURN
        state[_PHANTOM] |= config[_IS_PHANTOM]
        state[_PREVIOUS] = stamps[at]
        state[_SAMPLES] += 1
        state[_OVERLOAD] |= overload[at]
        state[_DEAD] |= dead[at]
        word = 7
        for a in range(CHANNELS):
            for b in range(a, CHANNELS):
                sums[word] += x[a] * x[b]
                word += 1
        if quarters[0]:
            line_of_step = state[_STEP] >> LINE_50_BITS if phasors else 0
            quarter = quarters[1 if 1 <= line_of_step <= LINE_50_MOST else 0]
            state[_PLACE] = (state[_PLACE] + 1) % _LINE
            line[state[_PLACE]] = x[:VOLTAGES]
            before_long = line[(state[_PLACE] - quarter) % _LINE]
            for c in range(CHANNELS):
                for k in range(VOLTAGES):
                    sums[WORD_DELAYED + VOLTAGES * c + k] += x[c] * before_long[k]
        if phasors:
            phase = state[_PHASE] >> _PHASE_DROP
            cosine = sine_of(phase + _QUARTER_TURN, table)
            sine = sine_of(phase, table)
            for c in range(CHANNELS):
                sums[WORD_PHASORS + 2 * c] += x[c] * cosine
                sums[WORD_PHASORS + 2 * c + 1] += x[c] * sine
        for c in range(CHANNELS):
            sums[WORD_MEANS + c] += x[c]
        at += 1
        if made:
            return at, True
    return at, False
