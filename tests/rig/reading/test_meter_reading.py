"""The reading of a meter against what went into it, and against its raw state (Q-2, Q-4, Q-5, T-1 to T-4, D-5, P-2)."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import FrozenInstanceError, fields, is_dataclass, replace
from enum import Enum
from fractions import Fraction
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.meter.billing.averaging import WindowState
from rig.meter.billing.commands import Action
from rig.meter.billing.quantity import Quantity
from rig.meter.billing.registers import RegistersState
from rig.meter.billing.tariff import Rate
from rig.meter.installation.diagnostics import Diagnostic
from rig.meter.installation.service_detection import FoundService, UnknownService
from rig.meter.measuring.elements import Rotation
from rig.meter.reading.meter_reading import MeterReading, demand_bin
from tests.rig.kept_meter import KeptMeter
from tests.rig.phasor_readings import lagging, readings
from tests.rig.reading.read_meters import KINDS, T0, Account, Step, lived, pasts, program, take_step

S = 10**9
KWH = 10**12


@given(st.sampled_from(KINDS), pasts)
def test_a_reading_has_what_went_in(kind: str, past: Sequence[Step]) -> None:
    """To the unit, between whatever ends too; however large."""
    kept, account = lived(program(kind), past)
    reading = kept.meter.reading()
    assert list(reading.registers.energy) == account.energy
    assert [sum(rates) for rates in zip(*reading.registers.rates, strict=True)] == account.energy
    assert list(reading.inputs) == account.inputs
    assert reading.utc_ns == kept.now_ns
    if reading.test is not None:
        assert list(reading.test.registers.energy) == account.test
        assert reading.test.registers.rates == ()
    check_outputs(reading, account)
    check_quadrants(reading, account)


def check_outputs(reading: MeterReading, account: Account) -> None:
    for output in reading.outputs:
        flowed = account.flowed.get(output.id, 0)
        assert output.count * output.constant_wh * 10**9 + output.carried_nwh == flowed
        assert 0 <= output.carried_nwh < output.constant_wh * 10**9


def check_quadrants(reading: MeterReading, account: Account) -> None:
    """Delivered is Q1 and Q4, lagging Q1 and Q3, as the notice has it."""
    wh, varh = account.energy[0::4], account.energy[1::4]
    assert reading.registers.energy_nwh(Quantity.KWH_DELIVERED) == wh[0] + wh[3]
    assert reading.registers.energy_nwh(Quantity.KWH_NET) == wh[0] + wh[3] - wh[1] - wh[2]
    assert reading.registers.energy_nwh(Quantity.KVARH_LAGGING) == varh[0] + varh[2]
    assert reading.registers.energy_nwh(Quantity.KVAH_RMS) == sum(account.energy[2::4])


@given(st.sampled_from(KINDS), pasts)
def test_a_reading_is_the_raw_state(kind: str, past: Sequence[Step]) -> None:
    kept, _ = lived(program(kind), past)
    reading = kept.meter.reading()
    state = copy.deepcopy(kept.meter.state)
    billing = state.billing
    assert billing.registers is not None
    check_registers(reading.registers, billing.registers, reading.demand)
    assert (reading.resets, reading.last_reset_ns) == (billing.resets, billing.last_reset_ns)
    assert (reading.season, reading.closed_season) == (billing.season, billing.closed_season)
    assert reading.next_self_read_ns == billing.self_read_ns
    rate = billing.calendar_rate if billing.forced_rate is None else billing.forced_rate
    assert (reading.rate, reading.rate_forced) == (rate, billing.forced_rate is not None)
    assert (reading.test is None) == (billing.test is None)
    if reading.test is not None and billing.test is not None:
        check_registers(reading.test.registers, billing.test.registers, reading.test.demand)
        assert (reading.test.began_ns, reading.test.ends_ns) == (billing.test.began_ns, billing.test.ends_ns)
        assert reading.test.interval_ends_ns == billing.test.interval_ends_ns
        assert reading.interval_ends_ns is None
    elif reading.demand is not None:
        length = reading.demand.subinterval_s * S
        assert reading.interval_ends_ns == reading.utc_ns // length * length + length
    assert (reading.recorder is None) == (billing.recorder is None)
    if reading.recorder is not None and billing.recorder is not None:
        assert (list(reading.recorder.counted), list(reading.recorder.carried)) == (
            billing.recorder.counted,
            billing.recorder.carried,
        )
        assert (reading.recorder.words, reading.recorder.overflows, reading.recorder.began_ns) == (
            billing.recorder.written,
            billing.recorder.overflows,
            billing.recorder.began_ns,
        )
    assert {each.id: (each.count) for each in reading.outputs} == {n: o.count for n, o in state.outputs.items()}
    assert [(d.on, d.phases, d.count) for d in reading.installation.diagnostics] == [
        (d.on, d.phases, d.count) for d in state.installation.diagnostics.each
    ]


def check_registers(registers: Any, state: RegistersState, demand: Any) -> None:
    """Demand by plain arithmetic from the energies of the window."""
    assert list(registers.energy) == state.energy
    assert [list(rate) for rate in registers.rates] == state.rates
    if state.demand is None:
        assert (registers.demand, registers.peaks, demand) == ((), (), None)
        return
    maxima = state.demand.maxima
    assert len(registers.demand) == len(demand.quantities)
    for q, bins in enumerate(registers.demand):
        assert len(bins) == 1 + len(state.rates)
        for b, shown in enumerate(bins):
            if state.demand.window is not None:
                assert shown.present == windowed(state.demand.window, b, q, demand.interval_s)
            else:
                assert state.demand.thermal is not None
                assert abs(shown.present - Fraction(state.demand.thermal.levels[q])) <= Fraction(1, 2)
            held = maxima.held[b][q]
            assert shown.previous == state.demand.previous[b][q]
            assert (shown.maximum.value, shown.maximum.at_ns) == (held.demands[q], held.at_ns)
            others = [value for other, value in enumerate(held.demands) if other != q]
            assert list(shown.maximum.coincident) == others
            assert shown.cumulative == maxima.cumulative[b][q]
            assert shown.continuous_cumulative == maxima.cumulative[b][q] + held.demands[q]
    top = [peak.value for peak in registers.peaks]
    assert top == sorted(top, reverse=True)
    assert len(top) <= 5
    assert top[:1] == [value for value in [registers.demand[0][0].maximum.value] if value]


def windowed(window: WindowState, b: int, q: int, length_s: int) -> int:
    energy = window.running[b][q] + sum(rows[b][q] for rows in window.completed)
    return int(Fraction(energy * 3600, length_s).__floor__())


@given(st.sampled_from(KINDS), pasts, pasts)
def test_a_reading_stands_while_the_meter_goes_on(kind: str, past: Sequence[Step], future: Sequence[Step]) -> None:
    """It is data of its own, and taking it changes nothing: a twin that nobody reads comes to the same."""
    kept, _ = lived(program(kind), past)
    reading = kept.meter.reading()
    before = plain(reading)
    again, _ = lived(program(kind), [*past, *future])
    for name, numbers in future:
        take_step(kept, Account(), name, numbers)
        kept.meter.reading()
    assert plain(reading) == before
    assert plain(kept.meter.reading()) == plain(again.meter.reading())


def plain(value: Any) -> Any:
    """A deep copy in dicts, lists and numbers; fails on anything that is no plain data."""
    if is_dataclass(value) and not isinstance(value, type):
        assert value.__dataclass_params__.frozen, type(value)  # type: ignore[attr-defined]
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    assert value is None or isinstance(value, int | str | Fraction | Enum), type(value)
    return value


def test_nothing_in_a_reading_is_a_float_or_can_be_changed() -> None:
    kept, _ = lived(program("industrial"), [("flow", (900, 0, KWH, KWH, KWH, KWH))])
    reading = kept.meter.reading()
    plain(reading)
    with pytest.raises(FrozenInstanceError):
        reading.season = 2  # type: ignore[misc]


# --- single things ----------------------------------------------------------------------------------------------------


def test_demand_by_quantity_and_rate() -> None:
    kept, _ = lived(program("block"), [("flow", (900, 0, 9 * KWH, 18 * KWH, 0, 27 * KWH))])
    reading = kept.meter.reading()

    def maximum(quantity: Quantity, rate: Rate | None = None) -> int | None:
        found = demand_bin(reading.registers, reading.demand, quantity, rate)
        return found and found.maximum.value

    assert maximum(Quantity.KWH_DELIVERED) == 36 * KWH
    assert maximum(Quantity.KVARH_LAGGING) == 72 * KWH
    assert maximum(Quantity.KWH_DELIVERED, Rate.A) == 36 * KWH, "Saturday evening"
    assert [maximum(Quantity.KWH_DELIVERED, rate) for rate in (Rate.B, Rate.C, Rate.D)] == [0, 0, 0]
    assert maximum(Quantity.KWH_RECEIVED) is None
    assert demand_bin(reading.registers, None, Quantity.KWH_DELIVERED) is None


def test_self_reads_that_wait_for_test_mode_are_past() -> None:
    kept, _ = lived(program("block"), [("idle", (3600 - 600,)), ("test", ()), ("idle", (900,))])
    reading = kept.meter.reading()
    assert reading.next_self_read_ns is not None
    assert T0 < reading.next_self_read_ns < reading.utc_ns
    assert reading.active is reading.test
    kept.does(Action.TEST_END)
    reading = kept.meter.reading()
    assert reading.next_self_read_ns is not None
    assert reading.next_self_read_ns > reading.utc_ns
    assert reading.active is reading


def test_the_recorder_to_the_part_of_a_pulse() -> None:
    """Channel 1 counts three sevenths of a watt-hour, channel 2 three pulses of input 2."""
    past: list[Step] = [("flow", (60, 0, 1_000_000_020, 0, 0, 0)), ("pulses", (1, 8)), ("idle", (900,))]
    kept, _ = lived(program("block"), past)
    recorder = kept.meter.reading().recorder
    assert recorder is not None
    assert recorder.counted == (2, 2)
    assert recorder.carried_pulses(0) == (Fraction(1_000_000_020, 10**9) - Fraction(6, 7)) * Fraction(7, 3)
    assert recorder.carried_pulses(1) == Fraction(2, 3)
    assert recorder.words == 4


def test_the_service_and_the_diagnostics() -> None:
    kept, seconds = KeptMeter(None, program("block"), T0), count(1)
    amperes = [lagging(5, 120 * k) for k in range(3)]

    def looks(volts: Sequence[complex], times: int) -> MeterReading:
        for _ in range(times):
            kept.meter.installation.advance(readings(volts, amperes), next(seconds) * S, T0)
        return kept.meter.reading()

    assert kept.meter.reading().installation.service is None
    found = looks([lagging(120, 120 * k) for k in range(3)], 20).installation
    assert found.service == FoundService("4-wire wye", 120, Rotation.ABC)
    assert found.service.text == "4WY 120 ABC"
    assert found.active == {}
    found = looks([lagging(120), 0, lagging(120, 240)], 20).installation
    assert Diagnostic.PHASE_B_OUT in found.active
    assert found.active[Diagnostic.PHASE_B_OUT] == "b"
    assert {each.diagnostic: each.count for each in found.diagnostics}[Diagnostic.PHASE_B_OUT] == 1
    assert [each.diagnostic for each in found.diagnostics] == list(Diagnostic)
    assert looks([0, 0, 0], 5).installation.service is None
    found = looks([lagging(90), lagging(90, 10), lagging(90, 20)], 20).installation
    assert isinstance(found.service, UnknownService)


def test_equal_readings_are_equal_and_others_are_not() -> None:
    """So whoever compares two is told of any change."""
    past: list[Step] = [("flow", (900, 0, KWH, KWH, KWH, KWH)), ("reset", ())]
    one, other = (lived(program("sliding"), past)[0] for _ in range(2))
    assert one.meter.reading() == other.meter.reading()
    other.does(Action.INPUT_PULSES, 1, 1)
    assert one.meter.reading() != other.meter.reading()
    assert replace(other.meter.reading(), inputs=(0, 0), recorder=None) == replace(one.meter.reading(), recorder=None)
