"""The same file of a series by `rig verify --series` and as items of pytest: one verdict, one set of kept points."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest

from rig.daemon.address import runtime_folder
from rig.daemon.launch import Launched
from rig.daemon.startup import Start
from rig.hardware.config import Config
from rig.verify.series import PointResult
from tests.rig.verify.series_process import SERIES, begin, check_series, end, kill_after, nobody_is_left, whole_lines

pytest_plugins = ["pytester"]

QUIET = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist")
FILE = "s.series.toml"


@pytest.fixture
def folder(pytester: pytest.Pytester) -> Path:
    (pytester.path / FILE).write_text(SERIES, encoding="utf-8")
    return pytester.path


def properties(case: ElementTree.Element) -> dict[str, str]:
    return {each.attrib["name"]: each.attrib["value"] for each in case.iter("property")}


@pytest.mark.slow
def test_a_series_that_is_killed_goes_on_in_pytest_and_ends_by_the_command(
    pytester: pytest.Pytester, folder: Path
) -> None:
    process = begin(folder)
    assert kill_after(process, folder, "point 2 of 2", 0.3)
    first = whole_lines(folder)
    assert len(first) == 1
    assert nobody_is_left(folder)

    result = pytester.runpytest_subprocess(*QUIET, FILE, "--rig-resume", "kept.jsonl", "--junit-xml", "j.xml")
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["*the error is +0.5000 %, beyond the limit of ±0.03 %*"])
    assert "Traceback" not in result.stdout.str()
    lines = whole_lines(folder)
    assert lines[0] == first[0]
    cases = {case.attrib["name"]: case for case in ElementTree.parse(folder / "j.xml").getroot().iter("testcase")}
    assert list(cases) == ["full load", "wrong constant", "dwell", "mean of both"]
    assert [len(list(case.iter("failure"))) for case in cases.values()] == [0, 1, 0, 0]
    assert float(properties(cases["dwell"])["value"]) > 0.007
    for line in lines[:2]:
        point = msgspec.json.decode(line, type=PointResult)
        found = properties(cases[point.name])
        assert float(found["error_percent"]) == point.verification.error_percent
        assert "exact" in found["provenance"]
    assert float(properties(cases["mean of both"])["error_percent"]) == pytest.approx(0.25, abs=0.01)

    check_series(folder, end(folder))
    assert (folder / "stderr.txt").read_text().count("measured before") == 2
    assert (folder / "stderr.txt").read_text().count("made before") == 1
    assert whole_lines(folder) == lines

    chosen = pytester.runpytest_inprocess(*QUIET, "-rs", FILE, "-k", "full or mean", "--rig-resume", "kept.jsonl")
    chosen.assert_outcomes(passed=1, skipped=1, deselected=2)
    chosen.stdout.fnmatch_lines(["*'wrong constant' has no result in this run*"])


def test_on_hardware_without_a_meter_there_is_no_verdict_and_a_source_is_skipped(pytester: pytest.Pytester) -> None:
    text = SERIES.replace('constant_wh = "0.15075"', 'reference = "source"')
    (pytester.path / FILE).write_text(text, encoding="utf-8")
    result = pytester.runpytest_inprocess(*QUIET, "-rs", FILE, "--rig", "pi")
    result.assert_outcomes(failed=2, skipped=2)
    result.stdout.fnmatch_lines(
        ["*no verdict: no meter runs at *", "*note: full load is for the load 20 A*", "*on hardware give another*"],
        consecutive=False,
    )


@pytest.mark.slow
def test_the_same_file_counts_the_meter_that_runs_on_hardware(pytester: pytest.Pytester) -> None:
    """What runs at the socket is a simulated meter; to who counts it is the Pi's, whose load the source must give."""
    one = SERIES[: SERIES.index('[[points]]\nname = "wrong constant"')]
    (pytester.path / FILE).write_text(one, encoding="utf-8")
    socket = runtime_folder() / "pi.sock"
    (pytester.path / "rig.toml").write_text(f'[hardware]\nkind = "pi"\n[daemon]\nsocket = "{socket}"\n')
    launched = Launched(Start(Config(), str(socket), None, paced=False))
    launched.begin()
    try:
        result = pytester.runpytest_inprocess(*QUIET, FILE, "--rig", "pi", "--rig-config", "rig.toml", "-rP")
    finally:
        launched.process.kill()
        launched.wait()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*note: full load is for the load 20 A: the source must give it*"])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "title"),
        ("title = ", "TOML"),
        (SERIES.replace('"kyz1"', '"kyz9"'), "output is 'kyz9'"),
        (SERIES.replace('"20 A"', '"20 kA"'), "is not understood"),
        (SERIES.replace("22.8 °C", "x" * 300), "environment: 'temperature' has more than 200 characters"),
    ],
)
def test_a_file_that_is_no_series_is_an_error_of_collection_in_a_sentence(
    pytester: pytest.Pytester, text: str, why: str
) -> None:
    (pytester.path / FILE).write_text(text, encoding="utf-8")
    result = pytester.runpytest_inprocess(*QUIET, FILE)
    result.assert_outcomes(errors=1)
    assert why in result.stdout.str()
    assert "Traceback" not in result.stdout.str()


def test_other_toml_files_are_left_alone(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_nothing(): pass")
    for name in ("pyproject.toml", "meter.toml", "series.toml"):
        (pytester.path / name).write_text("# no series", encoding="utf-8")
    pytester.runpytest_inprocess(*QUIET).assert_outcomes(passed=1)
    pytester.runpytest_inprocess(*QUIET, "meter.toml").assert_outcomes(errors=1)
