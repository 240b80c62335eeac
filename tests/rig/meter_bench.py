"""What billing and the live service take of a core; run by tests/bench.py."""

from __future__ import annotations

import random
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from drivers.spi_link import SpiLink
from rig.hardware.config import Config
from rig.hardware.hardware import Hardware
from rig.hardware.selection import open_hardware
from rig.meter.billing.energy_interval import EnergyInterval
from rig.program.build import Program, load_program
from rig.service.persistence import Persistence
from rig.service.service import Service
from rig.store.store import Store

EXAMPLES = Path(__file__).parents[2] / "rig" / "program" / "examples"
YEAR_MINUTES = 365 * 24 * 60
BEGIN_NS = 1_767_225_600 * 10**9
"""2026-01-01."""
MINUTE_NS = 60 * 10**9
LIVE_S = 20.0


def everything() -> Program:
    """The example that has everything on: demand, time of use, 15 channels, outputs, a forced rate."""
    return load_program(EXAMPLES / "industrial-9s.toml")


def year_s() -> float:
    """Seconds for a year of billing in one-minute windows: registers, demand, rates, self-reads and recorder."""
    billing = Persistence(None, everything(), "window", BEGIN_NS).billing
    rng = random.Random(1)
    windows = [
        (
            0 if rng.random() < 0.9 else 3,
            rng.randrange(2 * 10**11),
            rng.randrange(10**11),
            rng.randrange(2 * 10**11),
            rng.randrange(2 * 10**11),
            tuple(rng.randrange(10**12) for _ in range(7)),
        )
        for _ in range(YEAR_MINUTES)
    ]
    begin, at_ns = time.perf_counter(), BEGIN_NS
    for window in windows:
        billing.advance(EnergyInterval(at_ns, at_ns + MINUTE_NS, *window))
        at_ns += MINUTE_NS
    return time.perf_counter() - begin


class _Tape:
    """What the bus replied and the clock said in one run of the service, to be played to another without the board."""

    def __init__(self, hardware: Hardware | None) -> None:
        self._bus: Any = None
        self._clock: Any = None
        if hardware is not None:
            self._bus, self._clock = cast(Any, hardware.link)._bus, hardware.clock
        self.replies: list[list[int]] = []
        self.times: list[int] = []

    def xfer2(self, data: list[int]) -> list[int]:
        self.replies.append(self._bus.xfer2(data))
        return self.replies[-1]

    def close(self) -> None:
        """Nothing is held open."""

    def now_ns(self) -> int:
        self.times.append(self._clock.now_ns())
        return self.times[-1]

    def utc_ns(self) -> int:
        self.times.append(self._clock.utc_ns())
        return self.times[-1]

    def wait_until(self, instant_ns: int) -> None:
        self._clock.wait_until(instant_ns)

    meet = wait_until


class _Played:
    """The tape, played."""

    def __init__(self, tape: _Tape) -> None:
        self._replies, self._times = iter(tape.replies), iter(tape.times)

    def xfer2(self, data: list[int]) -> list[int]:
        return next(self._replies)

    def close(self) -> None:
        """Nothing is held open."""

    def now_ns(self) -> int:
        return next(self._times)

    utc_ns = now_ns

    def wait_until(self, instant_ns: int) -> None:
        """The tape is past it."""

    meet = wait_until


def live_cpu_percent() -> float:
    """CPU time of the service for each second of the line's, with a store, at 60 windows a second.

    The board is a tape of an earlier run, so what is simulated costs nothing; nor does the kernel's SPI driver.
    """
    program = everything()
    hardware = open_hardware(Config(), program.metering.current_class, paced=False)
    tape = _Tape(hardware)
    _live(replace(hardware, link=SpiLink(tape), clock=tape), program)
    hardware = open_hardware(Config(), program.metering.current_class, paced=False)
    played = _Played(tape)
    return _live(replace(hardware, link=SpiLink(played), clock=played), program) / LIVE_S * 100


def _live(hardware: Hardware, program: Program) -> float:
    with tempfile.TemporaryDirectory() as folder:
        service = Service(hardware, Config(), program, Store.open(Path(folder)))
        service.begin()
        begin = time.process_time()
        windows = sum(1 for _ in service.run(hardware.clock.now_ns() + int(LIVE_S * 1e9)))
        taken = time.process_time() - begin
        service.finish()
        assert windows > 58 * LIVE_S
    return taken
