"""Consistency of a result of any kind that is read again: the first thing that it says twice and not alike."""

from __future__ import annotations

from collections.abc import Iterator
from math import hypot

from rig.accuracy.consistency import accuracy_contradictions, lot_contradictions
from rig.accuracy.lot_result import LotResult
from rig.accuracy.result import AccuracyResult
from rig.report.compared import Basis, Compared, Comparison
from rig.report.result_kinds import Result
from rig.results.consistency import figure, origin, same, same_difference
from rig.selftest.part import SelfTest, self_test
from rig.verify.agreement import Agreement
from rig.verify.consistency import contradictions
from rig.verify.consistency_of_series import series_contradictions
from rig.verify.consistency_of_witnesses import agreement_contradictions
from rig.verify.result import Verification
from rig.verify.series import SeriesResult


def contradiction(found: Result) -> str | None:
    """Give the first contradiction in a result, a sentence that names the field; None where there is none."""
    return next(_all(found), None)


def _all(found: Result) -> Iterator[str]:
    match found:
        case LotResult():
            return lot_contradictions(found)
        case AccuracyResult():
            return accuracy_contradictions(found)
        case SeriesResult():
            return series_contradictions(found)
        case Agreement():
            return agreement_contradictions(found)
        case SelfTest():
            return _of_self_test(found)
        case Comparison():
            return _of_comparison(found)
        case Verification():
            return contradictions(found)


def _of_self_test(found: SelfTest) -> Iterator[str]:
    if found.passed is not (due := self_test(found.parts, found.provenance).passed):
        yield figure("$.passed", found.passed, "parts", due)
    yield from origin("$.provenance", found.provenance)


def _of_comparison(found: Comparison) -> Iterator[str]:
    for k, each in enumerate(found.compared):
        yield from _of_compared(each, f"$.compared[{k}]")
    if found.agree is not (due := all(each.agree for each in found.compared)):
        yield figure("$.agree", found.agree, "compared", due)
    yield from origin("$.provenance_a", found.provenance_a)
    yield from origin("$.provenance_b", found.provenance_b)


def _of_compared(each: Compared, place: str) -> Iterator[str]:
    a, b = each.a, each.b
    if each.basis is Basis.VERDICT:
        if each.agree is not (a.passed == b.passed):
            yield figure(f"{place}.agree", each.agree, "both verdicts", a.passed == b.passed)
        return
    if None in (each.difference, each.uncertainty, a.value, b.value):
        yield f"{place} has no difference, uncertainty or value, which its basis {each.basis.value} takes"
        return
    difference, uncertainty = each.difference or 0.0, each.uncertainty or 0.0
    if not same_difference(difference, b.value or 0.0, a.value or 0.0):
        yield figure(f"{place}.difference", difference, "both values", (b.value or 0.0) - (a.value or 0.0))
    known = a.uncertainty or 0.0, b.uncertainty or 0.0
    due = hypot(*known) if each.basis is Basis.UNCERTAINTY else sum(known)
    if not same(uncertainty, due):
        yield figure(f"{place}.uncertainty", uncertainty, "both uncertainties", due)
    over = abs(difference) / uncertainty if uncertainty else None if difference else 0.0
    if (over is None) is not (each.normalized is None) or not same(each.normalized or 0.0, over or 0.0):
        yield figure(f"{place}.normalized", each.normalized, "difference and uncertainty", over)
    if each.agree is not (agree := over is not None and over <= 1):
        yield figure(f"{place}.agree", each.agree, "difference and uncertainty", agree)
