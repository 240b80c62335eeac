"""A simulated unit, in virtual time: the truth is the waveform at its terminals (C-5)."""

from __future__ import annotations

from cmath import rect
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from math import radians

from calibration.constants import CHANNELS, Calibration
from calibration.observation import PhaseReading, PointPlan, Purpose, Readings, Sample
from calibration.solve import Truth
from drivers.sim.live_load import LiveLoad
from drivers.sim.waves import WYE, LoadState, Wave
from gateware.chain import Chain
from gateware.registers import RecordFlag
from rig.hardware.components_file import components_of
from rig.hardware.config import Config
from rig.hardware.hardware import front_end_of
from rig.hardware.provenance import provenance_of
from rig.hardware.simulation import simulated_hardware, true_tick_hz
from rig.meter.measuring.quantities import Sums
from rig.program.build import Program
from rig.service.service import Service

SAMPLE_S = 1.0
WIRING_SAMPLE_S = 0.5
"""What is looked for there is not a matter of hundredths of a percent."""

SETTLING_S = 0.5
"""A changed load is at the terminals within 0.15 s (rig/bench/simulated.py); filters and windows follow in 0.1 s."""

TRUE_WAVEFORM = Truth("true waveform of the simulation", 0.002, 0.0001)
"""What a second's windows, which begin and end on a sample, leave of watts: half a sample in 13 020 at either end."""


class SimulatedUnit:
    """The simulated rig of a configuration, with constants in place of those that it names where they are given."""

    def __init__(self, config: Config, program: Program, calibration: Calibration | None = None) -> None:
        current_class = program.metering.current_class
        chain = Chain()
        nothing = LoadState((), ())
        self._load = LiveLoad(true_tick_hz(components_of(config, current_class), chain), nothing)
        hardware, _, _ = simulated_hardware(config, current_class, self._load, paced=False)
        self._hardware = hardware if calibration is None else replace(hardware, calibration=calibration)
        self.calibration = self._hardware.calibration
        self.provenance = provenance_of(self._hardware, config, program.digest)
        self.board = front_end_of(config, current_class)
        self.tick_hz: Fraction = hardware.link.identity.tick_hz
        self.truth = TRUE_WAVEFORM
        self._reference: Readings | None = None
        self._service: Service | None = None
        self._purpose = Purpose.WIRING
        self._config, self._program = config, program

    def apply(self, plan: PointPlan) -> None:
        """Apply a load to all phases."""
        state, self._purpose = state_of(plan), plan.purpose
        self._load.apply(state)
        self._reference = readings_of(state)
        if self._service is None:
            self._service = Service(self._hardware, self._config, self._program)
            self._service.begin()
        clock = self._hardware.clock
        for _ in self._service.run(clock.now_ns() + round(SETTLING_S * 1e9)):
            pass

    def samples(self) -> Iterator[Sample]:
        """Measure, SAMPLE_S at a time."""
        assert self._service is not None
        assert self._reference is not None
        seconds = WIRING_SAMPLE_S if self._purpose is Purpose.WIRING else SAMPLE_S
        while True:
            sums, clipped = Sums(), 0
            until_ns = self._hardware.clock.now_ns() + round(seconds * 1e9)
            for result in self._service.run(until_ns):
                record = result.window.record
                if record.whole_cycles or RecordFlag.END_CROSSING not in record.flags:
                    sums += result.window.sums
                clipped |= record.overload
            found = self._service.measurement.phases(sums)
            vars_ = found.q_var or (0.0,) * 3
            meter = [PhaseReading(found.v_rms[k], found.i_rms[k], found.p_w[k], vars_[k]) for k in range(3)]
            names = tuple(name for c, name in enumerate(CHANNELS) if clipped >> c & 1)
            yield Sample((meter[0], meter[1], meter[2]), self._reference, names)

    def dc_codes(self) -> tuple[Fraction, ...] | None:
        """DC of the channels in sample codes."""
        return None if self._service is None else self._service.measurement.dc_codes

    def close(self) -> None:
        """Let it go."""
        self._hardware.close()


def state_of(plan: PointPlan) -> LoadState:
    """The load of a point on a 4-wire wye."""
    voltages = tuple(Wave(plan.volts, angle) for _, angle in _wye())
    return LoadState(
        voltages,
        tuple(
            Wave(plan.amperes * share, angle - plan.lag_deg)
            for share, (_, angle) in zip(plan.shares, _wye(), strict=True)
        ),
        plan.hz,
    )


def _wye() -> list[tuple[float, float]]:
    return [phasor for phasor in WYE.voltages if phasor is not None]


def readings_of(state: LoadState) -> Readings:
    """Readings of a perfect meter on sines, by the closed form of their phasors."""
    found = []
    for v, i in zip(state.voltages, state.currents, strict=True):
        power = rect(v.rms, radians(v.angle_deg)) * rect(i.rms, -radians(i.angle_deg))
        found.append(PhaseReading(v.rms, i.rms, power.real, power.imag))
    return found[0], found[1], found[2]
