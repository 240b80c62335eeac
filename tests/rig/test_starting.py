"""The starting current: no load registers nothing, anywhere; a load at the starting current all it is (review A-7)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from math import cos, radians, sqrt
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from line_records import CHAIN, SAMPLE_HZ, Wave, records
from pulse_bench import PULSE_QUANTITIES

from calibration.constants import nominal
from drivers.sim.recording import RecordedChannel, Recording
from drivers.sim.sensors import FULL_SCALE_DENSITY, RANGES, VOLTAGE_PEAK_V, typical_sensors
from gateware.record_words import PRODUCTS, Record, RecordFlag
from gateware.registers import Channel
from rig.hardware.config import Config
from rig.meter.billing.billing import Billing
from rig.meter.billing.quantity import Quantity
from rig.meter.contacts.outputs import KYZ_OUTPUTS
from rig.meter.contacts.pulses import PulseOutput, led_output
from rig.meter.installation.installation import Installation
from rig.meter.measuring import starting as starting_module
from rig.meter.measuring.elements import FORMS
from rig.meter.measuring.measurement import Fault, Measurement
from rig.meter.measuring.starting import Limits, Starting, limits_of_class, starting_amperes
from rig.meter.meter import Meter, MeterState
from rig.program.build import default_program
from rig.replay.recordings.replay import Playback, replay

CLASS = 20
FORM = FORMS["9S"]
CALIBRATION = nominal(
    Fraction(VOLTAGE_PEAK_V) / Fraction(FULL_SCALE_DENSITY), Fraction(RANGES[CLASS]) / Fraction(FULL_SCALE_DENSITY)
)
VOLT, AMPERE = (float(1 / CALIBRATION.channels[c].gain) for c in (Channel.V1, Channel.I1))
"""Codes for each."""
T0 = 1_767_225_600 * 10**9
PROGRAM = default_program()
ROW = re.compile(r"^    (idle|live) +(below )?`(starts|stops)`(?: or more)? +(idle|live)$", re.MULTILINE)


def new_meter(state: MeterState | None = None) -> Meter:
    """A 9S of class 20 with four of the pulse quantities, and a pulse for each µWh."""
    measurement = Measurement(
        equation=FORM.equation(),
        calibration=CALIBRATION,
        tick_hz=CHAIN.tick_hz,
        ticks_per_sample=CHAIN.ticks_per_sample,
        config_digest=0,
        quarter=CHAIN.quarter,
    )
    stored = None if state is None else msgspec.json.decode(msgspec.json.encode(state), type=MeterState)
    billing = Billing.begin(PROGRAM.billing, T0)[0] if stored is None else Billing(PROGRAM.billing, stored.billing)
    installation = Installation(
        FORM, CLASS, FORM.equation(), follow=False, state=None if stored is None else stored.installation
    )
    outputs = [led_output(Fraction(1, 10**6))] + [
        PulseOutput(id, quantity, Fraction(1, 10**6))
        for id, quantity in zip(KYZ_OUTPUTS, PULSE_QUANTITIES[-len(KYZ_OUTPUTS) :], strict=True)
    ]
    return Meter(measurement, billing, installation, CHAIN.tick_hz, outputs)


def amounts(meter: Meter) -> dict[Quantity, int]:
    meter.billing.settle()
    return {quantity: meter.billing.registers.energy(quantity) for quantity in Quantity}


def load(volts: Sequence[float], amperes: Sequence[float], lag: float) -> list[Wave]:
    return [Wave(v * sqrt(2) * VOLT, 120 * k) for k, v in enumerate(volts)] + [
        Wave(a * sqrt(2) * AMPERE, 120 * k + lag) for k, a in enumerate(amperes)
    ]


# --- the table -----------------------------------------------------------------------------------------------------


def test_every_row_of_the_table_at_its_limit_exactly() -> None:
    """A limit of 3/7 and 1/5: squares of 9 and 1 in 49 and 25 samples are just there."""
    rows = ROW.findall(starting_module.__doc__ or "")
    assert {(before, limit) for before, _, limit, _ in rows} == {("idle", "starts"), ("live", "stops")}
    assert len(rows) == 4
    limits = Limits(Fraction(3, 7), Fraction(1, 5))
    at = {"starts": (9 * 10**6, 49 * 10**6), "stops": (10**6, 25 * 10**6)}
    for before, below, limit, after in rows:
        starting = Starting([limits] * 6, [Fraction(1)] * 6, 0b111111 if before == "live" else 0)
        square, samples = at[limit]
        starting.advance([square - bool(below)] * 6, samples)
        assert starting.live == (0b111111 if after == "live" else 0)


@given(st.integers(0, 63), st.lists(st.integers(-(2**40), 2**40), min_size=21, max_size=21))
def test_what_has_an_idle_channel_in_it_is_nothing_and_all_else_as_it_is(live: int, products: list[int]) -> None:
    found = Starting([Limits(Fraction(1), Fraction(1))] * 6, [Fraction(1)] * 6, live).live_part(tuple(products))
    for (a, b), before, after in zip(PRODUCTS, products, found, strict=True):
        assert after == (before if live >> a & 1 and live >> b & 1 else 0)


def test_starting_currents_by_class() -> None:
    """ANSI C12.20, as docs/decisions/057-starting.md has it: 5 mA of class 20, 50 of 200, 80 of 320."""
    assert [float(starting_amperes(c)) for c in (10, 20, 200, 320)] == [0.0025, 0.005, 0.05, 0.08]
    assert (
        limits_of_class(20)
        == (Limits(Fraction(1), Fraction(1, 2)),) * 3 + (Limits(Fraction(15, 4000), Fraction(1, 400)),) * 3
    )


# --- registers and outputs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("lag", range(0, 360, 45))
def test_all_quadrants_below_and_above(lag: int) -> None:
    """5 mA is the starting current of class 20: at 0.74 of it nothing registers, at 0.76 and 1.2 all of it."""
    for part, registers in ((0.5, False), (0.74, False), (0.76, True), (1.0, True), (1.2, True)):
        meter = new_meter()
        amperes = part * 0.005
        made = records(load([120] * 3, [amperes] * 3, lag + 1), 60.0, 1.5)
        pulses = [pulse for record in made for pulse in meter.advance(record).pulses]
        found = amounts(meter)
        if not registers:
            assert not any(found.values())
            assert not pulses
            continue
        seconds = sum(record.samples for record in made) / float(SAMPLE_HZ)
        nwh = 3 * 120 * amperes * seconds / 3600 * 1e9
        # 5 mA are 30 codes r.m.s., each rounded to a code by 0.29 r.m.s.: some 1e-4 of squares.
        expected = nwh * cos(radians(lag + 1))
        assert found[Quantity.KWH_NET] == pytest.approx(expected, abs=1e-3 * nwh)
        assert found[Quantity.KVAH_RMS] == pytest.approx(nwh, rel=1e-3)
        assert found[Quantity.KVAH_TD] == pytest.approx(nwh, rel=2e-3)
        assert pulses


def test_a_phase_without_load_registers_nothing_beside_one_with() -> None:
    """Volt-amperes are those of phase A alone, whatever noise the others have; the same phase by phase."""
    for phase in range(3):
        amperes = [0.003, 0.003, 0.003]
        amperes[phase] = 0.05
        with_noise, alone = new_meter(), new_meter()
        for record in records(load([120] * 3, amperes, 20), 60.0, 1.0, noise=5.0):
            with_noise.advance(record)
            quiet = list(record.sums)
            for k, pair in enumerate(PRODUCTS):
                if any(c >= 3 and c != 3 + phase for c in pair):
                    quiet[k] = 0
            for c in range(3, 6):
                if c != 3 + phase:
                    quiet[21 + 3 * c : 24 + 3 * c] = [0, 0, 0]
                    quiet[51 + c] = 0
            alone.advance(replace(record, sums=tuple(quiet)))
        assert amounts(with_noise) == amounts(alone)
        assert amounts(alone)[Quantity.KVAH_RMS] > 0


@pytest.mark.parametrize(("volts", "amperes"), [(0.4, 5.0), (120.0, 0.0), (0.0, 0.0)])
def test_neither_a_current_without_voltage_nor_a_voltage_without_current(volts: float, amperes: float) -> None:
    meter = new_meter()
    for record in records(load([volts] * 3, [amperes] * 3, 0), 60.0, 2.0, noise=6.0):
        assert not meter.advance(record).pulses
    assert not any(amounts(meter).values())


def test_between_the_limits_it_stays_as_it_was_and_a_restart_changes_nothing() -> None:
    """0.6 of the starting current: idle if it comes from nothing, live if it comes from more, also across a restart."""
    between = records(load([120] * 3, [0.003] * 3, 30), 60.0, 1.5)
    idle = new_meter()
    for record in between:
        idle.advance(record)
    assert not any(amounts(idle).values())
    live = new_meter()
    for record in records(load([120] * 3, [0.006] * 3, 30), 60.0, 0.5):
        live.advance(record)
    for meter, registers in ((live, True), (idle, False)):
        again = new_meter(meter.state)
        assert again.measurement.live == meter.measurement.live == (0b111111 if registers else 0b000111)
        before = amounts(again)
        for record in between:
            again.advance(record)
        assert (amounts(again) != before) == registers
    ended = new_meter(live.state)
    for record in records(load([120] * 3, [0.00245] * 3, 30), 60.0, 2.5):
        ended.advance(record)
    assert ended.measurement.live == 0b000111


def noise_codes() -> tuple[float, float]:
    """What the typical sensors' noise comes to in samples, in codes r.m.s. of a voltage and a current."""
    volts, *_, amperes = typical_sensors(CLASS, CHAIN.tick_hz)
    return volts.noise_density * sqrt(3200) * VOLT, amperes.noise_density * sqrt(3200) * AMPERE


def test_a_day_without_load_counts_nothing_in_any_register_or_output() -> None:
    """A-7: 120 V, 0 A, typical noise, 24 h in records of half a minute, whose sums are drawn as those of white noise
    are: of a channel's square a chi-squared, of all other pairs normal."""
    rng = np.random.default_rng(7)
    volt_noise, ampere_noise = noise_codes()
    samples, cycles = round(30 * float(SAMPLE_HZ)), 1800
    peak = 120 * VOLT * sqrt(2)
    meter = new_meter()
    tick = 0
    for k in range(24 * 120):
        size = {
            c: sqrt(samples * (peak**2 / 2 + volt_noise**2)) if c < 3 else sqrt(samples) * ampere_noise for c in Channel
        }
        sums = []
        for a, b in PRODUCTS:
            spread = size[a] * size[b] / sqrt(samples)
            steady = -(peak**2) / 4 * samples if a < b < 3 else 0
            square = samples * peak**2 / 2 if a == b < 3 else ampere_noise**2 * rng.chisquare(samples) if a == b else 0
            sums.append(round(square + steady + (spread * rng.normal() if b >= 3 and a != b else 0)))
        for c in Channel:
            steady = [peak**2 / 2, -(peak**2) / 4, -(peak**2) / 4] if c < 3 else [0, 0, 0]
            sums += [round(s * samples + size[c] * peak / sqrt(2) * rng.normal()) for s in steady]
        sums += [0] * 12 + [
            round(sqrt(samples) * (volt_noise if c < 3 else ampere_noise) * rng.normal()) for c in Channel
        ]
        end = tick + samples * CHAIN.ticks_per_sample
        flags = RecordFlag.START_CROSSING | RecordFlag.END_CROSSING
        record = Record(k, cycles, flags, tick, end, samples, cycles, -100, 100, 0, 0, 0, 0, tuple(sums))
        result = meter.advance(record)
        assert result.window.faults == (Fault.MERGED,)
        assert not result.pulses
        tick = end
    assert meter.billing.now_ns - T0 == pytest.approx(86_400e9, rel=1e-6)
    assert not any(amounts(meter).values())
    assert meter.measurement.live == 0b000111
    # And that it is not for want of noise:
    readings = meter.measurement.phases(meter.measurement.run)
    assert readings.i_rms[0] == pytest.approx(ampere_noise / AMPERE, rel=0.01)


def played(amperes: float) -> Recording:
    t = (np.arange(6000) + 0.5) / 6000
    waves = [sqrt(2) * np.sin(2 * np.pi * (60 * t - k / 3)) for k in range(3)]
    channels = tuple(RecordedChannel(f"{q}{p}", unit) for q, unit in (("v", "V"), ("i", "A")) for p in "abc")
    values = np.stack([size * wave for size in (120.0, amperes) for wave in waves], axis=1)
    return Recording(Path("three phases.csv"), channels, values, Fraction(6000))


@pytest.mark.parametrize(("part", "registers"), [(0.0, False), (1.2, True)])
def test_the_whole_chain_with_typical_sensors(part: float, registers: bool) -> None:
    """Bits, filters, records, meter: 120 V and no load, and 1.2 times the starting current of class 20."""
    assignment = {f"{q}{p}": 3 * (q == "i") + k for q in "vi" for k, p in enumerate("abc")}
    amperes = part * 0.005
    summary = replay(Playback(played(amperes), assignment, loop=True, seconds=Fraction(5)), Config())
    noise = noise_codes()[1] / AMPERE
    # The modulators' own noise comes on top of the sensors'.
    assert sqrt(amperes**2 + noise**2) < summary.phases["a"].i_rms < sqrt(amperes**2 + (1.2 * noise) ** 2)
    registered = list(msgspec.to_builtins(summary.registers).values())
    if registers:
        assert summary.energy_wh.delivered == pytest.approx(3 * 120 * amperes * 5 / 3600, rel=1e-3)
    else:
        assert registered == [0.0] * len(registered)
        assert not any(summary.pulses.values())
