"""The thread beside metering: nothing takes the processor from it, and it takes half of one at most (C-3, S-1)."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from functools import partial

import pytest

from rig.daemon.beside import Thread

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


def test_after_each_work_it_rests_as_long_as_that_took() -> None:
    done: list[str | float] = []

    def work(seconds: float) -> str:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            pass
        done.append("work")
        return f"{seconds}"

    with Thread(rest=done.append) as beside:
        futures = [beside.submit(partial(work, seconds)) for seconds in (0.02, 0.001, 0.25)]
        assert [future.result() for future in futures] == ["0.02", "0.001", "0.25"]
        wrong = beside.submit(lambda: 1 // 0)
        assert isinstance(wrong.exception(), ZeroDivisionError)
        assert beside.submit(lambda: 7).result() == 7, "it works on after what failed"
    assert done[:6:2] == ["work"] * 3
    rests = [each for each in done if isinstance(each, float)]
    assert rests[0] >= 0.02
    assert rests[1] >= 0.001
    assert rests[2] == 0.2, "never longer: somebody may wait"
