"""The meter as a whole: records to pulses and portions, on one line of time whatever the board does (C-3, P-1, P-2)."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import sqrt

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kill_bench import TICK_HZ, metered
from kill_load import SECOND, Flow
from line_records import CHAIN, Wave, records
from pulse_bench import PULSE_QUANTITIES

from calibration.constants import nominal
from gateware.record_words import Record
from gateware.registers import TICK_BITS
from rig.meter.billing.billing import Billing
from rig.meter.billing.events import ClockSetFrom, ClockSetTo
from rig.meter.billing.log import LogEvent, details
from rig.meter.billing.quantity import NANO, Quantity
from rig.meter.clock import SLEW
from rig.meter.contacts.outputs import KYZ_OUTPUTS, OutputId
from rig.meter.contacts.pulses import PulseOutput, PulseState, led_output
from rig.meter.installation.installation import Installation
from rig.meter.measuring.elements import FORMS
from rig.meter.measuring.events import MeasurementError, WindowsMerged
from rig.meter.measuring.measurement import Fault, Measurement
from rig.meter.meter import RECENT_S, CommandResult, Meter, MeterState
from rig.program.build import default_program

PROGRAM = default_program()
FORM = FORMS["9S"]
T0 = 1_767_225_600 * SECOND
WINDOW_S = 2
TICKS = WINDOW_S * int(TICK_HZ)
KS_WH = Fraction(9, 5)


def outputs(states: dict[OutputId, PulseState] | None = None, first: int = 0) -> list[PulseOutput]:
    """The test LED, and outputs for the quantities of P-2 from the `first` on, with constants of their own."""
    states = states or {}
    return [
        led_output(KS_WH, states.get(OutputId.TEST_LED)),
        *(
            PulseOutput(id, quantity, KS_WH / 12 + Fraction(k, 7), states.get(id))
            for k, (id, quantity) in enumerate(zip(KYZ_OUTPUTS, PULSE_QUANTITIES[first:], strict=False), first)
        ),
    ]


def new_meter(first: int = 0) -> Meter:
    billing, _ = Billing.begin(PROGRAM.billing, T0)
    return metered(billing, installed(), outputs(first=first))


def installed() -> Installation:
    return Installation(FORM, 20, FORM.equation(), follow=False)


def restarted(meter: Meter, first: int = 0) -> Meter:
    """What was stored, read again, on a board that was just switched on."""
    state = msgspec.json.decode(msgspec.json.encode(meter.state), type=MeterState)
    installation = Installation(FORM, 20, FORM.equation(), follow=False, state=state.installation)
    return metered(Billing(PROGRAM.billing, state.billing), installation, outputs(state.outputs, first))


def register(meter: Meter, quantity: Quantity) -> int:
    meter.billing.settle()
    return meter.billing.registers.energy(quantity)


def at_tick(record: Record, tick: int, sequence: int) -> Record:
    wrap = 1 << TICK_BITS
    return replace(record, tick_start=tick % wrap, tick_end=(tick + record.ticks) % wrap, sequence=sequence % (1 << 32))


def record(seed: int, tick: int, sequence: int) -> Record:
    return at_tick(Flow.at(seed, WINDOW_S).record(0), tick, sequence)


# --- pulses ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [0, len(PULSE_QUANTITIES) - len(KYZ_OUTPUTS)])
@settings(max_examples=25)
@given(st.lists(st.integers(0, 10**9), min_size=2, max_size=30), st.data())
def test_pulses_follow_registers_in_every_quantity_and_through_restarts(first, seeds, data):
    """Pulses times constant and what is carried are the register, to the last nWh, window by window."""
    stops = data.draw(st.sets(st.integers(0, len(seeds))))
    meter, whole = new_meter(first), new_meter(first)
    number, counted = 0, dict.fromkeys(meter.outputs, 0)
    for k, seed in enumerate(seeds):
        if k in stops:
            meter, number = restarted(meter, first), 0
        advance = meter.advance(record(seed, number * TICKS, number))
        whole.advance(record(seed, k * TICKS, k))
        number += 1
        ticks = [pulse.tick for pulse in advance.pulses]
        assert ticks == sorted(ticks)
        assert all(advance.window.flowed_from < tick <= advance.window.tick_end for tick in ticks)
        for pulse in advance.pulses:
            counted[pulse.output] += 1
        for output in meter.outputs.values():
            assert output.count == counted[output.id]
            assert output.count * output.constant_wh * NANO + output.carried_nwh == register(meter, output.quantity)
            assert 0 <= output.carried_nwh < output.constant_wh * NANO
    assert meter.state.outputs == whole.state.outputs
    assert msgspec.json.encode(meter.billing.state) == msgspec.json.encode(whole.billing.state)


def test_the_led_flashes_for_energy_either_way():
    meter, flashes = new_meter(), 0
    for k in range(200):
        flashes += [p.output for p in meter.advance(record(k, k * TICKS, k)).pulses].count(OutputId.TEST_LED)
    either = register(meter, Quantity.KWH_DELIVERED) + register(meter, Quantity.KWH_RECEIVED)
    assert flashes == either // (KS_WH * NANO) > 10
    assert min(register(meter, Quantity.KWH_DELIVERED), register(meter, Quantity.KWH_RECEIVED)) > 0


def test_two_outputs_of_one_identity_are_refused():
    with pytest.raises(ValueError, match="outputs need distinct identities, got LED, LED"):
        metered(Billing.begin(PROGRAM.billing, T0)[0], installed(), [led_output(KS_WH), led_output(KS_WH)])


# --- one line of time -----------------------------------------------------------------------------------------

HAPPENS = st.one_of(
    st.just(("window", 0)),
    st.just(("repeated", 0)),
    st.just(("reset", 0)),
    st.tuples(st.just("gap"), st.integers(1, 10**7)),
)


@settings(max_examples=60)
@given(st.lists(HAPPENS, min_size=1, max_size=25), st.sampled_from([0, 777, 2**TICK_BITS - 3 * TICKS]))
def test_time_goes_on_without_a_step_back_whatever_comes_from_the_board(happens, tick):
    """A gap passes without energy, a repeated record counts once, a board reset costs no more than the time off."""
    meter, sequence = new_meter(), 5
    if tick > 1 << TICK_BITS - 1:  # there a count that begins anew looks like one that wrapped
        happens = [(what, gap) for what, gap in happens if what != "reset"]
    last = record(1, tick, sequence)
    meter.advance(last)
    ticks, wh = TICKS, Flow.at(1, WINDOW_S).magnitudes[0]
    for seed, (what, gap) in enumerate(happens, 2):
        before = meter.billing.now_ns
        if what == "repeated":
            assert meter.advance(last).window.faults == (Fault.REPEATED,)
            assert meter.billing.now_ns == before
            continue
        if what == "reset":
            meter.skip(0)  # as the service does once it has recognised it
        step = 2 if what == "gap" else 1  # between records in sequence nothing is missing, whatever their ticks say
        sequence, tick = (sequence + step, tick + TICKS + gap) if what != "reset" else (0, 0)
        last = record(seed, tick, sequence)
        advance = meter.advance(last)
        ticks, wh = ticks + gap + TICKS, wh + Flow.at(seed, WINDOW_S).magnitudes[0]
        assert meter.billing.now_ns == T0 + ticks * SECOND // TICK_HZ
        assert (Fault.GAP in advance.window.faults) == (what == "gap")
    assert register(meter, Quantity.KWH_EITHER) == wh


def test_a_window_whose_vars_wait_registers_with_the_next_and_takes_its_time_along():
    """The first that ends at a crossing has no frequency yet: its energy flows from where it began, in one quadrant."""
    waves = [Wave(3e5, 120 * k) for k in range(3)] + [Wave(2e5, 120 * k + 60) for k in range(3)]
    measurement = Measurement(
        equation=FORM.equation(),
        calibration=nominal(Fraction(1000), Fraction(1000)),
        tick_hz=CHAIN.tick_hz,
        ticks_per_sample=CHAIN.ticks_per_sample,
        config_digest=0,
        quarter=CHAIN.quarter,
    )
    billing, _ = Billing.begin(PROGRAM.billing, T0)
    meter = Meter(measurement, billing, installed(), CHAIN.tick_hz, outputs())
    made = records(waves, 60.0, 0.2)
    first = meter.advance(made[0])
    assert (first.window.energies, first.pulses, first.events) == (None, (), ())
    assert billing.now_ns == T0
    second = meter.advance(made[1])
    assert second.window.flowed_from == made[0].tick_start
    assert billing.now_ns == T0 + (made[1].tick_end - made[0].tick_start) * SECOND // CHAIN.tick_hz
    assert min(pulse.tick for pulse in second.pulses) < made[1].tick_start
    for each in made[2:]:
        meter.advance(each)
    assert billing.now_ns == T0 + (made[-1].tick_end - made[0].tick_start) * SECOND // CHAIN.tick_hz
    # 572 V and 381 A peak at 60°, on three phases; codes are rounded to 1 in 2e5, a window ends within a sample.
    seconds = (made[-1].tick_end - made[0].tick_start) / CHAIN.tick_hz
    watts = 3 * (3e5 / 2**19 * 1000 / sqrt(2)) * (2e5 / 2**19 * 1000 / sqrt(2)) / 2
    assert register(meter, Quantity.KWH_DELIVERED) == pytest.approx(watts * float(seconds) / 3600 * NANO, rel=1e-3)
    assert register(meter, Quantity.KVARH_LEADING) == 0
    for output in meter.outputs.values():
        assert output.count * output.constant_wh * NANO + output.carried_nwh == register(meter, output.quantity)


# --- another clock --------------------------------------------------------------------------------------------


def test_a_small_difference_is_slewed_and_nothing_is_said():
    meter = new_meter()
    meter.advance(record(1, 0, 0))
    assert meter.compare_clock(TICKS, meter.billing.now_ns + SECOND // 2) == CommandResult()
    for k in range(1, 3):
        meter.advance(record(k, k * TICKS, k))
    slewed = meter.billing.now_ns - T0 - 3 * WINDOW_S * SECOND
    assert slewed == 2 * (WINDOW_S * SECOND // SLEW)


@pytest.mark.parametrize("by_s", [-40 * 365 * 86_400, -3600, -2, 2, 3600, 10 * 365 * 86_400])
def test_a_large_difference_sets_the_meter_and_its_pulses_go_on(by_s):
    meter = new_meter()
    meter.advance(record(1, 0, 0))
    late = int(TICK_HZ)  # the board has gone on for a second since
    said = meter.compare_clock(TICKS + late, meter.billing.now_ns + (1 + by_s) * SECOND)
    kinds = [type(each) for each in said.events if isinstance(each, LogEvent)]
    assert kinds[:2] == [ClockSetFrom, ClockSetTo]
    assert meter.billing.now_ns == T0 + (WINDOW_S + by_s) * SECOND
    advance = meter.advance(record(2, TICKS, 1))
    assert meter.billing.now_ns == T0 + (2 * WINDOW_S + by_s) * SECOND
    assert all(TICKS < pulse.tick <= 2 * TICKS for pulse in advance.pulses)
    assert register(meter, Quantity.KWH_EITHER) == sum(Flow.at(k, WINDOW_S).magnitudes[0] for k in (1, 2))


def test_the_boards_count_tells_nothing_before_a_record_long_after_one_or_when_it_began_anew():
    meter = new_meter()
    assert (meter.tick_of(5), meter.compare_clock(5, T0 + 10**15)) == (None, None)
    start = 10**9
    meter.advance(record(1, start, 9))
    end = start + TICKS
    recent = RECENT_S * int(TICK_HZ)
    for tick, meant in [
        (end, end),
        (end + recent, end + recent),
        (end + recent + 1, None),
        (end - 1, None),
        (0, None),
        (3, None),
    ]:
        assert meter.tick_of(tick) == meant
        if meant is None:
            assert meter.compare_clock(tick, T0 + 10**15) is None
    assert meter.billing.now_ns == T0 + WINDOW_S * SECOND


def test_clocks_are_compared_across_a_wrap_and_after_a_board_reset():
    """The meter's ticks go on where the board's have wrapped or begun anew; a compared clock then sets nothing."""
    meter, wrap = new_meter(), 1 << TICK_BITS
    meter.advance(record(1, wrap - TICKS - 5, 0))
    meter.advance(record(2, wrap - 5, 1))
    assert meter.tick_of(TICKS) == wrap + TICKS
    later = TICKS - (TICKS - 5)
    assert meter.compare_clock(TICKS, meter.billing.now_ns + later * SECOND // int(TICK_HZ)) == CommandResult()
    meter.advance(record(3, 0, 0))  # it was reset: it counts from 0
    assert meter.tick_of(TICKS + 7) == wrap - 5 + 2 * TICKS + 7
    assert meter.compare_clock(TICKS + 10, meter.billing.now_ns + 10 * SECOND // int(TICK_HZ)) == CommandResult()
    meter.advance(record(4, TICKS, 1))
    assert meter.billing.now_ns == T0 + 4 * WINDOW_S * SECOND


# --- another equation -----------------------------------------------------------------------------------------


def test_energy_before_another_equation_is_by_the_one_before_and_after_by_the_other():
    """On an unbalanced load in four wires, where a 45S as on a delta is off."""
    waves = [Wave(1e5, 120 * k) for k in range(3)] + [Wave(2e5 / (k + 1), 120 * k) for k in range(3)]
    form, made, switched = FORMS["45S"], records(waves, 60.0, 0.3), 8

    def flowed(equations: list[str]) -> list[int]:
        measurement = Measurement(
            equation=form.equation(equations[0]),
            calibration=nominal(Fraction(1000), Fraction(1000)),
            tick_hz=CHAIN.tick_hz,
            ticks_per_sample=CHAIN.ticks_per_sample,
            config_digest=0,
            quarter=CHAIN.quarter,
        )
        found = []
        for each, service in zip(made, equations, strict=True):
            measurement.use(form.equation(service))
            energies = measurement.advance(each).energies
            found.append(energies.of(Quantity.KWH_DELIVERED) if energies else 0)
        return found

    count = len(made)
    delta, wye = flowed(["3-wire delta"] * count), flowed(["4-wire wye"] * count)
    both = flowed(["3-wire delta"] * switched + ["4-wire wye"] * (count - switched))
    assert both[:switched] == delta[:switched]
    # What is less than a nWh is carried by each equation for itself.
    assert all(abs(a - b) <= 1 for a, b in zip(both[switched:], wye[switched:], strict=True))
    assert sum(delta) > 1.05 * sum(wye)


def test_a_meter_registers_by_what_its_installation_found_before():
    billing, _ = Billing.begin(PROGRAM.billing, T0)
    measurement = Measurement(
        equation=FORMS["45S"].equation(),
        calibration=nominal(Fraction(1000), Fraction(100)),
        tick_hz=CHAIN.tick_hz,
        ticks_per_sample=CHAIN.ticks_per_sample,
        config_digest=0,
    )
    installation = Installation(FORMS["45S"], 20, FORMS["45S"].equation("4-wire wye"), follow=True)
    meter = Meter(measurement, billing, installation, CHAIN.tick_hz)
    waves = [Wave(1e5), Wave(0), Wave(0), Wave(0), Wave(0), Wave(-1e5)]  # Va·Ia and Vc·Ic alone would be nothing
    sums = [meter.advance(each).window.sums for each in records(waves, 60.0, 0.1)]
    assert len(meter.measurement.readings(sums[0]).p_w) == 2
    assert meter.measurement._equation == FORMS["45S"].equation("4-wire wye")


def test_faults_of_windows_are_in_the_log_once_while_they_stay():
    billing, _ = Billing.begin(PROGRAM.billing, T0)
    measurement = Measurement(
        equation=FORMS["9S"].equation(),
        calibration=nominal(Fraction(1000), Fraction(100)),
        tick_hz=CHAIN.tick_hz,
        ticks_per_sample=CHAIN.ticks_per_sample,
        config_digest=1,
    )
    installation = Installation(FORMS["9S"], 20, FORMS["9S"].equation(), follow=False)
    meter = Meter(measurement, billing, installation, CHAIN.tick_hz)
    waves = [Wave(1e5)] * 6
    made = records(waves, 60.0, 0.2)
    said = [h for record in [*made[:4], *made[6:]] for h in meter.advance(record).events]
    found = [details(h)["faults"] for h in said if isinstance(h, MeasurementError)]
    assert found == ["configuration", "sequence, gap, configuration", "configuration"]


def test_merged_windows_are_counted_and_in_the_log_once_in_a_row_unless_they_are_long():
    """Three short ones in a row are one line, the first's; one of more than a second is a line of its own."""
    billing, _ = Billing.begin(PROGRAM.billing, T0)
    measurement = Measurement(
        equation=FORMS["9S"].equation(),
        calibration=nominal(Fraction(1000), Fraction(100)),
        tick_hz=CHAIN.tick_hz,
        ticks_per_sample=CHAIN.ticks_per_sample,
        config_digest=0,
    )
    installation = Installation(FORMS["9S"], 20, FORMS["9S"].equation(), follow=False)
    meter = Meter(measurement, billing, installation, CHAIN.tick_hz)
    made = records([Wave(1e5)] * 6, 60.0, 0.3)
    length = dict.fromkeys((3, 4, 5), 2) | {6: 70, 8: 70}
    tick, came = made[0].tick_start, []
    for k, record in enumerate(made[:10]):
        windows = length.get(k, 1)
        samples = record.samples * windows
        came.append(replace(record, windows=windows, samples=samples, tick_start=tick, tick_end=tick + 256 * samples))
        tick = came[-1].tick_end
    happened = [meter.advance(record) for record in came]
    lines = [(e.windows, e.tick) for each in happened for e in each.events if isinstance(e, WindowsMerged)]
    assert lines == [(2, came[3].tick_start), (70, came[6].tick_start), (70, came[8].tick_start)]
    assert not any(isinstance(e, MeasurementError) for each in happened for e in each.events)
    assert measurement.faults == {Fault.MERGED: 5}
    assert measurement.merged_windows == 3 * 2 + 2 * 70
    assert meter.faults == (Fault.MERGED,)
    assert meter.advance(came[-1]).window.faults == (Fault.REPEATED,)
    assert measurement.merged_windows == 146
