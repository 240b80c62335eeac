"""Tables of test points: what comes with the rig, against the facts that they were made from; files of a user's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from calibration.errors import CalibrationError
from calibration.point_tables import FOLDER, CurrentUnit, Judged, Status, point_table, read_points, standards

FACTS = Path(__file__).parents[3] / "shared" / "facts" / "accuracy_points.json"

KEYS = {
    "IEC 62053-22": "iec62053-22",
    "IEC 62053-21": "iec62053-21",
    "IEC 62053-23": "iec62053-23",
    "IEC 62053-24": "iec62053-24",
    "ANSI C12.20": "ansi-c12.20",
    "OIML R 46-1/-2:2012": "oiml-r46",
}
"""Standards whose points were taken over by name; of others one fact is several points."""

GOOD = """
title = "mine"
points = [
  {{ name = "one", class = "0.2S", current = "5 % In", pf = "0.5L", limit = 0.2, source = "a" }},
  {row}
]
[sources.a]
status = "unverified"
text = "a test"
"""


def written(tmp_path: Path, row: str, **changes: str) -> Path:
    text = GOOD.format(row=row)
    for old, new in changes.items():
        text = text.replace(old, new)
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("standard", standards())
def test_each_table_is_whole(standard):
    table = point_table(standard)
    assert table.points
    assert table.title
    assert {path.stem for path in FOLDER.glob("*.toml")} == set(standards())
    for name in table.classes:
        part = table.of_class(name)
        assert part.points
        assert all(point.accuracy_class == name for point in part.points)


def test_facts_are_taken_over_by_name_limit_and_status():
    if not FACTS.exists():
        pytest.skip("the shared facts are not here")
    seen, tables = 0, {key: point_table(key).points for key in KEYS.values()}
    for fact in json.loads(FACTS.read_text())["points"]:
        key = KEYS.get(fact["standard"])
        if key is None:
            continue
        found = [p for p in tables[key] if p.name == fact["name"]]
        if not found:  # one fact for several currents, phases or voltages: their names begin with its own
            begin = fact["name"].split(" 0.05Ib")[0].split(" 0.1Ib")[0].split(" 10%Ib")[0].split(" 20%Ib")[0]
            found = [p for p in tables[key] if p.name.startswith(begin)]
        assert found, fact["name"]
        for point in found:
            assert point.limit_percent == fact["limit_percent"], fact["name"]
            if fact["status"].startswith("unverified"):
                assert not point.source.status.seen
            if fact["status"] == "verified":
                assert point.source.status is Status.VERIFIED
        if isinstance(fact["current"], (int, float)) and fact["current"] and len(found) == 1:
            assert float(found[0].current) == fact["current"]
        seen += 1
    assert seen > 300


def test_a_row_says_what_it_says():
    by_name = {point.name: point for point in point_table("iec62053-22").points}
    point = by_name["0.2S 0.5L 2%In"]
    assert (point.current, point.unit, point.power_factor, point.side) == (2, CurrentUnit.NOMINAL, 0.5, 1)
    assert (point.limit_percent, point.judged, point.source.status) == (0.5, Judged.ERROR, Status.UNVERIFIED)
    assert by_name["0.2S 0.8C 10"].side == -1
    assert by_name["0.5S PF1 5"].source.status is Status.QUOTED


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ('{ name = "two", class = "0.2S", current = "-5 % In", limit = 0.2, source = "a" }', "current is '-5 % In'"),
        ('{ name = "two", class = "0.2S", current = "nan A", limit = 0.2, source = "a" }', "current is 'nan A'"),
        ('{ name = "two", class = "0.2S", current = "5 % In", limit = nan, source = "a" }', "limit is nan"),
        ('{ name = "two", class = "0.2S", current = "5 % In", limit = inf, source = "a" }', "limit is inf"),
        ('{ name = "two", class = "0.2S", current = "5 % In", limit = 0, source = "a" }', "limit is 0"),
        ('{ name = "two", class = "0.2S", current = "5 % In", limit = -1, source = "a" }', "limit is -1"),
        ('{ name = "two", class = "0.2S", current = "5 % In", voltage = nan, source = "a" }', "voltage is nan"),
        ('{ name = "two", class = "0.2S", current = "5 % In", frequency = 0, source = "a" }', "frequency is 0"),
        ('{ name = "two", class = "0.2S", current = "5 % In", waveform = "square", source = "a" }', "quadriform"),
        ('{ name = "two", class = "0.2S", current = "5 % In", pf = "0.5", source = "a" }', "pf is '0.5'"),
        ('{ name = "two", class = "0.2S", current = "5 % In", pf = "2L", source = "a" }', "pf is '2L'"),
        ('{ name = "two", class = "0.2S", current = "5 % In", pf = "sin0.5L", source = "a" }', "sin φ"),
        ('{ name = "two", class = "0.2S", current = "5 % In", load = "D", source = "a" }', "load is 'D'"),
        ('{ name = "two", class = "0.2S", current = "5 % In", judged = "kindly", source = "a" }', "judged is 'kindly'"),
        ('{ name = "two", class = "0.2S", current = "5 % In", source = "b" }', "source is 'b'"),
        ('{ name = "one", class = "0.2S", current = "5 % In", source = "a" }', "two points are called 'one'"),
        ('{ name = "two", class = "0.2S", source = "a" }', "point 'two'"),
        ('{ name = "two", class = "0.2S", current = 5, source = "a" }', "current"),
        ('{ name = "two", class = "0.2S", current = "5 % In", colour = "red", source = "a" }', "colour"),
        ('{ name = "two\\u001b[31m", class = "0.2S", current = "5 % In", source = "a" }', "cannot be printed"),
        (
            '{ name = "two", class = "0.2S", current = "5 % In", amperes_harmonics = [[1, 0.1, 0.0]], source = "a" }',
            "order from 2",
        ),
        (
            '{ name = "two", class = "0.2S", current = "1 A", volts_harmonics = [[3, nan, 0.0]], source = "a" }',
            "share of the fundamental",
        ),
    ],
)
def test_a_wrong_row_is_named_in_a_sentence(tmp_path, row, says):
    with pytest.raises(CalibrationError) as caught:
        read_points(written(tmp_path, row))
    sentence = str(caught.value)
    assert says in sentence
    assert "mine.toml" in sentence
    assert "\n" not in sentence
    assert "$" not in sentence


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"points = [", b"points = 3\ntitle=''", b"[" * 5000])
def test_a_file_that_is_no_table_is_refused(tmp_path, content):
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    with pytest.raises(CalibrationError, match=r"bad\.toml"):
        read_points(path)


def test_unknown_names_list_the_known_ones(tmp_path):
    with pytest.raises(CalibrationError, match="iec62053-22"):
        point_table("iec99")
    with pytest.raises(CalibrationError, match=r"0\.1S, 0\.2S, 0\.5S"):
        point_table("iec62053-22").of_class("5")
    with pytest.raises(CalibrationError, match="cannot be read"):
        read_points(tmp_path / "absent.toml")


def test_a_point_without_a_limit_has_none(tmp_path):
    row = '{ name = "two", class = "0.2S", current = "2.5 A", volts_harmonics = [[3, 0.1, 20.0]], source = "a" }'
    points = read_points(written(tmp_path, row)).points
    assert points[1].limit_percent is None
    assert points[1].shape.volts == ((3, 0.1, 20.0),)
