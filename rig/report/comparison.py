"""Two results of one kind compared, figure by figure (GUM 5.1.2, ISO 13528 En).

basis          figures                                        they part where
uncertainty    errors and others known to U (k = 2)           |B − A| > √(U_A² + U_B²)
tolerance      what a witness parts by, never beyond a bound  |B − A| > T_A + T_B
verdict        what states no uncertainty                     one passed and the other did not
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import hypot
from typing import Protocol, TypeVar

from rig.accuracy.lot_result import LotPoint, LotResult
from rig.accuracy.result import AccuracyPointResult, AccuracyResult
from rig.report.compared import Basis, Compared, Comparison, Side
from rig.report.differences import differences, differing, origin_differences, series_test_differences
from rig.report.errors import ReportError
from rig.report.result_kinds import Result, kind_named
from rig.results.provenance import Provenance
from rig.selftest.part import Part, SelfTest
from rig.verify.agreement import Agreement, WitnessLine
from rig.verify.result import Setup, Verification
from rig.verify.series import AverageResult, SeriesResult
from rig.verify.series_test import SeriesTestResult


class _Named(Protocol):
    @property
    def name(self) -> str: ...


_T = TypeVar("_T")
_N = TypeVar("_N", bound=_Named)


def compare(a: Result, b: Result) -> Comparison:
    """Compare two results of one kind. Raises ReportError where nothing can be compared."""
    of = kind_named(a)
    match a, b:
        case Verification(), Verification():
            name = a.output if a.output == b.output else f"{a.output}, {b.output}"
            found, notes = [of_verifications(name, a, b)], differences(a, b)
            return _comparison(of, found, notes, a.provenance, b.provenance)
        case SeriesResult(), SeriesResult():
            return _of_series(of, a, b)
        case Agreement(), Agreement():
            return _of_agreements(of, a, b)
        case AccuracyResult(), AccuracyResult():
            return _of_accuracy(of, a, b)
        case LotResult(), LotResult():
            return _of_lots(of, a, b)
        case SelfTest(), SelfTest():
            return _of_self_tests(of, a, b)
        case Comparison(), Comparison():
            raise ReportError("two comparisons cannot be compared: give two of the results that they are of")
    raise ReportError(f"{of} and {kind_named(b)} cannot be compared: give two of a kind")


# --- kinds ---------------------------------------------------------------------------------------------------------


def of_verifications(name: str, a: Verification | AverageResult, b: Verification | AverageResult) -> Compared:
    """Compare the errors of two verifications, or of two averages."""
    sides = [Side(each.error_percent, each.uncertainty_percent, each.passed) for each in (a, b)]
    return _by_uncertainty(name, "%", *sides)


def _of_series(of: str, a: SeriesResult, b: SeriesResult) -> Comparison:
    notes: list[str] = []
    points = _pairs("point", _named(a.points), _named(b.points), notes)
    tests = _pairs("test", _named(a.tests), _named(b.tests), notes)
    means = _pairs("average", _named(a.averages), _named(b.averages), notes)
    found: list[Compared] = []
    origins: list[tuple[Provenance, Provenance]] = []
    for name, one, other in points:
        notes += [f"{name}: {note}" for note in differences(one.verification, other.verification)]
        found.append(of_verifications(name, one.verification, other.verification))
        origins.append((one.verification.provenance, other.verification.provenance))
    for name, mine, its in tests:
        notes += [f"{name}: {note}" for note in series_test_differences(mine, its)]
        if (mine.kind, mine.unit) == (its.kind, its.unit):
            found.append(_of_tests(name, mine, its))
            origins.append((mine.provenance, its.provenance))
    if not found:
        raise ReportError("the two series have no point and no test of the same name: give two runs of one series")
    found += [of_verifications(*mean) for mean in means]
    return _comparison(of, found, notes, *origins[0])


def _of_tests(name: str, a: SeriesTestResult, b: SeriesTestResult) -> Compared:
    sides = [Side(each.value, each.uncertainty, each.passed, each.text) for each in (a, b)]
    if not a.uncertainty and not b.uncertainty:
        return _by_verdict(name, a.unit, *sides)
    return _by_uncertainty(name, a.unit, *sides)


def _of_agreements(of: str, a: Agreement, b: Agreement) -> Comparison:
    notes = origin_differences(a.provenance, b.provenance, a.setup, b.setup)
    mine, its = (((f"{line.witness} {line.quantity}", line) for line in each.witnesses) for each in (a, b))
    found: list[Compared] = []
    for name, one, other in _pairs("witness", mine, its, notes):
        if one.reference_wh and other.reference_wh:
            found.append(_by_bound(name, "%", _parting(one), _parting(other)))
        else:
            notes.append(f"{name} is not compared: nothing flowed")
    if not found:
        raise ReportError("the two have no witness in common: give two of one load and one meter")
    return _comparison(of, found, notes, a.provenance, b.provenance)


def _parting(line: WitnessLine) -> Side:
    """Give what a witness differs by from what flowed, in percent of that."""
    to_percent = 100 / abs(line.reference_wh)
    said = "" if line.parting is None else line.parting.text
    return Side(line.difference_wh * to_percent, line.tolerance_wh * to_percent, line.agrees, said)


def _of_accuracy(of: str, a: AccuracyResult, b: AccuracyResult) -> Comparison:
    notes = differing([("standard", a.standard, b.standard), ("class", a.accuracy_class, b.accuracy_class)])
    notes += origin_differences(a.provenance, b.provenance, Setup(a.meter), Setup(b.meter))
    found = [_of_accuracy_points(*pair) for pair in _pairs("point", _named(a.points), _named(b.points), notes)]
    if not found:
        raise ReportError("the two accuracy tests have no point of the same name: give two of one standard")
    return _comparison(of, found, notes, a.provenance, b.provenance)


def _of_accuracy_points(name: str, a: AccuracyPointResult, b: AccuracyPointResult) -> Compared:
    sides = [Side(each.error_percent, each.uncertainty_percent, each.passed, each.text) for each in (a, b)]
    if any(side.value is None or side.uncertainty is None for side in sides):
        return _by_verdict(name, "%", *sides)
    return _by_uncertainty(name, "%", *sides)


def _of_lots(of: str, a: LotResult, b: LotResult) -> Comparison:
    notes = differing(
        [
            ("standard", a.standard, b.standard),
            ("class", a.accuracy_class, b.accuracy_class),
            ("meters", f"{a.seed}:{len(a.meters)}", f"{b.seed}:{len(b.meters)}"),
        ]
    )
    notes += origin_differences(a.provenance, b.provenance, Setup(a.meter), Setup(b.meter))
    pairs = _pairs("point", _named(a.points), _named(b.points), notes)
    found = [_by_verdict(name, "%", _worst_left(one), _worst_left(other)) for name, one, other in pairs]
    if not found:
        raise ReportError("the two lots have no point of the same name: give two of one standard")
    return _comparison(of, found, notes, a.provenance, b.provenance)


def _worst_left(point: LotPoint) -> Side:
    """Give the largest error of a lot's meters at a point, as left. That of another lot is another meter's: only the
    verdicts are compared."""
    errors = [error for error in point.as_left_percent if error is not None]
    passed = point.failed == 0 if point.tested else None
    return Side(max(errors, key=abs, default=None), point.uncertainty_percent, passed, point.text)


def _of_self_tests(of: str, a: SelfTest, b: SelfTest) -> Comparison:
    notes = origin_differences(a.provenance, b.provenance, Setup(), Setup())
    mine, its = (((part.part, part) for part in each.parts) for each in (a, b))
    found = [_by_verdict(name, "", _part(one), _part(other)) for name, one, other in _pairs("part", mine, its, notes)]
    if not found:
        raise ReportError("the two self-tests have no part of the same name: give two of one rig")
    return _comparison(of, found, notes, a.provenance, b.provenance)


def _part(part: Part) -> Side:
    return Side(None, None, part.passed, part.sentence)


# --- figures -------------------------------------------------------------------------------------------------------


def _by_uncertainty(name: str, unit: str, a: Side, b: Side) -> Compared:
    return _by_figures(name, unit, Basis.UNCERTAINTY, a, b, hypot(a.uncertainty or 0.0, b.uncertainty or 0.0))


def _by_bound(name: str, unit: str, a: Side, b: Side) -> Compared:
    return _by_figures(name, unit, Basis.TOLERANCE, a, b, (a.uncertainty or 0.0) + (b.uncertainty or 0.0))


def _by_figures(name: str, unit: str, basis: Basis, a: Side, b: Side, uncertainty: float) -> Compared:
    difference = (b.value or 0.0) - (a.value or 0.0)
    normalized = abs(difference) / uncertainty if uncertainty else None if difference else 0.0
    agree = normalized is not None and normalized <= 1
    return Compared(name, unit, basis, a, b, difference, uncertainty, normalized, agree)


def _by_verdict(name: str, unit: str, a: Side, b: Side) -> Compared:
    return Compared(name, unit, Basis.VERDICT, a, b, None, None, None, a.passed == b.passed)


# --- pairs, and what they come to ----------------------------------------------------------------------------------


def _named(each: Iterable[_N]) -> Iterator[tuple[str, _N]]:
    return ((one.name, one) for one in each)


def _pairs(
    what: str, a: Iterable[tuple[str, _T]], b: Iterable[tuple[str, _T]], notes: list[str]
) -> list[tuple[str, _T, _T]]:
    """Give what both have by the same name, in A's order; a note is added for what one has alone. Raises ReportError
    for a name that one has twice."""
    first: dict[str, _T] = {}
    second: dict[str, _T] = {}
    for which, pairs, into in (("A", a, first), ("B", b, second)):
        for name, value in pairs:
            if name in into:
                raise ReportError(f"{which} has two of {what} {name!r}: give a result as the rig printed it")
            into[name] = value
    for which, mine, its in (("A", first, second), ("B", second, first)):
        notes += [f"only {which} has the {what} {name!r}" for name in mine if name not in its]
    return [(name, first[name], second[name]) for name in first if name in second]


def _comparison(of: str, found: Sequence[Compared], notes: list[str], a: Provenance, b: Provenance) -> Comparison:
    parted = [each for each in found if not each.agree]
    other = [
        f"{each.name} {_VERDICTS[each.a.passed]} in A and {_VERDICTS[each.b.passed]} in B"
        for each in found
        if each.basis is not Basis.VERDICT and each.a.passed is not each.b.passed
    ]
    return Comparison(of, list(found), not parted, _sentence(found, parted), [*notes, *other], a, b)


_VERDICTS = {True: "has passed", False: "has not passed", None: "was not tested"}


def _sentence(found: Sequence[Compared], parted: Sequence[Compared]) -> str:
    if not parted:
        verdicts = all(each.basis is Basis.VERDICT for each in found)
        why = "every verdict is the same" if verdicts else "no difference is larger than both uncertainties explain"
        return f"they agree: {why}"
    worst = max(parted, key=lambda each: float("inf") if each.normalized is None else each.normalized)
    several = f"{len(parted)} of {len(found)} figures part; most {worst.name}" if len(found) > 1 else "they part"
    if worst.difference is None or worst.uncertainty is None:
        return f"{several}: it {_VERDICTS[worst.a.passed]} in A and {_VERDICTS[worst.b.passed]} in B"
    known = "k = 2" if worst.basis is Basis.UNCERTAINTY else "bounds of both"
    unit = f" {worst.unit}".rstrip()
    return f"{several}: B − A is {worst.difference:+.5f}{unit}, known to ±{worst.uncertainty:.5f}{unit} ({known})"
