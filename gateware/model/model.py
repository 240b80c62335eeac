"""The whole gateware as an integer model: bits in, records and registers out, at the same clocks."""

from __future__ import annotations

from collections import deque

import numpy as np

from gateware.chain import FIR_DECIMATION, Chain
from gateware.model.decimation import Decimation
from gateware.model.windows import Windows
from gateware.registers import (
    BY_ADDRESS,
    MAGIC,
    REGISTERS,
    TICK_BITS,
    VERSION,
    Channel,
    configuration_digest,
)

STROBE_CLOCK = 1
"""Clock of each tick, counted from 0, at which the front end passes on the bits of the tick before."""

DELAY_LATENCY = 1
"""Clocks from a strobe to the one in which the delay lines are read."""

SAMPLE_LATENCY = 795
"""Clocks from a sample set's last strobe to the clock in which the window decides on it."""

COUNT_LATENCY = 3
"""Clocks from a strobe to the first clock in which the tick counter shows it."""

RECORD_LATENCY = 9
"""Clocks from that decision to the first clock in which the host could see the record."""

DIGEST_LEAD = 3
"""Clocks before that in which the header's configuration digest is taken, after the decision."""


class Model:
    """Bit-exact to the netlist, record for record, and clock-exact in what the host's accesses meet.

    Time is counted in clocks since reset; `run` takes whole ticks. A host access happens at a clock `when` given
    to it, the clock in which the SPI peripheral executes it. Accesses come in order, after `run` has reached
    `ticks_before(when)` and, for a write, not gone beyond.
    """

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.ticks = 0
        self._decimation = Decimation(chain)
        self._windows = Windows(chain)
        self._bits_before = np.zeros(1, np.uint8)  # the front end is one tick behind the pins
        self._samples = 0
        self._settled = 0
        self._coming: deque[tuple[np.ndarray, ...]] = deque()
        self._visible: deque[int] = deque()
        clock = chain.clock_hz
        self._values = {r.name: r.reset or 0 for r in REGISTERS} | {
            "MAGIC": MAGIC,
            "VERSION": VERSION,
            "BUILD": chain.digest,
            "CAPABILITIES": int(chain.capabilities),
            "CLOCK_NUM": clock.numerator,
            "CLOCK_DEN": clock.denominator,
            "CHAIN": chain.clocks_per_tick << 24 | chain.decimation << 8 | FIR_DECIMATION << 4 | chain.banks_log2,
        }
        self._configure()

    def _configure(self) -> None:
        values = self._values
        self._delays = np.array([values[f"DELAY_{c.name}"] for c in Channel], np.int64)
        names = ("REFERENCE", "HYSTERESIS", "WINDOW_MIN", "WINDOW_MAX")
        self._config = np.array([*(values[n] for n in names), configuration_digest(values)], np.int64)

    def run(self, bits: np.ndarray) -> None:
        """Advance by len(bits) modulator ticks; bit c of each byte is channel c's."""
        if not len(bits):
            return
        strobes = np.concatenate((self._bits_before, bits[:-1]))
        self._bits_before = bits[-1:].copy()
        samples, overload, dead = self._decimation.feed(strobes, self._delays)
        self.ticks += len(bits)
        if len(samples):
            ordinals = self._samples + 1 + np.arange(len(samples))
            stamps = (self.chain.tick_start + ordinals * self.chain.ticks_per_sample) % (1 << TICK_BITS)
            self._samples += len(samples)
            self._coming.append((samples, stamps, overload, dead))

    def ticks_before(self, when: int) -> int:
        """Ticks whose bits have passed the delay lines before an access at clock `when` changes anything."""
        return (when - STROBE_CLOCK - DELAY_LATENCY) // self.chain.clocks_per_tick + 1

    def _decided_at(self, ordinal: int) -> int:
        """Clock in which the window decides on the sample set of this ordinal (the first is 1)."""
        strobe = ordinal * self.chain.ticks_per_sample - 1
        return strobe * self.chain.clocks_per_tick + STROBE_CLOCK + SAMPLE_LATENCY

    def _settle(self, clock: int) -> None:
        """Decide on every sample set whose time has come before `clock`."""
        chain = self.chain
        per_sample = chain.ticks_per_sample * chain.clocks_per_tick
        while self._coming:
            parts = self._coming[0]
            ready = -(-(clock - self._decided_at(self._settled + 1)) // per_sample)
            count = min(max(ready, 0), len(parts[0]))
            known = len(self._windows.waiting)
            samples, stamps, overload, dead = (p[:count] for p in parts)
            self._windows.feed(samples, stamps, overload, dead, self._config)
            self._settled += count
            for record in list(self._windows.waiting)[known:]:
                last = ((int(record[2]) - chain.tick_start) % (1 << TICK_BITS)) // chain.ticks_per_sample
                self._visible.append(self._decided_at(last + 1) + RECORD_LATENCY)
            if count < len(parts[0]):
                self._coming[0] = tuple(p[count:] for p in parts)
                return
            self._coming.popleft()

    def level(self, when: int) -> int:
        """Records a host sees at clock `when`."""
        self._settle(when)
        return sum(v <= when for v in self._visible)

    def oldest(self) -> np.ndarray:
        """The 64 words of the oldest waiting record."""
        return self._windows.waiting[0]

    def pop(self, when: int) -> None:
        """Drop the oldest record; a window closing later than `when` finds the room."""
        self._settle(when + 1)
        self._windows.waiting.popleft()
        self._visible.popleft()

    def read(self, address: int, when: int) -> int:
        """Value of a register at clock `when`; unknown addresses read 0. Reading TICK_LO holds TICK_HI."""
        register = BY_ADDRESS.get(address)
        if register is None:
            return 0
        if register.name == "TICK_LO":
            counted = (when - STROBE_CLOCK - COUNT_LATENCY) // self.chain.clocks_per_tick + 1
            ticks = (self.chain.tick_start + max(counted, 0)) % (1 << TICK_BITS)
            self._values["TICK_LO"], self._values["TICK_HI"] = ticks & 0xFFFF_FFFF, ticks >> 32
        return self._values[register.name]

    def write(self, address: int, value: int, when: int) -> None:
        """Store a writable register; samples decided on more than one clock after `when` meet the new value."""
        self._settle(when + 2)
        register = BY_ADDRESS[address]
        self._values[register.name] = value & ((1 << register.width) - 1)
        self._configure()
        for record, visible in zip(self._windows.waiting, self._visible, strict=True):
            if visible - DIGEST_LEAD > when:
                record[5] = record[5] & np.uint64(0xFFFF_FFFF) | np.uint64(self._config[-1] << 32)
        self._windows.set_close_at(self._values["CLOSE_AT_HI"] << 32 | self._values["CLOSE_AT_LO"])
        if register.name == "CLOSE_AT_HI":
            self._settle(when + 3)  # the arming strobe takes a clock
            self._windows.arm()
