"""The register map: 32-bit registers, addressed by number, every writable one readable, and what their values mean.

With the record (record_words.py) and the frame (frames.py) it is the one description of what the FPGA and the Pi say
to each other: the gateware, the driver, the simulated board, the tests and the manual page (docs/registers.md) are all
made from these three (C-2, C-3, Q-1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, IntFlag

MAGIC = 0x41453736
"""ASCII "AE76": what register 0 reads when wiring, clock mode and chip select are right."""

VERSION = 0x0002_0002
"""Register map version, major in the upper half: a host refuses another major."""


class Channel(IntEnum):
    """The sample vector x = (v1 v2 v3 i1 i2 i3), in this order everywhere."""

    V1 = 0
    V2 = 1
    V3 = 2
    I1 = 3
    I2 = 4
    I3 = 5


CHANNELS = len(Channel)
VOLTAGES = 3
SAMPLE_BITS = 20
PULSE_PINS = 11
"""Contacts looped back for the counters: the test LED, Y and Z of four outputs, two spare ones."""
TICK_BITS = 48
"""Modulator ticks are counted modulo 2**48 (2.7 years at 3.33 MHz); differences are taken modulo 2**48."""


class Capability(IntFlag):
    """Bits of the CAPABILITIES register: what this build contains."""

    PRODUCTS = 1 << 0
    DELAYED_PRODUCTS = 1 << 1
    PHASORS = 1 << 2
    MEANS = 1 << 3
    PHANTOM_LOAD = 1 << 4
    PULSE_COUNTERS = 1 << 5
    CAPTURE = 1 << 6
    EVENTS = 1 << 7


class EventKind(IntEnum):
    """Kind of event in the log: the first five of a channel, the others of the whole."""

    SAG = 0
    SWELL = 1
    LOSS = 2
    """Loss of phase."""
    OVERLOAD = 3
    DEAD = 4
    """Dead modulator."""
    NO_CROSSING = 5
    """Windows close by their timer, for want of zero crossings."""
    OVERRUN = 6
    """A stage was late; it has no end."""


class Counter(IntEnum):
    """The pulse counters, in the order of their registers."""

    LED = 0
    KYZ1 = 1
    KYZ2 = 2
    KYZ3 = 3
    KYZ4 = 4
    SPARE1 = 5
    SPARE2 = 6


class CounterWord(IntEnum):
    """Word of the block COUNTERS for each counter; stamps and intervals in modulator ticks."""

    COUNT = 0
    FIRST_LO = 1
    FIRST_HI = 2
    LAST_LO = 3
    LAST_HI = 4
    SHORTEST = 5
    LONGEST = 6
    ILLEGAL = 7


class GateWord(IntEnum):
    """Word of the block GATE."""

    OPEN_LO = 0
    OPEN_HI = 1
    CLOSE_LO = 2
    CLOSE_HI = 3
    PULSES = 4


class CounterState(IntFlag):
    """Bits of COUNTER_STATE."""

    OPEN = 1 << 0
    OPENING = 1 << 1
    """An opening is armed."""
    CLOSING = 1 << 2
    """A closing is armed."""
    BUSY = 1 << 3
    """Edges or commands wait, or are being worked on."""
    OVERFLOW = 1 << 4
    """Contacts changed faster than the counters could take since the last COUNTER_CLEAR."""


class CaptureState(IntEnum):
    """Bits 2:0 of CAPTURE_STATE; gateware/capture.py has the table."""

    IDLE = 0
    RUNNING = 1
    ARMED = 2
    TRIGGERED = 3
    DONE = 4


class CaptureCommand(IntEnum):
    """Command that is written to CAPTURE."""

    STOP = 0
    RUN = 1
    ARM = 2


class CaptureFlag(IntFlag):
    """Bits 63:60 of a sample set's first word in the capture's ring."""

    WINDOW = 1 << 0
    """The first set of a window."""
    TRIGGER = 1 << 1
    """The set at which the trigger came."""


LINE_50_BITS = 20
LINE_50_MOST = 16
"""An oscillator step whose bits above these are 1 to 16 is of a 50 Hz line: up to 54 Hz at 13 kHz, half way to 60 Hz in
cycles. 0, no oscillator, is none."""


def td_delay(quarter: int, oscillator_step: int) -> int:
    """Count the samples by which the voltages of a record's td products are delayed: `quarter` (register QUARTER, 54 at
    13 kHz), or on a 50 Hz line 6/5 of it (65). A quarter cycle at either, within 0.3°."""
    return round(quarter * 6 / 5) if 1 <= oscillator_step >> LINE_50_BITS <= LINE_50_MOST else quarter


NOTHING = Capability(0)

NO_CHANNEL = 7
"""Stands for a channel where an event is of the whole, or no channel's crossing triggers."""

EVENT_LOG_ENTRIES = 32

CAPTURE_PAGE_WORDS = 256
"""Words of the capture's ring that one value of CAPTURE_PAGE reaches."""

PHANTOM_TERMS = 8
"""Terms of each channel of the phantom load: DC, then harmonics 1 to 7."""

PHANTOM_HOLD_TICKS = 256
"""Ticks for which the phantom load holds its values; in them its fundamental turns by PHANTOM_STEP."""


@dataclass(frozen=True)
class Register:
    """One 32-bit register. `reset` is None for values that the build or the hardware supplies.

    `width` bits are kept on a write, the rest read 0. A `config` register is part of the configuration digest.
    A build without the capabilities it `needs` does not have it.
    """

    name: str
    address: int
    doc: str
    width: int = 32
    reset: int | None = None
    writable: bool = False
    config: bool = False
    needs: Capability = NOTHING


def _config(name: str, address: int, width: int, reset: int, doc: str, needs: Capability = NOTHING) -> Register:
    return Register(name, address, doc, width=width, reset=reset, writable=True, config=True, needs=needs)


@dataclass(frozen=True)
class Block:
    """`count` registers in a row that are kept in a memory; all writable ones read back, none has a reset value."""

    name: str
    address: int
    count: int
    doc: str
    needs: Capability
    writable: bool = False

    @property
    def addresses(self) -> range:
        return range(self.address, self.address + self.count)


REGISTERS: tuple[Register, ...] = (
    Register("MAGIC", 0x00, "Constant 0x41453736.", reset=MAGIC),
    Register("VERSION", 0x01, "Version of this map: major in bits 31:16, minor in 15:0.", reset=VERSION),
    Register("BUILD", 0x02, "Digest of the build's parameters."),
    Register("CAPABILITIES", 0x03, "What this build contains: see the capability bits."),
    Register("CLOCK_NUM", 0x04, "Clock frequency numerator, Hz: clock = CLOCK_NUM / CLOCK_DEN."),
    Register("CLOCK_DEN", 0x05, "Clock frequency denominator."),
    Register(
        "CHAIN",
        0x06,
        "Decimation chain: clocks a tick 31:24, CIC decimation 23:8, FIR decimation 7:4, log2 of the slots of the "
        "records' ring, rounded down, 3:0.",
    ),
    Register("STATUS", 0x07, "Sticky overrun flags, one a stage: CIC 0, FIR 1, correlator 2.", width=3),
    Register("TICK_LO", 0x08, "Modulator ticks since reset, bits 31:0; reading it holds the upper half."),
    Register("TICK_HI", 0x09, "Bits 47:32 of the tick count, as held by the last read of TICK_LO.", width=16),
    Register(
        "QUARTER",
        0x0A,
        "Samples by which the voltages of the td products are delayed; on a 50 Hz line, which OSCILLATOR_STEP tells, "
        "6/5 of them, rounded.",
        width=8,
        needs=Capability.DELAYED_PRODUCTS,
    ),
    Register("EVENTS", 0x0B, "Entries ever written to EVENT_LOG.", needs=Capability.EVENTS),
    Register("RECORDS", 0x0C, "The most records that can wait 15:0, those that wait now 31:16."),
    _config("REFERENCE", 0x10, 2, 0, "Voltage channel (0 to 2) whose positive zero crossings close windows."),
    _config("HYSTERESIS", 0x11, 19, 8192, "Sample codes below zero that arm the next crossing."),
    _config("WINDOW_MIN", 0x12, 16, 128, "Crossings closer than this many samples are ignored."),
    _config("WINDOW_MAX", 0x13, 16, 420, "A window without a crossing closes after this many samples."),
    *(
        _config(f"DELAY_{c.name}", 0x14 + c, 8, 0, f"Delay of channel {c.name}'s bitstream, modulator ticks.")
        for c in Channel
    ),
    _config(
        "PHANTOM",
        0x1A,
        1,
        0,
        "1: the phantom load's bits are measured in place of the pins.",
        Capability.PHANTOM_LOAD,
    ),
    _config(
        "SAG_LEVEL",
        0x1B,
        19,
        0,
        "A voltage whose magnitude stays below this code for EVENT_SAMPLES sags; 0: none does.",
        Capability.EVENTS,
    ),
    _config(
        "SWELL_LEVEL",
        0x1C,
        19,
        0,
        "A voltage whose magnitude reaches this code swells, until it has not for EVENT_SAMPLES; 0: none does.",
        Capability.EVENTS,
    ),
    _config(
        "LOSS_LEVEL",
        0x1D,
        19,
        0,
        "A phase whose voltage stays below this code for EVENT_SAMPLES is lost; 0: none is.",
        Capability.EVENTS,
    ),
    _config(
        "EVENT_SAMPLES",
        0x1E,
        15,
        145,
        "Samples after which a magnitude, overload or dead modulator counts as over: half a cycle of 45 Hz.",
        Capability.EVENTS,
    ),
    _config(
        "COUNTER_FILTER",
        0x1F,
        16,
        0,
        "Ticks that a new level of a pulse pin must last to count; 0: none.",
        Capability.PULSE_COUNTERS,
    ),
    Register(
        "CLOSE_AT_LO",
        0x20,
        "Bits 31:0 of the tick at which the window in progress closes.",
        reset=0,
        writable=True,
    ),
    Register(
        "CLOSE_AT_HI",
        0x21,
        "Bits 47:32 of that tick; writing it arms the closing, which then happens once.",
        width=16,
        reset=0,
        writable=True,
    ),
    Register(
        "OSCILLATOR_STEP",
        0x22,
        "What the phasors' oscillator turns from sample to sample, 2⁻³² of a turn; taken when a record begins. 2²⁰ to "
        "17·2²⁰ − 1 mean a 50 Hz line to the td products.",
        reset=round(60 * 2**32 * 768 / 10_000_000),
        writable=True,
        needs=Capability.PHASORS,
    ),
    Register(
        "PHANTOM_STEP",
        0x23,
        "What the phantom load's fundamental turns in 256 ticks, 2⁻³² of a turn.",
        reset=round(60 * 2**32 * 768 / 10_000_000),
        writable=True,
        needs=Capability.PHANTOM_LOAD,
    ),
    Register(
        "CAPTURE",
        0x28,
        "Command to the waveform capture: 0 stop, 1 run, 2 arm.",
        width=2,
        reset=0,
        writable=True,
        needs=Capability.CAPTURE,
    ),
    Register(
        "CAPTURE_TRIGGER",
        0x29,
        "Trigger sources, to be written before arming. Level 19:0 (signed), channel whose crossing of it triggers "
        "22:20 (7: none), falling instead of rising 23, kinds of event whose begin triggers 31:24 (a bit each).",
        reset=NO_CHANNEL << SAMPLE_BITS,
        writable=True,
        needs=Capability.CAPTURE,
    ),
    Register(
        "CAPTURE_AFTER",
        0x2A,
        "Sample sets after the trigger's, to be written before arming; 0 counts as 1.",
        width=16,
        reset=0,
        writable=True,
        needs=Capability.CAPTURE,
    ),
    Register(
        "CAPTURE_PAGE",
        0x2B,
        "Upper bits of the index of the ring's words that the next CAPTURE operations read.",
        width=8,
        reset=0,
        writable=True,
        needs=Capability.CAPTURE,
    ),
    Register(
        "CAPTURE_STATE",
        0x2C,
        "State 2:0 (0 idle, 1 running, 2 armed, 3 triggered, 4 done), log2 of the ring's sample sets 7:4, place in the "
        "ring of the next set 31:16. The word after the newest set's two is the newest set's tick.",
        needs=Capability.CAPTURE,
    ),
    Register(
        "COUNTER_CLEAR",
        0x30,
        "Writing it closes and disarms the counters' gate and zeroes their words, within 80 clocks.",
        width=1,
        reset=0,
        writable=True,
        needs=Capability.PULSE_COUNTERS,
    ),
    Register(
        "GATE_COUNTER",
        0x31,
        "Counter whose pulses close the gate after as many as GATE says.",
        width=3,
        reset=0,
        writable=True,
        needs=Capability.PULSE_COUNTERS,
    ),
    Register(
        "COUNTER_STATE",
        0x32,
        "Gate open 0, opening armed 1, closing armed 2, edges or commands waiting 3, changes were lost 4 (sticky).",
        width=5,
        needs=Capability.PULSE_COUNTERS,
    ),
)

BLOCKS: tuple[Block, ...] = (
    Block(
        "EVENT_LOG",
        0x40,
        2 * EVENT_LOG_ENTRIES,
        "Two for each of the last 32 entries, entry n from 2·(n mod 32) on: bits 31:0 of the sample set's tick; then "
        "its bits 47:32 in 15:0, kind 20:16, channel 23:21 (7: none), begin 24, low bits of n in 31:25.",
        Capability.EVENTS,
    ),
    Block(
        "PHANTOM_WAVES",
        0x80,
        CHANNELS * PHANTOM_TERMS,
        "Eight for each channel, V1 first: DC, then harmonics 1 to 7 of the phantom load. Amplitude (signed, 2⁻¹⁵ of "
        "full scale) in bits 31:16, phase (2⁻¹⁶ of a turn) in 15:0; DC has no phase.",
        Capability.PHANTOM_LOAD,
        writable=True,
    ),
    Block(
        "COUNTERS",
        0xC0,
        56,
        "Eight for each counter, LED first, then KYZ1 to KYZ4 and two spare ones: pulses counted; tick of the first, "
        "bits 31:0, then 47:32; tick of the last, likewise; shortest and longest interval from pulse to pulse in ticks "
        "(at most 2³²−1; without any, 2³²−1 and 0); illegal transitions.",
        Capability.PULSE_COUNTERS,
    ),
    Block(
        "GATE",
        0xF8,
        5,
        "Tick at which the counters' gate opens, bits 31:0, then 47:32; tick at which it closes, likewise; pulses "
        "still to come before it closes (0: no limit). Writing bits 31:0 disarms, writing 47:32 arms; a tick that has "
        "passed is taken as now. Once the gate has moved, the tick at which it did.",
        Capability.PULSE_COUNTERS,
        writable=True,
    ),
)

BY_NAME: Mapping[str, Register] = {r.name: r for r in REGISTERS}
BY_ADDRESS: Mapping[int, Register] = {r.address: r for r in REGISTERS}
BLOCK_BY_NAME: Mapping[str, Block] = {b.name: b for b in BLOCKS}
BLOCK_BY_ADDRESS: Mapping[int, Block] = {a: b for b in BLOCKS for a in b.addresses}

GATE_PLACE = BLOCK_BY_NAME["GATE"].address - BLOCK_BY_NAME["COUNTERS"].address
"""Place of the gate's first word behind those of the counters, with which it shares a memory."""


def configuration_digest(values: Mapping[str, int]) -> int:
    """Digest of the configuration registers: the XOR of each value rotated left by its address (mod 32).

    `values` may leave registers out; they count at their reset value. 32 bits, carried in every record.
    """
    digest = 0
    for register in REGISTERS:
        if register.config:
            value = values.get(register.name, register.reset or 0)
            turn = register.address % 32
            digest ^= ((value << turn) | (value >> (32 - turn))) & 0xFFFF_FFFF
    return digest
