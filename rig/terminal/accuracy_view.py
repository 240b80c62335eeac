"""An accuracy test for people: its points, line by line, and what they come to."""

from __future__ import annotations

from rig.accuracy.lot_result import LotResult
from rig.accuracy.result import AccuracyPointResult, AccuracyResult

_NAME = 52


def accuracy_lines(found: AccuracyResult) -> list[str]:
    """Describe the result, line by line."""
    lines = [found.provenance.mark, f"{found.title}, class {found.accuracy_class}"]
    lines.append(f"{'point':{_NAME}} {'error %':>10} {'U95 %':>9} {'limit %':>8}")
    lines += [point_line(point) for point in found.points]
    return [line for line in [*lines, *_sums(found)] if line]


def point_line(point: AccuracyPointResult) -> str:
    """Describe a point: figure, uncertainty, limit, verdict; an asterisk where nobody has seen the limit's source."""
    error = "" if point.error_percent is None else f"{point.error_percent:+.4f}"
    uncertainty = "" if point.uncertainty_percent is None else f"{point.uncertainty_percent:.4f}"
    limit = "" if point.limit_percent is None else f"{point.limit_percent:g}{'' if point.verified_source else '*'}"
    said = {True: "passed", False: "FAILED", None: "-"}[point.passed]
    why = "" if point.text == "within the limit" else f" {point.text}"
    name = point.name if len(point.name) <= _NAME else f"{point.name[: _NAME - 1]}…"
    return f"{name:{_NAME}} {error:>10} {uncertainty:>9} {limit:>8} {said}{why}"


def _sums(found: AccuracyResult) -> list[str]:
    verdicts = [point.passed for point in found.points]
    passed, failed, untested = verdicts.count(True), verdicts.count(False), verdicts.count(None)
    tested = passed + failed
    lines = [f"{passed} of {tested} points passed" + (f", {untested} not tested" if untested else "")]
    if unseen := sum(not point.verified_source for point in found.points):
        lines.append(f"* not verified, for {unseen} of the limits: check the standard")
    word = "PASSED" if found.passed else "FAILED"
    return [*lines, f"class {found.accuracy_class}: {word}"]


def lot_lines(found: LotResult) -> list[str]:
    """Describe the yield of a lot, a line a meter."""
    lines = [found.provenance.mark, f"lot of seed {found.seed}, {found.standard} class {found.accuracy_class}"]
    lines.append(f"{'meter':>5} {'as found %':>11} {'calibrated %':>13}")
    for meter in found.meters:
        before, after = (
            "" if value is None else f"{value:+.4f}" for value in (meter.worst_as_found_percent, meter.worst_percent)
        )
        said = f"refused: {meter.refused}" if meter.refused else f"{_passed(meter.passed)} at worst {meter.worst}"
        lines.append(f"{meter.number:>5} {before:>11} {'' if meter.refused else after:>13} {said}")
    lines.append(f"yield {found.yield_percent:g} %, as found {found.as_found_percent:g} %")
    return [line for line in lines if line]


def _passed(passed: bool) -> str:
    return "passed," if passed else "FAILED,"
