"""Service detection: every service of every form, what cannot be told apart, tolerances, acceptance over time (M-4)."""

from __future__ import annotations

from cmath import phase
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product
from math import degrees, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from line_records import SAMPLE_HZ, Wave, records, summed
from phasor_readings import lagging, readings

from calibration.constants import nominal
from rig.meter.installation.service_detection import (
    ABSENT_V,
    ACCEPTED_AFTER,
    ANGLE_DEG,
    CHECK_NS,
    VOLTAGE_TOLERANCE,
    DetectedService,
    ServiceDetector,
    UnknownService,
    detect,
)
from rig.meter.measuring.elements import FORMS, SERVICES, ElementEquation, Form, Rotation
from rig.meter.measuring.quantities import Readings, Scaling

S = 1_000_000_000


def variants(equation: ElementEquation) -> Iterator[DetectedService]:
    for volts in equation.service_type.volts:
        for rotation in Rotation if equation.service_type.rotates else (None,):
            yield DetectedService(equation, volts, rotation)


ALL = [(form, service) for form in FORMS.values() for e in form.equations for service in variants(e)]
names = [f"{form.name} {service.text}" for form, service in ALL]


def at_common_point(service: DetectedService) -> list[complex]:
    return [service.volts * p for p in service.type.phasors(service.rotation)]


@pytest.mark.parametrize(("form", "service"), ALL, ids=names)
def test_every_service_of_every_form(form: Form, service: DetectedService) -> None:
    assert detect(form, readings(at_common_point(service))) == service


@given(st.sampled_from(ALL), st.lists(st.tuples(st.floats(-0.04, 0.04), st.floats(-4, 4)), min_size=3, max_size=3))
def test_every_service_of_every_form_is_found_though_it_is_not_perfect(case, off) -> None:
    """4 % and 4° in every phase: of 240 V and 277 V the nearer one is still the right one."""
    form, service = case
    volts = [v * lagging(1 + share, turn) for v, (share, turn) in zip(at_common_point(service), off, strict=True)]
    assert detect(form, readings(volts)) == service


# --- what cannot be told apart --------------------------------------------------------------------------


def also_fits(volts: Sequence[complex], service: DetectedService) -> bool:
    """Whether these voltages, as sensed on that service, are within the tolerances; apart from the code under test."""

    def sensed(phases: Sequence[complex]) -> list[complex]:
        return [sum(float(w) * v for w, v in zip(e.volt_weights, phases, strict=True)) for e in service.equation.sensed]

    ratios = [t / e for t, e in zip(sensed(volts), sensed(at_common_point(service)), strict=True)]
    return all(abs(abs(r) - 1) <= VOLTAGE_TOLERANCE for r in ratios) and all(
        abs(degrees(phase(r / ratios[0]))) <= ANGLE_DEG for r in ratios
    )


SAME_VOLTAGES = {
    "4WY 120": {"NET 120"},
    "4WY 277": {"3WD 480"},
    "4WD 120": {"3WD 240"},
    "4WD 240": {"3WD 480"},
}
"""What else the same sensed voltages can be, of the forms that know both: the table of the module's docstring."""


def test_only_documented_services_share_their_voltages() -> None:
    found: dict[str, set[str]] = {}
    for form, service in ALL:
        volts = at_common_point(service)
        assert also_fits(volts, service)
        for equation in form.equations:
            for other in variants(equation):
                if other != service and also_fits(volts, other):
                    assert other.rotation == service.rotation
                    one, two = (" ".join(s.text.split()[:2]) for s in (service, other))
                    found.setdefault(one, set()).add(two)
                    assert list(SERVICES).index(service.type.name) < list(SERVICES).index(other.type.name)
    assert found == SAME_VOLTAGES


def test_a_delta_measured_against_its_middle_is_found_where_no_wye_fits() -> None:
    """240 V between lines are 138.6 V against the middle: no wye. 480 V are 277 V: one for a 45S, not for a 12S."""
    star = [lagging(1, 120 * k) for k in range(3)]
    for volts, form, text in (
        (240, "45S", "3WD 240 ABC"),
        (480, "45S", "4WY 277 ABC"),
        (480, "12S", "3WD 480 ABC"),
    ):
        found = detect(FORMS[form], readings([volts / sqrt(3) * v for v in star]))
        assert found.text == text


# --- tolerances -----------------------------------------------------------------------------------------


def wye(sizes: Sequence[float], lags: Sequence[float] = (0, 120, 240)) -> list[complex]:
    return [lagging(v, lag) for v, lag in zip(sizes, lags, strict=True)]


@pytest.mark.parametrize("k", range(3))
@pytest.mark.parametrize(("size", "fits"), [(108.1, True), (107.9, False), (131.9, True), (132.1, False)])
def test_sizes_may_be_off_by_a_tenth(k: int, size: float, fits: bool) -> None:
    sizes = [120.0] * 3
    sizes[k] = size
    assert isinstance(detect(FORMS["9S"], readings(wye(sizes))), DetectedService) == fits


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize(("off", "fits"), [(14.9, True), (15.1, False), (-14.9, True), (-15.1, False)])
def test_angles_may_be_off_by_fifteen_degrees(k: int, off: float, fits: bool) -> None:
    lags = [0.0, 120.0, 240.0]
    lags[k] += off
    assert isinstance(detect(FORMS["9S"], readings(wye([120] * 3, lags))), DetectedService) == fits


@pytest.mark.parametrize(
    ("volts", "nominal_v"), [(108.1, 120), (216.1, 240), (230, 240), (257, 240), (259, 277), (304, 277)]
)
def test_where_bands_overlap_the_nearer_voltage_counts(volts: float, nominal_v: int) -> None:
    found = detect(FORMS["9S"], readings(wye([volts] * 3)))
    assert (found.type.name, found.volts) == ("4-wire wye", nominal_v)


@pytest.mark.parametrize("volts", [100, 140, 208, 347])
def test_voltages_between_the_bands_are_unknown(volts: float) -> None:
    found = detect(FORMS["36S"], readings(wye([volts] * 3)))
    assert isinstance(found, UnknownService)
    assert found.reason == (
        f"A {volts} V at 0°, B {volts} V at 120°, C {volts} V at 240° fit no service of form 36S: "
        "4-wire wye of 120, 240, 277 V; 4-wire delta of 120, 240 V"
    )


def test_a_2s_on_two_phases_of_a_network_is_no_service_it_knows() -> None:
    """It senses 208 V, and would register 75 %."""
    found = detect(FORMS["2S"], readings([lagging(120), lagging(120, 120), 0]))
    assert isinstance(found, UnknownService)
    assert found.reason.endswith("fit no service of form 2S: 1-phase 3-wire of 120, 240 V")


def test_what_no_coil_senses_does_not_count() -> None:
    for b in (0, lagging(33, 10), lagging(120, 120)):
        assert detect(FORMS["36S"], readings([120, b, lagging(120, 240)])).text == "4WY 120 ABC"
    assert detect(FORMS["1S"], readings([277, 55, lagging(480, 7)])).text == "1P2W 277"


def test_without_angles() -> None:
    """One voltage needs none; of several, nothing is known without V1."""
    assert detect(FORMS["3S"], readings([120, 0, 0], angles=False)).text == "1P2W 120"
    for case in (readings(wye([120] * 3), angles=False), readings([0, lagging(120, 120), lagging(120, 240)])):
        found = detect(FORMS["9S"], case)
        assert isinstance(found, UnknownService)
        assert "120 V, C 120 V fit no service" in found.reason
    nothing = detect(FORMS["9S"], readings([ABSENT_V - 1] * 3))
    assert nothing == UnknownService("no voltage reaches 60 V")


def test_text_for_the_display() -> None:
    def text(form: str, *volts: complex) -> str:
        return detect(FORMS[form], readings(volts)).text

    assert text("9S", *wye([120] * 3)) == "4WY 120 ABC"
    assert text("9S", *wye([277] * 3, [0, 240, 120])) == "4WY 277 CBA"
    assert text("16S", 120, lagging(208, 270), -120) == "4WD 120 CBA"
    assert text("45S", 480, 0, lagging(480, 300)) == "3WD 480 ABC"
    assert text("12S", 120, lagging(120, 120), 0) == "NET 120 ABC"
    assert text("4S", 240, -240, 0) == "1P3W 240"
    assert UnknownService("").text == "UNKNOWN"


# --- through records, sums and readings -----------------------------------------------------------------

CODES_PER_VOLT = sqrt(2) * 2**19 / 1000
HARMONICS = {3: (0.05, 40), 5: (0.06, -70), 7: (0.03, 10)}


@pytest.mark.parametrize(
    ("form", "service", "volts", "rotation"),
    [
        ("9S", "4-wire wye", 120, Rotation.CBA),
        ("36S", "4-wire wye", 277, Rotation.ABC),
        ("46S", "4-wire delta", 120, Rotation.CBA),
        ("8S", "4-wire delta", 240, Rotation.ABC),
        ("45S", "3-wire delta", 480, Rotation.CBA),
        ("2S", "1-phase 3-wire", 120, None),
    ],
)
def test_through_the_whole_chain(form: str, service: str, volts: int, rotation: Rotation | None) -> None:
    """Voltages 5 % low with harmonics and noise, as records of the gateware's model make them."""
    wanted = DetectedService(FORMS[form].equation(service), volts, rotation)
    turn = -1 if rotation is Rotation.CBA else 1
    waves = [
        Wave(0.95 * volts * p[0] * CODES_PER_VOLT, turn * p[1], 30, HARMONICS) if p else Wave(0)
        for p in wanted.type.voltages
    ] + [Wave(1000.0)] * 3
    sums, _ = summed(records(waves, 60.0, 0.25, noise=3.0))
    seen = Scaling.by_phase(nominal(Fraction(1000), Fraction(100)), SAMPLE_HZ).readings(sums)
    assert detect(FORMS[form], seen) == wanted


# --- over time ------------------------------------------------------------------------------------------

NO_VOLTAGE = readings([0, 0, 0])
A_SERVICE = readings(wye([120] * 3))
ANOTHER = readings(wye([277] * 3))
UNKNOWN = readings(wye([120, 120, 70]))
NETWORK = readings(wye([120, 120, 0]))


def rows() -> list[tuple[str, str, str, str]]:
    """The table in the docstring."""
    assert ServiceDetector.__doc__ is not None
    lines = ServiceDetector.__doc__.split("accepted then\n")[1].split("\n\n")[0].splitlines()
    return [tuple(cell.strip() for cell in line.split("  ") if cell.strip()) for line in lines]


def detector_with(accepted: str, form: str = "9S", service: Readings = A_SERVICE) -> ServiceDetector:
    detector = ServiceDetector(FORMS[form])
    for k in range(ACCEPTED_AFTER):
        detector.advance({"nothing": NO_VOLTAGE, "unknown": UNKNOWN, "service": service}[accepted], k * CHECK_NS)
    assert name(detector) == accepted
    return detector


def name(detector: ServiceDetector) -> str:
    if detector.accepted is None:
        return "nothing"
    return "service" if isinstance(detector.accepted, DetectedService) else "unknown"


@pytest.mark.parametrize("row", rows(), ids=" - ".join)
def test_table_of_states(row: tuple[str, str, str, str]) -> None:
    before, sees, in_a_row, after = row
    counts = {"any": range(1, 6), "too few": range(1, ACCEPTED_AFTER), "enough": [ACCEPTED_AFTER]}[in_a_row]
    seen = {
        "no voltage": NO_VOLTAGE, "a service": ANOTHER, "an unknown service": UNKNOWN, "one of more wires": A_SERVICE,
    }[sees]  # fmt: skip
    for count in counts:
        detector = detector_with(before, "45S", NETWORK) if sees == "one of more wires" else detector_with(before)
        kept = detector.accepted
        for k in range(count):
            detector.advance(seen, (10 + k) * CHECK_NS)
        if after == "the service":
            assert detector.accepted.text == "4WY 277 ABC"
        elif after == "the one of more wires":
            assert (kept.text, detector.accepted.text) == ("NET 120 ABC", "4WY 120 ABC")
        elif after == "the same service":
            assert detector.accepted is kept
        else:
            assert name(detector) == after


def test_the_table_is_whole() -> None:
    states = ("nothing", "unknown", "service")
    sights = ("no voltage", "a service", "an unknown service")
    covered: dict[tuple[str, str], set[str]] = {}
    for before, sees, in_a_row, _ in rows():
        covered.setdefault((before, sees), set()).add(in_a_row)
    assert covered.keys() == {*product(states, sights), ("service", "one of more wires")}
    assert all(c in ({"any"}, {"too few", "enough"}) for c in covered.values())


def test_different_results_begin_the_row_anew() -> None:
    detector = ServiceDetector(FORMS["9S"])
    for k, seen in enumerate([A_SERVICE, A_SERVICE, ANOTHER, ANOTHER, UNKNOWN, A_SERVICE, A_SERVICE, NO_VOLTAGE]):
        assert detector.advance(seen, k * CHECK_NS) is None
    for k in range(8, 7 + ACCEPTED_AFTER):
        assert detector.advance(A_SERVICE, k * CHECK_NS) is None
    assert detector.advance(A_SERVICE, (7 + ACCEPTED_AFTER) * CHECK_NS).text == "4WY 120 ABC"


def test_a_sag_and_the_loss_of_phases_change_nothing_but_of_all_do() -> None:
    detector = detector_with("service")
    for k, volts in enumerate([[120, 60, 120], [120, 0, 0], [0, 0, 100], [61, 0, 0]], 10):
        assert detector.advance(readings(wye(volts)), k * S).text == "4WY 120 ABC"
    assert detector.advance(NO_VOLTAGE, 20 * S) is None
    for k in range(21, 21 + ACCEPTED_AFTER):
        found = detector.advance(ANOTHER, k * S)
    assert found.text == "4WY 277 ABC"


def test_checks_keep_their_time() -> None:
    detector = ServiceDetector(FORMS["9S"], check_ns=5 * S, accepted_after=2)
    assert detector.due(7 * S)
    assert detector.advance(A_SERVICE, 7 * S) is None
    for at_ns in range(7 * S + 1, 12 * S, S // 60):
        assert not detector.due(at_ns)
        assert detector.advance(A_SERVICE, at_ns) is None
    assert detector.due(12 * S)
    assert detector.advance(A_SERVICE, 12 * S) is not None
