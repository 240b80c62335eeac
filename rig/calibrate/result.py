"""Result of a calibration as data: what was found, what was changed, what was left (docs/json.md)."""

from __future__ import annotations

import msgspec

from rig.results.provenance import Provenance


class PhasePair(msgspec.Struct, frozen=True):
    """One phase in one sample: what the meter and what the reference read, in V, A, W and var."""

    meter: tuple[float, float, float, float]
    reference: tuple[float, float, float, float]


class MeasuredPoint(msgspec.Struct, frozen=True):
    """A point as it was measured; `clipped` by sample."""

    name: str
    purpose: str
    volts: float
    amperes: float
    lag_deg: float
    hz: float
    shares: tuple[float, float, float]
    samples: list[list[PhasePair]]
    clipped: list[list[str]]


class PointErrors(msgspec.Struct, frozen=True):
    """Errors of the watts of a point by phase, as they were found and as they were left, in percent of the reference;
    null where it was not measured. The uncertainty is of what was left, k = 2."""

    name: str
    purpose: str
    as_found_percent: tuple[float, float, float] | None
    as_left_percent: tuple[float, float, float] | None
    uncertainty_percent: float | None
    limit_percent: float | None
    passed: bool | None


class BudgetLine(msgspec.Struct, frozen=True):
    """One component of a constant's uncertainty: its standard uncertainty, in percent or, of a lag, hundredths of a
    radian."""

    source: str
    standard_percent: float
    degrees_of_freedom: float | None


class ConstantChange(msgspec.Struct, frozen=True):
    """A constant before and after, as exact text, its difference, and its uncertainty, k = 2, with its components."""

    channel: str
    constant: str
    before: str
    after: str
    difference: float
    uncertainty_percent: float | None
    budget: list[BudgetLine]


class CalibrationResult(msgspec.Struct, frozen=True):
    """A calibration. `passed`: every verification point is within its limit, uncertainty included. `written`: the
    meter has taken the constants."""

    provenance: Provenance
    board: str
    truth: str
    before: str
    after: str
    points: list[PointErrors]
    constants: list[ConstantChange]
    passed: bool
    written: bool
