"""The thread beside metering has no priority at which other work could take the processor from it (C-3, S-1)."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_PROGRAM = """
import os
from rig.daemon.beside import Thread
from rig.hardware.realtime import favour_this_process

def priority():
    real_time = os.sched_getscheduler(0) == os.SCHED_FIFO
    return real_time, os.sched_getparam(0).sched_priority, os.getpriority(os.PRIO_PROCESS, 0)

favoured = {favoured} and favour_this_process()
with Thread() as beside:
    print(favoured, *priority(), *beside.submit(priority).result())
"""


def _run(favoured: bool) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(favoured=favoured)],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return done.stdout.split()


def test_it_is_below_metering_and_the_board_and_above_all_else() -> None:
    favoured, is_real_time, metering, _, beside_is, beside, _ = _run(favoured=True)
    if favoured == "False":
        pytest.skip("this machine grants no real-time priority")
    assert (is_real_time, beside_is) == ("True", "True")
    assert 0 < int(beside) < int(metering) - 1, "the simulated board has the one between"


def test_without_real_time_it_has_meterings_own() -> None:
    _, is_real_time, _, metering_nice, beside_is, _, beside_nice = _run(favoured=False)
    assert (is_real_time, beside_is) == ("False", "False")
    assert metering_nice == beside_nice == str(os.getpriority(os.PRIO_PROCESS, 0))
