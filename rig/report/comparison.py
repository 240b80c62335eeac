"""Two results compared: whether their errors differ by more than both uncertainties explain (GUM 5.1.2, ISO 13528 En).

Independent results A and B with expanded uncertainties U of the same k differ by d = B − A, known to √(U_A² + U_B²).
En = |d| over that; beyond 1 they part.
"""

from __future__ import annotations

from math import sqrt

import msgspec

from rig.report.errors import ReportError
from rig.results.provenance import Provenance
from rig.verify.result import Verification
from rig.verify.series import SeriesResult

Result = Verification | SeriesResult


class Side(msgspec.Struct, frozen=True):
    """One of the two."""

    error_percent: float
    uncertainty_percent: float
    passed: bool


class Compared(msgspec.Struct, frozen=True):
    """A figure of both; `normalized` is En, null where neither has an uncertainty and they differ."""

    name: str
    a: Side
    b: Side
    difference_percent: float
    uncertainty_percent: float
    normalized: float | None
    agree: bool


class Comparison(msgspec.Struct, frozen=True):
    """The comparison: it has agreed where every figure does. `notes` say what the results do not have in common."""

    compared: list[Compared]
    agree: bool
    sentence: str
    notes: list[str]
    provenance_a: Provenance
    provenance_b: Provenance


def compare(a: Result, b: Result) -> Comparison:
    """Compare two verifications, or two series point by point. Raises ReportError where nothing can be compared."""
    if isinstance(a, Verification) and isinstance(b, Verification):
        return _comparison([compared(a.output if a.output == b.output else f"{a.output}, {b.output}", a, b)],
                           differences(a, b), a, b)  # fmt: skip
    if isinstance(a, SeriesResult) and isinstance(b, SeriesResult):
        return _series(a, b)
    one, other = ("a series" if isinstance(each, SeriesResult) else "one verification" for each in (a, b))
    raise ReportError(f"{one} and {other} cannot be compared: give two of a kind")


def _series(a: SeriesResult, b: SeriesResult) -> Comparison:
    first = {point.name: point.verification for point in a.points}
    second = {point.name: point.verification for point in b.points}
    both = [name for name in first if name in second]
    if not both:
        raise ReportError("the two series have no point of the same name: give two runs of one series")
    notes = [
        f"only {which} has the point {name!r}"
        for which, mine, its in (("A", first, second), ("B", second, first))
        for name in mine
        if name not in its
    ]
    for name in both:
        notes += [f"{name}: {note}" for note in differences(first[name], second[name])]
    found = [compared(name, first[name], second[name]) for name in both]
    means_a, means_b = ({each.name: each for each in result.averages} for result in (a, b))
    for name in means_a.keys() & means_b.keys():
        one, other = means_a[name], means_b[name]
        found.append(_compared(name, Side(one.error_percent, one.uncertainty_percent, one.passed),
                               Side(other.error_percent, other.uncertainty_percent, other.passed)))  # fmt: skip
    return _comparison(found, notes, first[both[0]], second[both[0]])


def compared(name: str, a: Verification, b: Verification) -> Compared:
    """Compare the errors of two verifications."""
    return _compared(
        name,
        Side(a.error_percent, a.uncertainty_percent, a.passed),
        Side(b.error_percent, b.uncertainty_percent, b.passed),
    )


def _compared(name: str, a: Side, b: Side) -> Compared:
    difference = b.error_percent - a.error_percent
    uncertainty = sqrt(a.uncertainty_percent**2 + b.uncertainty_percent**2)
    normalized = abs(difference) / uncertainty if uncertainty else None if difference else 0.0
    agree = normalized is not None and normalized <= 1
    return Compared(name, a, b, difference, uncertainty, normalized, agree)


def differences(a: Verification, b: Verification) -> list[str]:
    """Give what two verifications do not have in common, a sentence each: a difference may be due to it."""
    pairs = [
        ("output", a.output, b.output),
        ("quantity", a.quantity, b.quantity),
        ("constant", f"{a.constant_exact} Wh", f"{b.constant_exact} Wh"),
        ("counter", a.counter, b.counter),
        ("reference", a.reference, b.reference),
        ("fidelity", a.fidelity, b.fidelity),
        ("program", a.provenance.program, b.provenance.program),
        ("calibration", a.provenance.calibration, b.provenance.calibration),
        ("configuration of the rig", a.provenance.configuration, b.provenance.configuration),
        ("bitstream", a.provenance.build, b.provenance.build),
        ("commit", a.provenance.commit, b.provenance.commit),
    ]
    keys = [*a.setup.meter, *(key for key in b.setup.meter if key not in a.setup.meter)]
    pairs += [(f"meter's {key}", a.setup.meter.get(key, ""), b.setup.meter.get(key, "")) for key in keys]
    return [
        f"the {name} is {one or 'not stated'} in A and {other or 'not stated'} in B"
        for name, one, other in pairs
        if one != other
    ]


def _comparison(found: list[Compared], notes: list[str], a: Verification, b: Verification) -> Comparison:
    parted = [each for each in found if not each.agree]
    if parted:
        worst = max(parted, key=lambda each: each.normalized or float("inf"))
        several = f"{len(parted)} of {len(found)} figures part; most {worst.name}" if len(found) > 1 else "they part"
        difference = f"{worst.difference_percent:+.5f} %, known to ±{worst.uncertainty_percent:.5f} % (k = 2)"
        sentence = f"{several}: B − A is {difference}"
    else:
        sentence = "they agree: no difference is larger than both uncertainties explain"
    return Comparison(found, not parted, sentence, notes, a.provenance, b.provenance)
