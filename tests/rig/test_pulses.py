"""Pulse outputs: never a pulse off the registered energy, in order, with the constants that P-2 allows."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.meter.energy import EnergyRegisters
from rig.meter.pulses import PulseConstantError, PulseOutput, PulseQuantity, kyz_output, led_output

constants = st.fractions(Fraction(1, 10), 30, max_denominator=10**6)
windows = st.lists(
    st.tuples(st.fractions(0, 20, max_denominator=10**9), st.integers(1, 10**6)), min_size=1, max_size=10
)


@given(constants, windows)
def test_count_times_constant_is_the_energy_to_less_than_a_pulse(constant, windows):
    output = PulseOutput("kyz1", PulseQuantity.KWH_DELIVERED, constant)
    energy, tick = Fraction(0), 0
    for wh, ticks in windows:
        energy += wh
        output.advance(wh, tick, ticks)
        tick += ticks
        assert 0 <= energy - output.count * constant < constant
        assert energy - output.count * constant == output.carried_wh


@given(constants, windows)
def test_instants_are_where_the_energy_is_reached(constant, windows):
    """Each pulse's tick is the first by which its energy has flowed, so pulses never go back in time."""
    output = PulseOutput("kyz1", PulseQuantity.KWH_DELIVERED, constant)
    before, tick, last, number = Fraction(0), 0, 0, 0
    for wh, ticks in windows:
        for instant in output.advance(wh, tick, ticks):
            number += 1
            assert max(tick, last) <= instant <= tick + ticks
            assert instant > tick
            flowed, flowed_a_tick_ago = (before + wh * (at - tick) / ticks for at in (instant, instant - 1))
            assert flowed_a_tick_ago < number * constant <= flowed
            last = instant
        before += wh
        tick += ticks
    assert number == output.count


@given(constants, st.fractions(0, 20, max_denominator=10**9), st.integers(2, 10**6), st.data())
def test_splitting_a_window_moves_no_pulse(constant, wh, ticks, data):
    """Split where the ticks are, with the energy in proportion: the same pulses at the same instants."""
    first = data.draw(st.integers(1, ticks - 1))
    whole = PulseOutput("a", PulseQuantity.KWH_DELIVERED, constant)
    split = PulseOutput("b", PulseQuantity.KWH_DELIVERED, constant)
    instants = whole.advance(wh, 1000, ticks)
    in_two = split.advance(wh * first / ticks, 1000, first)
    in_two += split.advance(wh * (ticks - first) / ticks, 1000 + first, ticks - first)
    assert in_two == instants
    assert split.carried_wh == whole.carried_wh


@given(constants, st.lists(st.integers(-(10**10), 10**10), min_size=1))
def test_outputs_follow_their_registers(constant, windows):
    registers = EnergyRegisters(10**9)
    outputs = {q: PulseOutput(q.name, q, constant) for q in PulseQuantity}
    for units in windows:
        registers.register(units)
        for quantity, output in outputs.items():
            output.advance(registers.wh(quantity.part(units)), 0, 256)
    registered = {
        PulseQuantity.KWH_DELIVERED: registers.delivered,
        PulseQuantity.KWH_RECEIVED: registers.received,
        PulseQuantity.WH_EITHER: registers.delivered + registers.received,
    }
    for quantity, units in registered.items():
        assert outputs[quantity].count == registers.wh(units) // constant


def test_kp_has_a_least_value_and_zero_disables():
    ks = Fraction("1.8")
    assert kyz_output("kyz1", PulseQuantity.KWH_DELIVERED, Fraction("0.15"), ks).constant_wh == Fraction(
        "0.15"
    )
    with pytest.raises(
        PulseConstantError, match=r"kyz1 has Kp 0\.14 Wh: give at least Ks/12 = 0\.15 Wh, or 0 to disable it"
    ):
        kyz_output("kyz1", PulseQuantity.KWH_DELIVERED, Fraction("0.14"), ks)
    with pytest.raises(PulseConstantError, match=r"kyz1 has Kp -1 Wh: give at least Ks/12"):
        kyz_output("kyz1", PulseQuantity.KWH_DELIVERED, Fraction(-1), ks)
    disabled = kyz_output("kyz1", PulseQuantity.KWH_DELIVERED, Fraction(0), ks)
    assert disabled.advance(Fraction(1000), 0, 256) == []
    assert disabled.count == 0


def test_test_led_flashes_in_either_direction_at_ks():
    led = led_output(Fraction("1.8"))
    assert (led.name, led.constant_wh) == ("test_led", Fraction("1.8"))
    assert led.quantity.part(-5) == led.quantity.part(5) == 5
    assert led.advance(Fraction("3.7"), 0, 3700) == [1800, 3600]
    with pytest.raises(PulseConstantError, match="test_led has a constant of -1 Wh: give 0 or more"):
        led_output(Fraction(-1))
