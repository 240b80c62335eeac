"""The table of figures and limits that `make proof` ends with, also written to build/proof.json."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from figures import PROPERTY, Figure, Figures

_FILE = Path(__file__).parents[2] / "build" / "proof.json"


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Figures:
    return Figures(request.node)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [r for outcome in ("passed", "failed") for r in terminalreporter.getreports(outcome)]
    shown = [Figure(**f) for r in reports if r.when == "call" for name, f in r.user_properties if name == PROPERTY]
    if not shown:
        return
    wide = max(len(figure.what) for figure in shown)
    terminalreporter.section("figures and their limits")
    terminalreporter.write_line(f"{'':{wide}}  {'measured':>12}  {'limit':>8}")
    for figure in shown:
        limit = "" if figure.limit is None else f"{figure.limit:g}"
        line = f"{figure.what:{wide}}  {figure.value:>12.6g}  {limit:>8}  {figure.unit}".rstrip()
        terminalreporter.write_line(line if figure.met else f"{line}  MISSED", red=not figure.met)
    _FILE.parent.mkdir(exist_ok=True)
    _FILE.write_text(json.dumps([asdict(figure) | {"met": figure.met} for figure in shown], indent=2) + "\n")
    terminalreporter.write_line(f"written to {_FILE.parent.name}/{_FILE.name}")
