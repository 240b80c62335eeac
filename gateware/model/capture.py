"""The waveform capture, in integers, sample set for sample set as the gateware does it."""

from __future__ import annotations

import numpy as np
from numba import njit

from gateware.chain import Chain
from gateware.registers import SAMPLE_BITS, CaptureCommand, CaptureFlag, CaptureState

_IDLE, _ARMED = int(CaptureState.IDLE), int(CaptureState.ARMED)
_TRIGGERED, _DONE = int(CaptureState.TRIGGERED), int(CaptureState.DONE)
_COMMANDED = {
    CaptureCommand.STOP: CaptureState.IDLE,
    CaptureCommand.RUN: CaptureState.RUNNING,
    CaptureCommand.ARM: CaptureState.ARMED,
}
_WINDOW, _MARK = int(CaptureFlag.WINDOW) << 60, int(CaptureFlag.TRIGGER) << 60

_STATE, _PLACE, _LEFT, _REACHED = range(4)
_LEVEL, _CHANNEL, _FALLING, _KINDS, _AFTER = range(5)


class CaptureModel:
    """Feed sample sets; commands and settings act between two sets. `words` is the ring."""

    def __init__(self, chain: Chain) -> None:
        self._log2 = chain.capture_log2
        self._state = np.zeros(4, np.int64)
        self._settings = np.zeros(5, np.int64)
        self.words = np.zeros(2 << self._log2, np.uint64)
        self.set_trigger(7 << 20)

    @property
    def state(self) -> int:
        """The register CAPTURE_STATE."""
        return int(self._state[_STATE] | self._log2 << 4 | self._state[_PLACE] << 16)

    def set_trigger(self, value: int) -> None:
        """The register CAPTURE_TRIGGER; to be set before arming."""
        level = value & (1 << SAMPLE_BITS) - 1
        level -= (level >> (SAMPLE_BITS - 1)) << SAMPLE_BITS
        self._settings[:4] = level, value >> 20 & 7, value >> 23 & 1, value >> 24

    def set_after(self, value: int) -> None:
        """The register CAPTURE_AFTER; to be set before arming."""
        self._settings[_AFTER] = value

    def command(self, value: int) -> None:
        """CAPTURE was written."""
        if value in _COMMANDED:
            self._state[_STATE] = _COMMANDED[CaptureCommand(value)]

    def feed(self, samples: np.ndarray, stamps: np.ndarray, closes: np.ndarray, begins: np.ndarray) -> None:
        """Take sample sets (n, 6), their ticks, whether they close a window, the kinds of event that begin (masks)."""
        _feed(samples, stamps, closes, begins, self._settings, self._state, self.words)


@njit(cache=True)
def _feed(
    samples: np.ndarray,
    stamps: np.ndarray,
    closes: np.ndarray,
    begins: np.ndarray,
    settings: np.ndarray,
    state: np.ndarray,
    words: np.ndarray,
) -> None:
    low = (np.int64(1) << SAMPLE_BITS) - 1
    depth = len(words) // 2
    channel = settings[_CHANNEL]
    for k in range(len(samples)):
        x = samples[k]
        fires = begins[k] & settings[_KINDS] != 0
        if channel < len(x):
            above = np.int64(x[channel] >= settings[_LEVEL])
            fires |= above != state[_REACHED] and above != settings[_FALLING]
            state[_REACHED] = above
        if state[_STATE] == _IDLE or state[_STATE] == _DONE:
            continue
        mark = np.int64(0)
        if state[_STATE] == _ARMED:
            state[_LEFT] = settings[_AFTER]
            if fires:
                state[_STATE], mark = _TRIGGERED, np.int64(_MARK)
        elif state[_STATE] == _TRIGGERED:
            state[_LEFT] -= 1
            if state[_LEFT] <= 0:
                state[_STATE] = _DONE
        place = state[_PLACE]
        flags = mark | (_WINDOW if closes[k] else np.int64(0))
        words[2 * place] = np.uint64(x[0] & low | (x[1] & low) << 20 | (x[2] & low) << 40 | flags)
        words[2 * place + 1] = np.uint64(x[3] & low | (x[4] & low) << 20 | (x[5] & low) << 40)
        place = (place + 1) % depth
        words[2 * place] = np.uint64(stamps[k])
        state[_PLACE] = place
