"""A client of the meter as a process of its own, such as a port or a publisher: order, signals, last word (C-3)."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Protocol, TypeVar

import msgspec

from rig.daemon.frames import MOST_BYTES
from rig.failures import MENDABLE, refuse
from rig.hardware.own_process import leave_no_empty_log
from rig.plain_text import print_traceback

NICENESS = 5
"""Metering comes first, also where there is one core."""

Order = TypeVar("Order")


class ClientWork(Protocol):
    """Work of such a process: `run` goes on until its meter ends, or `stopped` is set."""

    stopped: bool

    def run(self) -> None: ...


def run_client(kind: type[Order], begin: Callable[[Order], ClientWork]) -> None:
    """Run what `begin` makes of the order, which is on a pipe whose descriptor ends the words of this process.

    SIGTERM ends it after its next step. An error that a person can mend is its last word, with the error's status.
    """
    sys.excepthook = print_traceback
    leave_no_empty_log()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    reads = int(sys.argv[1])
    order = msgspec.msgpack.decode(os.read(reads, MOST_BYTES), type=kind)
    os.close(reads)
    os.nice(NICENESS)
    try:
        running = begin(order)
        signal.signal(signal.SIGTERM, lambda number, frame: setattr(running, "stopped", True))
        running.run()
    except MENDABLE as error:
        refuse(str(error))
        sys.exit(getattr(error, "status", 2))
