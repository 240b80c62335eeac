"""Two thousand kills of the metering process, judged by who counts at the pins (S-3, P-2, P-5).

What is counted, and how it is known: tests/rig/outside_kill_bench.py.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KILLS = 2000
WITHIN_S = 3600


@pytest.mark.slow
def test_an_outside_counter_equals_the_registers_after_every_kill(tmp_path: Path, figures) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.rig.outside_kill_bench", str(tmp_path), str(KILLS), "2026", str(WITHIN_S)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=2 * WITHIN_S,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    for name, count in report["done"].items():
        figures.add(name, count, None, "")
    figures.add("seconds to take over, median", report["start_s"]["median"], None, "s")
    for name, count in report["found"].items():
        figures.add(name, count, 0, "")
    assert report["unlike"] == []
    assert report["done"]["kills"] == KILLS
    assert report["done"]["took over"] > KILLS // 2
    figures.check()
