"""Two results compared, against figures by hand."""

from __future__ import annotations

import msgspec
import pytest

from rig.errors import RigError
from rig.report.comparison import compare, differences
from rig.verify.result import Setup
from tests.rig.report.report_results import ORIGIN, series, verification


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
    assert figure.difference_percent == pytest.approx(b[0] - a[0])
    assert figure.normalized == (normalized if normalized is None else pytest.approx(normalized))
    assert (found.agree, figure.agree) == (agree, agree)
    assert ("they agree" in found.sentence) is agree


def test_series_are_compared_point_by_point_and_average_by_average() -> None:
    found = compare(series(0.0, 0.01, 0.02), series(0.0, 0.03))
    assert [each.name for each in found.compared] == ["point 1", "point 2", "mean"]
    assert [each.agree for each in found.compared] == [True, False, True]
    assert found.notes == ["only A has the point 'point 3'"]
    assert found.sentence.startswith("1 of 3 figures part; most point 2: B − A is +0.02000 %")


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
    ]


def test_a_series_and_one_verification_are_not_compared() -> None:
    with pytest.raises(RigError, match="one verification and a series cannot be compared"):
        compare(verification(), series(0.0))
    with pytest.raises(RigError, match="no point of the same name"):
        compare(series(0.0), msgspec.structs.replace(series(0.0), points=[]))
