"""What pytest is given: the documented example, programs, and what someone at the bench reads when a test fails."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[3]
QUIET = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist")


@pytest.fixture
def run_pytest(pytester: pytest.Pytester, loaded: None):
    """Runs a test file, as pytest is run in a folder of its own."""

    def run(text: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(test_it=text)
        return pytester.runpytest_inprocess(*QUIET, *options)

    return run


@pytest.mark.slow
def test_the_documented_example(run_pytest) -> None:
    example = (ROOT / "docs" / "examples" / "test_bench.py").read_text(encoding="utf-8")
    run_pytest(example).assert_outcomes(passed=4)


@pytest.mark.program('[[inputs]]\nname = "IN1"\nfunction = "record"')
def test_every_word_of_the_document_is_there(request) -> None:
    document = (ROOT / "docs" / "choreography.md").read_text(encoding="utf-8")
    called = {(name, "") for name in re.findall(r"`(counter|relay|pulse_input)\(", document)}
    called |= set(re.findall(r"\b(counter|relay|pulse_input)\([^)]*\)\.(\w+)", document))
    words = "rig|display|magnet|scroll|reset|cover|test_switch|source|meter"
    spoken = set(re.findall(rf"`({words})\.(\w+)", document)) - {("rig", "toml")}
    assert len(called) + len(spoken) > 30
    for name, attribute in called | spoken:
        found = request.getfixturevalue(name)
        if (name, attribute) in called:
            found = found({"counter": "LED", "relay": "KYZ1", "pulse_input": 1}[name])
        assert not attribute or attribute in dir(found), f"{name} has no {attribute}"


def test_a_failure_is_told_in_the_words_of_the_bench(run_pytest) -> None:
    result = run_pytest(
        """
        import pytest

        @pytest.mark.program('[display]\\nnormal = ["kWh delivered"]')
        def test_magnet(rig, magnet, display):
            rig.run(3.5)
            magnet.hold(2.5)
            display.expect("ALT", within=0.1)
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            '>*display.expect("ALT", within=0.1)',
            "E*expected within 0.1 s of 6.00? s, when the magnet is taken away: ALT lit",
            "E*there was, up to 6.10? s:",
            'E*since*"00000" kWh, lit VA VB VC (normal sequence, item "kWh delivered")',
            "E*last acts:",
            "E*0.000 s  the meter starts",
            "E*3.50? s  the magnet is brought to twelve o'clock",
            "E*6.00? s  the magnet is taken away",
        ]
    )
    assert "def _came" not in result.stdout.str()


def test_a_program_beside_the_test(run_pytest, pytester) -> None:
    pytester.makefile(".toml", meter='[meter]\nserial = "12345"\n[display]\nnormal = ["serial"]')
    text = """
        import pytest

        @pytest.mark.program("meter.toml")
        def test_serial(display):
            display.expect(text="12345", within=3.2)
        """
    run_pytest(text).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("begins", "item", "text"), [('at="2026-12-24 23:50:00"', "date", "26.12.24"), ("", "time", "15:00")]
)
def test_a_meter_starts_at_the_instant_that_its_test_says(run_pytest, begins: str, item: str, text: str) -> None:
    """Or else at 15:00:05 UTC of 2026-07-01, as docs/choreography.md has it."""
    code = f"""
        import pytest

        @pytest.mark.program('[display]\\nnormal = ["{item}"]', {begins})
        def test_clock(display):
            display.expect(text="{text}", within=3.2)
        """
    run_pytest(code).assert_outcomes(passed=1)


@pytest.mark.slow
def test_a_rig_toml(run_pytest, pytester) -> None:
    pytester.makefile(".toml", meter='[meter]\nserial = "77"\n[display]\nnormal = ["serial"]')
    pytester.makefile(".toml", rig='[meter]\nprogram = "meter.toml"\nstore = "not-to-be-touched"')
    text = """
        def test_serial(rig, display):
            display.expect(text="77", within=3.2)
            rig.power_off(1)
            display.expect(text="77", within=3.2)
        """
    run_pytest(text, "--rig-config", "rig.toml").assert_outcomes(passed=1)
    assert not (pytester.path / "not-to-be-touched").exists()


@pytest.mark.parametrize(
    ("mark", "sentence"),
    [
        ("'[meters]\\nform = 1'", "the rig cannot be used: unknown key meters in the file*"),
        ("'none.toml'", "the rig cannot be used: *none.toml does not exist*"),
    ],
)
def test_a_program_that_is_refused(run_pytest, mark, sentence) -> None:
    result = run_pytest(f"import pytest\n\n@pytest.mark.program({mark})\ndef test_it(rig):\n    pass\n")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([sentence])


@pytest.mark.skipif(find_spec("spidev") is not None, reason="this machine may have the board")
def test_hardware_that_is_not_there(run_pytest) -> None:
    result = run_pytest("def test_it(rig):\n    pass\n", "--rig", "pi")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["the rig cannot be used: *spidev is missing*"])


BEGINS_AGAIN = """
    from contextlib import ExitStack
    import sys
    import pytest
    sys.path.insert(0, {folder!r})
    from someone import Someone, open_bench

    runs = []

    @pytest.fixture
    def rig_bench(tmp_path):
        someone = Someone(delays_s={delays})
        with ExitStack() as closing:
            yield open_bench(someone, tmp_path, closing)

    def test_it(rig, magnet, display):
        runs.append(rig.seconds)
        assert runs[-1] < 0.2
        magnet.hold(3.1)
        display.expect("ALT", within=0.1)

    def test_how_often():
        assert len(runs) == {times}
    """


@pytest.mark.slow
@pytest.mark.parametrize(
    ("delays", "times", "outcome"),
    [
        ([0.5, 2.0, 0.5, 0.2], 2, {"passed": 2}),  # the first hold lasts too long, the second is right
        ([0.5, 2.0] * 3, 3, {"passed": 1, "failed": 1}),
    ],
)
def test_a_hold_that_a_person_missed_begins_the_test_again(run_pytest, delays, times, outcome) -> None:
    result = run_pytest(BEGINS_AGAIN.format(folder=str(Path(__file__).parent), delays=delays, times=times))
    result.assert_outcomes(**outcome)
    result.stdout.fnmatch_lines(
        ["*MAGNET was held for 5.5? s, it must be 3.05 to 4.10 s: once more, from the beginning"]
    )


def test_what_a_rig_cannot_do_is_skipped(run_pytest) -> None:
    text = """
        from rig.bench.errors import NotFitted

        def test_it(rig):
            raise NotFitted("nothing moves that")
        """
    run_pytest(text).assert_outcomes(skipped=1)
