"""A verification as a JUnit report, for whoever runs it among other tests."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from rig.verify.agreement import Agreement
from rig.verify.result import Verification
from rig.verify.series_test import SeriesTestResult


def junit(
    results: Sequence[Verification], names: Sequence[str] | None = None, tests: Sequence[SeriesTestResult] = ()
) -> bytes:
    """Give the report: one suite, a test for each verification by `names`, each reason of a failure a line; then one
    for each of the `tests` of a series."""
    named = [f"{each.output} {each.quantity}" for each in results] if names is None else names
    failed = sum(not each.passed for each in results) + sum(not test.passed for test in tests)
    seconds = sum(each.seconds for each in results) + sum(test.seconds for test in tests)
    count = len(results) + len(tests)
    suite = ElementTree.Element(
        "testsuite", name="rig verify", tests=str(count), failures=str(failed), time=f"{seconds:.3f}"
    )
    for name, each in zip(named, results, strict=True):
        case = ElementTree.SubElement(suite, "testcase", classname="rig.verify", name=name, time=f"{each.seconds:.3f}")
        if not each.passed:
            failure = ElementTree.SubElement(case, "failure", message=each.reasons[0])
            failure.text = "\n".join([*each.reasons, *(error.text for error in each.kyz_order_errors)])
        said = ElementTree.SubElement(case, "system-out")
        said.text = (
            f"error {each.error_percent:+.5f} %, uncertainty {each.uncertainty_percent:.5f} % (k = 2), "
            f"{each.pulses} pulses; {each.provenance.line}{'  ' + each.provenance.mark if each.provenance.mark else ''}"
        )
    for test in tests:
        case = ElementTree.SubElement(
            suite, "testcase", classname=f"rig.verify.{test.kind}", name=test.name, time=f"{test.seconds:.3f}"
        )
        if not test.passed:
            ElementTree.SubElement(case, "failure", message=test.text).text = test.text
        said = ElementTree.SubElement(case, "system-out")
        mark = f"  {test.provenance.mark}" if test.provenance.mark else ""
        said.text = f"{test.text}; limit {test.limit:g} {test.unit}, {test.source}; {test.provenance.line}{mark}"
    return _written(suite)


def agreement_junit(found: Agreement) -> bytes:
    """Give the report of witnesses of one load: a test for each, that what it says can be true."""
    failed = sum(not line.agrees for line in found.witnesses)
    seconds = f"{found.seconds:.3f}"
    suite = ElementTree.Element(
        "testsuite", name="rig verify", tests=str(len(found.witnesses)), failures=str(failed), time=seconds
    )
    origin = f"{found.provenance.line}{'  ' + found.provenance.mark if found.provenance.mark else ''}"
    for line in found.witnesses:
        name = f"{line.witness} {line.quantity}"
        case = ElementTree.SubElement(suite, "testcase", classname="rig.verify.witness", name=name, time=seconds)
        if line.parting is not None:
            ElementTree.SubElement(case, "failure", message=line.parting.text).text = line.parting.text
        said = ElementTree.SubElement(case, "system-out")
        said.text = (
            f"states {line.stated_wh:.6f}, flowed {line.reference_wh:.6f}, parts by {line.difference_wh:+.6f}, "
            f"tolerance {line.tolerance_wh:.6f}; {origin}"
        )
    return _written(suite)


def _written(suite: ElementTree.Element) -> bytes:
    report: bytes = ElementTree.tostring(suite, encoding="utf-8", xml_declaration=True)
    return report
