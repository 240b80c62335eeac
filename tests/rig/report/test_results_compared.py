"""Two results compared, against figures by hand."""

from __future__ import annotations

from itertools import product
from typing import Any

import msgspec
import pytest

from rig.errors import RigError
from rig.report.compared import Basis
from rig.report.comparison import compare
from rig.report.differences import differences
from rig.verify.result import Setup
from rig.verify.series import SeriesResult
from tests.rig.report.report_results import ORIGIN, accuracy, agreement, selftest, series, verification


@pytest.mark.parametrize(
    ("a", "b", "normalized", "agree"),
    [
        ((0.01, 0.03), (0.05, 0.04), 0.8, True),  # 0.04 of √(0.03² + 0.04²) = 0.05
        ((0.05, 0.04), (0.01, 0.03), 0.8, True),
        ((0.0, 0.03), (0.06, 0.04), 1.2, False),
        ((0.1, 0.0), (0.1, 0.0), 0.0, True),
        ((0.1, 0.0), (0.2, 0.0), None, False),
    ],
)
def test_they_part_where_the_difference_is_beyond_both_uncertainties(
    a: tuple[float, float], b: tuple[float, float], normalized: float | None, agree: bool
) -> None:
    one, other = (verification(error_percent=error, uncertainty_percent=spread) for error, spread in (a, b))
    found = compare(one, other)
    (figure,) = found.compared
    assert figure.difference == pytest.approx(b[0] - a[0])
    assert figure.normalized == (normalized if normalized is None else pytest.approx(normalized))
    assert (found.agree, figure.agree) == (agree, agree)
    assert ("they agree" in found.sentence) is agree


def test_series_are_compared_point_by_point_and_average_by_average() -> None:
    found = compare(series(0.0, 0.0, 0.02), series(0.0, 0.02))
    assert [each.name for each in found.compared] == ["point 1", "point 2", "no load", "mean"]
    assert [each.agree for each in found.compared] == [True, False, True, True]
    assert found.notes == ["only A has the point 'point 3'"]
    assert found.sentence.startswith("1 of 4 figures part; most point 2: B − A is +0.02000 %")


def test_what_they_do_not_have_in_common_is_told() -> None:
    other = verification(
        counter="gpio:14,15",
        setup=Setup({"Type": "RXRS4e", "Serial": "87 654 321", "Form": "FM 9S"}),
        provenance=msgspec.structs.replace(ORIGIN, program="feed"),
    )
    assert differences(verification(), other) == [
        "the counter is fpga in A and gpio:14,15 in B",
        "the program is 093ee84e2ec8 in A and feed in B",
        "the meter's Serial is 12 345 678 in A and 87 654 321 in B",
        "the meter's Form is not stated in A and FM 9S in B",
        "the configuration's hardware is simulated in A and not stated in B",
        "the environment's temperature is 22.8 °C in A and not stated in B",
    ]


def changed_test(**changed: Any) -> SeriesResult:
    found = series(0.0)
    return msgspec.structs.replace(found, tests=[msgspec.structs.replace(found.tests[0], **changed)])


def test_tests_without_an_uncertainty_are_compared_by_their_verdict() -> None:
    """A demand of +0.0001 % and one of +0.0002 % do not part, as nothing says how well either is known."""
    one, other = changed_test(value=0.0001), changed_test(value=0.0002)
    agreed = next(each for each in compare(one, other).compared if each.name == "no load")
    assert (agreed.basis, agreed.agree, agreed.difference, agreed.normalized) == (Basis.VERDICT, True, None, None)
    found = compare(one, changed_test(value=3.0, passed=False, text="3 pulses in 600 s"))
    assert not found.agree
    assert found.sentence == "1 of 3 figures part; most no load: it has passed in A and has not passed in B"


@pytest.mark.parametrize(("value", "agree"), [(0.0049, True), (0.0051, False)])
def test_tests_with_an_uncertainty_are_compared_by_it(value: float, agree: bool) -> None:
    """√(0.003² + 0.004²) = 0.005 s."""
    one, other = (
        changed_test(kind="eoi", unit="s", value=each, uncertainty=spread)
        for each, spread in ((0.0, 0.003), (value, 0.004))
    )
    figure = next(each for each in compare(one, other).compared if each.name == "no load")
    assert (figure.unit, figure.basis, figure.agree) == ("s", Basis.UNCERTAINTY, agree)
    assert figure.uncertainty == pytest.approx(0.005)


def test_a_test_of_another_kind_is_told_and_not_compared() -> None:
    found = compare(series(0.0), changed_test(kind="eoi", unit="s"))
    assert "no load" not in [each.name for each in found.compared]
    assert "no load: two kinds of test are not compared" in found.notes


def test_a_series_of_tests_alone_is_compared() -> None:
    alone = msgspec.structs.replace(series(0.0), points=[], averages=[])
    assert [each.name for each in compare(alone, alone).compared] == ["no load"]


@pytest.mark.parametrize(("wh", "agree"), [(6.5, True), (9.4, True), (9.6, False)])
def test_witnesses_part_beyond_the_sum_of_their_tolerances(wh: float, agree: bool) -> None:
    """A display that is known to 1.5 Wh says 6.5 of 7 Wh: one that says more than 9.5 cannot be of the same fault."""
    found = compare(agreement(6.5), agreement(wh))
    assert [each.name for each in found.compared] == [
        "KYZ1 kWh delivered", "registers kWh delivered", "display 02 kWh delivered",
    ]  # fmt: skip
    assert [each.agree for each in found.compared] == [True, True, agree]
    assert {each.basis for each in found.compared} == {Basis.TOLERANCE}
    note = "display 02 kWh delivered has passed in A and has not passed in B"
    assert (note in found.notes) is (abs(wh - 7) > 1.5)
    assert found.agree is agree


def test_witnesses_that_one_lacks_are_told() -> None:
    one, other = agreement(), msgspec.structs.replace(agreement(), witnesses=agreement().witnesses[:2])
    assert "only A has the witness 'display 02 kWh delivered'" in compare(one, other).notes
    still = msgspec.structs.replace(one.witnesses[0], reference_wh=0.0)
    dead = msgspec.structs.replace(one, witnesses=[still, *one.witnesses[1:]])
    assert "KYZ1 kWh delivered is not compared: nothing flowed" in compare(one, dead).notes
    with pytest.raises(RigError, match="no witness in common"):
        compare(one, msgspec.structs.replace(one, witnesses=[]))


def test_self_tests_are_compared_by_their_verdicts() -> None:
    found = compare(selftest(), selftest(LED=False, clock=None))
    assert [(each.name, each.agree) for each in found.compared] == [("clock", False), ("LED", False), ("LCD", True)]
    assert found.sentence == "2 of 3 figures part; most clock: it has passed in A and was not tested in B"
    assert compare(selftest(), selftest()).sentence == "they agree: every verdict is the same"


def test_accuracy_tests_are_compared_point_by_point() -> None:
    """√2 · 0.005 % = 0.00707 %."""
    assert compare(accuracy(0.01), accuracy(0.017)).agree
    found = compare(accuracy(0.01), accuracy(0.018, creep=False))
    assert [(each.name, each.basis, each.agree) for each in found.compared] == [
        ("100 % TA", Basis.UNCERTAINTY, False), ("no load", Basis.VERDICT, False),
    ]  # fmt: skip


OF_EACH_KIND: dict[str, Any] = {
    "one verification": verification, "a series": lambda: series(0.0), "an agreement of witnesses": agreement,
    "a self-test": selftest, "an accuracy test": accuracy, "a comparison": lambda: compare(selftest(), selftest()),
}  # fmt: skip


@pytest.mark.parametrize(("one", "other"), [pair for pair in product(OF_EACH_KIND, repeat=2) if pair[0] != pair[1]])
def test_two_kinds_are_not_compared(one: str, other: str) -> None:
    with pytest.raises(RigError) as refused:
        compare(OF_EACH_KIND[one](), OF_EACH_KIND[other]())
    assert str(refused.value) == f"{one} and {other} cannot be compared: give two of a kind"


def test_what_has_nothing_in_common_is_not_compared() -> None:
    with pytest.raises(RigError, match="no point and no test of the same name"):
        compare(series(0.0), msgspec.structs.replace(series(0.0), points=[], tests=[]))
    with pytest.raises(RigError, match="two comparisons cannot be compared"):
        compare(compare(selftest(), selftest()), compare(selftest(), selftest()))
    with pytest.raises(RigError, match="B has two of part 'LED'"):
        compare(selftest(), msgspec.structs.replace(selftest(), parts=[*selftest().parts, *selftest().parts[1:2]]))
