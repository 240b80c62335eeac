"""Components with tolerances: what the bits say of each sensor, against the parts as plain numbers."""

from __future__ import annotations

import cmath
import math
from fractions import Fraction
from statistics import fmean, pstdev

import msgspec
import numpy as np
import pytest

from drivers.sim.built import sensors_built_of
from drivers.sim.components import (
    CHANNELS,
    FAULTS,
    ChannelParts,
    Components,
    CurrentError,
    Fault,
    meter_of_lot,
)
from drivers.sim.frontend import FrontEnd
from drivers.sim.modulator import Bits
from drivers.sim.source import Floats
from drivers.sim.synthetic import SyntheticLoad
from drivers.sim.waves import LoadState, Step, Wave

F_MOD = Fraction(10_000_000, 3)
HZ = 62.5
CYCLES = 8
TICKS = round(F_MOD / Fraction(HZ) * CYCLES)
SETTLED = 1 << 14
PEAKS = (850.0,) * 3 + (20 * math.sqrt(2) * 2.5,) * 3
VOLTS, AMPERES = 240.0, 10.0
DENSITY = 0.78125  # at the nominal range: docs/decisions/008-known-constants.md
SPREAD = 2e-5
"""What eight cycles of a bitstream leave of a density, by its quantisation: measured at 5e-6 with ideal sensors."""


def load(amperes: float = AMPERES) -> LoadState:
    volts = tuple(Wave(VOLTS, -120.0 * k) for k in range(3))
    return LoadState(volts, tuple(Wave(amperes, -120.0 * k) for k in range(3)), HZ)


def bits_of(components: Components, state: LoadState, ticks: int = SETTLED + TICKS) -> Bits:
    front_end = FrontEnd(
        SyntheticLoad(F_MOD, [Step(0, state)]), sensors_built_of(components, 20), F_MOD, 1, components.jitter_s
    )
    return front_end.bits(ticks)


def values(bits: Bits, channel: int) -> Floats:
    return (bits >> channel & 1) * 2.0 - 1.0


def phasor(bits: Bits, channel: int, cycles: int = CYCLES) -> complex:
    """Peak density and phase of the line in the last cycles."""
    n = round(F_MOD / Fraction(HZ) * cycles)
    turn = np.exp(-2j * np.pi * HZ / float(F_MOD) * np.arange(n))
    return complex(2 / n * (values(bits[-n:], channel) * turn).sum())


def compared(components: Components, state: LoadState, channel: int) -> tuple[float, float]:
    """The channel's gain over the design's, and by how many degrees it lags it, both against v3, which is as designed:
    where a sensor leads all others are held back."""
    both = [bits_of(each, state) for each in (components, Components())]
    made, designed = (phasor(bits, channel) / phasor(bits, 2) for bits in both)
    ratio = made / designed
    return abs(ratio), -math.degrees(cmath.phase(ratio))


def test_the_design_has_the_density_of_its_range() -> None:
    bits = bits_of(Components(), load())
    for channel, (rms, peak) in enumerate(zip((VOLTS,) * 3 + (AMPERES,) * 3, PEAKS, strict=True)):
        assert abs(phasor(bits, channel)) == pytest.approx(DENSITY * rms * math.sqrt(2) / peak, abs=SPREAD)


@pytest.mark.parametrize(
    ("parts", "gain"),
    [
        (ChannelParts(ratio_percent=3.0), 1.03),
        (ChannelParts(ratio_percent=-3.0, modulator_percent=0.3), 0.97 * 1.003),
        (ChannelParts(ppm_per_k=50.0), 1 + 50e-6 * 40),
        (ChannelParts(offset_percent=0.5), 1.0),
    ],
)
def test_gains(parts: ChannelParts, gain: float) -> None:
    found, lag_deg = compared(Components(v2=parts, temperature_c=63.0), load(), 1)
    assert found == pytest.approx(gain, abs=2 * SPREAD)
    assert lag_deg == pytest.approx(0.0, abs=math.degrees(4 * SPREAD))


def test_phases_are_delays_in_degrees_at_60_hz() -> None:
    found, lag_deg = compared(Components(i1=ChannelParts(lag_deg=-0.3)), load(), 3)
    assert found == pytest.approx(1.0, abs=4 * SPREAD)
    assert lag_deg == pytest.approx(-0.3 * HZ / 60, abs=math.degrees(4 * SPREAD))


@pytest.mark.parametrize(
    ("amperes", "ratio_percent", "lag_deg"),
    [(1.0, -0.4, -0.2), (10.0, 0.0, 0.0), (math.sqrt(10), -0.2, -0.1), (20.0, 0.0, 0.0), (0.5, -0.4, -0.2)],
)
def test_a_curve_goes_evenly_with_the_logarithm_of_the_current(
    amperes: float, ratio_percent: float, lag_deg: float
) -> None:
    curve = (CurrentError(1.0, -0.4, -0.2), CurrentError(10.0))
    found, lag = compared(Components(i2=ChannelParts(curve=curve)), load(amperes), 4)
    spread = 4 * SPREAD * AMPERES / amperes
    assert found == pytest.approx(1 + ratio_percent / 100, abs=spread)
    assert lag == pytest.approx(lag_deg * HZ / 60, abs=math.degrees(spread))


def test_an_offset_is_a_part_of_the_range() -> None:
    bits = bits_of(Components(i3=ChannelParts(offset_percent=0.5)), load())
    assert values(bits[-TICKS:], 5).mean() == pytest.approx(DENSITY * 0.005, abs=SPREAD)
    assert values(bits[-TICKS:], 4).mean() == pytest.approx(0.0, abs=SPREAD)


@pytest.mark.parametrize("noise_db", [-60.0, -50.0])
def test_noise_is_what_it_is_below_a_full_scale_sine(noise_db: float) -> None:
    parts = ChannelParts(noise_db=noise_db)
    bits = bits_of(Components(v1=parts), LoadState((), ()), 1 << 20)
    power = np.abs(np.fft.rfft(values(bits, 0)[SETTLED:])) ** 2
    n = len(bits) - SETTLED
    low = np.arange(len(power)) * float(F_MOD) / n <= 3200
    rms = math.sqrt(2 * power[low].sum()) / n
    assert rms == pytest.approx(DENSITY / math.sqrt(2) * 10 ** (noise_db / 20), rel=0.1)  # 1006 bins: 3 % of 1 σ


def test_jitter_makes_noise_by_the_slope_and_only_where_there_is_one() -> None:
    """White jitter σ of a sine's slope ω·A/√2: that much noise r.m.s. over half the modulators' rate."""
    jitter_s, hz = 40e-9, 1000.0
    quiet = ChannelParts(noise_db=-200.0)
    state = LoadState((Wave(500.0),), (), hz)
    bits = bits_of(Components(v1=quiet, v2=quiet, jitter_ps=jitter_s * 1e12), state, 1 << 20)[SETTLED:]
    n = len(bits) // 3333 * 3333 - 1  # near to whole cycles; the window takes care of the rest
    window = np.hanning(n)
    power = np.abs(np.fft.rfft(values(bits[:n], 0) * window)) ** 2 / (n * (window**2).sum())
    frequencies = np.arange(len(power)) * float(F_MOD) / n
    band = (frequencies > 1500) & (frequencies < 3200)
    found = math.sqrt(2 * power[band].sum())
    slope = 2 * math.pi * hz * DENSITY * 500.0 / 850.0
    expected = jitter_s * slope * math.sqrt(1700 / float(F_MOD / 2))
    assert found == pytest.approx(expected, rel=0.15)
    silent = np.abs(np.fft.rfft(values(bits[:n], 1) * window)) ** 2 / (n * (window**2).sum())
    assert math.sqrt(2 * silent[band].sum()) < expected / 5


def test_a_reference_drifts_with_time() -> None:
    components = Components(v1=ChannelParts(drift_ppm_per_hour=0.01 * 3600 * 1e6 / 100))  # 0.01 % a second
    bits = bits_of(components, load(), SETTLED + round(2 * F_MOD))
    late, early = phasor(bits, 0), phasor(bits[: SETTLED + TICKS], 0)
    between_s = len(bits) / float(F_MOD) - (SETTLED + TICKS) / float(F_MOD)
    assert abs(late) / abs(early) - 1 == pytest.approx(1e-4 * between_s, abs=4 * SPREAD)


def test_a_noisy_reference_moves_the_gain_from_tenth_to_tenth_of_a_second() -> None:
    bits = bits_of(Components(v3=ChannelParts(unsteady_percent=0.5)), load(), SETTLED + round(4 * F_MOD))
    block = round(F_MOD / 64 / 10) * 64
    cycles = Fraction(HZ) / F_MOD * block
    peaks = [abs(phasor(bits[: end + block // 4 * 3], 2, 4)) for end in range(block * 2, len(bits) - block, block)]
    assert cycles > 6
    assert pstdev(peaks) / fmean(peaks) == pytest.approx(0.005, rel=0.5)  # 36 of them: 12 % of 1 σ


def test_the_same_bits_however_they_are_asked_for() -> None:
    components = meter_of_lot(3, 4, 20)
    whole = bits_of(components, load(), 700_000)
    source = SyntheticLoad(F_MOD, [Step(0, load())])
    front_end = FrontEnd(source, sensors_built_of(components, 20), F_MOD, 1, components.jitter_s)
    sizes = [1, 63, 64, 100_000, 333_333, 200_000]
    pieces = [front_end.bits(size) for size in sizes]
    assert np.array_equal(np.concatenate(pieces), whole[: sum(sizes)])


def test_a_meter_of_a_lot_is_always_the_same_one_and_within_its_tolerances() -> None:
    lot = [meter_of_lot(7, number, 20) for number in range(200)]
    assert lot == [meter_of_lot(7, number, 20) for number in range(200)]
    assert len({msgspec.json.encode(each) for each in lot}) == 200
    ratios = [parts.ratio_percent for each in lot for parts in each.channels[:3]]
    assert max(map(abs, ratios)) <= 3
    assert min(ratios) < -2.5
    assert max(ratios) > 2.5
    for each in lot:
        for parts in each.channels[3:]:
            lags = [parts.lag_deg + point.lag_deg for point in parts.curve]
            assert -0.3 <= min(lags) <= max(lags) < 0
            assert lags == sorted(lags)
    shunts = [parts.ratio_percent for n in range(200) for parts in meter_of_lot(7, n, 20, "shunts").channels[3:]]
    assert 0.9 < max(shunts) <= 1


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("number", [1, 2])
def test_a_faulty_unit_differs_from_the_good_one_by_its_fault_only(fault: Fault, number: int) -> None:
    good, faulty = meter_of_lot(9, number, 20), meter_of_lot(9, number, 20, fault=fault)
    differ = [name for name in CHANNELS if getattr(good, name) != getattr(faulty, name)]
    assert len(differ) == {"none": 0, "swapped transformers": 2}.get(fault, 1)
    assert (good.identity == faulty.identity) == (fault == "none")


def test_wrong_connections() -> None:
    """i1 the wrong way round, i2 and i3 changed, v2 open."""
    components = Components(
        i1=ChannelParts(reversed=True),
        i2=ChannelParts(terminal="i3"),
        i3=ChannelParts(terminal="i2"),
        v2=ChannelParts(dead=True),
    )
    right, wrong = bits_of(Components(), load()), bits_of(components, load())
    assert phasor(wrong, 3) == pytest.approx(-phasor(right, 3), abs=4 * SPREAD)
    assert phasor(wrong, 4) == pytest.approx(phasor(right, 5), abs=4 * SPREAD)
    assert phasor(wrong, 5) == pytest.approx(phasor(right, 4), abs=4 * SPREAD)
    assert abs(phasor(wrong, 1)) < 4 * SPREAD
    assert phasor(wrong, 0) == pytest.approx(phasor(right, 0), abs=4 * SPREAD)


def test_a_crystal_moves_all_ticks() -> None:
    assert Components(crystal_ppm=-30.0).true_hz(F_MOD) == F_MOD * Fraction(999_970, 1_000_000)
