"""The command line as a person types it, called in this process: no second interpreter has to start for each try."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from rig.cli.app import main


@dataclass(frozen=True)
class Ending:
    """What a command left: its exit status, and what it printed."""

    status: int | str | None
    out: str
    err: str


@pytest.fixture
def command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ending]:
    """Type `rig WORD …` in the test's own folder; `columns` wide, to a pipe."""

    def call(*words: object, columns: int = 120) -> Ending:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setattr(sys, "argv", ["rig", *map(str, words)])
        monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # typer sets its own
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return Ending(ended.value.code, *capsys.readouterr())

    return call
