"""Which annunciators are lit, and the whole face with what covers it (D-1, D-3, P-4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import pytest
from shown_meters import LOAD, NETWORK, PLATE, PROGRAM, look, meters, new_meter, program, sees, shows

from calibration.constants import nominal
from rig.meter.billing.commands import Action
from rig.meter.billing.tariff import Rate
from rig.meter.display.annunciators import lit
from rig.meter.display.lcd import ALL_SEGMENTS, Annunciator, Lcd
from rig.meter.display.readout import Readout
from rig.meter.front.face import face
from rig.meter.front.front import Front
from rig.meter.front.switches import Change, Switch
from rig.meter.measuring.measurement import Measurement
from rig.meter.meter import FAULTS_S, Meter
from rig.program.build import Program, default_program
from tests.rig.line_records import CHAIN, Wave, records
from tests.rig.phasor_readings import lagging, readings

S = 10**9
WAVES = [Wave(85_000, lag) for lag in (0, 120, 240)] + [Wave(50_000, lag) for lag in (30, 150, 270)]
"""115 V of a full scale of 1000 V peak, and a lagging load."""

VOLTS = {Annunciator.PHASE_A, Annunciator.PHASE_B, Annunciator.PHASE_C}
FLOW = {Annunciator.DELIVERED, Annunciator.RECEIVED, Annunciator.LAGGING, Annunciator.LEADING}
RATES = {Annunciator.RATE_A, Annunciator.RATE_B, Annunciator.RATE_C, Annunciator.RATE_D}


def on(
    meter: Meter, *, alternate: bool = False, test: bool = False, reactive: bool = True, since_end_ns: int | None = None
) -> set[Annunciator]:
    plate = replace(PLATE, reactive=reactive, calendar=meter.billing.settings.calendar)
    return set(lit(meter.reading(), meter.instant, plate, alternate=alternate, test=test, since_end_ns=since_end_ns))


def seen(
    volts: Sequence[complex] = NETWORK,
    amperes: Sequence[complex] = LOAD,
    p_w: float = 300.0,
    q_var: float | None = 0.0,
) -> Meter:
    found = replace(
        readings(volts, amperes),
        p_w=(p_w / 3,) * 3,
        q_var=None if q_var is None else (q_var / 3,) * 3,
    )
    return sees(new_meter().meter, found)


def test_before_the_first_second_nothing_is_measured():
    assert on(new_meter().meter) & (VOLTS | FLOW) == set()


@pytest.mark.parametrize(
    ("volts", "lit_ones"),
    [
        ((120, 120, 120), "ABC"),
        ((120, 60.1, 59.9), "AB"),
        ((0, 0, 0), ""),
        ((0, 480, 0), "B"),
    ],
)
def test_phase_voltages(volts: tuple[float, ...], lit_ones: str):
    there = {annunciator.value for annunciator in on(seen([lagging(v) for v in volts])) & VOLTS}
    assert there == {f"V{phase}" for phase in lit_ones}


def test_a_phase_that_no_coil_senses_is_blank():
    """Form 2S has one coil, between A and B."""
    meter = sees(new_meter(programmed=default_program("2S", 200)).meter, readings(NETWORK, LOAD))
    assert on(meter) & VOLTS == {Annunciator.PHASE_A, Annunciator.PHASE_B}


@pytest.mark.parametrize(
    ("p_w", "q_var", "lit_ones"),
    [
        (300, 200, {"→", "LAG"}),
        (300, -200, {"→", "LEAD"}),
        (-300, 200, {"←", "LEAD"}),
        (-300, -200, {"←", "LAG"}),
        (300, 2.9, {"→"}),
        (300, -3.1, {"→", "LEAD"}),
        (300, None, {"→"}),
        (0, 5, {"LAG"}),
        (0, 0, set()),
    ],
)
def test_direction_and_kind(p_w: float, q_var: float | None, lit_ones: set[str]):
    """By quadrant, as the notice's lagging and leading are."""
    assert {annunciator.value for annunciator in on(seen(p_w=p_w, q_var=q_var)) & FLOW} == lit_ones


def test_a_meter_without_vars_tells_no_kind():
    assert on(seen(q_var=200), reactive=False) & FLOW == {Annunciator.DELIVERED}


def test_below_the_starting_current_nothing_flows():
    """5 mA of class 20, of any phase."""
    for amperes, flows in (((0.0049,) * 3, False), ((0.0, 0.0, 0.0051), True)):
        meter = seen(amperes=amperes, p_w=0.6, q_var=0.6)
        assert bool(on(meter) & FLOW) == flows


def test_rates():
    kept = new_meter()
    assert on(kept.meter) & RATES == {Annunciator.RATE_A}
    meters(kept, 121)
    assert on(kept.meter) & RATES == {Annunciator.RATE_B}
    kept.does(Action.FORCE_RATE, Rate.D)
    assert on(kept.meter) & RATES == {Annunciator.RATE_D}
    kept.does(Action.TEST_BEGIN)
    assert on(kept.meter) & RATES == set()
    assert on(new_meter(programmed=default_program()).meter) & RATES == set()
    assert on(new_meter(programmed=program("")).meter) & RATES == set()


def test_sequences_and_the_end_of_interval():
    meter = new_meter().meter
    assert Annunciator.ALT in on(meter, alternate=True)
    assert Annunciator.TEST in on(meter, test=True)
    assert on(meter) & {Annunciator.ALT, Annunciator.TEST} == set()
    # 5 s from the end of the interval (docs/display.md; review I-3).
    for since_ns, shown in ((None, False), (-1, False), (0, True), (5_000_000_000 - 1, True), (5_000_000_000, False)):
        assert (Annunciator.EOI in on(meter, since_end_ns=since_ns)) == shown


def test_a_diagnostic_lights_the_error():
    meter = look(new_meter().meter, NETWORK, LOAD)
    assert Annunciator.ERROR not in on(meter)
    look(meter, [NETWORK[0], 0, NETWORK[2]], LOAD, 40)
    assert Annunciator.ERROR in on(meter)


def test_faults_of_records_light_it_for_some_seconds():
    """A record is lost: the next one tells, and for FAULTS_S it can be seen."""
    meter = line_meter()
    made = records(WAVES, 60, FAULTS_S + 3)
    lost, told = 60, []
    for record in made[:lost] + made[lost + 1 :]:
        meter.advance(record)
        told.append((record.tick_end, Annunciator.ERROR in on(meter)))
        assert shows(meter, "errors") == ("--------- ME" if told[-1][1] else "NONE")
    since = made[lost + 1].tick_end
    assert [shown for _, shown in told] == [0 <= tick - since < FAULTS_S * CHAIN.tick_hz for tick, _ in told]
    assert {shown for tick, shown in told if tick > since} == {True, False}


def line_meter(programmed: Program = PROGRAM) -> Meter:
    """The meter of a program, on the samples of tests/rig/line_records.py."""
    persistence = new_meter(programmed=programmed).persistence
    measurement = Measurement(
        equation=persistence.installation.equation,
        calibration=nominal(Fraction(1000), Fraction(100)),
        tick_hz=CHAIN.tick_hz,
        ticks_per_sample=CHAIN.ticks_per_sample,
        config_digest=0,
        quarter=CHAIN.quarter,
    )
    return Meter(measurement, persistence.billing, persistence.installation, CHAIN.tick_hz)


# --- the whole face -------------------------------------------------------------------------------------------


def test_the_face_of_a_meter_in_all_its_modes():
    kept = new_meter()
    front, readout = Front(PROGRAM.display, (), 0), Readout(PLATE)

    def shown(at_ns: int, since_end_ns: int | None = None) -> Lcd:
        front.advance(at_ns, kept.meter.billing.test is not None)
        return face(front, kept.meter.reading(), kept.meter.instant, readout, since_end_ns)

    assert shown(0) == ALL_SEGMENTS
    assert shown(4 * S) == ALL_SEGMENTS, "the usual first item is that too"
    assert shown(9 * S) == Lcd("02", "00000", "kWh", frozenset({Annunciator.RATE_A}))
    assert shown(9 * S, 0).lit == {Annunciator.RATE_A, Annunciator.EOI}
    front.change(Change(10 * S, Switch.MAGNET, True))
    assert shown(13 * S) == Lcd("01", "26.07.06", "date", frozenset({Annunciator.RATE_A, Annunciator.ALT}))
    assert shown(16 * S) == Lcd("01", "-----", "", frozenset({Annunciator.RATE_A}))
    front.change(Change(17 * S, Switch.MAGNET, False))
    kept.does(Action.TEST_BEGIN)
    assert shown(18 * S) == Lcd("01", "20:00", "left", frozenset({Annunciator.TEST}))
    front.reset_refused(19 * S, 42)
    assert shown(19 * S) == Lcd("", "WAIT 42", "s", frozenset({Annunciator.TEST}))
    front.reset_accepted(20 * S)
    assert shown(20 * S) == ALL_SEGMENTS
    assert shown(23 * S).text == "20:00"


def test_real_records_light_what_they_are():
    """Three seconds of a line of lagging load through the measurement."""
    meter = line_meter()
    for record in records(WAVES, 60, 3):
        meter.advance(record)
    assert on(meter) == VOLTS | {Annunciator.DELIVERED, Annunciator.LAGGING, Annunciator.RATE_A}


def test_of_real_records_a_phase_without_a_coil_is_blank_and_its_current_counts():
    """Form 6S, of two and a half elements, has no coil on phase B; a load on it alone is still metered."""
    meter = line_meter(default_program("6S"))
    for record in records([*WAVES[:3], Wave(0, 0), Wave(50_000, 150), Wave(0, 0)], 60, 3):
        meter.advance(record)
    assert on(meter) & (VOLTS | FLOW) == VOLTS - {Annunciator.PHASE_B} | {Annunciator.DELIVERED, Annunciator.LAGGING}
