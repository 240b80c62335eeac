"""`rig verify` on real simulated meters: exit status, JSON, JUnit, planted faults, and a meter that dies."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest
from typer.testing import CliRunner, Result

import rig
from calibration.constants import Calibration
from calibration.constants_file import write_calibration
from gateware.chain import Chain
from gateware.registers import Channel
from rig.cli.app import app
from rig.daemon.address import runtime_folder
from rig.daemon.client import MeterClient
from rig.daemon.launch import Launched
from rig.daemon.protocol import PulsesCounted, Stop, Topic
from rig.daemon.startup import Start
from rig.errors import RigError
from rig.hardware.config import Config
from rig.hardware.simulation import known_constants, sensors_of
from rig.meter.contacts.functions import PulsesOutput
from rig.meter.contacts.outputs import OutputId
from rig.program.build import load_program
from rig.verify.counters import BusCounter
from rig.verify.errors import CountLost
from rig.verify.frequency import FrequencyCounter
from rig.verify.measure import OutputVerification
from rig.verify.plan import Plan
from rig.verify.result import Verification
from rig.verify.run import Progress
from tests.drivers.scpi_instrument import ScpiInstrument

EXAMPLES = Path(rig.__file__).parent / "program" / "examples"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def verify(*words: str) -> Result:
    return CliRunner().invoke(app, ["verify", *words])


@pytest.mark.slow
def test_a_wrong_constant_fails_with_its_error_within_the_uncertainty(here: Path) -> None:
    """0.15 Wh a pulse, and 0.15075 on the label: +0.5 %."""
    found = verify("--output", "KYZ1", "--constant", "0.15075", "--json", "--junit", "report.xml", "--report", "a.html")
    assert found.exit_code == 1, found.output
    result = msgspec.json.decode(found.stdout, type=Verification)
    assert result.error_percent == pytest.approx(0.5, abs=result.uncertainty_percent * 1.005)
    assert result.uncertainty_percent <= 0.01
    assert result.registration_percent == pytest.approx(100 + result.error_percent)
    assert not result.passed
    assert result.reasons == ["the error is +0.5000 %, beyond the limit of ±0.03 %"]
    assert result.kyz_order_errors == []
    assert (result.simulated, result.fidelity, result.provenance.simulated) == (True, "exact", True)
    suite = ElementTree.parse(here / "report.xml").getroot()
    assert suite.attrib["failures"] == "1"
    (failure,) = suite.iter("failure")
    assert "+0.5000 %" in failure.attrib["message"]
    assert "SIMULATED" in next(suite.iter("system-out")).text

    (here / "result.json").write_text(found.stdout)
    again = verify("--from", "result.json", "--report", "b.html", "--json")
    assert (again.exit_code, again.stdout) == (1, found.stdout)
    page = (here / "a.html").read_bytes()
    assert (here / "b.html").read_bytes() == page
    text = page.decode()
    assert "SIMULATED (exact)" in text
    assert "+0.5000 %, beyond the limit" in text
    assert len(result.edges) == 11
    assert not [word for word in ("http:", "https:", "src=", "href=", "<script", "url(") if word in text]
    assert result.edges[-1].late_pulses == pytest.approx(-10 * 0.005 / 1.005, rel=1e-3)


def test_a_meter_whose_constants_are_wrong_is_found_by_the_source(here: Path) -> None:
    """The gains of all currents half a percent up: the meter registers that much more than the source gives."""
    config = Config()
    chain = Chain()
    right = known_constants(sensors_of(config, 20, chain), chain.tick_hz)
    channels = tuple(
        replace(each, gain=each.gain * Fraction(201, 200)) if channel.name.startswith("I") else each
        for channel, each in zip(Channel, right.channels, strict=True)
    )
    wrong = Calibration(channels, identity="wrong", date="2026-11-29", calibrated=True, source="planted")
    write_calibration(here / "constants.toml", wrong)
    (here / "rig.toml").write_text('[meter]\ncalibration = "constants.toml"\n')
    found = verify("--load", "5 A, pf 0.8 lag", "--reference", "source", "--energy", "1.5", "--json")
    assert found.exit_code == 1, found.output
    result = msgspec.json.decode(found.stdout, type=Verification)
    assert (result.reference, result.pulses) == ("source", 10)
    assert result.error_percent == pytest.approx(0.5, abs=0.005)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--output", "kyz5"], "--output is 'kyz5', it must be led, kyz1"),
        (["--counter", "abacus"], "--counter is 'abacus', it must be fpga, gpio: with the pins"),
        (["--counter", "gpio:14"], "GPIO 14 of the simulated board is wired to nothing: name the contact in rig.toml"),
        (["--counter", "visa:"], "--counter is 'visa:', it must be"),
        (["--counter", "visa:ASRL/dev/nothing::INSTR"], "cannot be opened"),
        (["--pulses", "5", "--seconds", "3"], "both say how long: give one"),
        (["--pulses", "1"], "it must be 2 to"),
        (["--energy", "0"], "--energy is"),
        (["--constant", "nine"], "--constant is"),
        (["--limit", "0"], "--limit is 0, it must be more than 0"),
        (["--reference", "faith"], "it must be meter, source or standard:"),
        (["--reference", "source", "--load", "lively"], "needs a steady load"),
        (["--load", "5 kA"], "is not understood"),
        (["--from", "nothing.json", "--pulses", "3"], "--pulses is for a count, and --from counts nothing"),
        (["--from", "nothing.json", "--counter", "gpio:14"], "--counter is for a count"),
        (["--series", "s.toml", "--counter", "gpio:14"], "--counter is for one verification"),
        (["--from", "nothing.json"], "nothing.json cannot be read"),
        (["--from", "/dev/null"], "/dev/null is no result of rig verify --json"),
        (["--report", "a.txt"], "--report is a.txt, it must end in .html or .pdf"),
        (["--environment", "warm"], "it must be a name and a value"),
        (["--report", "no/where/a.html"], "no/where"),
        (["--socket", "nowhere.sock"], "no meter runs at nowhere.sock"),
        (["--repeat", "0"], "repeat"),
    ],
)
def test_what_cannot_run_has_status_2_and_a_sentence(here: Path, words: list[str], why: str) -> None:
    found = verify(*words)
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        assert getattr(found.exception, "status", 2) == 2
        assert why in str(found.exception)
    else:
        assert found.exit_code == 2
        assert why in found.output
    assert found.stdout == "" or found.exit_code == 2


@pytest.fixture
def meter() -> Iterator[tuple[Launched, MeterClient]]:
    socket = runtime_folder() / "meter.sock"
    launched = Launched(Start(Config(), str(socket), None, paced=False))
    with MeterClient.connect(socket, "verification", "test") as client:
        yield launched, client
    launched.process.kill()
    if launched._begun:
        launched.wait()
    else:
        launched.abandon()


def test_a_meter_that_dies_in_mid_count_is_told_and_nothing_is_made_up(meter: tuple[Launched, MeterClient]) -> None:
    launched, client = meter

    def kill(progress: Progress) -> None:
        if progress.pulses >= 3:
            os.kill(launched.process.pid, signal.SIGKILL)

    measurement = OutputVerification(client, OutputId.KYZ1, Plan(pulses=10_000), begin=launched.begin, progress=kill)
    with pytest.raises(CountLost, match="the count broke off, and nothing is known of the rest"):
        measurement.measure()


def test_an_output_that_does_not_pulse_is_refused(meter: tuple[Launched, MeterClient]) -> None:
    launched, client = meter
    with pytest.raises(RigError, match="KYZ4 does not pulse in the meter's program: give an output that does"):
        OutputVerification(client, OutputId.KYZ4, Plan(), begin=launched.begin).measure()


def test_a_counter_in_real_time_is_not_for_a_meter_at_full_speed(meter: tuple[Launched, MeterClient]) -> None:
    _, client = meter
    with ScpiInstrument() as instrument:
        counter = BusCounter(instrument.resource)
        with pytest.raises(RigError, match="counts in real time, and the meter does not"):
            OutputVerification(client, OutputId.KYZ1, Plan(), counter=counter)
        counter.close()


class ReciprocalCounter:
    """What a frequency counter on the contacts would measure: edges of a gate of a second and more, by their stamps."""

    def __init__(self, socket: Path) -> None:
        self.client = MeterClient.connect(socket, "verification", "follower")
        self.client.subscribe(Topic.KYZ1_PULSES)

    def __call__(self) -> str:
        first: PulsesCounted | None = None
        while True:
            message = self.client.await_message(PulsesCounted)
            if message.last_tick is None:
                continue
            first = first or message
            assert first.last_tick is not None
            ticks = message.last_tick - first.last_tick
            if ticks >= 10_000_000 // 3:
                return f"{(message.pulses - first.pulses) / ticks * 10_000_000 / 3:.15E}"


@pytest.mark.slow
def test_a_frequency_counter_measures_a_meter_in_real_time() -> None:
    """The lively load moves by a third from one second to the next: the scatter of readings says so."""
    socket = runtime_folder() / "meter.sock"
    launched = Launched(Start(Config(), str(socket), None, paced=True))
    try:
        with MeterClient.connect(socket, "verification", "test") as client:
            launched.begin()
            reader = ReciprocalCounter(socket)
            with reader.client, ScpiInstrument(answers={"READ?": reader}) as instrument:
                counter = FrequencyCounter(instrument.resource)
                plan = Plan(seconds=15.0, limit_percent=20.0)
                found = OutputVerification(client, OutputId.KYZ1, plan, counter=counter).measure()
                counter.close()
            client.ask(Stop())
        launched.wait()
    finally:
        launched.process.kill()
    assert found.counter == f"frequency:{instrument.resource}"
    assert abs(found.error_percent) <= found.uncertainty_percent + 1.0
    assert found.budget[0].source.startswith("scatter of")
    assert (found.edges, found.kyz_order_errors) == ([], [])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("example", "output", "load"),
    [
        ("apartment-25s", "led", "150 A"),
        ("apartment-25s", "kyz1", "100 A"),
        ("industrial-9s", "led", "20 A"),
        ("industrial-9s", "kyz1", "20 A"),
        ("industrial-9s", "kyz2", "20 A, pf 0.5 lag"),
        ("rural-4s-tou", "led", "20 A"),
        ("solar-2s", "led", "150 A"),
        ("solar-2s", "kyz1", "100 A"),
        ("solar-2s", "kyz2", "100 A, received"),
    ],
)
def test_every_output_of_the_example_programs_passes(here: Path, example: str, output: str, load: str) -> None:
    (here / "meter.toml").write_text((EXAMPLES / f"{example}.toml").read_text())
    (here / "rig.toml").write_text('[meter]\nprogram = "meter.toml"\n')
    found = verify("--output", output, "--load", load, "--pulses", "10", "--json")
    assert found.exit_code == 0, found.output
    result = msgspec.json.decode(found.stdout, type=Verification)
    assert (result.passed, result.kyz_order_errors) == (True, [])
    assert abs(result.error_percent) <= 0.001


def test_those_are_all_outputs_that_pulse() -> None:
    pulsing = {
        (path.stem, output.id.label.lower())
        for path in EXAMPLES.glob("*.toml")
        for output in load_program(path).outputs
        if isinstance(output, PulsesOutput)
    }
    (marks,) = (m for m in test_every_output_of_the_example_programs_passes.pytestmark if m.name == "parametrize")
    tried = {(example, output) for example, output, _ in marks.args[1]}
    assert {case for case in tried if case[1] != "led"} == pulsing
    assert {example for example, output in tried if output == "led"} == {path.stem for path in EXAMPLES.glob("*.toml")}
