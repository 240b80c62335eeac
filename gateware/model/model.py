"""The whole gateware as an integer model: bits in, records and registers out, at the same clocks."""

from __future__ import annotations

from collections import deque

import numpy as np

from gateware.chain import FIR_DECIMATION, Chain
from gateware.model.capture import CaptureModel
from gateware.model.decimation import Decimation
from gateware.model.events import EventsModel
from gateware.model.phantom import PhantomModel
from gateware.model.pulse_counters import PulseCountersModel
from gateware.model.windows import Windows
from gateware.registers import (
    BLOCK_BY_ADDRESS,
    BY_ADDRESS,
    GATE_PLACE,
    MAGIC,
    REGISTERS,
    TICK_BITS,
    VERSION,
    Capability,
    Channel,
    configuration_digest,
)

STROBE_CLOCK = 1
"""Clock of each tick, counted from 0, at which the front end passes on the bits of the tick before."""

DELAY_LATENCY = 1
"""Clocks from a strobe to the one in which the delay lines are read."""

SAMPLE_LATENCY = 796
"""Clocks from a sample set's last strobe to the clock in which the window decides on it."""

COUNT_LATENCY = 3
"""Clocks from a strobe to the first clock in which the tick counter shows it."""

BEGIN_LATENCY = 9
"""Clocks from that decision to the one in which the record after it begins to be summed."""

RECORD_LATENCY = 202
"""Clocks from that decision to the first clock in which the host could see the record."""

DIGEST_LEAD = 196
"""Clocks before that in which the header's configuration digest is taken, after the decision."""

SAMPLE_LEAD = 1
"""Clocks before a decision in which the sample set itself is there."""

CAPTURE_LATENCY = 146
"""Clocks from a sample set to the one in which the waveform capture takes it."""

PLACE_LATENCY = 3
"""Clocks from then to the first clock in which CAPTURE_STATE shows that its place is taken."""

ARMING_LATENCY = 1
"""Clocks from a write to the counters' GATE to the one whose tick count an arming takes for now."""


class GatewareModel:
    """Bit-exact to the netlist, record for record, and clock-exact in what the host's accesses meet.

    Time is counted in clocks since reset; `run` takes whole ticks. A host access happens at a clock `when` given
    to it, the clock in which the SPI peripheral executes it. Accesses come in order, after `run` has reached
    `ticks_before(when)` and, for a write, not gone beyond. `pulses` is the level of the pulse pins in what runs next.

    Three things are exact only when the host leaves them time, as it does: event levels written while a sample set is
    looked at (the 150 clocks after it) act from the next set on; words of the capture's ring read while it turns;
    and pulse counters read within 300 ticks of a contact's change.
    """

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.ticks = 0
        self.pulses = 0
        self._decimation = Decimation(chain)
        self._windows = Windows(chain)
        self._phantom = PhantomModel()
        self._events = EventsModel()
        self._capture = CaptureModel(chain)
        self._counters = PulseCountersModel()
        self._pulses_before = 0
        self._per_sample = chain.ticks_per_sample * chain.clocks_per_tick
        self._waiting: list[np.ndarray] = []
        self._bits_before = np.zeros(1, np.uint8)  # the front end is one tick behind the pins
        self._early: tuple[bool, int] | None = None  # whether the next strobe is the phantom load's, and its bits
        self._samples = 0
        self._settled = 0
        self._coming: deque[tuple[np.ndarray, ...]] = deque()
        self._scanned: deque[tuple[int, tuple[np.ndarray, ...]]] = deque()
        self._visible: deque[int] = deque()
        self._begun_at = 0  # clock in which the oscillator took its step for the record in progress
        clock = chain.clock_hz
        self._values = {r.name: r.reset or 0 for r in REGISTERS} | {
            "MAGIC": MAGIC,
            "VERSION": VERSION,
            "BUILD": chain.digest,
            "CAPABILITIES": int(chain.capabilities),
            "CLOCK_NUM": clock.numerator,
            "CLOCK_DEN": clock.denominator,
            "CHAIN": chain.clocks_per_tick << 24 | chain.decimation << 8 | FIR_DECIMATION << 4 | chain.slots_log2,
            "QUARTER": chain.quarter,
        }
        self._phantom.set_step(self._values["PHANTOM_STEP"])
        self._configure()

    def has(self, address: int) -> bool:
        """Return whether this build has a register at the address."""
        known = BY_ADDRESS.get(address) or BLOCK_BY_ADDRESS.get(address)
        return known is not None and known.needs in self.chain.capabilities

    def _configure(self) -> None:
        values = self._values
        self._delays = np.array([values[f"DELAY_{c.name}"] for c in Channel], np.int64)
        self._digest = configuration_digest(values)
        window = [values[n] for n in ("REFERENCE", "HYSTERESIS", "WINDOW_MIN", "WINDOW_MAX")]
        self._config = np.array([*window, self._digest, values["PHANTOM"], values["OSCILLATOR_STEP"]], np.int64)
        levels = ("SAG_LEVEL", "SWELL_LEVEL", "LOSS_LEVEL", "EVENT_SAMPLES")
        self._levels = np.array([values[n] for n in levels], np.int64)

    # --- time ---

    def run(self, bits: np.ndarray) -> None:
        """Advance by len(bits) modulator ticks; bit c of each byte is channel c's."""
        if not len(bits):
            return
        self._contacts()
        self._waiting.append(bits.copy())
        self.ticks += len(bits)
        self._settle((self.ticks - 1) * self.chain.clocks_per_tick)  # no access can come before that any more

    def _pass_bits(self) -> None:
        """Let the bits that wait through the filters. They wait as long as no sample set is due, and nothing that they
        meet is written, since a call has its price."""
        if not self._waiting:
            return
        bits = np.concatenate((self._bits_before, *self._waiting))
        self._waiting.clear()
        self._bits_before = bits[-1:].copy()
        samples, overload, dead = self._decimation.feed(self._measured(bits[:-1]), self._delays)
        if len(samples):
            ordinals = self._samples + 1 + np.arange(len(samples))
            stamps = (self.chain.tick_start + ordinals * self.chain.ticks_per_sample) % (1 << TICK_BITS)
            self._samples += len(samples)
            self._coming.append((samples, stamps, overload, dead))

    def _measured(self, strobes: np.ndarray) -> np.ndarray:
        """The strobes' bits, from the phantom load where it is on."""
        if Capability.PHANTOM_LOAD not in self.chain.capabilities:
            return strobes
        early, self._early = self._early, None
        own = self._phantom.run(len(strobes) - (early is not None))
        if self._values["PHANTOM"]:
            strobes[len(strobes) - len(own) :] = own
        if early is not None and early[0]:
            strobes[0] = early[1]
        return strobes

    def _before_phantom_changes(self, when: int) -> None:
        """A register has its new value a clock after `when`: a strobe in that very clock still meets the old one."""
        if (when - STROBE_CLOCK) % self.chain.clocks_per_tick == 0 and self._early is None:
            self._early = (bool(self._values["PHANTOM"]), int(self._phantom.run(1)[0]))

    def _contacts(self) -> None:
        if self.pulses != self._pulses_before:
            self._pulses_before = self.pulses
            self._counters.change(self._counted(self.ticks + 1), self.pulses)

    def _counted(self, ticks: int) -> int:
        return (self.chain.tick_start + ticks) % (1 << TICK_BITS)

    def _shown(self, clock: int) -> int:
        """Return what the tick counter shows."""
        return self._counted(max((clock - STROBE_CLOCK - COUNT_LATENCY) // self.chain.clocks_per_tick + 1, 0))

    def ticks_before(self, when: int) -> int:
        """Ticks whose bits have passed the delay lines before an access at clock `when` changes anything."""
        return (when - STROBE_CLOCK - DELAY_LATENCY) // self.chain.clocks_per_tick + 1

    def _decided_at(self, ordinal: int) -> int:
        """Clock in which the window decides on the sample set of this ordinal (the first is 1)."""
        return ordinal * self._per_sample - self.chain.clocks_per_tick + STROBE_CLOCK + SAMPLE_LATENCY

    def _settle(self, clock: int) -> None:
        """Decide on every sample set whose time has come before `clock`."""
        if clock > self._decided_at(self._settled + 1):
            self._pass_bits()
            while self._coming:
                parts = self._coming[0]
                ready = -(-(clock - self._decided_at(self._settled + 1)) // self._per_sample)
                count = min(max(ready, 0), len(parts[0]))
                if count:
                    self._decide(*(p[:count] for p in parts))
                if count < len(parts[0]):
                    self._coming[0] = tuple(p[count:] for p in parts)
                    break
                self._coming.popleft()
        self._capture_until(clock)

    def _decide(self, samples: np.ndarray, stamps: np.ndarray, overload: np.ndarray, dead: np.ndarray) -> None:
        chain = self.chain
        known = len(self._windows.waiting)
        closings = self._windows.feed(samples, stamps, overload, dead, self._config)
        begins = self._events.feed(samples, stamps, overload, dead, closings, self._levels)
        self._scanned.append((self._settled + 1, (samples, stamps, closings != 0, begins)))
        if not self._settled:
            self._begun_at = self._decided_at(1) + 1
        for record in list(self._windows.waiting)[known:]:
            last = ((int(record[2]) - chain.tick_start) % (1 << TICK_BITS)) // chain.ticks_per_sample
            self._begun_at = self._decided_at(last + 1) + BEGIN_LATENCY
            self._visible.append(self._decided_at(last + 1) + RECORD_LATENCY)
        self._settled += len(samples)

    def _capture_until(self, clock: int) -> None:
        """Give the capture every sample set that it takes before `clock`."""
        while self._scanned:
            ordinal, parts = self._scanned[0]
            first = self._decided_at(ordinal) - SAMPLE_LEAD + CAPTURE_LATENCY
            if clock <= first:
                return
            count = min(-(-(clock - first) // self._per_sample), len(parts[0]))
            self._capture.feed(*(p[:count] for p in parts))
            if count < len(parts[0]):
                self._scanned[0] = (ordinal + count, tuple(p[count:] for p in parts))
                return
            self._scanned.popleft()

    # --- the host ---

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

    def captured(self, word: int, when: int) -> int:
        """A word of the capture's ring."""
        self._settle(when)
        return int(self._capture.words[word % len(self._capture.words)])

    def read(self, address: int, when: int) -> int:
        """Value of a register at clock `when`; unknown addresses read 0. Reading TICK_LO holds TICK_HI."""
        if not self.has(address):
            return 0
        block = BLOCK_BY_ADDRESS.get(address)
        if block is not None:
            return self._read_block(block.name, address - block.address, when - 1)  # its memory is a clock ahead
        name = BY_ADDRESS[address].name
        if name == "TICK_LO":
            ticks = self._shown(when)
            self._values["TICK_LO"], self._values["TICK_HI"] = ticks & 0xFFFF_FFFF, ticks >> 32
        elif name == "RECORDS":
            return self.level(when) << 16 | self.chain.ring
        elif name == "EVENTS":
            self._pass_events(when)
            return self._events.written
        elif name == "CAPTURE_STATE":
            self._settle(when - PLACE_LATENCY + 1)
            place = self._capture.state >> 16 << 16
            self._settle(when)
            return self._capture.state & 0xFFFF | place
        elif name == "COUNTER_STATE":
            self._counters.run(self._shown(when))
            return int(self._counters.state)
        return self._values[name]

    def _read_block(self, name: str, index: int, when: int) -> int:
        if name == "EVENT_LOG":
            self._pass_events(when)
            return self._events.word(index)
        if name == "PHANTOM_WAVES":
            return self._phantom.wave(index)
        self._counters.run(self._shown(when))
        return self._counters.read(index + (GATE_PLACE if name == "GATE" else 0))

    def _pass_events(self, when: int) -> None:
        self._settle(when + SAMPLE_LEAD)
        if self._settled:
            self._events.pass_clocks(when - (self._decided_at(self._settled) - SAMPLE_LEAD))

    def write(self, address: int, value: int, when: int) -> None:
        """Store a writable register; samples decided on more than one clock after `when` meet the new value."""
        self._settle(when + 2)
        self._pass_bits()
        block = BLOCK_BY_ADDRESS.get(address)
        if block is not None:
            if block.name == "PHANTOM_WAVES":
                self._phantom.set_wave(address - block.address, value)
            else:
                now = self._shown(when + ARMING_LATENCY)
                self._counters.write(GATE_PLACE + address - block.address, value, now)
            return
        register = BY_ADDRESS[address]
        value &= (1 << register.width) - 1
        if register.name in ("PHANTOM", "PHANTOM_STEP"):
            self._before_phantom_changes(when)
        self._values[register.name] = value
        self._configure()
        for record, visible in zip(self._windows.waiting, self._visible, strict=True):
            if visible - DIGEST_LEAD > when:
                record[5] = record[5] & np.uint64(0xFFFF_FFFF) | np.uint64(self._digest << 32)
        self._windows.set_close_at(self._values["CLOSE_AT_HI"] << 32 | self._values["CLOSE_AT_LO"])
        self._act(register.name, value, when)

    def _act(self, name: str, value: int, when: int) -> None:
        """Perform what a register does beyond keeping its value."""
        if name == "CLOSE_AT_HI":
            self._settle(when + 3)  # the arming strobe takes a clock
            self._windows.arm()
        elif name == "OSCILLATOR_STEP" and self._begun_at > when:
            self._windows.restep(value)
        elif name == "PHANTOM":
            self._phantom.switch(bool(value))
        elif name == "PHANTOM_STEP":
            self._phantom.set_step(value)
        elif name == "CAPTURE":
            self._capture.command(value)  # its strobe, too, takes a clock: what `write` has settled came before
        elif name == "CAPTURE_TRIGGER":
            self._capture.set_trigger(value)
        elif name == "CAPTURE_AFTER":
            self._capture.set_after(value)
        elif name == "COUNTER_CLEAR":
            self._counters.run(self._shown(when))
            self._counters.clear()
        elif name == "COUNTER_FILTER":
            self._counters.run(self._shown(when))
            self._counters.filter_ticks = value
        elif name == "GATE_COUNTER":
            self._counters.gate_counter = value
