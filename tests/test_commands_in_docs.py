"""Every command line that README and the documents print, as printed: parsed, and run where it ends by itself.

A page's lines run one after the other in a folder of their own, which has what the documents say to make: the
environment is active, `docs/` is there, files are those that the page itself shows. What does not run is listed with
its reason.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from rig.cli.app import app, main
from rig.daemon.address import default_socket

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PROGRAMS = {
    "rig", "make", "pytest", ".", "pip", "python3", "sudo", "i2cdetect", "systemctl", "systemd-analyze", "journalctl",
}  # fmt: skip
"""First words of lines that are typed into a shell."""

HARDWARE = "needs the hardware"
PI = "sets up a Raspberry Pi"
TOOLS = "needs the FPGA tools, half a gigabyte, and minutes: tests/gateware/test_bitstream.py, `make bitstreams`"
TERMINAL = "goes on until Ctrl-C: tests/rig/test_live.py, tests/rig/test_endings.py"
MAKE = "sets up an environment, or is minutes of work: its target is checked"

NOT_RUN = {
    "make run": MAKE,
    "make test": MAKE,
    "make bitstreams": MAKE,
    "rig replay g1.cfg": "the recording is not part of the project, as the page says: tests/rig/test_replay.py",
    "rig gateware build": TOOLS,
    "rig gateware flash": HARDWARE,
    "rig read /dev/ttyUSB0": HARDWARE,
    "rig write /dev/ttyUSB0": HARDWARE,
    "rig meter /dev/ttyUSB0": HARDWARE,
    "rig doctor --config rig.toml": "of a Raspberry Pi's rig.toml: tests/rig/test_doctor_named.py",
    "rig gateware report": TOOLS,
    "rig record session.csv": TERMINAL,
    "rig run --hands session.csv": TERMINAL,
    "rig run --load alarms": "goes on until Ctrl-C: tests/rig/load/test_default_loads.py",
    "rig watch --follow": TERMINAL,
    "rig attach": TERMINAL,
    "rig scope --trigger event:sag:96V": "waits for a sag; the simulated load has none: tests/rig/test_scope.py",
    "pytest docs/examples/test_bench.py": "run by tests/rig/bench/test_plugin.py; what it collects is looked at here",
    "pytest docs/examples/kyz1.series.toml": "its like is run by tests/rig/verify/test_series_items.py",
    "pip install": PI,
    "python3 -m venv": PI,
    "sudo": PI,
    "i2cdetect": PI,
}
"""How lines begin that are not run here, and why; a line that runs all the same has a longer beginning in RUN."""

RUN = {"rig run --hands session.csv --speed max"}

BESIDE = {"watch", "stop"}
"""Commands for a meter that runs: one is started before the first of them."""

PATIENCE_S = 120


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a language; "" for those without one."""
    found: list[tuple[str, list[str]]] = []
    inside = False
    for line in page.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.startswith("```"):
            inside = not inside
            if inside:
                found.append((line[3:].strip(), []))
        elif inside:
            found[-1][1].append(line)
    return ["".join(block) for name, block in found if name == language]


def is_shell(block: str) -> bool:
    return block.split(maxsplit=1)[0] in PROGRAMS


def lines(page: Path) -> list[list[str]]:
    """The words of every command line of a page, without comments; lines joined where they end in a backslash."""
    text = "".join(block for language in ("", "sh") for block in blocks(page, language) if is_shell(block))
    found = [shlex.split(line, comments=True) for line in text.replace("\\\n", " ").splitlines()]
    return [words for words in found if words]


def redirected(words: list[str]) -> tuple[list[str], str | None]:
    """The words of a command, and the file that its output goes to."""
    return (words[:-2], words[-1]) if words[-2:-1] == [">"] else (words, None)


def kind(words: list[str]) -> str:
    """Why a line does not run; "" if it does."""
    line = " ".join(words)
    matching = [beginning for beginning in (*NOT_RUN, *RUN) if f"{line} ".startswith(f"{beginning} ")]
    return NOT_RUN.get(max(matching, key=len), "") if matching else ""


ALL = [(page, words) for page in PAGES for words in lines(page)]


def test_there_are_lines_on_the_pages_that_promise_some() -> None:
    assert {page.name for page, _ in ALL} >= {
        "README.md",
        "quickstart.md",
        "program.md",
        "store.md",
        "metering.md",
        "boards.md",
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_command_line_hides_in_another_block(page: Path) -> None:
    """A block is a shell's as a whole, or not at all."""
    for block in blocks(page, ""):
        firsts = [line.split(maxsplit=1)[0] for line in block.replace("\\\n", " ").splitlines() if line.strip()]
        if is_shell(block):
            assert set(firsts) <= PROGRAMS, f"{page.name} has {set(firsts) - PROGRAMS} in a shell's block"
        else:
            assert not {"rig", "make", "pytest"} & set(firsts), f"{page.name}: a command line in\n{block}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_environment_is_active_where_its_commands_are_typed(page: Path) -> None:
    """`rig`, `pytest` and `pip` are on the path only then; a page says so before its first of them."""
    text = page.read_text(encoding="utf-8")
    typed = re.search(r"^(?:rig|pytest|pip) ", "\n".join(b for b in blocks(page, "") if is_shell(b)), re.MULTILINE)
    if typed:
        active = text.find(". .venv/bin/activate")
        first = min(text.find(f"\n{line}") for line in re.findall(r"^(?:rig|pytest|pip) .*$", text, re.MULTILINE))
        assert 0 <= active < first, f"{page.name} types {typed[0]}without `. .venv/bin/activate` before"


# --- parsed ---------------------------------------------------------------------------------------------------


def parse(words: list[str]) -> None:
    """With the real parser, up to the command's own work."""
    command: Any = typer.main.get_command(app)
    name, parent = "rig", None
    while True:
        context = command.make_context(name, words, parent)
        if not hasattr(command, "commands"):
            return
        name, command, words = command.resolve_command(context, [*context._protected_args, *context.args])
        parent = context


@pytest.mark.parametrize("words", [w for _, w in ALL if w[0] == "rig"], ids=" ".join)
def test_the_parser_takes_it(words: list[str]) -> None:
    parse(redirected(words)[0][1:])


def test_the_parser_refuses_what_is_none() -> None:
    for line in ("replay a.csv --demand block:5", "jump", "program chekc a.toml", "run --speed 7", "bill"):
        with pytest.raises(typer.TyperException):
            parse(line.split())


@pytest.mark.parametrize("words", [w for _, w in ALL if w[0] == "make"], ids=" ".join)
def test_make_knows_the_target(words: list[str]) -> None:
    assert subprocess.run([*words[:1], "-n", *words[1:]], cwd=ROOT, capture_output=True, check=False).returncode == 0


# --- run ------------------------------------------------------------------------------------------------------


def provide(page: Path, folder: Path) -> None:
    """What the page itself shows, or has the reader make, before its commands."""
    (folder / "docs").symlink_to(ROOT / "docs")
    (folder / "tests").mkdir()
    for block in blocks(page, "csv"):
        name = "session.csv" if block.startswith("# rig hands") else "load.csv"
        (folder / name).write_text(block, encoding="utf-8")
    for block in blocks(page, "toml"):
        if block.startswith("# rig.toml\n"):
            (folder / "rig.toml").write_text(block, encoding="utf-8")
    for block in blocks(page, "python"):
        if "open(" in block:
            subprocess.run([sys.executable, "-c", block], cwd=folder, check=True)
    if "meter-store" in page.read_text(encoding="utf-8"):
        elsewhere = folder / "elsewhere"
        elsewhere.mkdir()
        for line in (
            "program new --out meter.toml",
            f"bill {ROOT}/docs/examples/load.csv --program meter.toml --store s",
        ):
            call = [sys.executable, "-c", "from rig.cli.app import main; main()", *line.split()]
            subprocess.run(
                call, cwd=elsewhere, check=True, capture_output=True, env=os.environ | {"PYTHONPATH": str(ROOT)}
            )
        shutil.move(elsewhere / "s", folder / "meter-store")


def start_a_meter(folder: Path) -> subprocess.Popen[bytes]:
    """As `rig serve` in another terminal; it is there once its socket is."""
    call = [sys.executable, "-c", "from rig.cli.app import main; main()", "serve"]
    process = subprocess.Popen(call, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)})
    until = time.monotonic() + PATIENCE_S
    while not default_socket(None).exists():
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)
    return process


def runnable() -> Iterator[Path]:
    for page in PAGES:
        if any(not kind(words) and words[0] == "rig" for words in lines(page)):
            yield page


LONG = {"verification.md"}
"""Pages whose lines together take half a minute."""


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=[pytest.mark.slow] if page.name in LONG else []) for page in runnable()],
    ids=lambda page: page.name,
)
def test_it_runs_as_printed(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    provide(page, tmp_path)
    monkeypatch.chdir(tmp_path)
    meter = None
    printed = ""
    for words in lines(page):
        if kind(words):
            continue
        if words[0] == "python3":
            ran = subprocess.run([sys.executable, *words[1:]], capture_output=True, text=True, check=False)
            assert ran.returncode == 0, (words, ran.stderr)
            printed += ran.stdout
        if words[0] == "rig":
            if words[1] in BESIDE and meter is None:
                meter = start_a_meter(tmp_path)
            command, target = redirected(words)
            monkeypatch.setattr(sys, "argv", command)
            monkeypatch.setattr(sys, "excepthook", sys.excepthook)
            with pytest.raises(SystemExit) as ended:
                main()
            out, err = capsys.readouterr()
            assert ended.value.code == 0, (words, err)
            assert out.strip() or words[1] == "stop" or words[1:3] == ["profile", "export"], words
            if target is None:
                printed += out
            else:
                Path(target).write_text(out, encoding="utf-8")
    if meter is not None:
        assert meter.wait(PATIENCE_S) == 0
    seen = {" ".join(line.split()) for line in printed.splitlines()}
    for block in blocks(page, "console"):
        for line in block.splitlines():
            assert " ".join(line.split()) in seen, f"{page.name} shows {line!r}, which nothing printed"


ITEMS = {"docs/examples/test_bench.py": 4, "docs/examples/kyz1.series.toml": 4}
"""Tests of a file: functions, or points, tests and averages of a series."""


@pytest.mark.parametrize("words", [w for _, w in ALL if w[0] == "pytest"], ids=" ".join)
def test_pytest_finds_the_tests_of_the_documents(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    command = [sys.executable, "-m", *words, "--collect-only", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{ITEMS[words[1]]} tests collected" in done.stdout


def test_what_is_not_run_is_on_some_page() -> None:
    """No reason outlives its line."""
    for beginning in (*NOT_RUN, *RUN):
        assert any(f"{' '.join(words)} ".startswith(f"{beginning} ") for _, words in ALL), f"no page has {beginning}"


def test_the_environment_of_make_run_has_what_the_documents_type() -> None:
    """`rig` is the project's own; pytest comes with an extra that `make run` installs."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    run = re.search(r"run\.stamp: pyproject\.toml.*\n(?:\t.*\n)*", makefile)
    assert run is not None
    extras = re.search(r"-e '\.\[([\w,]+)\]'", run[0])
    assert extras is not None
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert "bench" in extras[1].split(",")
    assert re.search(r'^bench = \["pytest==', project, re.MULTILINE)
    assert re.search(r'^rig = "rig\.cli\.entry:main"', project, re.MULTILINE)


# --- the files to try -----------------------------------------------------------------------------------------


def test_the_kettle_delivers_its_energy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    """1500 W for half a second: 0.20833 Wh, to the noise of typical sensors."""
    monkeypatch.setattr(sys, "argv", ["rig", "replay", str(ROOT / "docs/examples/kettle.csv")])
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    with pytest.raises(SystemExit):
        main()
    delivered = re.search(r"delivered\s+([\d.]+) Wh", capsys.readouterr().out)
    assert delivered is not None
    assert float(delivered[1]) == pytest.approx(1500 * 0.5 / 3600, rel=2e-4)


def test_the_load_registers_its_sum(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    path = ROOT / "docs" / "examples" / "load.csv"
    rows = path.read_text(encoding="utf-8").splitlines()[1:]
    assert len(rows) == 7 * 96
    monkeypatch.setattr(sys, "argv", ["rig", "bill", str(path)])
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    with pytest.raises(SystemExit):
        main()
    out, err = capsys.readouterr()
    due = sum(round(100 * float(row.split(",")[1])) for row in rows)
    assert re.search(rf"kWh delivered +{due // 100}\.{due % 100:02}0\b", out)
    assert err == ""
