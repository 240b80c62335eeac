"""A few kills of the metering process, judged by who counts at the pins (S-3, P-2, P-5); `make proof` has two thousand.

What is compared, and with what: tests/rig/outside_kill_bench.py.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
KILLS = 3


def test_an_outside_counter_equals_the_registers_whenever_the_process_is_killed(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.rig.outside_kill_bench", str(tmp_path), str(KILLS), "3"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["unlike"] == []
    assert {name: count for name, count in report["found"].items() if count} == {}
    assert len(report["found"]) >= 10, "all of it was looked at"
    assert report["done"]["kills"] == KILLS
    assert report["done"]["took over"] >= 1
    assert report["done"]["compared exactly"] == 1
    assert min(report["done"][f"{name} pulses"] for name in ("LED", "KYZ1", "KYZ4", "input1", "input2")) > 50
