"""Results to make reports of, as JSON that a rig could have printed."""

from __future__ import annotations

from typing import Any

import msgspec

from rig.results.provenance import Provenance
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
        registration_percent=90.0, uncertainty_percent=0.01, coverage_factor=2.0, degrees_of_freedom=None,
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


def series(*errors: float) -> SeriesResult:
    """Give the result of a series of points with these errors, each known to 0.01 %."""
    points = [
        PointResult(f"point {k}", f"digest {k}", verification(error_percent=error, passed=True, reasons=[]))
        for k, error in enumerate(errors, 1)
    ]
    mean = AverageResult("mean", sum(errors) / len(errors), 0.01 / len(errors) ** 0.5, Limits(0.03), True)
    test = SeriesTestResult(
        name="no load", digest="digest 0", kind="creep", output="KYZ1", value=0.0, unit="pulses", uncertainty=0.0,
        limit=1.0, source="IEC 62053-22", passed=True, text="no pulse in 600 s", seconds=600.0, simulated=True,
        fidelity="exact", provenance=ORIGIN,
    )  # fmt: skip
    return SeriesResult("a series", points, [mean], True, [test])
