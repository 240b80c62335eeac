"""A simulated unit through its service: SPI, display and outputs run too, as on hardware."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from calibration.constants import Calibration
from gateware.chain import Chain
from rig.calibrate.bench_load import BenchLoad
from rig.calibrate.bench_unit import BEGIN_TICK, BenchUnit
from rig.hardware.components_file import components_of
from rig.hardware.config import Config
from rig.hardware.hardware import front_end_of
from rig.hardware.provenance import provenance_of
from rig.hardware.simulation import simulated_hardware, true_tick_hz
from rig.meter.measuring.measurement import Measurement, Window
from rig.program.build import Program
from rig.service.board import POLL_NS
from rig.service.service import Service


class SimulatedUnit(BenchUnit):
    """The simulated rig of a configuration, with constants in place of those that it names where they are given."""

    def __init__(self, config: Config, program: Program, calibration: Calibration | None = None) -> None:
        current_class = program.metering.current_class
        super().__init__(BenchLoad(true_tick_hz(components_of(config, current_class), Chain())))
        hardware, _, _ = simulated_hardware(config, current_class, self._load)
        self._hardware = hardware if calibration is None else replace(hardware, calibration=calibration)
        self.calibration = self._hardware.calibration
        self.provenance = provenance_of(self._hardware, config, program.digest)
        self.board = front_end_of(config, current_class)
        self.tick_hz: Fraction = hardware.link.identity.tick_hz
        self._service: Service | None = None
        self._config, self._program = config, program

    @property
    def _measurement(self) -> Measurement:
        assert self._service is not None
        return self._service.measurement

    def _endless(self) -> Iterator[Window]:
        self._service = service = Service(self._hardware, self._config, self._program)
        service.begin(BEGIN_TICK)
        clock = self._hardware.clock
        while True:
            for result in service.run(clock.now_ns() + POLL_NS):
                yield result.window

    def close(self) -> None:
        """Let it go."""
        self._hardware.close()
