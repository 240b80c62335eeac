"""Comparison of two results, as `rig report compare --json` prints it (docs/json.md)."""

from __future__ import annotations

from enum import Enum

import msgspec

from rig.results.provenance import Provenance


class Basis(Enum):
    """Basis on which two figures are held to agree: their uncertainties (k = 2), bounds that neither can be beyond, or
    the verdicts where no uncertainty is stated."""

    UNCERTAINTY = "uncertainty"
    TOLERANCE = "tolerance"
    VERDICT = "verdict"


class Side(msgspec.Struct, frozen=True):
    """One of the two: its figure and what that is known to, null for none; `passed` null: it was not tested."""

    value: float | None
    uncertainty: float | None
    passed: bool | None
    text: str = ""


class Compared(msgspec.Struct, frozen=True):
    """A figure of both, in `unit`; null are those of figures that are compared by their verdict. `normalized` is the
    difference over its uncertainty, En of ISO 13528; null too where neither has an uncertainty and they differ."""

    name: str
    unit: str
    basis: Basis
    a: Side
    b: Side
    difference: float | None
    uncertainty: float | None
    normalized: float | None
    agree: bool


class Comparison(msgspec.Struct, frozen=True):
    """Comparison of two results of one kind: they agree where every figure does. `notes` say what the two do not have
    in common."""

    of: str
    compared: list[Compared]
    agree: bool
    sentence: str
    notes: list[str]
    provenance_a: Provenance
    provenance_b: Provenance
