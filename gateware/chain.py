"""Parameters of the sampling chain, shared by the components and by the bit-exact model."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import reduce
from operator import or_

from gateware.registers import CHANNELS, SAMPLE_BITS, Capability

_HALF: tuple[int, ...] = (
    14, 12, -57, -70, 83, 164, 9, -153, -180, -86, 148, 319, 205, -98, -397, -448, -91, 424, 692,
    462, -232, -893, -946, -252, 811, 1446, 1024, -294, -1644, -1958, -758, 1260, 2662, 2241, -32,
    -2683, -3711, -2045, 1519, 4526, 4548, 1069, -3861, -6678, -4833, 1062, 7227, 8960, 4084, -4909,
    -11939, -11172, -1475, 11702, 19023, 13205, -5138, -25787, -33380, -15911, 27336, 83296, 130362,
    148720,
)  # fmt: skip
TAPS: tuple[int, ...] = (*_HALF, *_HALF[-2::-1])
"""127 taps at 26.04 kHz, weighted least squares: with the CIC's droop flat to 0.0002 dB up to 3 kHz (the 50th
harmonic of 60 Hz), −0.1 dB at 3.2 kHz, −3 dB at 3.5 kHz, 100 dB down above 9.82 kHz, where ÷2 folds onto the
band. They sum to 2**19, so that DC keeps its value exactly. Why so many: docs/decisions/014-band-edge.md.
"""
TAP_SUM_LOG2 = 19
FIR_DECIMATION = 2

EVERYTHING = reduce(or_, Capability)


@dataclass(frozen=True)
class Chain:
    """Signal chain as a build fixes it: rates, depths and the front end's style.

    `clock_hz` is the exact clock; a modulator tick is `clocks_per_tick` clocks, a sample 2·`decimation` ticks.
    `paired` front ends carry V and I of a phase on one line, on the two halves of the modulator clock (STPMS2
    style), V while it is high, or, where `swapped`, while it is low; others have a line for each bit.
    `tick_start` presets the tick counter, so that
    tests can reach its wrap. `record_slots` are the places of the records' ring. `capture_log2` is the depth of the
    waveform capture in sample sets. `build` is
    a bitstream's identity.
    """

    clock_hz: Fraction = Fraction(40_000_000, 3)
    clocks_per_tick: int = 4
    decimation: int = 128
    record_slots: int = 256
    paired: bool = True
    swapped: bool = False
    tick_start: int = 0
    capabilities: Capability = EVERYTHING
    capture_log2: int = 12
    build: int | None = None

    def __post_init__(self) -> None:
        if self.decimation & (self.decimation - 1) or not 8 <= self.decimation <= 128:
            raise ValueError(f"the CIC decimates by a power of two from 8 to 128, not by {self.decimation}")
        if self.swapped and not self.paired:
            raise ValueError("only the halves of a pair can be swapped: this chain has a line for each bit")
        if not 2 <= self.record_slots <= 1 << 12:
            raise ValueError(f"the ring of records has 2 to {1 << 12} slots, not {self.record_slots}")

    @property
    def tick_hz(self) -> Fraction:
        """Modulator clock, Hz (Q-1: 3.33 MHz)."""
        return self.clock_hz / self.clocks_per_tick

    @property
    def ticks_per_sample(self) -> int:
        return self.decimation * FIR_DECIMATION

    @property
    def clocks_per_output(self) -> int:
        """Clocks from one CIC output to the next: the budget of every serial stage."""
        return self.clocks_per_tick * self.decimation

    @property
    def cic_log2(self) -> int:
        return (self.decimation - 1).bit_length()

    @property
    def cic_bits(self) -> int:
        """Width of a ±1-coded CIC³: it reaches +decimation³ exactly, hence one bit more than a sign."""
        return 3 * self.cic_log2 + 2

    @property
    def round_bits(self) -> int:
        """Bits the FIR drops from its accumulator: bitstream density ±1 becomes sample code ±2**19."""
        return TAP_SUM_LOG2 + 3 * self.cic_log2 - (SAMPLE_BITS - 1)

    @property
    def quarter(self) -> int:
        """Samples by which the td products' voltages are delayed: nearest to a quarter cycle of 60 Hz."""
        return round(self.tick_hz / self.ticks_per_sample / (4 * 60))

    @property
    def overload_code(self) -> int:
        """Samples at or beyond ± this code raise the overload flag: 97 % ones, 94 % of full scale."""
        return 94 * (1 << (SAMPLE_BITS - 1)) // 100

    @property
    def ring(self) -> int:
        """The most records that wait for the host: one slot of the ring stays free."""
        return self.record_slots - 1

    @property
    def slots_log2(self) -> int:
        """log2 of the ring's slots, rounded down, as in the CHAIN register."""
        return self.record_slots.bit_length() - 1

    @property
    def delay_ticks(self) -> Fraction:
        """Group delay from a bit at the pins to the centre of the sample it belongs to, in ticks.

        CIC: 3·(R−1)/2 and two ticks of pipelined integrators; FIR: 63 CIC outputs; one tick in the front end.
        """
        return Fraction(3 * (self.decimation - 1), 2) + 2 + (len(TAPS) - 1) // 2 * self.decimation + 1

    @property
    def digest(self) -> int:
        """The BUILD register: a bitstream's identity, elsewhere 32 bits that differ when any parameter does."""
        if self.build is not None:
            return self.build
        text = json.dumps(asdict(self) | {"taps": TAPS, "channels": CHANNELS}, default=str, sort_keys=True)
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
