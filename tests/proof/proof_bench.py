"""A load through the ideal front end and the model to the meter's sums, and what they should be.

The only things between the load's definition and the meter's reading are the modulators and what comes after them. The
reference is the load's definition itself, integrated in closed form over the very time that the records cover; nothing
is fitted, and no constant comes from a reading.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product

from drivers.sim.frontend import FrontEnd
from drivers.sim.sensors import RANGES, ideal_sensors
from drivers.sim.synthetic import SyntheticLoad
from drivers.sim.waves import LoadState, Step, Wave
from gateware.chain import Chain
from gateware.model.model import GatewareModel
from gateware.record_words import Record
from gateware.registers import BY_NAME, Channel, configuration_digest
from rig.hardware.simulation import known_constants
from rig.meter.measuring.elements import FORMS
from rig.meter.measuring.measurement import Measurement, Window
from rig.meter.measuring.oscillator import tracking_step
from rig.meter.measuring.quantities import Readings, Scaling, Sums

CHAIN = Chain()
SAMPLE_HZ = CHAIN.tick_hz / CHAIN.ticks_per_sample
CURRENT_CLASS = 20
FULL_SCALE_A = RANGES[CURRENT_CLASS] / math.sqrt(2)
"""R.m.s. of the sine whose crests reach the modulators' specified full scale."""

NOMINAL_V = 240.0
"""What the constants of the notice are made with (M-5)."""

SETTLING_TICKS = 1 << 16
_POLL_TICKS = 1 << 16  # 20 ms, as the service does


@dataclass(frozen=True)
class Run:
    """What the meter made of the records of one run, and the time at the source that they cover."""

    readings: Readings
    windows: tuple[Window, ...]
    begin_s: Fraction
    end_s: Fraction


def measured(load: LoadState, seconds: float, late_ticks: Sequence[int] = (0,) * 6) -> Run:
    """Play a steady load for at least `seconds`, from one zero crossing of V1 to another.

    `late_ticks` is by how many modulator ticks each channel's sensor is late, undone by the DELAY registers.
    """
    sensors = tuple(
        replace(sensor, delay_s=float(late / CHAIN.tick_hz))
        for sensor, late in zip(ideal_sensors(CURRENT_CLASS), late_ticks, strict=True)
    )
    calibration = known_constants(sensors, CHAIN.tick_hz)
    front_end = FrontEnd(SyntheticLoad(CHAIN.tick_hz, [Step(0, load)]), sensors, CHAIN.tick_hz)
    model = GatewareModel(CHAIN)
    delays = {f"DELAY_{c.name}": calibration.channels[c].delay_ticks for c in Channel}
    for name, value in delays.items():
        model.write(BY_NAME[name].address, value, 0)
    meter = Measurement(
        equation=FORMS["9S"].equation(),
        calibration=calibration,
        tick_hz=CHAIN.tick_hz,
        ticks_per_sample=CHAIN.ticks_per_sample,
        config_digest=configuration_digest(delays),
        quarter=CHAIN.quarter,
    )
    total = Sums()
    windows: list[Window] = []
    step = BY_NAME["OSCILLATOR_STEP"].reset or 0
    needed = seconds * CHAIN.tick_hz
    while not windows or windows[-1].tick_end - windows[0].tick_start < needed:
        model.run(front_end.bits(_POLL_TICKS))
        for record in drained(model):
            if record.tick_start > SETTLING_TICKS:
                result = meter.advance(record)
                assert not result.faults
                assert record.whole_cycles
                assert not record.overload
                windows.append(result)
                total += result.sums
        if meter.recent_hz is not None:
            step = _steer(model, step, meter.recent_hz)
    delay = CHAIN.delay_ticks + front_end.delay_ticks + max(late_ticks) - CHAIN.ticks_per_sample // 2
    readings = Scaling.by_phase(calibration, SAMPLE_HZ).readings(total)
    return Run(
        readings,
        tuple(windows),
        (windows[0].tick_start - delay) / CHAIN.tick_hz,
        (windows[-1].tick_end - delay) / CHAIN.tick_hz,
    )


def drained(model: GatewareModel) -> list[Record]:
    """The records that wait, taken at once."""
    now = model.ticks * CHAIN.clocks_per_tick
    records = []
    while model.level(now):
        records.append(Record.from_words([int(word) for word in model.oldest()]))
        model.pop(now)
    return records


def _steer(model: GatewareModel, step: int, hz: float) -> int:
    wanted = tracking_step(step, hz, SAMPLE_HZ)
    if wanted != step:
        model.write(BY_NAME["OSCILLATOR_STEP"].address, wanted, model.ticks * CHAIN.clocks_per_tick)
    return wanted


def watts(load: LoadState, phase: int, run: Run, earlier_s: float = 0.0) -> float:
    """Mean of v(t − earlier_s)·i(t) over the time the run covers, from the waves' definition."""
    line = 2 * math.pi * load.frequency_hz
    volts, amperes = phasors(load.voltages[phase]), phasors(load.currents[phase])
    total = 0.0
    for (h, v), (k, i) in product(volts.items(), amperes.items()):
        v *= cmath.exp(-1j * h * line * earlier_s)
        steady, turning = v * i.conjugate(), v * i
        total += (steady * _mean_turn((h - k) * line, run) + turning * _mean_turn((h + k) * line, run)).real / 2
    return total


def td_vars(load: LoadState, phase: int, run: Run) -> float:
    """Var by quarter cycle as rig.meter.measuring.reactive defines it, over the time the run covers."""
    earlier_s = float((65 if load.frequency_hz < 54 else 54) / SAMPLE_HZ)
    turn = 2 * math.pi * load.frequency_hz * earlier_s
    return (watts(load, phase, run, earlier_s) - watts(load, phase, run) * math.cos(turn)) / math.sin(turn)


def fundamental_va(load: LoadState, phase: int) -> complex:
    """P1 + jQ1, positive where the current lags."""
    return phasors(load.voltages[phase])[1] * phasors(load.currents[phase])[1].conjugate() / 2


def phasors(wave: Wave) -> dict[int, complex]:
    """Peak phasors by order at time zero."""
    parts = {1: (1.0, 0.0)} | dict(wave.harmonics)
    return {
        order: math.sqrt(2) * wave.rms * cmath.rect(share, math.radians(order * wave.angle_deg + angle))
        for order, (share, angle) in parts.items()
    }


def _mean_turn(angular_hz: float, run: Run) -> complex:
    """Mean of e^(jωt) over the run."""
    middle, half = float(run.begin_s + run.end_s) / 2, float(run.end_s - run.begin_s) / 2
    x = angular_hz * half
    return cmath.exp(1j * angular_hz * middle) * (math.sin(x) / x if x else 1.0)
