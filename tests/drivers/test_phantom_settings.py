"""The phantom load's settings: their registers, what they are measured as, and what is refused."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.phantom import PhantomLoad, PhantomRegisters, PhantomWave, apply, expected, remove
from drivers.spi_link import LinkError
from gateware.chain import Chain
from gateware.model.decimation import Decimation
from gateware.model.phantom import PhantomModel
from gateware.registers import CHANNELS, Capability, Channel

TICK_HZ = Chain().tick_hz

LOAD = PhantomLoad(
    60.0,
    {
        Channel.V1: PhantomWave(harmonics={1: (0.6, 0.0), 3: (0.05, 20.0)}),
        Channel.V2: PhantomWave(harmonics={1: (0.6, -120.0)}),
        Channel.I1: PhantomWave(dc=0.01, harmonics={1: (0.4, -60.0), 5: (0.1, 90.0)}),
        Channel.I2: PhantomWave(harmonics={1: (-0.3, 33.0), 7: (0.05, 0.0)}),
    },
)


@dataclass
class Registers:
    """A link to registers alone: what is written can be read back, but for the block's register `broken`."""

    broken: int | None = None
    capabilities: Capability = Capability.PHANTOM_LOAD
    plain: dict[str, int] = field(default_factory=dict)
    block: list[int] = field(default_factory=lambda: [0] * 48)
    log: list[str] = field(default_factory=list)

    @property
    def identity(self) -> SimpleNamespace:
        return SimpleNamespace(capabilities=self.capabilities, tick_hz=TICK_HZ)

    def write(self, name: str, value: int) -> None:
        self.plain[name] = value
        self.log.append(f"{name}={value}")

    def write_block(self, name: str, index: int, value: int) -> None:
        assert name == "PHANTOM_WAVES"
        assert 0 <= value < 1 << 32
        self.block[index] = value ^ (1 if index == self.broken else 0)
        self.log.append(name)

    def read_block(self, name: str, index: int, count: int) -> list[int]:
        assert name == "PHANTOM_WAVES"
        assert count <= 12
        return self.block[index : index + count]


def test_registers_are_the_nearest():
    registers = PhantomRegisters.of(LOAD, TICK_HZ)
    assert registers.step == round(60 * 256 * 2**32 / TICK_HZ)
    assert registers.waves[1] == round(0.6 * 2**15) << 16
    assert registers.waves[8 + 1] & 0xFFFF == round(2**16 * 2 / 3)
    assert registers.waves[8 * Channel.I1] == round(0.01 * 2**15) << 16
    assert registers.waves[8 * Channel.I2 + 1] >> 16 == 2**16 - round(0.3 * 2**15)
    assert not any(registers.waves[8 * Channel.V3 : 8 * Channel.V3 + 8])


@given(st.floats(-0.9, 0.9), st.floats(-720, 720), st.integers(1, 7), st.floats(40, 70))
def test_what_is_played_is_within_half_a_step(peak, angle_deg, order, frequency_hz):
    load = PhantomLoad(frequency_hz, {Channel.I3: PhantomWave(harmonics={order: (peak, angle_deg)})})
    registers = PhantomRegisters.of(load, TICK_HZ)
    amplitude, angle_rad = registers.wave(Channel.I3, order)
    assert amplitude == pytest.approx(peak, abs=2**-16 + 2**-17)
    assert math.remainder(angle_rad - math.radians(angle_deg), 2 * math.pi) == pytest.approx(
        0, abs=math.pi / 2**16 * 1.01
    )
    half_step = TICK_HZ / 256 / 2**33
    assert abs(registers.frequency_hz(TICK_HZ) - Fraction(frequency_hz)) <= half_step


def test_the_expected_is_what_the_chain_measures():
    """Ten cycles of bits through the decimation; sines and DC fitted to the samples."""
    registers = PhantomRegisters.of(LOAD, TICK_HZ)
    model = PhantomModel()
    model.set_step(registers.step)
    for index, value in enumerate(registers.waves):
        model.set_wave(index, value)
    model.switch(True)
    settle, count = 100, 2170
    samples, _, _ = Decimation(Chain()).feed(model.run((settle + count) * 256), np.zeros(CHANNELS, np.int64))
    turn = 2 * np.pi * np.arange(count) * registers.step / 2**32
    columns = [np.ones(count), *(f(h * turn) for h in range(1, 8) for f in (np.sin, np.cos))]
    fit = np.linalg.lstsq(np.stack(columns, axis=1), samples[settle:].astype(float), rcond=None)[0]
    phasors = (fit[1] + 1j * fit[2]) / math.sqrt(2)

    known = expected(LOAD, TICK_HZ)
    # The held values' rounding, 2**-17 of full scale or 4 codes, the same every cycle of 217, at one frequency.
    noise = 4 * math.sqrt(2 / 217)
    assert np.abs(phasors) == pytest.approx(np.array(known.rms), rel=2e-6, abs=noise)
    assert fit[0] == pytest.approx(np.array(known.dc), abs=noise + 4)
    for a, b in ((Channel.V1, Channel.I1), (Channel.V2, Channel.I2), (Channel.V1, Channel.V2)):
        power = phasors[a] * np.conj(phasors[b])
        close = 4e-6 * known.rms[a] * known.rms[b] + noise * (known.rms[a] + known.rms[b])
        assert power.real == pytest.approx(known.active(a, b), abs=close)
        assert power.imag == pytest.approx(known.reactive(a, b), abs=close)


def test_expected_in_plain_figures():
    """0.6 and 0.4 of full scale, 60° lagging: P and Q of the first phase, with the loss of the hold."""
    known = expected(LOAD, TICK_HZ)
    full = 2**19
    assert known.rms[Channel.V1] == pytest.approx(0.6 / math.sqrt(2) * full, rel=5e-5)
    assert known.active(Channel.V1, Channel.I1) == pytest.approx(0.12 * 0.5 * full**2, rel=2e-4)
    assert known.reactive(Channel.V1, Channel.I1) == pytest.approx(0.12 * math.sqrt(0.75) * full**2, rel=2e-4)
    assert known.rms[Channel.V3] == 0


@pytest.mark.parametrize(
    ("frequency_hz", "wave", "sentence"),
    [
        (60, PhantomWave(0.2, {1: (0.6, 0), 3: (-0.2, 0)}), "V2: the magnitudes .* add up to 1 of full scale, .* 0.9"),
        (60, PhantomWave(dc=math.nan), "V2: the magnitudes .* add up to nan"),
        (60, PhantomWave(harmonics={8: (0.1, 0)}), "V2: orders are 1 to 7, got 8"),
        (60, PhantomWave(harmonics={0: (0.1, 0)}), "V2: orders are 1 to 7, got 0"),
        (60, PhantomWave(harmonics={2: (0.1, math.inf)}), "V2: order 2 must have a finite peak and angle"),
        (500, PhantomWave(harmonics={7: (0.1, 0)}), "V2: order 7 of 500 Hz is beyond the 3000 Hz"),
        (0, PhantomWave(), "frequency must be above 0 Hz, got 0 Hz"),
        (math.nan, PhantomWave(), "frequency must be above 0 Hz, got nan Hz"),
    ],
)
def test_what_cannot_be_played_is_refused(frequency_hz, wave, sentence):
    with pytest.raises(ValueError, match=sentence):
        PhantomLoad(frequency_hz, {Channel.V2: wave})


def test_the_whole_limit_may_be_used():
    PhantomLoad(60, {Channel.V1: PhantomWave(0.1, {1: (0.5, 0), 3: (-0.2, 0), 5: (0.1, 0)})})


def test_apply_begins_anew_with_the_waves_in_place():
    link = Registers()
    apply(link, LOAD)
    registers = PhantomRegisters.of(LOAD, TICK_HZ)
    assert tuple(link.block) == registers.waves
    assert link.plain["PHANTOM_STEP"] == registers.step
    assert link.log[0] == "PHANTOM=0"
    assert link.log[-1] == "PHANTOM=1"
    remove(link)
    assert link.plain["PHANTOM"] == 0


def test_a_register_that_does_not_hold_leaves_it_off():
    link = Registers(broken=13)
    with pytest.raises(LinkError, match="PHANTOM_WAVES 13 was written 0x0 and reads 0x1"):
        apply(link, LOAD)
    assert link.plain["PHANTOM"] == 0


def test_a_build_without_it_is_told():
    link = Registers(capabilities=Capability.PRODUCTS)
    with pytest.raises(LinkError, match="this FPGA's build has no phantom load"):
        apply(link, LOAD)
    assert not link.log
