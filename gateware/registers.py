"""The one description of what the FPGA and the Pi say to each other.

The gateware, the driver, the simulated board, the tests and the manual page (docs/registers.md) are all made
from this module. It holds three tables and nothing else:

* REGISTERS and BLOCKS: 32-bit registers, addressed by number, every writable one readable;
* the record: 64 words of 64 bits, one per measurement window, first a header, then the 57 sums;
* the frame: how a request and its reply lie in one SPI transfer of at most 64 bytes.

Sources: requirements C-2, C-3, Q-1; docs/decisions/002-record.md and 003-frames.md.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from itertools import combinations_with_replacement

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

PHANTOM_TERMS = 8
"""Terms of each channel of the phantom load: DC, then harmonics 1 to 7."""

PHANTOM_HOLD_TICKS = 256
"""Ticks for which the phantom load holds its values; in them its fundamental turns by PHANTOM_STEP."""

# --- registers ------------------------------------------------------------------------------------------


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


# --- record ---------------------------------------------------------------------------------------------

RECORD_WORDS = 64
HEADER_WORDS = 7

PRODUCTS: tuple[tuple[Channel, Channel], ...] = tuple(combinations_with_replacement(Channel, 2))
"""The 21 products of x·xᵀ, in the order of their words."""

WORD_PRODUCTS = HEADER_WORDS
WORD_DELAYED = WORD_PRODUCTS + len(PRODUCTS)  # 18 products x·dᵀ, d the voltages a quarter cycle ago
WORD_PHASORS = WORD_DELAYED + VOLTAGES * CHANNELS  # 12 products with the line-frequency oscillator
WORD_MEANS = WORD_PHASORS + 2 * CHANNELS  # 6 plain sums
assert WORD_MEANS + CHANNELS == RECORD_WORDS

CAPTURE_PAGE_WORDS = 256
"""Words of the capture's ring that one value of CAPTURE_PAGE reaches."""

OSCILLATOR_AMPLITUDE = (1 << 17) - 1
"""Peak of the cosine and sine that the phasors are sums with."""

_PRODUCT_INDEX = {pair: i for i, pair in enumerate(PRODUCTS)}

SAFE_SAMPLES = 1 << 25
"""A record of fewer samples cannot have overflowed a 64-bit sum: |x·y| ≤ 2**38, 2**25 samples = 43 minutes."""


def words_present(capabilities: Capability) -> list[range]:
    """The ranges of record words worth reading from a build with these capabilities."""
    ranges = [range(HEADER_WORDS)]
    for bit, start, count in (
        (Capability.PRODUCTS, WORD_PRODUCTS, len(PRODUCTS)),
        (Capability.DELAYED_PRODUCTS, WORD_DELAYED, VOLTAGES * CHANNELS),
        (Capability.PHASORS, WORD_PHASORS, 2 * CHANNELS),
        (Capability.MEANS, WORD_MEANS, CHANNELS),
    ):
        if bit in capabilities:
            if ranges[-1].stop == start:
                ranges[-1] = range(ranges[-1].start, start + count)
            else:
                ranges.append(range(start, start + count))
    return ranges


class RecordFlag(IntFlag):
    """Flag of a record: how its window began and ended."""

    START_CROSSING = 1 << 0
    END_CROSSING = 1 << 1
    END_TIMED = 1 << 2
    END_COMMANDED = 1 << 3
    OVERRUN = 1 << 4
    PHANTOM = 1 << 5


@dataclass(frozen=True)
class Record:
    """Record of the gateware's measurement over one window (or, coalesced, over several in a row).

    Ticks are modulator ticks modulo 2**48; `samples` sample vectors were summed. `sums` holds the 57 sums as
    signed integers in the order of their words; sums a build does not have are 0. `before` and `after` are the
    reference voltage's samples on the two sides of the closing boundary. `overload` and `dead` are masks by
    channel: samples beyond ±94 % of the code range (97 % ones), and 128 equal bits in a row. `oscillator_step` is
    what the phasors' oscillator turned from sample to sample, 2⁻³² of a turn, from 0 at the first; 0 without phasors.
    """

    sequence: int
    windows: int
    flags: RecordFlag
    tick_start: int
    tick_end: int
    samples: int
    cycles: int
    before: int
    after: int
    config_digest: int
    overload: int
    dead: int
    oscillator_step: int
    sums: tuple[int, ...]

    @property
    def ticks(self) -> int:
        """Length in modulator ticks, exact across the counter's wrap."""
        return (self.tick_end - self.tick_start) % (1 << TICK_BITS)

    @property
    def whole_cycles(self) -> bool:
        """True if it runs from a zero crossing to a zero crossing."""
        both = RecordFlag.START_CROSSING | RecordFlag.END_CROSSING
        return self.flags & both == both

    def product(self, a: int, b: int) -> int:
        """Σ x_a·x_b in sample codes squared."""
        return self.sums[_PRODUCT_INDEX[Channel(min(a, b)), Channel(max(a, b))]]

    def delayed(self, c: int, k: int) -> int:
        """Σ x_c[n]·v_k[n − D] in sample codes squared: the voltage D samples ago, which td_delay tells."""
        return self.sums[WORD_DELAYED - HEADER_WORDS + VOLTAGES * c + k]

    def phasor(self, c: int) -> tuple[int, int]:
        """Σ x_c·C and Σ x_c·S, with the oscillator's cosine and sine of amplitude OSCILLATOR_AMPLITUDE."""
        at = WORD_PHASORS - HEADER_WORDS + 2 * c
        return self.sums[at], self.sums[at + 1]

    def mean_sum(self, a: int) -> int:
        """Σ x_a in sample codes."""
        return self.sums[WORD_MEANS - HEADER_WORDS + a]

    def to_words(self) -> list[int]:
        """The 64 words as unsigned integers (the inverse of from_words)."""
        return [
            self.sequence << 32 | self.windows << 8 | int(self.flags),
            self.tick_start,
            self.tick_end,
            self.samples << 32 | self.cycles,
            (self.before & 0xFFFF_FFFF) << 32 | self.after & 0xFFFF_FFFF,
            self.config_digest << 32 | self.overload << 8 | self.dead,
            self.oscillator_step,
            *(s & 0xFFFF_FFFF_FFFF_FFFF for s in self.sums),
        ]

    @classmethod
    def from_words(cls, words: Sequence[int]) -> Record:
        """Decode 64 words. Words a build does not have are given as 0."""
        if len(words) != RECORD_WORDS:
            raise ValueError(f"a record has {RECORD_WORDS} words, got {len(words)}")
        return cls(
            sequence=words[0] >> 32,
            windows=words[0] >> 8 & 0xFF_FFFF,
            flags=RecordFlag(words[0] & 0xFF),
            tick_start=words[1],
            tick_end=words[2],
            samples=words[3] >> 32,
            cycles=words[3] & 0xFFFF_FFFF,
            before=_signed(words[4] >> 32, 32),
            after=_signed(words[4] & 0xFFFF_FFFF, 32),
            config_digest=words[5] >> 32,
            overload=words[5] >> 8 & 0x3F,
            dead=words[5] & 0x3F,
            oscillator_step=words[6] & 0xFFFF_FFFF,
            sums=tuple(_signed(w, 64) for w in words[HEADER_WORDS:]),
        )


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value


# --- frame ----------------------------------------------------------------------------------------------

FRAME_BYTES = 64
CRC_BYTES = 4
HEAD_BYTES = 2
TURN_BYTES = 1
"""Bytes between request and reply, in which the FPGA checks the request and fetches the first word."""

CRC_POLY = 0x04C1_1DB7
CRC_RESIDUE = 0xC704_DD7B
"""The CRC register after data and their CRC, both shifted in: how the receiver checks without counting."""


class Op(IntEnum):
    """Upper half of a request's first byte; the lower half counts registers or words."""

    READ = 0x1
    """`count` registers (4 bytes each, up to 12) from `address` on."""
    WRITE = 0x2
    """One register; 4 data bytes follow the address."""
    RECORD = 0x3
    """`count` words (8 bytes each, up to 6) of the oldest record from word `address` on."""
    POP = 0x4
    """Drop the oldest record if `address` is the low byte of its sequence: safe to repeat."""
    CAPTURE = 0x5
    """`count` words (8 bytes each, up to 6) of the waveform capture; `address` is the low byte of the first."""


class ReplyStatus(IntEnum):
    """Upper half of a reply's first byte; the lower half is the number of records waiting (15: or more)."""

    OK = 0xA
    BAD_CRC = 0x5
    """The request arrived damaged; nothing was done."""
    BAD_REQUEST = 0x6
    """Unknown operation or address, or a count out of range; nothing was done."""
    NOT_THERE = 0x9
    """No record waits, or the oldest has another sequence."""


MAX_COUNT = {Op.READ: 12, Op.WRITE: 1, Op.RECORD: 6, Op.POP: 0, Op.CAPTURE: 6}
ITEM_BYTES = {Op.READ: 4, Op.WRITE: 0, Op.RECORD: 8, Op.POP: 0, Op.CAPTURE: 8}

_MIRROR = bytes(int(f"{b:08b}"[::-1], 2) for b in range(256))


def crc32(data: bytes) -> int:
    """CRC-32/BZIP2: polynomial 0x04C11DB7, most significant bit first, as the wire carries it.

    zlib computes the mirrored form of the same code, so bytes and result are mirrored around it.
    """
    mirrored = zlib.crc32(data.translate(_MIRROR))
    return int.from_bytes(mirrored.to_bytes(4, "little").translate(_MIRROR), "big")


def request(op: Op, sequence: int, address: int, count: int = 0, data: int | None = None) -> bytes:
    """A whole frame to send: request, its CRC, and zeros for as long as the reply lasts."""
    if count > MAX_COUNT[op]:
        raise ValueError(f"{op.name} takes at most {MAX_COUNT[op]} items a frame, asked for {count}")
    head = bytes((op << 4 | count, sequence & 0xFF, address))
    if op is Op.WRITE:
        head += struct.pack(">I", data)
    frame = head + struct.pack(">I", crc32(head))
    return frame + bytes(TURN_BYTES + HEAD_BYTES + count * ITEM_BYTES[op] + CRC_BYTES)


def reply_offset(op: Op) -> int:
    """Return where in the frame the reply begins."""
    return 3 + (4 if op is Op.WRITE else 0) + CRC_BYTES + TURN_BYTES
