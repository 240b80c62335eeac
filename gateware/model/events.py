"""The event log, in integers, entry for entry as the gateware keeps it."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import numpy as np
from numba import njit

from gateware.record_words import RecordFlag
from gateware.registers import CHANNELS, EVENT_LOG_ENTRIES, NO_CHANNEL, Channel, EventKind

FIRST_CLOCKS = 2
CHANNEL_CLOCKS = 24
"""Clocks from a sample set's strobe to its first channel's turn, and from one channel's to the next."""

QUIET_CLOCKS = 2
CHANGE_CLOCKS = 4
"""What a detector takes that stays as it is, and one that makes an entry, whose first word is written in the third."""

_SAG, _SWELL, _LOSS = int(EventKind.SAG), int(EventKind.SWELL), int(EventKind.LOSS)
_OVERLOAD, _DEAD = int(EventKind.OVERLOAD), int(EventKind.DEAD)
_NO_CROSSING, _OVERRUN = int(EventKind.NO_CROSSING), int(EventKind.OVERRUN)
_CROSSED, _TIMED, _LATE = int(RecordFlag.END_CROSSING), int(RecordFlag.END_TIMED), int(RecordFlag.OVERRUN)
_FIRST_CURRENT, _LAST_CHANNEL = int(Channel.I1), int(Channel.I3)
_MOST = 23
"""Entries that one sample set can make: five kinds of three voltages, two of three currents, two of the whole."""


class _Fresh(NamedTuple):
    """An entry of the last sample set: its first word is written `clock` clocks after the set's strobe."""

    clock: int
    low: int
    high: int


class EventsModel:
    """Feed sample sets; `word` and `written` are what a host reads.

    Entries of the last set fed appear as its clocks pass: `pass_clocks` says how many have, all of them when the next
    set comes.
    """

    def __init__(self) -> None:
        self._left = np.zeros((CHANNELS, len(EventKind)), np.int64)
        self._active = np.zeros((CHANNELS, len(EventKind)), np.int64)
        self._timing = np.zeros(1, np.int64)
        self._log = [0] * (2 * EVENT_LOG_ENTRIES)
        self._fresh: deque[_Fresh] = deque()
        self._made = 0
        self.written = 0

    def feed(
        self,
        samples: np.ndarray,
        stamps: np.ndarray,
        overload: np.ndarray,
        dead: np.ndarray,
        closings: np.ndarray,
        config: np.ndarray,
    ) -> np.ndarray:
        """Take sample sets (n, 6) with their ticks and masks; returns the mask of kinds that begin at each (n,).

        closings: RecordFlag bits of each set: END_CROSSING and END_TIMED where a window closes so, OVERRUN when a
        stage was late. config: sag, swell and loss level, event samples, in sample codes and samples.
        """
        self.pass_clocks(None)
        begins = np.zeros(len(samples), np.int64)
        entries = np.empty((_MOST, 5), np.int64)
        at = 0
        while at < len(samples):
            at, count = _feed(
                samples, overload, dead, closings, at, config, self._left, self._active, self._timing, begins, entries
            )
            for kind, channel, begin, clock, row in entries[:count].tolist():
                stamp = int(stamps[row])
                high = stamp >> 32 | kind << 16 | channel << 21 | begin << 24 | (self._made & 0x7F) << 25
                self._made += 1
                self._fresh.append(_Fresh(clock, stamp & 0xFFFF_FFFF, high))
            if at < len(samples):
                self.pass_clocks(None)
        return begins

    def pass_clocks(self, clocks: int | None) -> None:
        """`clocks` have passed left the last set's strobe; None: all its entries are written."""
        while self._fresh and (clocks is None or self._fresh[0].clock < clocks):
            entry = self._fresh[0]
            place = 2 * (self.written % EVENT_LOG_ENTRIES)
            self._log[place] = entry.low
            if clocks is not None and entry.clock + 1 >= clocks:
                return
            self._log[place + 1] = entry.high
            self.written = (self.written + 1) & 0xFFFF_FFFF
            self._fresh.popleft()

    def word(self, index: int) -> int:
        """A word of the log."""
        return self._log[index]


@njit(cache=True)
def _feed(
    samples: np.ndarray,
    overload: np.ndarray,
    dead: np.ndarray,
    closings: np.ndarray,
    at: int,
    config: np.ndarray,
    left: np.ndarray,
    active: np.ndarray,
    timing: np.ndarray,
    begins: np.ndarray,
    entries: np.ndarray,
) -> tuple[int, int]:
    """Runs until the samples end or a set makes entries; returns where, and how many."""
    count = 0
    while at < len(samples):
        if closings[at] & _CROSSED:
            timing[0] = 0
        elif closings[at] & _TIMED:
            timing[0] = 1
        for c in range(CHANNELS):
            clock = FIRST_CLOCKS + CHANNEL_CLOCKS * c + 1
            value = samples[at, c]
            magnitude = value if value >= 0 else -1 - value
            first = _OVERLOAD if c >= _FIRST_CURRENT else _SAG
            last = _OVERRUN if c == _LAST_CHANNEL else _DEAD
            for kind in range(first, last + 1):
                if kind == _SWELL:
                    here = config[kind] != 0 and magnitude >= config[kind]
                elif kind <= _LOSS:
                    here = magnitude >= config[kind]
                elif kind == _OVERLOAD:
                    here = overload[at] >> c & 1 != 0
                elif kind == _DEAD:
                    here = dead[at] >> c & 1 != 0
                elif kind == _NO_CROSSING:
                    here = timing[0] != 0
                else:
                    here = closings[at] & _LATE != 0
                over = left[c, kind] <= 1
                now = active[c, kind]
                if here or over or kind >= _NO_CROSSING:
                    now = np.int64(here != (kind in (_SAG, _LOSS)))
                if here:
                    left[c, kind] = config[3]
                elif not over:
                    left[c, kind] -= 1
                if now == active[c, kind]:
                    clock += QUIET_CLOCKS
                    continue
                active[c, kind] = now
                begins[at] |= now << kind
                entries[count, 0] = kind
                entries[count, 1] = NO_CHANNEL if kind >= _NO_CROSSING else c
                entries[count, 2] = now
                entries[count, 3] = clock + 2
                entries[count, 4] = at
                count += 1
                clock += CHANGE_CLOCKS
        at += 1
        if count:
            break
    return at, count
