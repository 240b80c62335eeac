"""A series: its file, averages by hand, a file of measured points that was cut off, and the command twice over."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from rig.cli.app import app
from rig.cli.options import meter_socket
from rig.cli.verified_meter import verified_meter
from rig.cli.verify_series import SeriesRun
from rig.daemon.client import MeterClient
from rig.daemon.launch import Launched
from rig.daemon.protocol import Reading, Stop, Topic
from rig.daemon.startup import Start
from rig.errors import RigError
from rig.hardware.config import Config, load
from rig.hardware.selection import program_of
from rig.results.provenance import provenance_of_computation
from rig.verify.kept_results import Measured
from rig.verify.point import Point
from rig.verify.result import BudgetLine, Limits, OrderError, RepeatLine, Verification
from rig.verify.series import (
    Average,
    PointResult,
    Series,
    SeriesResult,
    digest_of,
    read_series,
    series_result,
)

DOCUMENT = Path(__file__).parents[3] / "docs" / "verification.md"


def found(error: float, uncertainty: float, passed: bool = True) -> Verification:
    """Give what ten pulses of 0.15 Wh come to, with one component of uncertainty, and a closure missing if it fails."""
    reference_wh = 1.5 / (1 + error / 100)
    faults = [] if passed else [OrderError("missed", 1, 4, 0.8, 1.2, "1 closure missed")]
    return Verification(
        output="KYZ1", quantity="kWh delivered", constant_wh=0.15, constant_exact="3/20", counter="fpga",
        reference="meter", pulses=10, seconds=2.0, energy_wh=1.5, reference_wh=reference_wh, error_percent=error,
        registration_percent=100 + error, uncertainty_percent=uncertainty, coverage_factor=2.0, degrees_of_freedom=None,
        budget=[BudgetLine("edges", uncertainty / 2, "normal", uncertainty / 2, None)],
        repeats=[RepeatLine(10, 2.0, 1.5, reference_wh, error)], limits=Limits(1.0), passed=passed,
        reasons=[each.text for each in faults], kyz_order_errors=faults, edges=[],
        simulated=True, fidelity="exact", provenance=provenance_of_computation("exact", "abc"),
    )  # fmt: skip


def result(name: str, error: float, uncertainty: float, passed: bool = True) -> PointResult:
    return PointResult(name, f"digest of {name}", found(error, uncertainty, passed))


def test_an_average_is_that_of_the_errors_by_weight() -> None:
    """(0.03 + 4 · 0.01) / 5 = 0.014; its uncertainty √(0.01² + (4 · 0.005)²) / 5 = 0.004472."""
    series = Series("t", [Point("FL"), Point("LL")], [Average("mean", {"FL": 1, "LL": 4}, 0.02)])
    whole = series_result(series, [result("FL", 0.03, 0.01), result("LL", 0.01, 0.005)])
    (mean,) = whole.averages
    assert mean.error_percent == pytest.approx(0.014)
    assert mean.uncertainty_percent == pytest.approx(0.0044721360)
    assert mean.passed
    assert whole.passed


@pytest.mark.parametrize(("limit", "passed", "expected"), [(0.018, True, False), (0.02, False, False)])
def test_it_has_passed_where_all_points_and_averages_have(limit: float, passed: bool, expected: bool) -> None:
    series = Series("t", [Point("FL"), Point("LL")], [Average("mean", {"FL": 1, "LL": 4}, limit)])
    whole = series_result(series, [result("FL", 0.03, 0.01), result("LL", 0.01, 0.005, passed)])
    assert whole.passed is expected


def test_measured_points_are_found_again_and_one_that_was_cut_off_is_not(tmp_path: Path) -> None:
    file = tmp_path / "measured.jsonl"
    first = Measured(file)
    last = result("LL", 0.2, 0.01)
    first.add(result("FL", 0.1, 0.01))
    first.add(last)
    whole = file.read_bytes()
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        again = Measured(file)
        complete = whole[:length].count(b"\n")
        assert [again.result(f"digest of {name}") is not None for name in ("FL", "LL")] == [
            complete > 0,
            complete > 1,
        ]
        assert file.read_bytes() == b"".join(whole.splitlines(keepends=True)[:complete])
    again = Measured(file)
    again.add(last)
    assert file.read_bytes() == whole


def test_what_is_asked_otherwise_is_another_point() -> None:
    point = Point("FL", pulses=20)
    digests = {
        digest_of(point, "a"),
        digest_of(point, "b"),
        digest_of(msgspec.structs.replace(point, pulses=21), "a"),
        digest_of(msgspec.structs.replace(point, load="5 A"), "a"),
    }
    assert len(digests) == 4
    assert digest_of(Point("FL", pulses=20), "a") in digests


def test_the_example_of_the_document_is_a_series(tmp_path: Path) -> None:
    blocks = re.findall(r"^```toml\n(.*?)^```", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    block, tests = (each for each in blocks if "[[" in each)
    file = tmp_path / "series.toml"
    file.write_text(block, encoding="utf-8")
    series = read_series(file)
    assert read_series(DOCUMENT.parent / "examples" / "kyz1.series.toml") == series
    assert [point.name for point in series.points] == ["full load", "light load", "0.5 lag, whole meter"]
    file.write_text(block + tests, encoding="utf-8")
    assert [test.kind for test in read_series(file).tests] == ["creep", "kyz ratio"]
    for key in Point.__struct_fields__:
        assert f"`{key}`" in DOCUMENT.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "title"),
        ('title = "t"\npoints = []', "points"),
        ('title = "t"\n[[points]]\nname = "a"\noutput = "kyz9"', "point 'a': output is 'kyz9', it must be led"),
        ('title = "t"\n[[points]]\nname = "a"\npulses = 5\nseconds = 2.0', "point 'a': pulses and seconds both say"),
        ('title = "t"\n[[points]]\nname = "a"\nenergy_wh = "x"', "point 'a': energy_wh is"),
        ('title = "t"\n[[points]]\nname = "a"\nreference = "faith"', "it must be meter, source or standard:"),
        ('title = "t"\n[[points]]\nname = "a"\nrepeat = 0', "repeat"),
        ('title = "t"\n[[points]]\nname = "a"\nloud = "5 A"', "loud"),
        ('title = "t"\n[[points]]\nname = "a"\n[[points]]\nname = "a"', "two points are called 'a'"),
        ('title = "t"\n[[points]]\nname = "a"\n[[averages]]\nname = "m"\nweights = { b = 1 }', "has the point 'b'"),
        ('title = "t"\n[[points]]\nname = "a"\n[[averages]]\nname = "m"\nweights = { a = 0 }', "weights"),
        ('title = "t"\n[[points]]\nname = "a"\npulses = "many"', "pulses is 'many', it must be a whole number"),
        ('title = "t"\n[[points]]\nname = "a"\ncounter = "banana"', "point 'a': counter is 'banana', it must be fpga"),
        ('title = "t"\n[[points]]\nname = "a"\ncounter = "gpio:14,99"', "a GPIO is 0 to 27"),
        ('title = "t"\n[[points]]\nname = "a"\nlimit_percent = inf', "limit is inf, it must be more than 0, and fini"),
        ('title = "t"\n[[tests]]\nname = "a"\nkind = "eoi"\nseconds = 0', "a number more than 0, up to 1e+07"),
        (
            'title = "t"\n[[points]]\nname = "a"\n[[averages]]\nname = "m"\nweights = { a = 1 }\nlimit_percent = nan',
            "limit_percent is nan, it must be a number more than 0",
        ),
        ("title = ", "TOML"),
    ],
)
def test_a_file_that_is_no_series_is_refused_with_the_place(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "series.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(RigError) as refused:
        read_series(file)
    assert why in str(refused.value)
    assert str(file) in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["{}\n", "\xff\n", "[" * 3000 + "\n"])
def test_a_file_that_holds_no_points_is_refused_and_left_alone(tmp_path: Path, text: str) -> None:
    file = tmp_path / "measured.jsonl"
    file.write_text(text, encoding="latin-1")
    with pytest.raises(RigError, match="is no file of measured points"):
        Measured(file)
    assert file.read_text(encoding="latin-1") == text


@pytest.mark.parametrize("text", ["notes", '{"name": "a"}', '{"name":"a"}', '{"name":"a","version":1}', " ", "{}"])
def test_a_file_of_one_line_that_is_no_result_is_left_alone(tmp_path: Path, text: str) -> None:
    """What a kill leaves of a result's line is taken off; another's file is not."""
    file = tmp_path / "package.json"
    file.write_text(text)
    with pytest.raises(RigError, match="is no file of measured points"):
        Measured(file)
    assert file.read_text() == text


def test_a_kept_result_that_was_changed_by_hand_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "measured.jsonl"
    measured = Measured(file)
    measured.add(result("FL", 0.1, 0.01))
    measured.add(result("LL", 0.2, 0.01))
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b'"error_percent":0.2', b'"error_percent":0.02'))
    with pytest.raises(RigError, match=r"measured\.jsonl, line 2, contradicts itself: LL: verification\.repeats\[0\]"):
        Measured(file)
    file.write_bytes(whole)
    assert Measured(file).result("digest of LL") is not None


def test_a_point_of_another_program_is_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same path in the same rig.toml, and another meter."""
    monkeypatch.chdir(tmp_path)
    Path("m.toml").write_text('[meter]\nmodel = "RXRS4e"\n')
    Path("rig.toml").write_text('[meter]\nprogram = "m.toml"\n')
    Path("s.toml").write_text('title = "t"\n[[points]]\nname = "FL"\n')

    def measured(point: Point, chosen: Config, *_: object) -> Verification:
        own = msgspec.structs.replace(provenance_of_computation("exact", ""), program=program_of(chosen).digest)
        return msgspec.structs.replace(found(0.1, 0.01), provenance=own)

    first = SeriesRun(Path("s.toml"), measured, resume=Path("k.jsonl"))
    (point,) = first.series.points
    result = first.measure(point)
    assert SeriesRun(Path("s.toml"), measured, resume=Path("k.jsonl")).before(point) == result
    Path("m.toml").write_text('[meter]\nmodel = "RXRS4e"\nserial = "87 654 321"\n')
    again = SeriesRun(Path("s.toml"), measured, resume=Path("k.jsonl"))
    assert again.before(point) is None
    assert f"FL was measured with the program {result.verification.provenance.program}" in capsys.readouterr().err
    assert again.measure(point).verification.provenance.program != result.verification.provenance.program
    assert SeriesRun(Path("s.toml"), measured, resume=Path("k.jsonl")).before(point) is not None


def test_two_runs_at_once_keep_all_that_either_measures(tmp_path: Path) -> None:
    file = tmp_path / "measured.jsonl"
    one, other = Measured(file), Measured(file)
    for k in range(5):
        one.add(result(f"one {k}", 0.1, 0.01))
        other.add(result(f"other {k}", 0.1, 0.01))
    again = Measured(file)
    assert all(again.result(f"digest of {name} {k}") for name in ("one", "other") for k in range(5))


@pytest.mark.parametrize("path", ["/nowhere/measured.jsonl", "/proc/measured.jsonl"])
def test_a_file_that_cannot_be_written_is_told_before_anything_is_measured(path: str) -> None:
    with pytest.raises(RigError, match=r"cannot be written \(.*\): give --resume another file"):
        Measured(Path(path))


def test_a_load_that_is_none_is_told_with_file_and_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.toml").write_text('title = "t"\n[[points]]\nname = "full load"\nload = "5 bananas"\n')
    ran = CliRunner().invoke(app, ["verify", "--series", "s.toml"])
    assert "s.toml: 'full load': load: '5 bananas' is not understood" in str(ran.exception)


def test_options_of_one_verification_are_not_for_a_series(tmp_path: Path) -> None:
    for words, why in (
        (["--series", "a.toml", "--pulses", "5"], "--pulses is for one verification"),
        (["--series", "a.toml", "--from", "a.json"], "--from is for one verification"),
        (["--resume", "a.jsonl"], "--resume is for a --series"),
    ):
        refused = CliRunner().invoke(app, ["verify", *words])
        assert why in str(refused.exception)
        assert getattr(refused.exception, "status", None) == 2


@pytest.mark.slow
def test_a_series_goes_on_where_it_was_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("s.toml").write_text(
        'title = "two"\n[[points]]\nname = "FL"\nload = "20 A"\npulses = 10\n'
        '[[points]]\nname = "wrong"\nload = "10 A"\npulses = 10\nconstant_wh = "0.15075"\n'
        '[[averages]]\nname = "mean"\nweights = { FL = 1, wrong = 1 }\n'
    )
    files = ["--resume", "s.jsonl", "--junit", "s.xml", "--report", "s.pdf"]
    words = ["verify", "--series", "s.toml", "--json", "--force", *files]
    first = CliRunner().invoke(app, words)
    assert first.exit_code == 1, first.output
    whole = msgspec.json.decode(first.stdout, type=SeriesResult)
    assert [point.verification.passed for point in whole.points] == [True, False]
    assert whole.averages[0].error_percent == pytest.approx(0.25, abs=0.02)
    assert not whole.passed
    again = CliRunner().invoke(app, words)
    assert again.stdout == first.stdout
    assert again.stderr.count("measured before") == 2
    lines = Path("s.jsonl").read_bytes().splitlines(keepends=True)
    Path("s.jsonl").write_bytes(lines[0] + lines[1][:50])
    resumed = CliRunner().invoke(app, words)
    assert resumed.stderr.count("measured before") == 1
    assert msgspec.json.decode(resumed.stdout, type=SeriesResult).points[0] == whole.points[0]
    assert Path("s.xml").read_text().count("<testcase") == 2


def measured_nowhere(point: Point, chosen: Config, path: Path | None, socket: Path | None, *_: object) -> Verification:
    """Measure at the meter that is there, and nowhere else."""
    assert socket is not None
    with verified_meter(path, chosen, socket, own=None, paced=True) as (client, _begin):
        return msgspec.structs.replace(found(0.0, 0.01), provenance=client.welcome.provenance)


def test_a_series_is_of_one_meter(tmp_path: Path) -> None:
    """One that dies between two points is not followed by another, and one that is started in between is none of it."""
    file, rig = tmp_path / "series.toml", tmp_path / "rig.toml"
    file.write_text('title = "t"\n[[points]]\nname = "a"\n[[points]]\nname = "b"\n')
    rig.write_text("[meter]\n")
    config = load(rig)
    there = meter_socket(rig, config, None)
    alone = SeriesRun(file, measured_nowhere, config=rig)
    assert [alone.before(point) for point in alone.series.points] == [None, None]
    assert alone._where() is None

    launched = Launched(Start(config, str(there)))
    with MeterClient.connect(there, "command line", "test") as client:
        client.subscribe(Topic.READINGS)
        launched.begin()
        client.await_message(Reading)
        with pytest.raises(RigError, match=r"a meter was started at .* since this series began without one: stop it"):
            alone.measure(alone.series.points[1])
        series = SeriesRun(file, measured_nowhere, config=rig)
        assert series.measure(series.series.points[0]).name == "a"
        client.ask(Stop())
    launched.wait()
    with pytest.raises(RigError, match=f"no meter runs at {there}"):
        series.measure(series.series.points[1])
