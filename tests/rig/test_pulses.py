"""Pulse outputs: never a pulse off the registered energy, in order, with the constants that P-2 allows."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulse_bench import PULSE_QUANTITIES

from rig.meter.billing.quantity import NANO, Quadrant, Quantity
from rig.meter.contacts.outputs import OutputId
from rig.meter.contacts.pulses import PulseConstantError, PulseOutput, kyz_output, led_output
from rig.meter.measuring.registration import Energies

constants = st.fractions(Fraction(1, 10), 30, max_denominator=10**6)
energies = st.integers(0, 20 * NANO)
windows = st.lists(st.tuples(energies, st.integers(1, 10**6)), min_size=1, max_size=10)


@given(constants, windows)
def test_count_times_constant_is_the_energy_to_less_than_a_pulse(constant, windows):
    output = PulseOutput(OutputId.KYZ1, Quantity.KWH_DELIVERED, constant)
    registered, tick = 0, 0
    for nwh, ticks in windows:
        registered += nwh
        output.advance(nwh, tick, ticks)
        tick += ticks
        left = registered - output.count * constant * NANO
        assert 0 <= left < constant * NANO
        assert left == output.carried_nwh


@given(constants, windows)
def test_instants_are_where_the_energy_is_reached(constant, windows):
    """Each pulse's tick is the first by which its energy has flowed, so pulses never go back in time."""
    output = PulseOutput(OutputId.KYZ1, Quantity.KWH_DELIVERED, constant)
    before, tick, last, number = Fraction(0), 0, 0, 0
    for nwh, ticks in windows:
        for instant in output.advance(nwh, tick, ticks):
            number += 1
            assert max(tick, last) <= instant <= tick + ticks
            assert instant > tick
            flowed, flowed_a_tick_ago = (before + Fraction(nwh * (at - tick), ticks) for at in (instant, instant - 1))
            assert flowed_a_tick_ago < number * constant * NANO <= flowed
            last = instant
        before += nwh
        tick += ticks
    assert number == output.count


@given(constants, energies, st.integers(1, 10**3), st.data())
def test_splitting_a_window_moves_no_pulse(constant, nwh_a_tick, ticks, data):
    """Split where the ticks are, with the energy in proportion: the same pulses at the same instants."""
    first = data.draw(st.integers(0, ticks))
    whole = PulseOutput("a", Quantity.KWH_DELIVERED, constant)
    split = PulseOutput("b", Quantity.KWH_DELIVERED, constant)
    instants = whole.advance(nwh_a_tick * ticks, 1000, ticks)
    in_two = split.advance(nwh_a_tick * first, 1000, first)
    in_two += split.advance(nwh_a_tick * (ticks - first), 1000 + first, ticks - first)
    assert in_two == instants
    assert split.state == whole.state


@given(constants, st.lists(st.tuples(st.sampled_from(Quadrant), *[st.integers(0, 10**10)] * 4), min_size=1))
def test_outputs_follow_their_registers(constant, windows):
    outputs = {q: PulseOutput(q.name, q, constant) for q in PULSE_QUANTITIES}
    amounts = [0] * 16
    for quadrant, *magnitudes in windows:
        flowed = Energies(quadrant, *magnitudes, squares=())
        for kind, magnitude in enumerate(magnitudes):
            amounts[4 * quadrant + kind] += magnitude
        for quantity, output in outputs.items():
            output.advance(flowed.of(quantity), 0, 256)
    for quantity, output in outputs.items():
        assert output.count == quantity.of(amounts) // (constant * NANO)


def test_an_output_goes_on_from_its_state():
    first = PulseOutput(OutputId.KYZ1, Quantity.KWH_DELIVERED, Fraction(1, 3))
    first.advance(NANO, 0, 256)
    again = PulseOutput(OutputId.KYZ1, Quantity.KWH_DELIVERED, Fraction(1, 3), first.state)
    again.advance(NANO // 2, 0, 256)
    assert again.count == 4
    assert again.carried_nwh == Fraction(NANO, 6)


def test_kp_has_a_least_value_and_zero_disables():
    ks = Fraction("1.8")
    assert kyz_output(OutputId.KYZ1, Quantity.KWH_DELIVERED, Fraction("0.15"), ks).constant_wh == Fraction("0.15")
    with pytest.raises(
        PulseConstantError, match=r"KYZ1 has Kp 0\.14 Wh: give at least Ks/12 = 0\.15 Wh, or 0 to disable it"
    ):
        kyz_output(OutputId.KYZ1, Quantity.KWH_DELIVERED, Fraction("0.14"), ks)
    with pytest.raises(PulseConstantError, match=r"KYZ1 has Kp -1 Wh: give at least Ks/12"):
        kyz_output(OutputId.KYZ1, Quantity.KWH_DELIVERED, Fraction(-1), ks)
    disabled = kyz_output(OutputId.KYZ1, Quantity.KWH_DELIVERED, Fraction(0), ks)
    assert disabled.advance(1000 * NANO, 0, 256) == []
    assert disabled.count == 0


def test_test_led_flashes_in_either_direction_at_ks():
    led = led_output(Fraction("1.8"))
    assert (led.id, led.constant_wh) == (OutputId.TEST_LED, Fraction("1.8"))
    assert [Energies(q, 5, 0, 0, 0, ()).of(led.quantity) for q in Quadrant] == [5] * 4
    assert led.advance(37 * NANO // 10, 0, 3700) == [1800, 3600]
    with pytest.raises(PulseConstantError, match="LED has a constant of -1 Wh: give 0 or more"):
        led_output(Fraction(-1))
