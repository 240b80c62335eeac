"""Energy registers: exact, by whole windows, and cut off on the display."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from rig.meter.energy import EnergyRegisters

energies = st.integers(-(10**60), 10**60)


@given(st.lists(energies))
def test_delivered_less_received_is_the_sum_of_the_windows(windows):
    registers = EnergyRegisters(10**40 + 7)
    for units in windows:
        registers.register(units)
    assert registers.delivered - registers.received == sum(windows)
    assert registers.delivered + registers.received == sum(abs(units) for units in windows)


@given(st.lists(st.tuples(energies, st.fractions(0, 1)), max_size=20))
def test_splitting_windows_changes_nothing(windows):
    whole, split = EnergyRegisters(3), EnergyRegisters(3)
    for units, share in windows:
        part = int(units * share)
        whole.register(units)
        split.register(part)
        split.register(units - part)
    assert (whole.delivered, whole.received) == (split.delivered, split.received)


@given(st.integers(0, 10**60), st.integers(1, 10**40), st.integers(0, 6))
def test_display_is_cut_off(units, units_per_wh, decimals):
    registers = EnergyRegisters(units_per_wh)
    shown = Fraction(registers.reading_kwh(units, decimals))
    kwh = registers.wh(units) / 1000
    assert 0 <= kwh - shown < Fraction(1, 10**decimals)
    assert (shown * 10**decimals).denominator == 1


def test_display_carries_the_remainder():
    registers = EnergyRegisters(10)
    for _ in range(3):
        registers.register(3333)
    assert registers.reading_kwh(registers.delivered, 3) == Decimal("0.999")
    registers.register(1)
    assert str(registers.reading_kwh(registers.delivered, 3)) == "1.000"
    assert registers.received == 0
