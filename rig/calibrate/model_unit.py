"""A simulated unit whose records are those of the gateware's model, with no bus and no service: for lots of units.

It reads what SimulatedUnit reads, to the last bit, in a fifth of the time (decision 122).
"""

from __future__ import annotations

from collections.abc import Iterator

from calibration.constants import Calibration
from drivers.sim.frontend import FrontEnd
from gateware.chain import Chain
from gateware.record_words import RecordFlag
from gateware.registers import Channel
from rig.calibrate.bench_load import BenchLoad
from rig.calibrate.bench_unit import BEGIN_TICK, BenchUnit
from rig.calibrate.model_records import ModelRecords
from rig.hardware.components_file import components_of
from rig.hardware.config import Config
from rig.hardware.hardware import calibration_of, front_end_of
from rig.hardware.simulation import known_constants, sensors_of, true_tick_hz
from rig.meter.measuring.measurement import Measurement, Window
from rig.program.build import Program


class ModelUnit(BenchUnit):
    """The front end of a configuration before the gateware's model, with constants in place of those that the
    configuration names where they are given."""

    def __init__(self, config: Config, program: Program, calibration: Calibration | None = None) -> None:
        current_class, chain = program.metering.current_class, Chain()
        components, sensors = components_of(config, current_class), sensors_of(config, current_class, chain)
        f_mod = true_tick_hz(components, chain)
        super().__init__(BenchLoad(f_mod))
        jitter_s = 0.0 if components is None else components.jitter_s
        front_end = FrontEnd(self._load, sensors, f_mod, config.simulation.seed, jitter_s)
        if calibration is None and not config.meter.calibration and components is None:
            calibration = known_constants(sensors, chain.tick_hz)
        self.calibration = calibration_of(config, current_class) if calibration is None else calibration
        self.board = front_end_of(config, current_class)
        self.tick_hz = chain.tick_hz
        delays = zip(Channel, self.calibration.channels, strict=True)
        settings = {"REFERENCE": int(Channel.V1)}
        settings |= {f"DELAY_{channel.name}": constants.delay_ticks for channel, constants in delays}
        settings |= {"CLOSE_AT_LO": BEGIN_TICK & 0xFFFF_FFFF, "CLOSE_AT_HI": BEGIN_TICK >> 32}
        self._gateware = ModelRecords(chain, front_end, settings)
        self._of_records = Measurement(
            equation=program.equation,
            calibration=self.calibration,
            tick_hz=chain.tick_hz,
            ticks_per_sample=chain.ticks_per_sample,
            config_digest=self._gateware.configuration,
            quarter=chain.quarter,
        )

    @property
    def _measurement(self) -> Measurement:
        return self._of_records

    def _endless(self) -> Iterator[Window]:
        records = self._gateware.records()
        for record in records:
            if RecordFlag.END_COMMANDED in record.flags:
                break
        for record in records:
            yield self._of_records.advance(record)

    def close(self) -> None:
        """Nothing is held."""
