"""Differences in the origin of two results, a sentence each: their figures may differ because of them."""

from __future__ import annotations

from collections.abc import Iterable

from rig.results.provenance import Provenance
from rig.verify.result import Setup, Verification
from rig.verify.series_test import SeriesTestResult


def differences(a: Verification, b: Verification) -> list[str]:
    """Give what two verifications do not have in common, a sentence each: a difference may be due to it."""
    pairs = [
        ("output", a.output, b.output),
        ("quantity", a.quantity, b.quantity),
        ("constant", f"{a.constant_exact} Wh", f"{b.constant_exact} Wh"),
        ("counter", a.counter, b.counter),
        ("reference", a.reference, b.reference),
        ("limit", f"±{a.limits.error_percent:g} %", f"±{b.limits.error_percent:g} %"),
    ]
    return [*differing(pairs), *origin_differences(a.provenance, b.provenance, a.setup, b.setup)]


def series_test_differences(a: SeriesTestResult, b: SeriesTestResult) -> list[str]:
    """Give what two tests of a series do not have in common; of another kind or unit they are not compared."""
    pairs = [
        ("kind", a.kind, b.kind),
        ("output", a.output, b.output),
        ("limit", f"{a.limit:g} {a.unit}, {a.source}", f"{b.limit:g} {b.unit}, {b.source}"),
    ]
    said = [*differing(pairs), *origin_differences(a.provenance, b.provenance, Setup(), Setup())]
    other = (a.kind, a.unit) != (b.kind, b.unit)
    return [*said, "two kinds of test are not compared"] if other else said


def origin_differences(a: Provenance, b: Provenance, setup_a: Setup, setup_b: Setup) -> list[str]:
    """Give what the rigs of two results, their meters and surroundings do not have in common."""
    pairs = [
        ("fidelity", a.fidelity, b.fidelity),
        ("program", a.program, b.program),
        ("calibration", a.calibration, b.calibration),
        ("configuration of the rig", a.configuration, b.configuration),
        ("bitstream", a.build, b.build),
        ("commit", a.commit, b.commit),
    ]
    for what in ("meter", "configuration", "environment"):
        one, other = getattr(setup_a, what), getattr(setup_b, what)
        keys = dict.fromkeys([*one, *other])
        pairs += [(f"{what}'s {key}", one.get(key, ""), other.get(key, "")) for key in keys]
    return differing(pairs)


def differing(pairs: Iterable[tuple[str, str, str]]) -> list[str]:
    """Give a sentence for each name whose two texts differ."""
    return [
        f"the {name} is {one or 'not stated'} in A and {other or 'not stated'} in B"
        for name, one, other in pairs
        if one != other
    ]
