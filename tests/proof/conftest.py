"""The table of figures and limits that `make proof` ends with, also written to build/proof.json."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

_PROPERTY = "figure"
_FILE = Path(__file__).parents[2] / "build" / "proof.json"


@dataclass(frozen=True)
class Figure:
    """One thing measured. Met while its magnitude is no more than the limit; without a limit it only informs."""

    what: str
    value: float
    limit: float | None
    unit: str

    @property
    def met(self) -> bool:
        return self.limit is None or abs(self.value) <= self.limit


class Figures:
    """What one test measured."""

    def __init__(self, node: pytest.Item) -> None:
        self._node = node
        self._missed: list[Figure] = []

    def add(self, what: str, value: float, limit: float | None, unit: str) -> None:
        """Put a figure into the table."""
        figure = Figure(what, value, limit, unit)
        self._node.user_properties.append((_PROPERTY, asdict(figure)))
        if not figure.met:
            self._missed.append(figure)

    def check(self) -> None:
        """Fail if one of them is beyond its limit."""
        assert not self._missed


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Figures:
    return Figures(request.node)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [r for outcome in ("passed", "failed") for r in terminalreporter.getreports(outcome)]
    shown = [Figure(**f) for r in reports if r.when == "call" for name, f in r.user_properties if name == _PROPERTY]
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
