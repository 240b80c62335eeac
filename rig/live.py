"""`rig run`: the service on the configured hardware, shown once a second until it ends or someone ends it."""

from __future__ import annotations

from collections.abc import Callable

from rig.config import Config
from rig.results import Summary, Tally
from rig.selection import open_hardware
from rig.service import Service
from rig.view import Moment

REFRESH_NS = 1_000_000_000


def run(config: Config, seconds: float | None, *, paced: bool, show: Callable[[Moment], None]) -> Summary:
    """Meter for `seconds`, or until KeyboardInterrupt; `show` gets a Moment each second of the rig's time.

    Ends cleanly in both cases: pulses due are let out and the outputs released. Returns the whole run's summary.
    """
    hardware = open_hardware(config, paced=paced)
    try:
        service = Service(hardware, config)
        tally = Tally(service)
        try:
            service.begin()
            start = now = hardware.clock.now_ns()
            end = None if seconds is None else start + round(seconds * 1e9)
            while end is None or now < end:
                now = now + REFRESH_NS if end is None else min(now + REFRESH_NS, end)
                for result in service.run(now):
                    tally.add(result)
                show(Moment(tally.summary(), tally.recent(), service.led.lit, service.kyz1.closed.value))
        except KeyboardInterrupt:
            pass
        service.finish()
        return tally.summary()
    finally:
        hardware.close()
