"""Kinds of results that a report can be of: what each is called, and by which key its JSON is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rig.accuracy.lot_result import LotResult
from rig.accuracy.result import AccuracyResult
from rig.report.compared import Comparison
from rig.selftest.part import SelfTest
from rig.verify.agreement import Agreement
from rig.verify.result import Verification
from rig.verify.series import SeriesResult

Result = Verification | SeriesResult | Agreement | AccuracyResult | LotResult | SelfTest | Comparison


@dataclass(frozen=True)
class ResultKind:
    """A kind: its structure, the key that no kind before it has, and what it is in a sentence."""

    structure: type[Result]
    key: str
    name: str


KINDS = (
    ResultKind(LotResult, "meters", "a lot"),
    ResultKind(AccuracyResult, "standard", "an accuracy test"),
    ResultKind(SeriesResult, "points", "a series"),
    ResultKind(Agreement, "witnesses", "an agreement of witnesses"),
    ResultKind(SelfTest, "parts", "a self-test"),
    ResultKind(Comparison, "compared", "a comparison"),
    ResultKind(Verification, "output", "one verification"),
)
"""In the order in which they are tried."""


def kind_of(raw: Any) -> ResultKind:
    """Give the kind of decoded JSON, by its keys; what has none is held to be a verification."""
    found = (kind for kind in KINDS if isinstance(raw, dict) and kind.key in raw)
    return next(found, KINDS[-1])


def kind_named(found: Result) -> str:
    """Name the kind of a result."""
    return next(kind.name for kind in KINDS if type(found) is kind.structure)
