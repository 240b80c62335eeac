"""The phantom load: what six oscillators in the FPGA play in place of the modulators, and what is then measured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from drivers.spi_link import LinkError, SpiLink
from gateware.frames import MAX_COUNT, Op
from gateware.registers import CHANNELS, PHANTOM_HOLD_TICKS, PHANTOM_TERMS, SAMPLE_BITS, Capability, Channel

LIMIT = 0.9
"""Of full scale: up to here the delta-sigma modulators are sure to follow."""
HIGHEST_ORDER = PHANTOM_TERMS - 1
BAND_HZ = 3000
"""Up to here the sampling chain is flat."""

_SINE_TOP = Fraction(2**17 - 1, 2**17)
_BLOCK = "PHANTOM_WAVES"


@dataclass(frozen=True)
class PhantomWave:
    """One channel: dc + Σ peak·sin(2π·order·f·t + angle), all peaks in fractions of the channel's full scale.

    `harmonics` maps orders 1 (the fundamental) to 7 to (peak, angle in degrees).
    """

    dc: float = 0.0
    harmonics: Mapping[int, tuple[float, float]] = field(default_factory=dict)

    @property
    def peak(self) -> float:
        """A bound of the magnitude: all crests together."""
        return abs(self.dc) + sum(abs(peak) for peak, _ in self.harmonics.values())


@dataclass(frozen=True)
class PhantomLoad:
    """Six waves of one frequency; a channel that is left out is silent. ValueError for what cannot be played."""

    frequency_hz: float
    waves: Mapping[Channel, PhantomWave]

    def __post_init__(self) -> None:
        if not (math.isfinite(self.frequency_hz) and self.frequency_hz > 0):
            raise ValueError(f"the phantom load's frequency must be above 0 Hz, got {self.frequency_hz:g} Hz")
        for channel, wave in self.waves.items():
            name = f"phantom load, channel {Channel(channel).name}"
            for order, tone in wave.harmonics.items():
                if not 1 <= order <= HIGHEST_ORDER:
                    raise ValueError(f"{name}: orders are 1 to {HIGHEST_ORDER}, got {order}")
                if order * self.frequency_hz > BAND_HZ:
                    raise ValueError(
                        f"{name}: order {order} of {self.frequency_hz:g} Hz is beyond the {BAND_HZ} Hz of the band"
                    )
                if not all(map(math.isfinite, tone)):
                    raise ValueError(f"{name}: order {order} must have a finite peak and angle, got {tone}")
            if not wave.peak <= LIMIT + 1e-12:  # not a number is refused, too
                raise ValueError(
                    f"{name}: the magnitudes of DC and harmonics add up to {wave.peak:.4g} of full scale, "
                    f"the most is {LIMIT:g}"
                )


@dataclass(frozen=True)
class PhantomRegisters:
    """PHANTOM_STEP and the 48 registers of the block PHANTOM_WAVES (gateware.registers)."""

    step: int
    waves: tuple[int, ...]

    @classmethod
    def of(cls, load: PhantomLoad, tick_hz: Fraction) -> PhantomRegisters:
        """The nearest registers: peaks to 2⁻¹⁵, angles to 360°/2**16, the frequency to 2⁻³² of a turn in 256 ticks."""
        step = round(Fraction(load.frequency_hz) * PHANTOM_HOLD_TICKS / tick_hz * 2**32)
        registers = []
        for channel in Channel:
            wave = load.waves.get(channel, PhantomWave())
            registers.append(_register(wave.dc, 0.0))
            for order in range(1, PHANTOM_TERMS):
                registers.append(_register(*wave.harmonics.get(order, (0.0, 0.0))))
        return cls(step, tuple(registers))

    def frequency_hz(self, tick_hz: Fraction) -> Fraction:
        """Return the frequency that is played, exactly."""
        return self.step * tick_hz / (PHANTOM_HOLD_TICKS * 2**32)

    def wave(self, channel: int, order: int) -> tuple[float, float]:
        """(peak in fractions of full scale, angle in radians) as played; order 0 is DC."""
        register = self.waves[PHANTOM_TERMS * channel + order]
        amplitude = (register >> 16 ^ 0x8000) - 0x8000
        return float(amplitude * _SINE_TOP) / 2**15, (register & 0xFFFF) / 2**16 * 2 * math.pi


@dataclass(frozen=True)
class Expected:
    """Expectation of a meter's records, by channel, in sample codes: r.m.s. and angle of the fundamental, and DC.

    From the registers, so that their steps are in it, and with the fundamental's loss by holding values for 256
    ticks. Left to the meter: the sampling chain's own gain, within 0.0002 dB (2.3e-5) of 1 up to 3 kHz and
    1.6e-6 at 60 Hz.
    """

    rms: tuple[float, ...]
    angle_rad: tuple[float, ...]
    dc: tuple[float, ...]

    def active(self, a: int, b: int) -> float:
        """Fundamental P of two channels, sample codes squared."""
        return self.rms[a] * self.rms[b] * math.cos(self.angle_rad[a] - self.angle_rad[b])

    def reactive(self, a: int, b: int) -> float:
        """Fundamental Q of two channels, sample codes squared; positive where b lags a."""
        return self.rms[a] * self.rms[b] * math.sin(self.angle_rad[a] - self.angle_rad[b])


def expected(load: PhantomLoad, tick_hz: Fraction) -> Expected:
    """Compute what is measured of `load`, for a modulator clock of `tick_hz`."""
    registers = PhantomRegisters.of(load, tick_hz)
    half_turn = math.pi * float(registers.frequency_hz(tick_hz) / tick_hz)  # of the fundamental in a tick, halved
    hold = math.sin(PHANTOM_HOLD_TICKS * half_turn) / (PHANTOM_HOLD_TICKS * math.sin(half_turn))
    full_scale = 2 ** (SAMPLE_BITS - 1)
    tones = [registers.wave(c, 1) for c in range(CHANNELS)]
    return Expected(
        rms=tuple(full_scale * hold * abs(peak) / math.sqrt(2) for peak, _ in tones),
        angle_rad=tuple(angle + (math.pi if peak < 0 else 0.0) for peak, angle in tones),
        dc=tuple(full_scale * registers.wave(c, 0)[0] for c in range(CHANNELS)),
    )


def apply(link: SpiLink, load: PhantomLoad) -> None:
    """Write the load, read it back and switch it on, from its defined beginning.

    LinkError when the FPGA's build has no phantom load, or does not hold what was written; it is then off.
    """
    if Capability.PHANTOM_LOAD not in link.identity.capabilities:
        raise LinkError("this FPGA's build has no phantom load: its board has no room for it")
    remove(link)
    change(link, load)
    link.write("PHANTOM", 1)


def change(link: SpiLink, load: PhantomLoad) -> None:
    """Write the load and read it back, without switching anything: one that plays goes on with its phase, and each wave
    is another as soon as it is written.

    LinkError when the FPGA's build does not hold what was written.
    """
    registers = PhantomRegisters.of(load, link.identity.tick_hz)
    link.write("PHANTOM_STEP", registers.step)
    for index, value in enumerate(registers.waves):
        link.write_block(_BLOCK, index, value)
    most = MAX_COUNT[Op.READ]
    for start in range(0, len(registers.waves), most):
        written = registers.waves[start : start + most]
        kept = link.read_block(_BLOCK, start, len(written))
        for index, (value, found) in enumerate(zip(written, kept, strict=True), start):
            if found != value:
                raise LinkError(
                    f"{_BLOCK} {index} was written {value:#x} and reads {found:#x}: the FPGA's build does not match"
                )


def remove(link: SpiLink) -> None:
    """Measure the pins again."""
    link.write("PHANTOM", 0)


def _register(peak: float, angle_deg: float) -> int:
    phase = round(angle_deg / 360 * 2**16) & 0xFFFF
    return (round(peak * 2**15) & 0xFFFF) << 16 | phase
