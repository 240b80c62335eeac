"""Results as the rig printed them, read again: all of a file is known and shown, or it is refused (docs/json.md)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from rig.accuracy.lot_result import LotResult
from rig.accuracy.result import AccuracyResult
from rig.files.bounded import TooLongError, read_bounded
from rig.files.text import utf8_text
from rig.report.compared import Comparison
from rig.report.consistency import contradiction
from rig.report.errors import ReportError
from rig.report.result_kinds import Result, kind_of
from rig.selftest.part import SelfTest
from rig.verify.agreement import Agreement
from rig.verify.result import MOST_EDGES, Verification
from rig.verify.series import MOST_POINTS, SeriesResult
from rig.verify.witness import MOST_LINES as MOST_STATEMENTS

PRINTED = "rig verify --json"
"""What most results are of, as sentences name it."""

MOST_JSON_BYTES = 1 << 26
"""A verification with all its edges is 100 kB, a series of 500 such points 50 MB."""

MOST_ACCURACY_LINES = 20_000
"""Of points and components of an accuracy test: a table has 2000 points at most."""

MOST_LOT_METERS = 1000
MOST_LOT_POINTS = 2100
"""Of a table, and its averages."""

MOST_LINES = 1000
"""Of repeats and of components in a verification: as many as can be asked for."""


def read_result(path: Path) -> Result:
    """Read what `rig verify`, `rig selftest` or `rig report compare` printed with --json, or what `rig accuracy
    --report` wrote as JSON. Raises ReportError, also for figures and verdicts that contradict each other."""
    try:
        data = read_bounded(path, MOST_JSON_BYTES)
        utf8_text(data)  # what msgspec raises of other text has a codec's words
        raw = msgspec.json.decode(data)
    except (OSError, TooLongError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise ReportError(f"{path} cannot be read ({why}): give a file of what {PRINTED} printed") from None
    except (ValueError, RecursionError) as error:  # msgspec's own, and NotUtf8Error
        raise ReportError(f"{path} is no result of {PRINTED}: {error}") from None
    try:
        found: Result = msgspec.convert(raw, kind_of(raw).structure)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ReportError(f"{path} is no result of {PRINTED}: {error}{_made_by(raw)}") from None
    if (unknown := _unknown(raw, msgspec.to_builtins(found))) is not None:
        raise ReportError(
            f"{path} has {unknown}, which this version does not know and would leave out{_made_by(raw)}: make the "
            "report with the version that made the result"
        )
    _check_sizes(path, found)
    if (sentence := contradiction(found)) is not None:
        raise ReportError(f"{path} contradicts itself: {sentence}; give the file as it was printed")
    return found


def _unknown(raw: Any, known: Any, place: str = "$") -> str | None:
    """Give the place of the first key that was not taken over."""
    if isinstance(raw, dict) and isinstance(known, dict):
        for key, value in raw.items():
            if key not in known:
                return f"{place}.{key}"
            if (deeper := _unknown(value, known[key], f"{place}.{key}")) is not None:
                return deeper
    elif isinstance(raw, list) and isinstance(known, list):
        for k, (value, its) in enumerate(zip(raw, known, strict=True)):
            if (deeper := _unknown(value, its, f"{place}[{k}]")) is not None:
                return deeper
    return None


def _made_by(raw: Any) -> str:
    """Name the version that made a result, where it states one."""
    found: Any = raw if isinstance(raw, dict) else {}
    if "provenance" not in found and isinstance(points := found.get("points"), list) and points:
        found = points[0].get("verification") if isinstance(points[0], dict) else None
    origin = found.get("provenance") if isinstance(found, dict) else None
    version = origin.get("version") if isinstance(origin, dict) else None
    return f" (it was made by version {version[:20]})" if isinstance(version, str) else ""


def _check_lot(path: Path, found: LotResult) -> None:
    """Refuse a lot without meters, or of more than there can be, or whose points are not of all of them."""
    count = len(found.meters)
    if not 0 < count <= MOST_LOT_METERS:
        raise ReportError(f"{path} has {count} meters, a lot has 1 to {MOST_LOT_METERS}")
    if len(found.points) > MOST_LOT_POINTS:
        raise ReportError(f"{path} has {len(found.points)} points, a report has at most {MOST_LOT_POINTS}")
    for point in found.points:
        for name, errors in (("as_found", point.as_found_percent), ("as_left", point.as_left_percent)):
            if len(errors) != count:
                raise ReportError(
                    f"{path}: {name}_percent of {point.name!r} has {len(errors)} errors, and there are {count} meters"
                )


def _check_sizes(path: Path, found: Result) -> None:
    """Refuse more than a rig makes: it would be minutes of drawing."""
    if isinstance(found, LotResult):
        _check_lot(path, found)
    for what, count, most in _sizes(found):
        if count > most:
            raise ReportError(f"{path} has {count} {what}, a report has at most {most}")


def _sizes(found: Result) -> Iterator[tuple[str, int, int]]:
    """Give what a result has many of, how many, and the most that a report has."""
    match found:
        case AccuracyResult():
            rows = len(found.points) + sum(len(point.budget) for point in found.points)
            yield "points and components", rows, MOST_ACCURACY_LINES
        case SeriesResult():
            yield "points", len(found.points), MOST_POINTS
            yield "tests", len(found.tests), MOST_POINTS
            yield "averages", len(found.averages), MOST_LINES
            for point in found.points:
                yield from _sizes(point.verification)
        case Agreement():
            yield "witnesses", len(found.witnesses), MOST_LINES
            yield "statements", len(found.timeline), MOST_LINES + MOST_STATEMENTS
            yield "reasons", len(found.reasons), MOST_LINES
        case SelfTest():
            yield "parts", len(found.parts), MOST_LINES
        case Comparison():
            yield "figures", len(found.compared), MOST_ACCURACY_LINES
        case Verification():
            for name, lines, most in (
                ("edges", found.edges, MOST_EDGES),
                ("repeats", found.repeats, MOST_LINES),
                ("components", found.budget, MOST_LINES),
                ("reasons", found.reasons, MOST_LINES),
            ):
                yield f"{name} in one result", len(lines), most
