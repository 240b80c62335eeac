"""What the metering process asks of the system, in processes of their own: with the right to it, and without."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rig.jitter_bench import pulse_jitter

ROOT = Path(__file__).parents[2]
ASK = """
import gc, os, resource, sys
from rig.hardware.realtime import SWITCH_S, favour_this_process, keep_what_is_loaded
if "unprivileged" in sys.argv:
    resource.setrlimit(resource.RLIMIT_RTPRIO, (0, 0))
    os.setuid(65534)
granted = favour_this_process()
keep_what_is_loaded()
assert gc.get_freeze_count() > 1000
assert abs(sys.getswitchinterval() - SWITCH_S) < 1e-6
print(granted, os.sched_getscheduler(0) == os.SCHED_FIFO)
"""


def ask(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", ASK, *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may ask for real-time priority and then for less")
def test_priority_is_had_where_it_may_be_and_missed_where_not() -> None:
    assert ask() in ("True True", "False False")  # a container may refuse it to root
    assert ask("unprivileged") == "False False"


@pytest.mark.slow
def test_no_edge_is_lost_in_real_time() -> None:
    """How late they come, `make bench` measures."""
    found = pulse_jitter(14.0)
    assert found["lost"] == 0
    assert found["edges"] > 100
