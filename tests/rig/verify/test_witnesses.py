"""Four witnesses of one load at real simulated meters: they agree, and a planted fault is named by its witness."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

import rig
from rig.cli.app import app
from rig.daemon.address import runtime_folder
from rig.daemon.client import MeterClient
from rig.daemon.launch import METERING, Launched
from rig.daemon.startup import Start
from rig.hardware.config import Config, load
from rig.hardware.selection import program_of
from rig.load.spelling import read_load
from rig.terminal.witness_view import agreement_lines
from rig.verify.agreement import Agreement, agreement
from rig.verify.result import Setup
from rig.verify.witnessing import Span, Witnessing

FAULTY = ("-m", "tests.rig.verify.faulty_meter")

RECORDING = Path(rig.__file__).parent / "program" / "examples" / "industrial-9s.toml"


def heard(config: Config, seconds: float, metering: tuple[str, ...] = METERING) -> Agreement:
    socket = runtime_folder() / "meter.sock"
    launched = Launched(Start(config, str(socket), None, paced=False), metering)
    try:
        with MeterClient.connect(socket, "verification", "test") as client:
            witnessing = Witnessing(client, Span(seconds), program_of(config).display, begin=launched.begin)
            witnessing.listen()
            return agreement(witnessing, client.welcome.provenance, Setup())
    finally:
        launched.process.kill()
        launched.wait()


def with_program(folder: Path, text: str, amperes: str = "20 A") -> Config:
    """A meter with this program on a steady load."""
    (folder / "meter.toml").write_text(text)
    file = folder / "rig.toml"
    file.write_text('[meter]\nprogram = "meter.toml"\n')
    config = load(file)
    return replace(config, simulation=replace(config.simulation, load=read_load(amperes)))


FINE = """
[meter]
model = "RXRS4e"
form = "9S"
current_class = 20

[recorder]
interval_minutes = 1
memory_kb = 128
channels = [{ metric = "kWh delivered", pulse = "0.3" }]

[display]
scroll_seconds = 6
energy_digits = 8
energy_decimals = 4
normal = ["kWh delivered", "Hz"]

[[outputs]]
name = "KYZ1"
function = "pulses"
quantity = "kWh delivered"
kp_wh = "0.3"
"""


def kinds(found: Agreement) -> set[str]:
    return {line.kind for line in found.witnesses}


def parted(found: Agreement) -> set[str]:
    return {line.kind for line in found.witnesses if not line.agrees}


def test_four_witnesses_of_a_meter_that_is_right_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_program(tmp_path, FINE)
    monkeypatch.chdir(tmp_path)
    words = ["--load", "20 A", "--seconds", "6", "--environment", "temperature=22 °C", "--report", "a.html"]
    ran = CliRunner().invoke(app, ["verify", "--witness", *words, "--junit", "a.xml", "--json"])
    assert ran.exit_code == 0, ran.output
    found = msgspec.json.decode(ran.stdout, type=Agreement)
    assert kinds(found) == {"pulses", "registers", "recorder", "display"}
    assert parted(found) == set()
    assert found.passed
    assert (found.absent, found.reasons) == ([], [])
    assert found.seconds >= 6
    for line in found.witnesses:
        assert abs(line.difference_wh) <= line.tolerance_wh
        assert line.tolerance_percent is not None
        assert line.tolerance_percent < 20, "a fault of that size would have been seen"
    assert [line.at_s for line in found.timeline] == sorted(line.at_s for line in found.timeline)
    assert {line.witness for line in found.timeline} == {line.witness for line in found.witnesses}
    assert found.simulated
    assert found.setup.environment == {"temperature": "22 °C"}
    assert found.setup.configuration["load"] == "amps 20.0"
    Path("a.json").write_text(ran.stdout)
    again = CliRunner().invoke(app, ["report", "render", "a.json", "again.html"])
    assert again.exit_code == 0, again.output
    assert Path("again.html").read_bytes() == Path("a.html").read_bytes()
    suite = ElementTree.parse("a.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == (str(len(found.witnesses)), "0")
    (shown,) = (line for line in agreement_lines(found) if line.startswith("AGREE"))
    assert f"{len(found.witnesses)} witnesses" in shown


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        pytest.param("register", "registers", "less than flowed", id="registers that lag"),
        pytest.param("display", "display", "less than flowed", id="a display that lags", marks=pytest.mark.slow),
        pytest.param("recorder", "recorder", "less than flowed", id="a recorder that loses", marks=pytest.mark.slow),
        pytest.param("constant", "pulses", "less than flowed", id="a wrong Kp", marks=pytest.mark.slow),
        pytest.param("broken", "pulses", "less than flowed", id="a lost pulse", marks=pytest.mark.slow),
        pytest.param("bounced", "pulses", "more than flowed", id="a doubled edge", marks=pytest.mark.slow),
    ],
)
def test_the_witness_of_a_fault_parts_and_no_other(
    fault: str, kind: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAULT", fault)
    found = heard(with_program(tmp_path, FINE), 25.0 if kind != "registers" else 5.0, FAULTY)
    assert parted(found) == {kind}
    assert not found.passed
    assert {line.witness for line in found.witnesses if not line.agrees} <= {
        "KYZ1",
        "registers",
        "recorder",
        "display 01",
    }
    for reason in found.reasons:
        assert words in reason
        assert "parts from the rest at" in reason


@pytest.mark.slow
@pytest.mark.parametrize("example", ["apartment-25s", "industrial-9s", "rural-4s-tou", "solar-2s"])
def test_witnesses_of_every_example_agree(example: str, tmp_path: Path) -> None:
    text = (RECORDING.parent / f"{example}.toml").read_text()
    found = heard(with_program(tmp_path, text, "15 A"), 45.0)
    assert found.passed, found.reasons
    assert {"pulses", "registers", "display"} <= kinds(found)
    assert ("recorder" in kinds(found)) == ("[recorder]" in text)
    assert any(reason.startswith("recorder: ") for reason in found.absent) == ("[recorder]" not in text)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--pulses", "5"], "--pulses is for one output: leave it out, --witness hears all that there are"),
        (["--reference", "source"], "--reference is for one output"),
        (["--series", "a.toml"], "--series is for one output"),
        (["--limit", "0.1"], "--limit is for one output"),
        (["--standard-query", "READ?"], "--standard-query is for one output"),
        (["--report", "a.docx"], "--report is a.docx, it must end in .html or .pdf"),
        (["--report", "nowhere/a.html"], "the folder nowhere does not exist"),
        (["--seconds", "5", "--energy", "3"], "--seconds and --energy both say how long"),
        (["--seconds", "0"], "--seconds is"),
        (["--energy", "-1"], "--energy is"),
        (["--socket", "nowhere.sock"], "no meter runs at nowhere.sock"),
    ],
)
def test_what_cannot_be_witnessed_is_refused(words: list[str], why: str) -> None:
    found = CliRunner().invoke(app, ["verify", "--witness", *words])
    assert why in str(found.exception)
    assert getattr(found.exception, "status", 2) == 2


@pytest.mark.slow
def test_without_a_load_nothing_is_witnessed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = CliRunner().invoke(app, ["verify", "--witness", "--load", "0 A"])
    assert "has flowed in 10 s: put a load on" in str(found.exception)
