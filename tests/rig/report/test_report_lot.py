"""Report of a lot: its figures are on the page, it is made again byte for byte, and what is no lot is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.accuracy.lot_result import LotResult, lot_meter, lot_points
from rig.accuracy.result import AccuracyPointResult, twin
from rig.report.comparison import compare
from rig.report.errors import ReportError
from rig.report.files import page_of, rendered
from rig.report.reading import read_result
from rig.report.spreads import Spread, spread_charts
from tests.rig.report.report_results import verification


def point(name: str, error: float | None, limit: float | None = 0.2, passed: bool | None = True) -> AccuracyPointResult:
    return AccuracyPointResult(
        name=name, judged="error", quantity="active", amperes=5.0, power_factor="1", applied="", error_percent=error,
        limit_percent=limit, uncertainty_percent=None if error is None else 0.01, coverage_factor=2.0,
        degrees_of_freedom=None, budget=[], seconds=1.0, passed=passed, text="within the limit", verified_source=True,
        source_status="verified", source="seen",
    )  # fmt: skip


def lot() -> LotResult:
    """Of four meters: three calibrated, of which one is not inside, and one refused."""
    found = [[point("a", e, passed=abs(e) < 0.2), point("b", None)] for e in (1.5, -0.1, 2.5, -80.0)]
    left = [[point("a", e, passed=abs(e) < 0.2), point("b", None)] for e in (0.01, -0.02, 0.3)]
    why = ["", "", "", "reversed sensor: i1 is reversed against v1"]
    meters = [lot_meter(n + 1, found[n], left[n] if n < 3 else None, why[n]) for n in range(4)]
    return LotResult(
        standard="s", title="A standard", accuracy_class="0.2S", seed=7, passed=False, yield_percent=50.0,
        as_found_percent=25.0, refused=1, meters=meters, points=lot_points(found, [*left, None]),
        meter={"Form": "FM 9S"}, provenance=verification().provenance,
    )  # fmt: skip


def test_points_have_the_errors_of_all_meters():
    first, second = lot().points
    assert first.as_found_percent == [1.5, -0.1, 2.5, -80.0]
    assert first.as_left_percent == [0.01, -0.02, 0.3, None]
    assert (first.failed, first.tested, first.uncertainty_percent) == (1, True, 0.01)
    assert second.as_left_percent == [None] * 4
    meters = lot().meters
    assert [m.passed for m in meters] == [True, True, False, False]
    assert [m.as_found for m in meters] == [False, True, False, False]
    assert meters[2].worst_percent == 0.3


@pytest.mark.parametrize("kind", ["html", "pdf"])
def test_a_report_is_made_of_its_twin_again(tmp_path, kind):
    path = tmp_path / f"lot.{kind}"
    (tmp_path / "lot.json").write_bytes(twin(lot()))
    again = read_result(tmp_path / "lot.json")
    assert again == lot()
    assert rendered(page_of(again), path) == rendered(page_of(lot()), path)


def test_the_report_has_yield_distribution_worst_points_and_reasons(tmp_path):
    html = rendered(page_of(lot()), tmp_path / "lot.html").decode()
    assert "2 of 4 meters have passed, calibrated; 1 as found; 1 refused" in html
    assert "reversed sensor: i1 is reversed against v1" in html
    assert "+0.30000 %" in html  # the worst as left
    assert "\N{MINUS SIGN}80.00000 %" in html  # and as found
    row = html.partition("0 to 25 %")[2].partition("</tr>")[0]
    assert [cell.partition("<")[0] for cell in row.split(">") if cell.partition("<")[0].strip().isdigit()] == ["0", "2"]


def test_five_figures_of_a_spread():
    """By hand: shares of the limit 0.5 are −2, 0, 1, 2, 4."""
    assert Spread("a", 0.5, (1.0, -1.0, 0.5, 2.0, 0.0)).five == (-2.0, 0.0, 1.0, 2.0, 4.0)
    assert Spread("a", 0.5, (0.25,)).five == (0.5,) * 5


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=9), st.floats(1e-9, 100))
def test_any_spread_is_drawn_or_left_out(errors, limit):
    charts = spread_charts("title", [Spread("a", limit, tuple(errors))])
    assert len(charts) <= 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d: d["meters"].clear(), "has 0 meters, a lot has 1 to 1000"),
        (lambda d: d["points"][0]["as_left_percent"].pop(), "as_left_percent of 'a' has 3 errors"),
        (lambda d: d.update(extra=1), "has \\$.extra"),
        (lambda d: d["points"][0].update(failed="no"), "failed"),
        (lambda d: d["meters"][0].pop("passed"), "passed"),
    ],
)
def test_what_is_no_lot_is_refused_in_a_sentence(tmp_path, change, says):
    data = json.loads(twin(lot()))
    change(data)
    path = tmp_path / "lot.json"
    path.write_text(json.dumps(data))
    with pytest.raises(ReportError, match=says) as caught:
        read_result(path)
    assert "\n" not in str(caught.value)


def test_two_lots_are_compared_by_their_points(tmp_path):
    """By hand: the first point fails in one meter of this lot, and in none of a lot without that meter's error."""
    worse = lot()
    better = msgspec.structs.replace(worse.points[0], as_left_percent=[0.01, -0.02, 0.03, None], failed=0)
    third = msgspec.structs.replace(worse.meters[2], passed=True, worst_percent=0.03)
    other = msgspec.structs.replace(
        worse, seed=8, points=[better, worse.points[1]], meters=[*worse.meters[:2], third, worse.meters[3]],
        yield_percent=75.0,
    )  # fmt: skip
    for name, each in (("a", worse), ("b", other)):
        (tmp_path / name).write_bytes(twin(each))
    assert compare(read_result(tmp_path / "a"), read_result(tmp_path / "a")).agree
    found = compare(read_result(tmp_path / "a"), read_result(tmp_path / "b"))
    assert not found.agree
    assert [(each.a.value, each.b.value, each.agree) for each in found.compared] == [
        (0.3, 0.03, False),
        (None, None, True),
    ]
    assert any("meters" in note for note in found.notes)


def test_a_hostile_name_stays_text(tmp_path):
    data = lot()
    bad = "<script>alert(1)</script>\x1b[31m" + "x" * 2000
    data = msgspec.structs.replace(data, points=[msgspec.structs.replace(data.points[0], name=bad)])
    html = rendered(page_of(data), tmp_path / "lot.html").decode()
    assert "<script>alert" not in html
    assert "\x1b" not in html
    assert replace(page_of(data), title="x").title == "x"
