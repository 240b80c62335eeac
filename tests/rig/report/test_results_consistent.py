"""Results that contradict themselves: every figure that another says too is refused when it alone is changed.

The leaves of each kind of result are walked one by one, whatever the reader knows of them; those that nothing
contradicts are named here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rig.report.comparison import compare
from rig.report.consistency import contradiction
from rig.report.errors import ReportError
from rig.report.files import page_of, rendered
from rig.report.reading import read_result
from rig.verify.result import BudgetLine, EdgeLine, RepeatLine, Verification
from tests.rig.report.report_results import accuracy, agreement, clean, selftest, series, verification
from tests.rig.report.test_report_lot import lot

Place = tuple[str | int, ...]


def repeated() -> Verification:
    """Give a result of two repeats, 0.002 and 0.004 %, whose scatter is what is uncertain: 2 · 0.001414 / √2."""
    repeats = [RepeatLine(9, 2.0, 1.35, 1.35 / (1 + error / 100), error) for error in (0.002, 0.004)]
    return clean(
        0.003, pulses=18, seconds=4.0, energy_wh=2.7, reference_wh=sum(each.reference_wh for each in repeats),
        repeats=repeats, uncertainty_percent=0.002, degrees_of_freedom=1.0,
        budget=[BudgetLine("repeatability of 2", 0.001, "normal", 0.001, 1.0)],
    )  # fmt: skip


RESULTS: dict[str, Callable[[], Any]] = {
    "verification": verification, "clean": lambda: clean(0.01), "repeated": repeated,
    "series": lambda: series(0.0, 0.01), "agreement": agreement, "parted": lambda: agreement(11.0),
    "selftest": lambda: selftest(LED=True), "accuracy": accuracy, "lot": lot,
    "comparison": lambda: compare(clean(0.0), clean(0.03)),
    "verdicts": lambda: compare(selftest(), selftest(LED=False)),
    "bounds": lambda: compare(agreement(6.5), agreement(11.0)),
}  # fmt: skip

FREE = {
    "verification": (
        r"limits\.(error_percent|order_errors)", r"kyz_order_errors\[0\]\.(count|after|from_s|to_s)",
        r"edges\[\d\]\.(number|at_s|late_pulses)",
    ),
    "clean": (r"limits\.(error_percent|order_errors)", r"edges\[\d\]\.(number|at_s|late_pulses)",),
    "repeated": (r"limits\.(error_percent|order_errors)", r"edges\[\d\]\.(number|at_s|late_pulses)"),
    "series": (
        r"points\[\d\]\.verification\.limits\.(error_percent|order_errors)", r"averages\[0\]\.limits\..*",
        r"points\[\d\]\.verification\.edges\[\d\]\.(number|at_s|late_pulses)",
        r"averages\[0\]\.(error_percent|uncertainty_percent)", r"tests\[0\]\.(value|uncertainty|limit|seconds)",
    ),
    "agreement": (
        r"seconds", r"energy_wh\..*", r"witnesses\[\d\]\.(unit_wh|statements)",
        r"timeline\[\d\]\.(at_s|tolerance_wh)",
    ),
    "parted": (
        r"seconds", r"energy_wh\..*", r"witnesses\[\d\]\.(unit_wh|statements)",
        r"witnesses\[2\]\.parting\.(at_s|difference_wh|tolerance_wh|worst_at_s|worst_wh)",
        r"timeline\[\d\]\.(at_s|tolerance_wh)",
    ),
    "accuracy": (r"points\[\d\]\.(amperes|seconds|verified_source|limit_percent|error_percent)",),
    "lot": (r"seed", r"points\[\d\]\.(limit_percent|uncertainty_percent|tested|verified_source|failed)"),
    "bounds": (r"compared\[\d\]\.[ab]\.passed",),
    "comparison": (r"compared\[0\]\.[ab]\.passed",),
}  # fmt: skip
"""Of each kind what is stated once: limits, times of a parting, an edge between two others, an error far from its
limit. Some of them contradict others when they are changed by more."""

EVERYWHERE = r"(.*\.)?provenance(_a|_b)?\.(calibrated|seed)"


def leaves(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Walk numbers and verdicts."""
    match value:
        case dict():
            for key, inner in value.items():
                yield from leaves(inner, (*place, key))
        case list():
            for k, inner in enumerate(value):
                yield from leaves(inner, (*place, k))
        case bool() | int() | float():
            yield place, value


def changed(raw: Any, place: Place, value: Any) -> Any:
    copy = msgspec.json.decode(msgspec.json.encode(raw))
    inner = copy
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return copy


def named(place: Place) -> str:
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in place)[1:]


def other(value: bool | float) -> Any:
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) else value * 1.0001 + 0.0001


def trusted(kind: str) -> set[str]:
    """Give the leaves of a kind whose change nothing contradicts."""
    raw, structure, found = msgspec.to_builtins(RESULTS[kind]()), type(RESULTS[kind]()), set()
    for place, value in leaves(raw):
        try:
            altered = msgspec.convert(changed(raw, place, other(value)), structure)
        except msgspec.ValidationError:
            continue
        sentence = contradiction(altered)
        if sentence is None:
            found.add(named(place))
        else:
            assert "\n" not in sentence
            assert sentence.startswith("$")
    return found


@pytest.mark.parametrize("kind", RESULTS)
def test_a_figure_that_is_changed_alone_is_refused_but_for_those_named(kind: str) -> None:
    assert contradiction(RESULTS[kind]()) is None
    left = trusted(kind)
    patterns = (EVERYWHERE, *FREE.get(kind, ()))
    assert sorted(name for name in left if not re.fullmatch("|".join(patterns), name)) == []
    for pattern in patterns:
        assert any(re.fullmatch(pattern, name) for name in left), f"{pattern} is contradicted"


def forged(kind: str, *changes: tuple[Place, Any]) -> Any:
    raw = msgspec.to_builtins(RESULTS[kind]())
    for place, value in changes:
        raw = changed(raw, place, value)
    return raw


HIDDEN = [
    EdgeLine(k, 0.01 * (k + (k > 400)), float(k > 400), "K-Y" if k % 2 else "K-Z") for k in range(600)
]  # fmt: skip
"""One closure of 600 is missing: that alone is an error of 0.17 %, within a limit of 1 %."""

FORGED = {
    "passed beyond its limit": (
        forged("verification", (("passed",), True), (("reasons",), []), (("kyz_order_errors",), [])),
        r"\$\.passed is true, and the error is -10\.0000 %, beyond the limit of ±0\.03 %",
    ),
    "passed with a closure missing": (
        forged("verification", (("passed",), True), (("reasons",), []), (("limits", "error_percent"), 20.0)),
        r"\$\.passed is true, and kyz_order_errors has 1, of 0 allowed",
    ),
    "passed with uncertainty beyond": (
        forged("clean", (("limits", "error_percent"), 0.015)),
        r"\$\.passed is true, and the error of \+0\.0100 % is within",
    ),
    "passed with reasons": (forged("clean", (("reasons",), ["it rained"])), "it has 1 reasons why not"),
    "failed for nothing": (
        forged("clean", (("passed",), False), (("reasons",), ["it rained"])),
        r"\$\.passed is false, and error, uncertainty and closures are within",
    ),
    "a smaller error": (
        forged("verification", (("error_percent",), 0.01), (("registration_percent",), 100.01)),
        r"\$\.error_percent is 0\.01, and by repeats it is -10",
    ),
    "more pulses": (forged("clean", (("pulses",), 10)), r"\$\.pulses is 10, and by repeats it is 9"),
    "more pulses in a repeat": (
        forged("clean", (("pulses",), 10), (("repeats", 0, "pulses"), 10)),
        r"\$\.repeats\[0\]\.energy_wh is 1\.35, and by pulses and the constant it is 1\.5",
    ),
    "another constant": (
        forged("clean", (("constant_wh",), 0.2)), "constant_wh is 0.2, and by constant_exact it is 0.15",
    ),
    "a constant that is none": (forged("clean", (("constant_exact",), "3/0")), "which is no number such as 3/20"),
    "a smaller uncertainty": (
        forged("clean", (("uncertainty_percent",), 0.001)),
        r"\$\.uncertainty_percent is 0\.001, and by budget and coverage_factor it is 0\.01",
    ),
    "an uncertainty less than repeats scatter by": (
        forged(
            "repeated", (("uncertainty_percent",), 0.001), (("budget", 0, "half_width_percent"), 0.0005),
            (("budget", 0, "standard_percent"), 0.0005),
        ),
        r"\$\.uncertainty_percent is 0\.001, and what repeats scatter by alone makes it 0\.002",
    ),
    "a smaller factor": (
        forged("clean", (("uncertainty_percent",), 0.005), (("coverage_factor",), 1.0)),
        r"\$\.coverage_factor is 1, and by docs/json\.md it is 2",
    ),
    "a distribution that is none": (forged("clean", (("budget", 0, "distribution"), "hopeful")), "must be normal"),
    "a component below 0": (
        forged("clean", (("budget", 0, "half_width_percent"), -0.004), (("budget", 0, "standard_percent"), -0.004)),
        r"budget\[0\]",
    ),
    "a closure hidden": (
        forged(
            "clean",
            (("edges",), msgspec.to_builtins(HIDDEN)), (("pulses",), 599), (("energy_wh",), 599 * 0.15),
            (("reference_wh",), 600 * 0.15), (("seconds",), 6.0), (("error_percent",), -100 / 600),
            (("registration_percent",), 100 - 100 / 600), (("limits", "error_percent"), 1.0),
            (("repeats",), [msgspec.to_builtins(RepeatLine(599, 6.0, 599 * 0.15, 600 * 0.15, -100 / 600))]),
        ),
        r"kyz_order_errors has nothing of edge 401 at 4\.020000 s, which came \+1\.000 pulses late",
    ),
    "said to be of hardware": (
        forged("clean", (("simulated",), False), (("provenance", "simulated"), False)),
        r"provenance\.simulated is false, and by fidelity 'exact' it is true",
    ),
    "a point in a series": (
        forged("series", (("points", 1, "verification", "error_percent"), 0.0)),
        r"\$\.points\[1\]\.verification\.error_percent is 0, and by repeats it is 0\.01",
    ),
    "a series with a failed point": (
        forged("series", (("passed",), False)), r"\$\.passed is false, and by points, tests and averages it is true",
    ),
    "an average beyond its points": (
        forged("series", (("averages", 0, "error_percent"), 0.011)), r"averages\[0\]\.error_percent is 0\.011",
    ),
    "a test with pulses": (
        forged("series", (("tests", 0, "value"), 3.0)), "passed is true, and 3 ± 0 pulses is not at most the limit, 1",
    ),
    "a test of no kind": (forged("series", (("tests", 0, "kind"), "faith")), "it must be register"),
    "a witness who is off": (
        forged("agreement", (("witnesses", 2, "stated_wh"), 10.0), (("witnesses", 2, "difference_wh"), 3.0)),
        r"\$\.witnesses\[2\]\.agrees is true, and \+3 Wh is beyond 1\.5 Wh",
    ),
    "a parted witness among those who agree": (
        forged("parted", (("passed",), True)), "passed is true, and by witnesses it is false",
    ),
    "a self-test with a failed part": (
        forged("selftest", (("parts", 1, "passed"), False)), r"\$\.passed is true, and by parts it is false",
    ),
    "an accuracy point beyond": (
        forged("accuracy", (("points", 0, "error_percent"), 0.3)),
        r"points\[0\]\.passed is true, and by its figures: \+0\.3000 % is beyond the limit of ±0\.2 %",
    ),
    "a factor for few readings": (
        forged("accuracy", (("points", 0, "degrees_of_freedom"), 4.0)), r"degrees_of_freedom is 4, and by budget",
    ),
    "a lot with a better yield": (
        forged("lot", (("yield_percent",), 75.0)), "yield_percent is 75, and by meters it is 50",
    ),
    "a meter beyond its limit": (
        forged("lot", (("meters", 2, "passed"), True)), r"yield_percent is 50, and by meters it is 75",
    ),
    "figures that agree and do not": (
        forged("comparison", (("agree",), True), (("compared", 0, "agree"), True)), r"compared\[0\]\.agree is true",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_result_is_refused_with_the_field(name: str, tmp_path: Path) -> None:
    raw, why = FORGED[name]
    file = tmp_path / "result.json"
    file.write_bytes(msgspec.json.encode(raw))
    with pytest.raises(ReportError, match=why) as refused:
        read_result(file)
    assert str(refused.value).startswith(f"{file} contradicts itself: ")


def test_what_was_read_is_rendered_byte_for_byte(tmp_path: Path) -> None:
    for name, made in RESULTS.items():
        file = tmp_path / f"{name}.json"
        file.write_bytes(msgspec.json.encode(made()))
        assert rendered(page_of(read_result(file)), Path("a.html")) == rendered(page_of(made()), Path("a.html"))
