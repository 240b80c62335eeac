"""kill -9 at any instant: no state that was saved is lost, no item is lost or doubled (S-3)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def killed(folder: Path, kills: int, seed: int) -> dict[str, int]:
    """What came of so many kills (killed_meters.py); AssertionError with its words if anything was lost."""
    program = Path(__file__).with_name("killed_meters.py")
    done = subprocess.run(
        [sys.executable, "-W", "error", str(program), str(folder), str(kills), str(seed)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    outcomes: dict[str, int] = json.loads(done.stdout)
    return outcomes


def test_thirty_kills(tmp_path: Path) -> None:
    outcomes = killed(tmp_path / "store", 30, 1)
    assert sum(outcomes[how] for how in ("time", "thread", "operation", "statement")) == 30
    assert outcomes["items waited"] > 0
    assert outcomes["states"] > 10


@pytest.mark.slow
def test_five_hundred_kills(tmp_path: Path) -> None:
    outcomes = killed(tmp_path / "store", 500, 2)
    assert all(outcomes[how] > 80 for how in ("time", "thread", "operation", "statement")), outcomes
    assert all(outcomes[what] > 20 for what in ("newer than told", "items waited", "a copy was torn")), outcomes
