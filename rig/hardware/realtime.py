"""Requests of a process to the system so that its edges come in time (docs/decisions/027-metering-process.md)."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from contextlib import suppress

PRIORITY = 50
"""Of SCHED_FIFO, 1 to 99: above what a Raspberry Pi runs, below the kernel's own threads of hardware."""

SWITCH_S = 0.0005
"""The other thread of the process, the store's, gives way after so long; Python's own 5 ms would make edges late."""

BESIDE = PRIORITY - 2
"""Of the threads of the metering process that compare keys and look at programs."""

_CURRENT_AND_FUTURE = 3


def favour_this_process() -> bool:
    """Ask for real-time priority and memory that stays in place, for all threads that begin later too.

    Returns whether the system granted the priority: it does to root, and to a service with LimitRTPRIO.
    """
    sys.setswitchinterval(SWITCH_S)
    return _favour(PRIORITY)


def favour_start() -> None:
    """Ask for real-time priority for what this process loads until it meters, though not for what it starts: meanwhile
    the board's records wait, and outputs stand still."""
    with suppress(OSError, AttributeError):
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(PRIORITY))


def favour_simulated_board() -> None:
    """Ask for a priority just below the metering process's: an FPGA answers at once, whatever else there is to do."""
    _favour(PRIORITY - 1)
    keep_what_is_loaded()


def yield_to_metering() -> None:
    """Put the calling thread below metering, so that it runs when metering does not, and above all other work.

    Of a lower priority it could be put off a busy processor by other work just when it has Python's lock, and metering
    would wait for that work (docs/decisions/137-priority-beside-metering.md). Without real-time priority it has that of
    metering, which is as far down as it can be for the same reason.
    """
    with suppress(OSError, AttributeError):
        if os.sched_getscheduler(0) == os.SCHED_FIFO:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(BESIDE))


def _favour(priority: int) -> bool:
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).mlockall(_CURRENT_AND_FUTURE)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
    except (OSError, AttributeError):
        return False
    return True


def keep_what_is_loaded() -> None:
    """Collect garbage once, and never look again through what is there now: long collections would make edges late."""
    gc.collect()
    gc.freeze()
