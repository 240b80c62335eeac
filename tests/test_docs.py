"""What the documents say holds: links, commands, options, keys and examples are checked against the code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_type_hints

import msgspec
import pytest
from typer.testing import CliRunner

from calibration.constants import FULL_SCALE_CODES
from calibration.constants_file import parse_calibration
from drivers.sim.pins import VirtualClock, VirtualClockMockFactory
from gateware.manual import manual
from gateware.record_words import Record
from rig.accuracy.lot_result import LotPoint, LotResult
from rig.accuracy.result import AccuracyPointResult, AccuracyResult, AccuracySummary
from rig.calibrate.result import CalibrationResult, ConstantChange, PointErrors
from rig.cli.app import app
from rig.communication.modules.far_end import ModuleReading
from rig.face.face import Face
from rig.hardware.config import Config, PortConfig, load
from rig.hardware.doctor import Check
from rig.hardware.hands_file import read_hands
from rig.meter.measuring.measurement import Fault
from rig.reader.line_poll import PolledMeter
from rig.replay.intervals.report import Report
from rig.report.compared import Comparison
from rig.results import exact
from rig.results.provenance import Provenance
from rig.results.summary import Summary
from rig.selftest.part import SelfTest
from rig.store.check import Finding
from rig.store.contents import StoreContents
from rig.terminal.keys import KEYS
from rig.verify.agreement import Agreement, WitnessLine
from rig.verify.result import Verification
from rig.verify.series import SeriesResult
from rig.verify.series_test import SeriesTestResult

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
DOCUMENTS = [README, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMANDS = sorted(
    f"{group.name} {command.name}".strip() if group else command.name or command.callback.__name__
    for group in (None, *app.registered_groups)
    for command in (group.typer_instance if group else app).registered_commands
)
GROUPS = "|".join(group.name for group in app.registered_groups)
OTHERS_OPTIONS = {"--system-site-packages", "--rig", "--rig-config", "--rig-resume", "--dist", "--intervals"}
"""Options of other programs that the documents name by themselves, most of them pytest's
(rig/pytest_plugin/plugin.py), and an old one, which rig/cli/group.py knows."""


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def blocks(path: Path, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text_of(path), re.MULTILINE | re.DOTALL)


def code(path: Path) -> Iterator[str]:
    """Every line of a block without a language, and every `span`; lines joined where they end in a backslash."""
    text = text_of(path).replace("\\\n", " ")
    for block in re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield from block.splitlines()
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", text_of(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.fixture(scope="module")
def options() -> dict[str, set[str]]:
    """Options by command, as `rig COMMAND --help` prints them."""
    found = {}
    for command in COMMANDS:
        said = CliRunner().invoke(app, [*command.split(), "--help"], catch_exceptions=False)
        assert said.exit_code == 0, said.output
        found[command] = set(re.findall(r"--[a-z][a-z-]*", said.output))
    return found


def test_readme_is_short() -> None:
    assert len(text_of(README).splitlines()) < 200


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(path)):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        assert there.exists(), f"{path.name} links to {target}"
        assert there.is_relative_to(ROOT), f"{path.name} links out of the project: {target}"
        assert not anchor or anchor in anchors(there), f"{path.name} links to {target}, there is no such heading"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_a_decision_is_called_by_its_number(path: Path) -> None:
    """And linked, in all documents but decisions themselves, so that another number leads nowhere."""
    text = text_of(path)
    for number, file in re.findall(r"(\d{3})\]\((?:decisions/)?(\d{3})-", text):
        assert number == file, f"{path.name} calls decision {file} {number}"
    if path.parent.name != "decisions":
        bare = re.findall(r"(?<!\[)\bdecisions?\s+\d{3}", text)
        assert not bare, f"{path.name} names {bare[0]} without a link"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_commands_and_options_exist(path: Path, options: dict[str, set[str]]) -> None:
    anywhere = set().union(*options.values())
    for line in code(path):
        call = re.match(rf"(?:\S*/)?rig ((?:(?:{GROUPS}) )?[a-z][a-z-]*)(?=\s|$)", line)
        if call and call[1] in GROUPS.split("|"):
            continue  # all of them
        if call:
            assert call[1] in COMMANDS, f"{path.name} says {line}"
        if call or line.startswith("--"):
            known = options[call[1]] if call else anywhere
            named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", line))
            assert named - OTHERS_OPTIONS <= known, f"{path.name} says {line}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_make_targets_exist(path: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    for line in code(path):
        assert set(re.findall(r"(?:^|\s)make ([a-z]+)", line)) <= targets, f"{path.name} says {line}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_files_named_exist(path: Path) -> None:
    """Whatever looks like a path into one of our folders."""
    for line in code(path):
        for name in re.findall(r"(?:^|\s)((?:gateware|drivers|calibration|rig|tests|docs)/[\w./-]*)", line):
            assert (ROOT / name).exists(), f"{path.name} names {name}"


def test_documents_that_code_names_exist() -> None:
    folders = ("rig", "drivers", "gateware", "calibration", "tests")
    sources = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    named = {(name, path) for path in sources for name in re.findall(r"docs/[\w/-]+\.md", path.read_text("utf-8"))}
    assert named
    assert not [f"{path.relative_to(ROOT)} names {name}" for name, path in named if not (ROOT / name).is_file()]


def test_the_register_manual_is_what_the_registers_make() -> None:
    assert text_of(ROOT / "docs" / "registers.md") == manual(), "python -m gateware.manual > docs/registers.md"


def test_the_register_manual_has_every_header_field_once() -> None:
    named = re.findall(r"^\| \d+ \| \d+:\d+ \| `(\w+)`", manual(), re.MULTILINE)
    assert sorted(named) == sorted(f.name for f in fields(Record) if f.name != "sums")


def table_keys(path: Path, heading: str) -> list[str]:
    """The `keys` in the first column of the table under a heading."""
    section = re.split(r"^#+ ", text_of(path).partition(f"# {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    return re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)


@pytest.mark.parametrize("table", Config.__struct_fields__)
def test_every_key_of_the_configuration_is_documented(table: str) -> None:
    kind = get_type_hints(Config)[table]
    several = get_args(kind)
    keys = table_keys(ROOT / "docs" / "configuration.md", f"`[[{table}]]`" if several else f"`[{table}]`")
    assert keys == list((several[0] if several else kind).__struct_fields__)


def test_the_wiring_has_every_pin_of_the_configuration_at_its_place_on_the_header() -> None:
    """Header pins against gpiozero's own table of the Raspberry Pi 4's."""
    wiring = re.findall(r"^\| [^|]+ \| (\d+) \| (\d+) \|", text_of(ROOT / "docs" / "hardware.md"), re.MULTILINE)
    with VirtualClockMockFactory(VirtualClock()) as pins:
        for gpio, header in wiring:
            places = [info.number for _, info in pins.board_info.find_pin(int(gpio))]
            assert places == [int(header)], f"GPIO {gpio} is at {places}"
    wired = [int(gpio) for gpio, _ in wiring]
    assert len(wired) == len(set(wired))
    hardware = msgspec.structs.asdict(Config().hardware)
    assert {pin for key, pin in hardware.items() if key.endswith("_pin") and pin is not None} <= set(wired)


@pytest.mark.parametrize("name", ["configuration.md", "hardware.md"])
def test_examples_of_the_configuration_load(name: str, tmp_path: Path) -> None:
    examples = blocks(ROOT / "docs" / name, "toml")
    assert examples
    for k, block in enumerate(examples):
        path = tmp_path / f"{k}.toml"
        path.write_text(block, encoding="utf-8")
        load(path)


def test_the_whole_example_of_the_configuration_has_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "rig.toml"
    (block,) = blocks(ROOT / "docs" / "configuration.md", "toml")
    path.write_text(block, encoding="utf-8")
    example: dict[str, dict[str, Any]] = msgspec.to_builtins(load(path))
    for table, values in msgspec.to_builtins(Config(ports=(PortConfig(),))).items():
        if table == "ports":
            (port,) = example[table]
            assert {**port, "link": None, "trace": None} == values[0]
            continue
        assert {k: v for k, v in example[table].items() if values[k] is not None} == {
            k: v for k, v in values.items() if v is not None
        }
        lacking = {key for key, value in example[table].items() if value is None}
        spare = {"power_fail_pin", "test_actuator_pin", "cover_actuator_pin"}
        files = {"ca_file", "certificate_file", "key_file", "components"}
        spare |= files | {"lot", "front_end", "temperature_c"}
        assert lacking <= spare, "a key without default shows an example; of pins only the UART's are left"


def test_the_example_of_calibration_is_one() -> None:
    (block,) = (block for block in blocks(ROOT / "docs" / "calibration.md", "toml") if "delay_ticks" in block)
    assert parse_calibration(block).calibrated
    assert str(FULL_SCALE_CODES) in text_of(ROOT / "docs" / "calibration.md")


def test_the_example_of_recorded_hands_is_one(tmp_path: Path) -> None:
    path = tmp_path / "session.csv"
    (block,) = (block for block in blocks(ROOT / "docs" / "quickstart.md", "csv") if block.startswith("# rig hands"))
    path.write_text(block, encoding="utf-8")
    assert read_hands(path).found == {"cover"}
    assert len(read_hands(path).edges) == 3


def test_every_key_of_the_terminal_is_documented() -> None:
    assert table_keys(ROOT / "docs" / "quickstart.md", "Hands on the meter") == list(KEYS)


def test_the_schema_of_json_is_that_of_the_results() -> None:
    path = ROOT / "docs" / "json.md"
    assert table_keys(path, "Summary") == list(Summary.__struct_fields__)
    phase = get_args(get_type_hints(Summary)["phases"])[1]
    assert table_keys(path, "Phase") == list(phase.__struct_fields__)
    assert table_keys(path, "Face") == ["face", "lcd_trouble", *(field.name for field in fields(Face))]
    assert table_keys(path, "Check") == list(Check.__struct_fields__)
    assert table_keys(path, "Finding") == list(Finding.__struct_fields__)
    assert table_keys(path, "Store") == list(StoreContents.__struct_fields__)
    assert table_keys(path, "Load") == list(Report.__struct_fields__)
    assert table_keys(path, "Faults") == [fault.name.lower() for fault in Fault]
    assert table_keys(path, "Verification") == list(Verification.__struct_fields__)
    assert table_keys(path, "Calibration") == list(CalibrationResult.__struct_fields__)
    assert table_keys(path, "Point error") == list(PointErrors.__struct_fields__)
    assert table_keys(path, "Constant change") == list(ConstantChange.__struct_fields__)
    assert table_keys(path, "Agreement") == list(Agreement.__struct_fields__)
    assert table_keys(path, "Series test") == list(SeriesTestResult.__struct_fields__)
    assert table_keys(path, "Witness") == list(WitnessLine.__struct_fields__)
    assert table_keys(path, "Series") == list(SeriesResult.__struct_fields__)
    assert table_keys(path, "Polled meter") == list(PolledMeter.__struct_fields__)
    assert table_keys(path, "Module reading") == list(ModuleReading.__struct_fields__)
    for heading, kind in (
        ("Accuracy summary", AccuracySummary),
        ("Accuracy", AccuracyResult),
        ("Accuracy point", AccuracyPointResult),
        ("Lot", LotResult),
        ("Lot point", LotPoint),
    ):
        assert table_keys(path, heading) == list(kind.__struct_encode_fields__)
    assert table_keys(path, "Self-test") == list(SelfTest.__struct_fields__)
    compared = [key for key in Comparison.__struct_fields__ if not key.startswith("provenance")]
    assert table_keys(path, "Comparison")[: len(compared)] == compared
    assert table_keys(path, "Provenance") == list(Provenance.__struct_fields__)
    for name, kind in get_type_hints(Summary).items():
        if kind is not Provenance and not isinstance(kind, UnionType) and hasattr(kind, "__struct_fields__"):
            row = re.findall(rf"^\| `{name}` \|.*$", text_of(path), re.MULTILINE)[0]
            assert set(kind.__struct_fields__) <= set(re.findall(r"`(\w+)`", row)), f"{name} lacks a field"


EXACT = [kind for name, kind in vars(exact).items() if name.startswith("Exact") and hasattr(kind, "__struct_fields__")]


@pytest.mark.parametrize("kind", EXACT)
def test_every_key_of_an_exact_reading_is_documented(kind: type[msgspec.Struct]) -> None:
    words = re.sub(r"(?<!^)([A-Z])", lambda capital: " " + capital[1].lower(), kind.__name__)
    heading = words.removesuffix(" reading")
    assert table_keys(ROOT / "docs" / "json.md", heading) == list(kind.__struct_fields__)


def test_decisions_are_numbered_without_a_gap() -> None:
    files = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [file.name[:3] for file in files] == [f"{k:03}" for k in range(1, len(files) + 1)]
    for file in files:
        assert text_of(file).startswith(f"# {file.name[:3]} ")
