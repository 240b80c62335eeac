"""The link at a start: a board that does not answer at once may still load its bitstream, or its supply comes up."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from drivers.clock import Clock
from drivers.spi_link import NoReply, SpiBus, SpiLink

START_NS = 5_000_000_000
"""So long it is tried: an iCE40 loads in 0.1 s, an ECP5 of 25k in 0.6 s, and hubs and supplies take a second or two."""

AGAIN_NS = 50_000_000

Result = TypeVar("Result")


def patiently(act: Callable[[], Result], clock: Clock) -> Result:
    """Do something with the board, again where no reply came, for START_NS; then its NoReply is raised. Waits."""
    deadline_ns = clock.now_ns() + START_NS
    while True:
        try:
            return act()
        except NoReply:
            now_ns = clock.now_ns()
            if now_ns >= deadline_ns:
                raise
        clock.wait_until(now_ns + AGAIN_NS)


def started_link(bus: SpiBus, clock: Clock) -> SpiLink:
    """The link to the board on a bus. Raises NoReply where none answers in START_NS, ForeignBoard at once; then the bus
    is closed."""
    try:
        return patiently(lambda: SpiLink(bus), clock)
    except BaseException:
        bus.close()
        raise
