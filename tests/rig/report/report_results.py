"""Results to make reports of, as JSON that a rig could have printed."""

from __future__ import annotations

from typing import Any

import msgspec

from rig.accuracy.result import AccuracyPointResult, AccuracyResult
from rig.results.provenance import Provenance
from rig.selftest.part import Part, SelfTest, self_test
from rig.verify.agreement import Agreement, Parting, TimelineLine, WitnessLine
from rig.verify.result import (
    BudgetLine,
    EdgeLine,
    Limits,
    OrderError,
    RepeatLine,
    Setup,
    Verification,
)
from rig.verify.series import AverageResult, PointResult, SeriesResult
from rig.verify.series_test import SeriesTestResult

ORIGIN = Provenance(
    simulated=True, fidelity="exact", calibrated=True, version="0.1.0", commit="0123456789ab", build="c17abafc",
    program="093ee84e2ec8", configuration="d5aa20711dcf", calibration="0bc326bf7442", seed=1,
    begun_utc="2026-11-29T23:53:46+00:00",
)  # fmt: skip


def verification(**changed: Any) -> Verification:
    """Give a result with one closure missed after number 4, and one repeat."""
    edges = [EdgeLine(k, 0.2 * k, 0.0, "K-Y" if k % 2 else "K-Z") for k in range(5)]
    edges += [EdgeLine(k, 0.2 * (k + 1), 1.0, None) for k in range(5, 10)]
    found = Verification(
        output="KYZ1", quantity="kWh delivered", constant_wh=0.15, constant_exact="3/20", counter="fpga",
        reference="meter", pulses=9, seconds=2.0, energy_wh=1.35, reference_wh=1.5, error_percent=-10.0,
        registration_percent=90.0, uncertainty_percent=0.01, coverage_factor=2.0,
        degrees_of_freedom=19.53125,  # by Welch and Satterthwaite: 0.005⁴ / (0.004⁴ / 8)
        budget=[
            BudgetLine("instants of the first and the last edge", 0.004, "normal", 0.004, 8.0),
            BudgetLine("comparison of clocks", 0.003 * 3**0.5, "rectangular", 0.003, None),
        ],
        repeats=[RepeatLine(9, 2.0, 1.35, 1.5, -10.0)],
        limits=Limits(0.03), passed=False, reasons=["the error is -10.0000 %, beyond the limit of ±0.03 %"],
        kyz_order_errors=[OrderError("missed", 1, 4, 0.8, 1.2, "1 closure missed after number 4, between …")],
        edges=edges, simulated=True, fidelity="exact", provenance=ORIGIN,
        setup=Setup({"Type": "RXRS4e", "Serial": "12 345 678"}, {"hardware": "simulated"}, {"temperature": "22.8 °C"}),
    )  # fmt: skip
    return msgspec.structs.replace(found, **changed)


def clean(error: float, **changed: Any) -> Verification:
    """Give a result with this error, known to 0.01 %, and every closure in order."""
    reference_wh = 1.35 / (1 + error / 100)
    late = (reference_wh / 0.15 - 9) / 9
    passed = abs(error) + 0.01 <= 0.03
    found = verification(
        reference_wh=reference_wh, error_percent=error, registration_percent=100 + error,
        repeats=[RepeatLine(9, 2.0, 1.35, reference_wh, error)], passed=passed,
        reasons=[] if passed else [f"the error is {error:+.4f} %, beyond the limit of ±0.03 %"], kyz_order_errors=[],
        edges=[EdgeLine(k, 2.0 * k / 9, late * k, None) for k in range(10)],
    )  # fmt: skip
    return msgspec.structs.replace(found, **changed)


def series(*errors: float) -> SeriesResult:
    """Give the result of a series of points with these errors, each known to 0.01 %."""
    points = [PointResult(f"point {k}", f"digest {k}", clean(error)) for k, error in enumerate(errors, 1)]
    error, known = sum(errors) / len(errors), 0.01 / len(errors) ** 0.5
    mean = AverageResult("mean", error, known, Limits(0.03), abs(error) + known <= 0.03)
    test = SeriesTestResult(
        name="no load", digest="digest 0", kind="creep", output="KYZ1", value=0.0, unit="pulses", uncertainty=0.0,
        limit=1.0, source="IEC 62053-22", passed=True, text="no pulse in 600 s", seconds=600.0, simulated=True,
        fidelity="exact", provenance=ORIGIN,
    )  # fmt: skip
    passed = mean.passed and all(point.verification.passed for point in points)
    return SeriesResult("a series", points, [mean], passed, [test])


def agreement(display_wh: float = 6.5, **changed: Any) -> Agreement:
    """Give what an output, the registers and a display said of 10 Wh; the display, `display_wh` of 7 within 1.5."""
    away = display_wh - 7
    parting = None if abs(away) <= 1.5 else Parting(4.0, away, 1.5, 4.0, away, "display 02 parts from the rest at 4 s")
    lines = [
        WitnessLine("KYZ1", "pulses", "kWh delivered", 0.15, 67, 9.9, 9.9, 0.0, 0.002, 0.2 / 9.9, True, None),
        WitnessLine("registers", "registers", "kWh delivered", 1e-9, 9, 10.0, 10.0, 0.0, 1e-9, 1e-8, True, None),
        WitnessLine("display 02", "display", "kWh delivered", 1.0, 5, display_wh, 7.0, away, 1.5, 150 / 7,
                    parting is None, parting),
    ]  # fmt: skip
    found = Agreement(
        seconds=5.0, energy_wh={"kWh delivered": 10.0}, witnesses=lines, absent=["recorder: there is none"],
        passed=parting is None, reasons=[] if parting is None else [parting.text],
        timeline=[
            TimelineLine(1.0, "KYZ1", "kWh delivered", 2.25, 2.25, 0.0, 0.002),
            TimelineLine(2.0, "registers", "kWh delivered", 4.0, 4.0, 0.0, 1e-9),
            TimelineLine(4.0, "display 02", "kWh delivered", display_wh, 7.0, away, 1.5),
        ],
        simulated=True, fidelity="exact", provenance=ORIGIN, setup=verification().setup,
    )  # fmt: skip
    return msgspec.structs.replace(found, **changed)


def selftest(**verdicts: bool | None) -> SelfTest:
    """Give a self-test of three parts that have passed, but for those named."""
    parts = {"clock": True, "LED": True, "LCD": None} | verdicts
    return self_test([Part(name, passed, f"{name} was tried") for name, passed in parts.items()], ORIGIN)


def accuracy(error: float | None = 0.01, creep: bool = True) -> AccuracyResult:
    """Give an accuracy test of a point with this error, known to 0.005 %, and one of no load."""
    shared: dict[str, Any] = {
        "quantity": "kWh delivered", "amperes": 2.5, "power_factor": "1", "applied": "", "degrees_of_freedom": None,
        "seconds": 10.0, "verified_source": True, "source_status": "verified", "source": "a standard",
    }  # fmt: skip
    points = [
        AccuracyPointResult(
            name="100 % TA", judged="error", error_percent=error, limit_percent=0.2, coverage_factor=2.0,
            uncertainty_percent=0.005, budget=[BudgetLine("reference", 0.0025, "normal", 0.0025, None)],
            passed=True, text="within the limit", **shared,
        ),
        AccuracyPointResult(
            name="no load", judged="no load", error_percent=None, limit_percent=None, coverage_factor=None,
            uncertainty_percent=None, budget=[], passed=creep, text="no pulse", **shared,
        ),
    ]  # fmt: skip
    return AccuracyResult("C12.20", "ANSI C12.20", "0.2", creep, points, {"Type": "RXRS4e"}, ORIGIN)
