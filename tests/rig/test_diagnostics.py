"""Installation diagnostics: every check on services that are right and wrong, and what they come to over time (P-3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product
from math import sqrt

import msgspec
import pytest
from line_records import SAMPLE_HZ, Wave, records, summed
from phasor_readings import lagging, readings

from calibration.constants import nominal
from rig.meter.installation.diagnostics import (
    MOST_COUNTED,
    Diagnostic,
    DiagnosticChange,
    Diagnostics,
    DiagnosticSettings,
    DiagnosticsState,
    failing,
)
from rig.meter.installation.service_detection import DetectedService, UnknownService
from rig.meter.measuring.elements import FORMS, Rotation
from rig.meter.measuring.quantities import Readings, Scaling

SETTINGS = DiagnosticSettings.of_class(20)
PERIOD = SETTINGS.check_ns
D = Diagnostic
WELL = dict.fromkeys(Diagnostic, "")


def service(form: str, name: str, volts: int = 120, rotation: Rotation | None = Rotation.ABC) -> DetectedService:
    equation = FORMS[form].equation(name)
    return DetectedService(equation, volts, rotation if equation.service_type.rotates else None)


def volts_of(detected: DetectedService) -> list[complex]:
    return [detected.volts * p for p in detected.type.phasors(detected.rotation)]


def amperes_of(detected: DetectedService, rms: float = 5.0, lag: float = 0.0) -> list[complex]:
    turn = -1 if detected.rotation is Rotation.CBA else 1
    return [0j if at is None else lagging(rms, turn * at + lag) for at in detected.type.current_lags]


def found(seen: Readings, detected: DetectedService, settings: DiagnosticSettings = SETTINGS) -> dict[Diagnostic, str]:
    """What fails, without what is well."""
    return {d: phases for d, phases in failing(seen, detected, settings).items() if phases}


ALL = [
    DetectedService(e, volts, rotation)
    for form in FORMS.values()
    for e in form.equations
    for volts in e.service_type.volts
    for rotation in (Rotation if e.service_type.rotates else (None,))
]
ids = [f"{s.equation.elements[0].volts} {len(s.equation.elements)} {s.text}" for s in ALL]


@pytest.mark.parametrize("detected", ALL, ids=ids)
def test_nothing_is_wrong_with_what_is_expected(detected: DetectedService) -> None:
    """At unity power factor, a little off it, and without load."""
    for amperes in (amperes_of(detected), amperes_of(detected, lag=30), amperes_of(detected, lag=-30), [0, 0, 0]):
        assert failing(readings(volts_of(detected), amperes), detected, SETTINGS) == WELL


@pytest.mark.parametrize("detected", ALL, ids=ids)
def test_one_current_the_wrong_way_is_found_on_every_service(detected: DetectedService) -> None:
    """A current transformer with its polarity reversed."""
    for letter in detected.equation.phases:
        amperes = amperes_of(detected)
        amperes["abc".index(letter)] *= -1
        wrong = found(readings(volts_of(detected), amperes), detected)
        assert wrong == {D.CROSS_PHASE: letter, D.CURRENT_ANGLE: letter}


def test_a_delta_measured_against_its_middle_is_as_well() -> None:
    """What counts is between lines."""
    detected = service("45S", "3-wire delta", 240)
    star = [lagging(240 / sqrt(3), 120 * k) for k in range(3)]
    for lag in (-70, 0, 70):
        amperes = [v / 20 * lagging(1, lag) for v in star]
        assert failing(readings(star, amperes), detected, SETTINGS) == WELL


WYE = service("9S", "4-wire wye")
VOLTS, AMPERES = volts_of(WYE), amperes_of(WYE)


def test_voltages_of_two_phases_exchanged() -> None:
    volts = [VOLTS[0], VOLTS[2], VOLTS[1]]
    assert found(readings(volts, AMPERES), WYE) == {D.CROSS_PHASE: "bc"}


def test_currents_of_two_phases_exchanged() -> None:
    amperes = [AMPERES[1], AMPERES[0], AMPERES[2]]
    assert found(readings(VOLTS, amperes), WYE) == {D.CROSS_PHASE: "ab", D.CURRENT_ANGLE: "ab"}


@pytest.mark.parametrize(("off", "phases"), [(14.9, ""), (15.1, "b"), (-14.9, ""), (-15.1, "b")])
def test_voltage_angles(off: float, phases: str) -> None:
    volts = [VOLTS[0], lagging(120, 120 + off), VOLTS[2]]
    assert found(readings(volts, AMPERES), WYE).get(D.CROSS_PHASE, "") == phases


@pytest.mark.parametrize(
    ("detected", "limit"),
    [(WYE, 45), (service("45S", "3-wire delta", 240), 75), (service("9S", "4-wire delta"), 75)],
    ids=["wye", "3-wire delta", "4-wire delta"],
)
def test_current_angles(detected: DetectedService, limit: float) -> None:
    """A single-phase load on a delta may shift them by 30° more."""
    volts = volts_of(detected)
    phases = detected.equation.phases
    for lag, displaced, crossed in (
        (limit - 0.1, "", ""),
        (limit + 0.1, phases, ""),
        (-limit - 0.1, phases, ""),
        (limit + 44.9, phases, ""),
        (limit + 45.1, phases, phases),
    ):
        seen = failing(readings(volts, amperes_of(detected, lag=lag)), detected, SETTINGS)
        assert (seen[D.CURRENT_ANGLE], seen[D.CROSS_PHASE]) == (displaced, crossed)
    narrow = replace(SETTINGS, current_angle_deg=10)
    assert D.CURRENT_ANGLE in found(readings(volts, amperes_of(detected, lag=limit - 30)), detected, narrow)


def test_a_small_current_has_no_angle() -> None:
    low = [AMPERES[0], AMPERES[1], -AMPERES[2] / abs(AMPERES[2]) * (SETTINGS.low_a - 0.001)]
    assert found(readings(VOLTS, low), WYE) == {D.INACTIVE_CURRENT: "c"}


def test_energy_received() -> None:
    """All reversed: a wrong energy flow, unless the meter is there for both. One reversed is wrong either way."""
    both = replace(SETTINGS, both_directions=True)
    received = readings(VOLTS, [-i for i in AMPERES])
    assert found(received, WYE) == {D.CROSS_PHASE: "abc", D.CURRENT_ANGLE: "abc"}
    assert found(received, WYE, both) == {}
    one = readings(VOLTS, [AMPERES[0], -AMPERES[1], AMPERES[2]])
    assert found(one, WYE, both) == {D.CROSS_PHASE: "b", D.CURRENT_ANGLE: "b"}


@pytest.mark.parametrize(
    ("sizes", "phases"),
    [
        ((119.2, 107.3, 131.1), ""),  # the pass band of 10 %
        ((119.2, 107.2, 119.2), "b"),
        ((119.2, 119.2, 131.2), "c"),
        ((100, 120, 121), "bc"),
    ],
)
def test_voltages_deviate_from_the_first(sizes: Sequence[float], phases: str) -> None:
    volts = [lagging(v, 120 * k) for k, v in enumerate(sizes)]
    assert found(readings(volts, AMPERES), WYE) == ({D.VOLTAGE_DEVIATION: phases} if phases else {})


def test_the_high_leg_of_a_delta_is_expected_to_be_high() -> None:
    detected = service("9S", "4-wire delta")
    a, b, c = volts_of(detected)
    assert found(readings([a, b * 0.91, c]), detected) == {}
    assert found(readings([a, b / sqrt(3), c]), detected) == {D.VOLTAGE_DEVIATION: "b", D.PHASE_B_OUT: "b"}


def test_inactive_currents() -> None:
    def inactive(*amperes: float) -> str:
        drawn = [lagging(a, 120 * k) for k, a in enumerate(amperes)]
        return found(readings(VOLTS, drawn), WYE).get(D.INACTIVE_CURRENT, "")

    assert SETTINGS.low_a == 0.1
    assert DiagnosticSettings.of_class(200).low_a == 1.0
    assert inactive(5, 0, 5) == "b"
    assert inactive(0.099, 0.101, 0) == "ac"
    assert inactive(0.101, 0.101, 0.101) == ""
    assert inactive(0.05, 0.09, 0) == ""  # no load is none in all phases


def test_a_current_that_the_form_has_no_use_for_is_not_missed() -> None:
    detected = service("45S", "3-wire delta", 240)
    a, _, c = amperes_of(detected)
    assert found(readings(volts_of(detected), [a, 0, c]), detected) == {}
    assert found(readings(volts_of(detected), [a, 0, 0]), detected) == {D.INACTIVE_CURRENT: "c"}


def test_distortion() -> None:
    tdr = (0.081, 0.079, None, 0.31, 0.29, 0.9)
    amperes = [AMPERES[0], AMPERES[1], 0.05]
    wrong = found(readings(VOLTS, amperes, tdr), WYE)
    assert wrong[D.VOLTAGE_DISTORTION] == "a"
    assert wrong[D.CURRENT_DISTORTION] == "a"  # c draws too little to tell
    unsensed = readings(VOLTS, AMPERES, (0.0, 0.5, 0.0, 0.0, 0.0, 0.0))
    assert found(unsensed, WYE) == {D.VOLTAGE_DISTORTION: "b"}
    assert found(unsensed, service("36S", "4-wire wye")) == {}


@pytest.mark.parametrize("lost", ["b", "c", "bc"])
def test_phases_without_voltage(lost: str) -> None:
    """What a motor feeds back is less than 60 % here; angles of what is out are not looked at."""
    back = {"b": lagging(65, 200), "c": 0j}
    volts = [back[p] if p in lost else v for p, v in zip("abc", VOLTS, strict=True)]
    assert found(readings(volts, AMPERES), WYE) == {
        D.VOLTAGE_DEVIATION: lost,
        **{D[f"PHASE_{p.upper()}_OUT"]: p for p in lost},
    }


def test_without_the_first_voltage_no_angle_can_be_told() -> None:
    seen = failing(readings([0, *VOLTS[1:]], AMPERES), WYE, SETTINGS)
    assert seen[D.PHASE_A_OUT] == "a"
    assert seen[D.CROSS_PHASE] is seen[D.CURRENT_ANGLE] is None
    assert seen[D.VOLTAGE_DEVIATION] == "bc"
    assert seen[D.PHASE_B_OUT] == seen[D.PHASE_C_OUT] == ""


def test_a_line_of_a_delta_lost() -> None:
    """Voltages between lines go by their first phase."""
    detected = service("45S", "3-wire delta", 240)
    a, _, c = volts_of(detected)
    assert found(readings([a, 0, 0]), detected) == {D.VOLTAGE_DEVIATION: "c", D.PHASE_C_OUT: "c"}
    assert found(readings([0, 0, c]), detected) == {D.VOLTAGE_DEVIATION: "c", D.PHASE_A_OUT: "a"}


def test_a_2s_senses_its_line_voltage_only() -> None:
    detected = service("2S", "1-phase 3-wire")
    assert found(readings([120, 0, 0]), detected) == {D.PHASE_A_OUT: "a"}
    assert found(readings([0, -120, 0]), detected) == {D.PHASE_A_OUT: "a"}
    assert found(readings([130, -110, 0]), detected) == {}


def test_what_a_form_does_not_sense_cannot_be_out() -> None:
    detected = service("36S", "4-wire wye")
    assert found(readings([VOLTS[0], 0, VOLTS[2]], AMPERES), detected) == {}


def test_a_build_without_angles_tells_the_rest() -> None:
    seen = failing(readings([VOLTS[0], 0, VOLTS[2]], [5, 0, 5], angles=False), WYE, SETTINGS)
    assert {d for d, phases in seen.items() if phases is None} == {
        D.CROSS_PHASE, D.CURRENT_ANGLE, D.CURRENT_DISTORTION, D.VOLTAGE_DISTORTION,
    }  # fmt: skip
    assert (seen[D.PHASE_B_OUT], seen[D.INACTIVE_CURRENT]) == ("b", "b")


def test_through_the_whole_chain() -> None:
    """Current of C reversed, that of A distorted by 50 %, B open: as records of the gateware's model make them."""
    peak_v, peak_i = 120 * sqrt(2) * 2**19 / 1000, 5 * sqrt(2) * 2**19 / 100
    waves = [Wave(peak_v, 120 * k, 30, {5: (0.05, 10)}) for k in range(3)]
    waves += [Wave(peak_i, 10, 0, {3: (0.4, 20), 5: (0.3, 50)}), Wave(0), Wave(peak_i, 240 + 10 + 180)]
    sums, _ = summed(records(waves, 60.0, 0.25, noise=3.0))
    seen = Scaling.by_phase(nominal(Fraction(1000), Fraction(100)), SAMPLE_HZ).readings(sums)
    assert found(seen, WYE) == {
        D.CROSS_PHASE: "c",
        D.INACTIVE_CURRENT: "b",
        D.CURRENT_ANGLE: "c",
        D.CURRENT_DISTORTION: "a",
    }


# --- over time ------------------------------------------------------------------------------------------

GOOD = readings(VOLTS, AMPERES)
BAD = readings(VOLTS, [AMPERES[0], 0, AMPERES[2]])
BLIND = replace(GOOD, lag_deg=None)
CROSSED = readings(VOLTS, [AMPERES[0], -AMPERES[1], AMPERES[2]])


def rows() -> list[tuple[str, ...]]:
    """The table in the docstring."""
    assert Diagnostics.__doc__ is not None
    lines = Diagnostics.__doc__.split("counter\n")[1].split("\n\n")[0].splitlines()
    return [tuple(cell.strip() for cell in line.split("  ") if cell.strip()) for line in lines]


@pytest.mark.parametrize("row", rows(), ids=" - ".join)
def test_table_of_states(row: tuple[str, ...]) -> None:
    before, check, in_a_row, after, counter = row
    settings = replace(SETTINGS, triggers_after=3, clears_after=4)
    counts = {
        "any": range(1, 9),
        "fewer": range(1, settings.triggers_after if before == "off" else settings.clears_after),
        "triggers_after": [settings.triggers_after],
        "clears_after": [settings.clears_after],
    }[in_a_row]
    for count in counts:
        diagnostics = Diagnostics(settings)
        at = 0
        for _ in range(settings.triggers_after if before == "on" else 0):
            diagnostics.advance(CROSSED, WYE, at)
            at += PERIOD
        assert (D.CROSS_PHASE in diagnostics.active) == (before == "on")
        counted = diagnostics.counters[D.CROSS_PHASE]
        changes = []
        for _ in range(count):
            seen = {"good": GOOD, "bad": CROSSED, "cannot tell": BLIND}[check]
            changes += [c for c in diagnostics.advance(seen, WYE, at) if c.diagnostic is D.CROSS_PHASE]
            at += PERIOD
        assert (D.CROSS_PHASE in diagnostics.active) == (after == "on")
        assert diagnostics.counters[D.CROSS_PHASE] - counted == (1 if counter.startswith("plus 1") else 0)
        last = DiagnosticChange(at - PERIOD, D.CROSS_PHASE, after == "on", "b")
        assert changes == ([] if before == after else [last])


def test_the_table_is_whole() -> None:
    covered: dict[tuple[str, str], list[str]] = {}
    for before, check, in_a_row, _, _ in rows():
        covered.setdefault((before, check), []).append(in_a_row)
    assert covered.keys() == set(product(("off", "on"), ("good", "bad", "cannot tell")))
    assert covered["off", "bad"] == ["triggers_after", "fewer"]
    assert covered["on", "good"] == ["clears_after", "fewer"]


def test_a_row_is_broken_by_a_good_check_and_by_one_that_cannot_tell() -> None:
    diagnostics = Diagnostics(SETTINGS)
    for k, seen in enumerate([CROSSED, CROSSED, GOOD, CROSSED, CROSSED, BLIND, CROSSED, CROSSED]):
        assert diagnostics.advance(seen, WYE, k * PERIOD) == ()
    (one, two) = diagnostics.advance(CROSSED, WYE, 8 * PERIOD)
    assert (one.diagnostic, two.diagnostic) == (D.CROSS_PHASE, D.CURRENT_ANGLE)


def test_checks_are_five_seconds_apart() -> None:
    diagnostics = Diagnostics(SETTINGS)
    changes = []
    for at_ns in range(0, 11_000_000_000, 500_000_000):
        assert diagnostics.due(at_ns) == (at_ns % 5_000_000_000 == 0)
        changes += diagnostics.advance(BAD, WYE, at_ns)
    assert changes == [DiagnosticChange(10_000_000_000, D.INACTIVE_CURRENT, True, "b")]
    assert diagnostics.active == {D.INACTIVE_CURRENT: "b"}


def test_phases_follow_while_it_lasts() -> None:
    diagnostics = Diagnostics(SETTINGS)
    for k, seen in enumerate([BAD, BAD, BAD, readings(VOLTS, [AMPERES[0], 0, 0])]):
        diagnostics.advance(seen, WYE, k * PERIOD)
    assert diagnostics.active == {D.INACTIVE_CURRENT: "bc"}


def test_an_unknown_service_is_all_that_can_be_told_of_it() -> None:
    diagnostics = Diagnostics(SETTINGS)
    changes = [c for k in range(3) for c in diagnostics.advance(BAD, UnknownService("no"), k * PERIOD)]
    assert changes == [DiagnosticChange(2 * PERIOD, D.UNKNOWN_SERVICE, True, "abc")]
    for k in range(3, 9):
        assert diagnostics.advance(BAD, None, k * PERIOD) == ()  # not decided yet: nothing can be told
    changes = [c for k in range(9, 12) for c in diagnostics.advance(GOOD, WYE, k * PERIOD)]
    assert changes == [DiagnosticChange(11 * PERIOD, D.UNKNOWN_SERVICE, False, "abc")]


def test_counters_stop_at_255() -> None:
    diagnostics = Diagnostics(replace(SETTINGS, triggers_after=1, clears_after=1))
    for k in range(2 * MOST_COUNTED + 7):
        diagnostics.advance(GOOD if k % 2 else BAD, WYE, k * PERIOD)
        assert diagnostics.counters[D.INACTIVE_CURRENT] == min(k // 2 + 1, 255)


def test_state_outlives_a_restart() -> None:
    before = Diagnostics(SETTINGS)
    for k in range(5):
        before.advance(BAD if k < 3 else GOOD, WYE, k * PERIOD)
    stored = msgspec.json.encode(before.state)
    after = Diagnostics(SETTINGS, msgspec.json.decode(stored, type=DiagnosticsState))
    assert after.state == before.state
    assert after.advance(GOOD, WYE, 0) == (DiagnosticChange(0, D.INACTIVE_CURRENT, False, "b"),)
    assert after.counters == before.counters
