"""A service on the simulated board behind wires and supplies that fail, with the bits of a steady load from a tape.

The faults are of the world: they begin and end at ticks of the board's own time, and whoever meters is not told of
them. What is delivered meanwhile is known from the load's definition alone.
"""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache

import numpy as np

from drivers.clock import Clock
from drivers.sim.board import SimulatedBoard
from drivers.sim.frontend import FrontEnd
from drivers.sim.sensors import ideal_sensors
from drivers.sim.synthetic import SyntheticLoad
from drivers.sim.waves import LoadState, Step, Wave
from drivers.spi_link import SpiLink
from gateware.chain import Chain
from gateware.record_words import Record
from rig.files.strict_toml import convert
from rig.hardware.config import Config
from rig.hardware.hardware import Hardware
from rig.hardware.simulation import simulated_hardware
from rig.meter.billing.billing import MeterEvent
from rig.program.build import Program, default_program
from rig.service.service import Service
from rig.store.store import Store

CONFIG = convert({"simulation": {"sensors": "ideal"}}, Config)
CHAIN = Chain()
TICK_HZ = CHAIN.tick_hz
TAPE_TICKS = 10_000_000
"""Three seconds of the ULX3S's modulators: 180 whole cycles of 60 Hz."""

VOLTS, AMPERES, LAG_DEG = 120.0, 5.0, 60.0
WATTS = 3 * VOLTS * AMPERES / 2
"""cos 60° is a half."""

LOAD = LoadState(
    tuple(Wave(VOLTS, -120 * k) for k in range(3)), tuple(Wave(AMPERES, -120 * k - LAG_DEG) for k in range(3))
)


@cache
def tape() -> np.ndarray:
    """The load's modulator bits."""
    source = SyntheticLoad(TICK_HZ, [Step(0.0, LOAD)])
    return FrontEnd(source, ideal_sensors(20), TICK_HZ).bits(TAPE_TICKS)


class TapeFrontEnd:
    """A front end that gives the tape again and again, and has nothing to begin ahead."""

    begun = 0

    def begin(self, ticks: int) -> None:
        """Nothing is made ahead: it is there."""

    def begin_next(self, ticks: int) -> None:
        """Nor read."""

    def __init__(self) -> None:
        self._place = 0

    def bits(self, ticks: int) -> np.ndarray:
        bits = tape()[self._place : self._place + ticks]
        self._place = (self._place + ticks) % TAPE_TICKS
        while len(bits) < ticks:
            bits = np.concatenate((bits, tape()[: ticks - len(bits)]))
        return bits


@dataclass(frozen=True)
class WireFault:
    """What is wrong from one tick of the board's time to another.

    noise: each frame has a damaged byte either way. low, high: CIPO stays so. deaf: COPI stays low. eio: the system's
    SPI driver fails. reload: the FPGA loads its bitstream, answers nothing and begins anew at the end. reset: the same
    in no time, at `begin`. With `jump` the board is another one, whose tick count is that much ahead.
    """

    kind: str
    begin: int
    end: int


KINDS = ("noise", "low", "high", "deaf", "eio", "reload", "reset")
HARMLESS = ("noise", "low", "high", "deaf", "eio")
"""Kinds that leave the FPGA as it is."""


class FaultyBus:
    """An SpiBus: the board's, with faults. `resets` are the ticks at which the FPGA began anew."""

    def __init__(self, board: SimulatedBoard, faults: Sequence[WireFault], seed: int = 1) -> None:
        self.board = board
        self.faults = list(faults)
        self.resets: list[int] = []
        self.frames = 0
        self._random = random.Random(seed)

    def xfer2(self, data: list[int]) -> list[int]:
        self.frames += 1
        board, now = self.board, self.board.ticks
        self._load_what_is_due(now)
        kinds = {fault.kind for fault in self.faults if fault.begin <= now < fault.end}
        if "eio" in kinds:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        if "reload" in kinds:
            board.advance(int(len(data) * 8 * TICK_HZ / 3_000_000))
            return [0xFF] * len(data)
        sent = [0] * len(data) if "deaf" in kinds else data
        if "noise" in kinds and self._random.random() < 0.5:
            sent = self._damaged(sent)
        reply = board.xfer2(list(sent))
        if "noise" in kinds:
            reply = self._damaged(reply)
        if kinds & {"low", "high"}:
            return [0xFF if "high" in kinds else 0] * len(reply)
        return reply

    def _load_what_is_due(self, now: int) -> None:
        for fault in list(self.faults):
            if fault.kind in ("reload", "reset") and fault.end <= now:
                self.board.reset()
                self.resets.append(now)
                self.faults.remove(fault)

    def _damaged(self, data: list[int]) -> list[int]:
        data = list(data)
        data[self._random.randrange(len(data))] ^= self._random.randrange(1, 256)
        return data

    def close(self) -> None:
        """Nothing is held open."""


def ticks(seconds: float) -> int:
    """Modulator ticks in so many seconds."""
    return round(seconds * TICK_HZ)


def seconds(of_ticks: int) -> float:
    """And the other way round."""
    return float(Fraction(of_ticks) / TICK_HZ)


class HostClock:
    """The board's time as the computer's, whose time of day can be set: `ahead_ns`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.ahead_ns = 0

    def now_ns(self) -> int:
        return self._clock.now_ns()

    def utc_ns(self) -> int:
        return self._clock.utc_ns() + self.ahead_ns

    def wait_until(self, instant_ns: int) -> None:
        self._clock.wait_until(instant_ns)

    meet = wait_until


class Rig:
    """A service on a board with faults; `begin` has been called. `events` is all that it logged.

    The computer's time of day is `ahead_ns` of BEGIN_UTC_NS, and is not believed because the simulation says so.
    """

    def __init__(
        self,
        faults: Sequence[WireFault] = (),
        program: Program | None = None,
        store: Store | None = None,
        seed: int = 1,
        ahead_ns: int = 0,
    ) -> None:
        source = SyntheticLoad(TICK_HZ, [Step(0.0, LOAD)])
        hardware, self.board, _ = simulated_hardware(CONFIG, 20, source, begin_utc_ns=BEGIN_UTC_NS)
        self.board._front_end = TapeFrontEnd()  # type: ignore[assignment]
        self.bus = FaultyBus(self.board, (), seed)
        self.clock = HostClock(hardware.clock)
        self.clock.ahead_ns = ahead_ns
        self.hardware: Hardware = replace(hardware, link=SpiLink(self.bus), clock=self.clock, time_given=False)
        self.events: list[MeterEvent] = []
        self.records: list[Record] = []
        self.service = Service(self.hardware, CONFIG, program or default_program(), store)
        self.service.on_events = self.events.extend
        self.service.begin(ticks(0.1))
        self.bus.faults = list(faults)

    def run(self, until_s: float) -> None:
        """Meter until the board's time is so much."""
        for result in self.service.run(round(until_s * 10**9)):
            self.records.append(result.window.record)

    def told(self, kind: type) -> list[MeterEvent]:
        """The events of a class."""
        return [event for event in self.events if isinstance(event, kind)]


BEGIN_UTC_NS = 1_800_000_000 * 10**9
"""In January 2027."""
