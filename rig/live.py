"""`rig run`: the service on the configured hardware, shown once a second until it ends or someone ends it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from drivers.spi_link import LinkError
from rig.config import Config
from rig.results import Summary, Tally
from rig.selection import open_hardware, program_of
from rig.service import Service
from rig.store.store import Store
from rig.view import Moment

REFRESH_NS = 1_000_000_000


@dataclass(frozen=True)
class Outcome:
    """What a run came to, and the sentence of the failure that ended it, if one did."""

    summary: Summary
    failure: str | None = None


def run(config: Config, seconds: float | None, *, paced: bool, show: Callable[[Moment], None]) -> Outcome:
    """Meter for `seconds`, or until Ctrl-C; `show` gets a Moment each second of the rig's time.

    Ends cleanly in either case, and when the link fails: no window is left half registered, pulses due are let
    out, the outputs released.
    """
    program = program_of(config)
    hardware = open_hardware(config, program.metering.current_class, paced=paced)
    failure = None
    try:
        store = Store.open(Path(config.meter.store)) if config.meter.store else None
        service = Service(hardware, config, program, store)
        tally = Tally(service)
        with _interrupts() as interrupted:
            service.begin()
            now = hardware.clock.now_ns()
            end = None if seconds is None else now + round(seconds * 1e9)
            try:
                while not interrupted() and (end is None or now < end):
                    now = now + REFRESH_NS if end is None else min(now + REFRESH_NS, end)
                    for result in service.run(now):
                        tally.add(result)
                        if interrupted():
                            break
                    else:
                        show(Moment(tally.summary(), tally.recent(), service.led.lit, service.kyz1.position.shown))
            except LinkError as error:
                failure = str(error)
            service.finish()
        return Outcome(tally.summary(), failure)
    finally:
        hardware.close()


@contextmanager
def _interrupts() -> Iterator[Callable[[], bool]]:
    """Ctrl-C sets a flag, looked at between windows; a second one interrupts at once."""
    seen = False

    def note(signum: int, frame: FrameType | None) -> None:
        nonlocal seen
        if seen:
            raise KeyboardInterrupt
        seen = True

    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: seen
    finally:
        signal.signal(signal.SIGINT, before)
