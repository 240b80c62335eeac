"""The command line as a whole: options once, old spellings, help, version, completion, what it loads."""

from __future__ import annotations

import importlib
import inspect
import os
import pkgutil
import platform
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.models import OptionInfo

import rig.cli
from gateware.boards import NAMES
from rig.cli import gateware
from rig.cli.app import app
from rig.cli.group import present_spelling

ROOT = Path(__file__).parents[2]
RIG = "import sys; from rig.cli.entry import main; sys.argv[0] = 'rig'; main()"

LOAD = "time,kwh_delivered\n" + "".join(f"2026-03-01T{h:02}:00,{h}\n" for h in range(1, 24))


def callbacks() -> Iterator[tuple[str, Any]]:
    """Every command's words and its function, from all typer apps in rig/cli."""
    for group, prefix in [(app, ""), *((g.typer_instance, f"{g.name} ") for g in app.registered_groups)]:
        for command in group.registered_commands:
            assert command.callback is not None
            yield prefix + (command.name or command.callback.__name__), command.callback


def options_of(function: Any) -> Iterator[tuple[str, OptionInfo]]:
    """Each flag of a command, spelled out or made of the parameter's name, and what defines it."""
    hints = get_type_hints(function, include_extras=True)
    for name in inspect.signature(function).parameters:
        for option in getattr(hints[name], "__metadata__", ()):
            if isinstance(option, OptionInfo):
                said = [flag for flag in (option.default, *option.param_decls) if str(flag).startswith("-")]
                yield from ((flag, option) for flag in said or [f"--{name.replace('_', '-')}"])


# --- options --------------------------------------------------------------------------------------------------


def test_no_two_modules_define_an_option_of_the_same_flag() -> None:
    """An option that several modules have is one object, from rig/cli/options.py."""
    found: dict[str, dict[int, str]] = defaultdict(dict)
    for _, function in callbacks():
        for flag, option in options_of(function):
            found[flag].setdefault(id(option), function.__module__)
    assert {"--json", "--config", "--force", "--form", "--vt-ratio", "--seconds"} <= found.keys()
    for flag, definitions in found.items():
        modules = sorted(set(definitions.values()))
        assert len(definitions) == 1, f"{flag} is defined {len(definitions)} times, in {', '.join(modules)}"


def test_every_module_of_commands_is_in_the_command_line() -> None:
    used = {function.__module__ for _, function in callbacks()}
    helpers = {
        "app", "ending", "entry", "group", "json_output", "meter_menu", "meter_options",
        "options", "result_output",
        "verified_meter", "verify_series", "verify_test", "verify_witness",
    }  # fmt: skip
    names = {
        f"rig.cli.{module.name}" for module in pkgutil.iter_modules(rig.cli.__path__) if module.name not in helpers
    }
    assert names == used
    assert all(inspect.getdoc(importlib.import_module(name)) for name in names)


def test_the_boards_are_named() -> None:
    help_text = gateware._BOARD.help
    assert help_text is not None
    assert re.findall(r"[a-z0-9]{5,}", help_text) == list(NAMES)


# --- help -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [40, 80])
def test_help_fits_and_has_no_markup(command_line, columns: int) -> None:
    for words in ("", *(name for name, _ in callbacks()), "program", "store", "profile", "gateware"):
        done = command_line(*words.split(), "--help", columns=columns)
        assert (done.status, done.err) == (0, ""), words
        assert max(map(len, done.out.splitlines())) <= columns, words
        assert not re.search(r"\[/?bold\]|\\\[", done.out), words


def test_short_help_is_not_cut_at_eighty_columns(command_line) -> None:
    for words in ("", "program", "store", "profile", "gateware"):
        assert "..." not in command_line(*words.split(), "--help", columns=80).out.partition("Commands:")[2], words


# --- load records and recordings ------------------------------------------------------------------------------


def timeless(out: str) -> str:
    """Output without the second in which its command began."""
    return re.sub(r'"begun_utc":"[^"]*"', "", out)


def test_the_old_spelling_of_a_load_record_works_with_a_note(command_line, tmp_path: Path) -> None:
    (tmp_path / "load.csv").write_text(LOAD)
    now = command_line("bill", "load.csv", "--demand", "block:60", "--json")
    assert now.status == 0
    for words in (
        ("--intervals", "load.csv", "--demand", "block:60", "--json"),
        ("--demand", "block:60", "--json", "--intervals=load.csv"),
    ):
        then = command_line("replay", *words)
        assert (then.status, timeless(then.out)) == (0, timeless(now.out))
        note, *rest = then.err.splitlines()
        assert re.fullmatch(r"note: rig replay --intervals is now: rig bill load\.csv .*", note)
        assert rest == now.err.splitlines()
        again = command_line(*note.partition("now: rig ")[2].split())
        assert (again.status, timeless(again.out), again.err) == (0, timeless(now.out), now.err)


def test_the_old_spelling_ends_with_the_same_status(command_line) -> None:
    done = command_line("replay", "--intervals", "gone.csv")
    assert (done.status, done.out) == (2, "")
    assert done.err.splitlines()[1:] == command_line("bill", "gone.csv").err.splitlines()


@given(
    st.lists(
        st.sampled_from(["replay", "bill", "a.csv", "--intervals", "--intervals=", "--intervals=b.csv", "--json", ""])
    )
)
def test_only_a_replay_with_a_load_is_spelled_anew(words: list[str]) -> None:
    now = present_spelling(words)
    if now != words:
        assert words[0] == "replay"
        assert now[0] == "bill"
        old, value = next(
            ((2, words[k + 1]) if word == "--intervals" else (1, word.partition("=")[2]))
            for k, word in enumerate(words)
            if (word == "--intervals" and k + 1 < len(words)) or word.startswith("--intervals=")
        )
        assert len(now) == len(words) - old + 1
        assert now[1] == value
    else:
        assert words[:1] != ["replay"] or not any(
            word.startswith("--intervals=") or (word == "--intervals" and k + 1 < len(words))
            for k, word in enumerate(words)
        )


@pytest.mark.parametrize(
    "option", ["--channels=va=V", "--form=9S", "--vt-ratio=60", "--ct-ratio=2", "--rate=60", "--start=1", "--seconds=1",
               "--loop", "--fidelity=rtl", "--config=rig.toml"],
)  # fmt: skip
def test_a_load_record_has_no_waveform(command_line, option: str) -> None:
    name = option.partition("=")[0]
    for words in (("bill", "load.csv", option), ("replay", option, "--intervals", "load.csv")):
        done = command_line(*words)
        assert (done.status, done.out) == (2, "")
        assert done.err.splitlines()[-1].startswith(f"rig: No such option: {name}")


@pytest.mark.parametrize(
    "option", ["--program=m.toml", "--interval-minutes=5", "--stamps=end", "--demand=block:5", "--store=s"]
)
def test_a_recording_has_no_intervals(command_line, option: str) -> None:
    done = command_line("replay", "wave.csv", option)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(f"rig: No such option: {option.partition('=')[0]}")


def test_stamps_are_ends_unless_said_otherwise(command_line, tmp_path: Path) -> None:
    """2 kWh in the hour to 02:00, or from 02:00: the month's maximum tells which."""
    (tmp_path / "load.csv").write_text(
        "time,kwh_delivered\n2026-03-01T01:00,1\n2026-03-01T02:00,2\n2026-03-01T03:00,1\n"
    )

    def bill(*words: str) -> str:
        said = command_line("bill", "load.csv", "--demand", "block:60", *words, "--json").out
        return re.sub(r'"begun_utc":"[^"]*"', "", said)

    def spans(said: str) -> list[str]:
        """Begin and end of the load, which come first."""
        return [re.findall(rf'"{what}":"([^"]*)"', said)[0] for what in ("begin", "end")]

    usual = bill()
    assert usual == bill("--stamps", "end")
    assert '"stamps":"end"' in usual
    assert spans(usual) == ["2026-03-01T00:00:00", "2026-03-01T03:00:00"]
    begin = bill("--stamps", "begin")
    assert '"stamps":"begin"' in begin
    assert spans(begin) == ["2026-03-01T01:00:00", "2026-03-01T04:00:00"]


# --- version --------------------------------------------------------------------------------------------------


def test_version_has_the_projects_the_commit_and_python(command_line) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    head = subprocess.run(
        ["git", "-C", str(ROOT), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    ).stdout
    done = command_line("--version")
    assert (done.status, done.err) == (0, "")
    said = re.fullmatch(r"rig (\S+?)(?:, commit ([0-9a-f]{12})\+?)?, Python (\S+)\n", done.out)
    assert said is not None, done.out
    assert (said[1], said[3]) == (project, platform.python_version())
    assert (said[2] or "") == (head[:12] if (ROOT / ".git").exists() else "")


# --- completion -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A folder in which a real bash finds a command `rig`, and its environment."""
    folder = tmp_path_factory.mktemp("shell")
    (folder / "bin").mkdir()
    command = folder / "bin" / "rig"
    command.write_text(f"#!{sys.executable}\n{RIG}\n")
    command.chmod(0o755)
    (folder / "load.csv").write_text(LOAD)
    path = f"{command.parent}:{os.environ['PATH']}"
    return folder, os.environ | {"PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(folder)}


def bash(shell: tuple[Path, dict[str, str]], script: str) -> str:
    folder, environment = shell
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def completion(shell: tuple[Path, dict[str, str]]) -> str:
    """The script that `rig --show-completion` prints in a bash."""
    return bash(shell, "rig --show-completion; true")


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (["rig", "re"], ["read", "record", "replay", "report"]),
        (["rig", "program", ""], ["check", "schema", "new"]),
        (["rig", "bill", "load.csv", "--st"], ["--stamps", "--store"]),
        (["rig", "bill", "--stamps", ""], ["begin", "end"]),
        (["rig", "replay", "--fidelity", "r"], ["rtl"]),
        (["rig", "--vers"], ["--version"]),
    ],
    ids=" ".join,
)
def test_bash_completes(
    shell: tuple[Path, dict[str, str]], completion: str, typed: list[str], offered: list[str]
) -> None:
    words = " ".join(f"'{word}'" for word in typed)
    script = (
        f"COMP_WORDS=({words}); COMP_CWORD={len(typed) - 1}; _rig_completion rig; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    )
    assert set(bash(shell, f"{completion}\n{script}").split()) == set(offered)


def test_bash_knows_the_command_and_falls_back_to_files(shell: tuple[Path, dict[str, str]], completion: str) -> None:
    assert bash(shell, f"{completion}\ncomplete -p rig").strip() == "complete -o default -F _rig_completion rig"
    script = "COMP_WORDS=(rig bill lo); COMP_CWORD=2; _rig_completion rig; echo ${#COMPREPLY[@]}"
    assert bash(shell, f"{completion}\n{script}").strip() == "0"


def test_completion_installs_for_the_next_shell(shell: tuple[Path, dict[str, str]]) -> None:
    assert "bash completion installed" in bash(shell, "rig --install-completion; true")
    assert "_rig_completion" in bash(shell, "source ~/.bashrc; complete -p rig")


# --- what it loads --------------------------------------------------------------------------------------------

HEAVY = (
    "numpy", "numba", "comtrade", "amaranth", "gpiozero", "sqlite3", "rich.console", "rig.program.schema", "rig.meter",
    "rig.store.store", "drivers.spi_link", "rig.replay.intervals", "gateware.bitstream.build",
)  # fmt: skip


def test_the_command_line_loads_what_its_words_need_and_no_more() -> None:
    """So help and completion answer at once; whatever a command needs is imported in its function."""
    code = f"import sys, rig.cli.app; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
