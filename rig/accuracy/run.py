"""One run of the simulated meter: a course applied, what it registers in segments, and the true energy of each.

A run is plain data, so that it can be sent to another process or computer, and what it comes to depends on nothing
else. After `settle_cycles`, `segments` of `cycles` each are compared, with one cycle between two that is not. So
segments share no edge, and their errors are independent of each other; the true energy is that between the very ticks
at which a segment begins and ends.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import msgspec

from calibration.constants import Calibration
from calibration.constants_file import parse_calibration
from drivers.sim.board import SimulatedBoard
from drivers.sim.built import sensors_built_of
from drivers.sim.components import Components
from drivers.sim.frontend import FrontEnd
from drivers.sim.sensors import Sensor, ideal_sensors, typical_sensors
from drivers.sim.synthetic import SyntheticLoad
from drivers.sim.waves import Course, LoadState, Step, Wave
from drivers.spi_link import SpiLink
from gateware.chain import Chain
from gateware.record_words import Record
from gateware.registers import BY_NAME, Channel, configuration_digest
from rig.accuracy.demand import Demand, DemandInterval
from rig.accuracy.reference import Reference
from rig.calibrate.model_records import PIECE_TICKS, ModelRecords
from rig.hardware.simulation import known_constants, true_tick_hz
from rig.meter.billing.quantity import NANO, Quadrant, Quantity
from rig.meter.billing.time_units import HOUR_S
from rig.meter.contacts.outputs import OutputId
from rig.meter.contacts.pulses import PulseOutput
from rig.meter.measuring.elements import form_named
from rig.meter.measuring.measurement import Measurement, Window
from rig.meter.measuring.oscillator import tracking_step
from rig.meter.measuring.starting import limits_of_class

SETTLE_CYCLES = 76
"""Until a span of windows is full, 60 to 71 cycles, each cycle lets DC be known better, and what was registered before
is corrected by it (rig/meter/measuring/span.py); a meter that has run for a while corrects nothing any more."""

GAP_CYCLES = 1

_NO_END_S = 600.0
"""A run is not longer than it should be by so much: windows that never come are a fault."""


class WaveData(msgspec.Struct, frozen=True):
    """A wave of drivers/sim/waves.py."""

    rms: float
    angle_deg: float
    harmonics: list[tuple[int, float, float]]
    dc: float


class StepData(msgspec.Struct, frozen=True):
    """A step of a course: six waves in the order of the channels."""

    time_s: float
    waves: list[WaveData]
    hertz: float


class Run(msgspec.Struct, frozen=True):
    """A run. `calibration` is the text of a file of constants, "" for those that the sensors have in truth; `seed` is
    of their noise. `constant_wh` is that of the test LED, as "3/20"; `phase` is what the source begins with, in 2⁻⁶⁴
    turns, as text. `from_s` is when the settling begins. `demand` is that of the meter, "block:15", where an interval
    of it is compared, else ""."""

    sensors: Literal["typical", "ideal"]
    components: Components | None
    calibration: str
    seed: int
    form: str
    service: str
    current_class: int
    constant_wh: str
    steps: list[StepData]
    repeat_s: float | None
    phase: str
    segments: int
    cycles: int
    from_s: float = 0.0
    settle_cycles: int = SETTLE_CYCLES
    fidelity: Literal["exact", "rtl"] = "exact"
    demand: str = ""

    @property
    def course(self) -> Course:
        """Course that is applied."""
        return Course(tuple(Step(step.time_s, _state(step)) for step in self.steps), self.repeat_s)

    def key(self, code: str) -> str:
        """Digest of the run's content and of the code that runs it: what the result is kept under."""
        said = msgspec.json.encode(self, order="deterministic")
        return hashlib.sha256(said + code.encode()).hexdigest()[:32]


def course_data(course: Course) -> list[StepData]:
    """Give a course's steps as plain data."""
    return [
        StepData(
            step.time_s,
            [
                WaveData(w.rms, w.angle_deg, [(h, *rest) for h, rest in sorted(w.harmonics.items())], w.dc)
                for w in step.state.channels
            ],
            step.state.frequency_hz,
        )
        for step in course.steps
    ]


def _state(step: StepData) -> LoadState:
    waves = tuple(Wave(w.rms, w.angle_deg, {h: (share, a) for h, share, a in w.harmonics}, w.dc) for w in step.waves)
    return LoadState(waves[:3], waves[3:], step.hertz)


class Segment(msgspec.Struct, frozen=True):
    """A segment: energy registered in nWh and nvarh, signed by quadrant, and true energy in Wh and varh.

    `fundamental_varh` is by the fundamental's phasors.
    """

    seconds: float
    nwh: int
    nvarh: int
    fundamental_varh: float
    reference_wh: float
    reference_varh: float


class Flashes(msgspec.Struct, frozen=True):
    """Flashes of the test LED from the first edge to the last: intervals, and energies between these edges."""

    intervals: int
    registered_wh: float
    reference_wh: float


class Measured(msgspec.Struct, frozen=True):
    """Result of a run. `faults` are those of records by name; `flashes` None: fewer than two."""

    segments: list[Segment]
    flashes: Flashes | None
    faults: list[str]
    demand: Demand | None = None


_SourceTime = Callable[[float], float]
"""Instant of the source, in seconds, at which what a tick ends was there."""


@dataclass
class _Account:
    """An energy that was registered: between two ticks of the board."""

    begin: int
    end: int
    nwh: int
    nvarh: int
    fundamental_varh: float


def measure(run: Run) -> Measured:
    """Run the simulated meter, bit by bit, and compare."""
    chain = Chain()
    course = run.course
    f_mod = true_tick_hz(run.components, chain)
    source = SyntheticLoad(f_mod, course.steps, course.repeat_s, int(run.phase))
    sensors = sensors_in(run, chain)
    jitter_s = 0.0 if run.components is None else run.components.jitter_s
    front_end = FrontEnd(source, sensors, f_mod, run.seed, jitter_s)
    calibration = constants_of(run, sensors, chain)
    late = max(round(s.delay_s * f_mod) for s in sensors)
    hertz = course.steps[-1].state.frequency_hz

    step = _oscillator_step(chain, hertz)
    delays = zip(Channel, calibration.channels, strict=True)
    settings = {f"DELAY_{channel.name}": constants.delay_ticks for channel, constants in delays}
    settings["OSCILLATOR_STEP"] = step
    gateware = (ModelRecords if run.fidelity == "exact" else _Board)(chain, front_end, settings)
    equation = form_named(run.form).equation(run.service)
    measurement = Measurement(
        equation=equation,
        calibration=calibration,
        tick_hz=chain.tick_hz,
        ticks_per_sample=chain.ticks_per_sample,
        config_digest=gateware.configuration,
        quarter=chain.quarter,
    )
    measurement.start_at(limits_of_class(run.current_class), 0)
    led = PulseOutput(OutputId.TEST_LED, Quantity.KWH_EITHER, Fraction(run.constant_wh))

    # A sample whose bits ended at tick T stands for the source at T − delay, half a sample to either side.
    delay = float(chain.delay_ticks + front_end.delay_ticks + late - chain.ticks_per_sample // 2)
    hz = float(f_mod)
    reference = Reference(course, equation, f_mod, int(run.phase))

    def at(tick: float) -> float:
        return (tick - delay) / hz

    begin = run.from_s + run.settle_cycles / hertz
    interval: DemandInterval | None = None
    accounts: list[_Account] = []
    edges: list[int] = []
    wanted = run.segments * (run.cycles + GAP_CYCLES)
    no_end = begin + wanted / hertz + _NO_END_S
    faults: set[str] = set()
    for record in gateware.records():
        window = measurement.advance(record)
        if at(window.tick_end) > no_end:
            break
        faults.update(fault.label for fault in window.faults)
        if window.energies is None:
            continue
        energies = window.energies
        pulses = led.advance(energies.of(Quantity.KWH_EITHER), window.flowed_from, window.tick_end - window.flowed_from)
        if at(window.flowed_from) < begin:
            continue
        edges += pulses
        if run.demand:
            middle = (window.flowed_from + window.tick_end) // 2
            interval = interval or DemandInterval(run.demand, chain.tick_hz, middle)
            interval.take(window.flowed_from, window.tick_end, energies)
        quadrant = energies.quadrant
        accounts.append(
            _Account(
                window.flowed_from,
                window.tick_end,
                energies.wh if quadrant in (Quadrant.Q1, Quadrant.Q4) else -energies.wh,
                energies.varh if quadrant in (Quadrant.Q1, Quadrant.Q2) else -energies.varh,
                _fundamental_varh(measurement, window),
            )
        )
        if len(accounts) >= wanted and (interval is None or interval.registered_nw is not None):
            break
    return Measured(
        list(_segments(run, accounts, reference, at)),
        _flashes(edges, accounts, reference, at),
        sorted(faults),
        _demand(interval, reference, at),
    )


def _segments(run: Run, accounts: list[_Account], reference: Reference, at: _SourceTime) -> Iterator[Segment]:
    """Compare segment by segment, as many as there are whole ones."""
    for k in range(run.segments):
        first = k * (run.cycles + GAP_CYCLES)
        part = accounts[first : first + run.cycles]
        if len(part) < run.cycles:
            break
        span = at(part[0].begin), at(part[-1].end)
        yield Segment(
            seconds=span[1] - span[0],
            nwh=sum(each.nwh for each in part),
            nvarh=sum(each.nvarh for each in part),
            fundamental_varh=sum(each.fundamental_varh for each in part),
            reference_wh=reference.watt_hours(*span),
            reference_varh=reference.var_hours(*span),
        )


def _flashes(edges: list[int], accounts: list[_Account], reference: Reference, at: _SourceTime) -> Flashes | None:
    """Compare from the first flash to the last; None for less than two."""
    if len(edges) < 2:
        return None
    return Flashes(
        len(edges) - 1,
        float((_registered(accounts, edges[-1]) - _registered(accounts, edges[0])) / NANO),
        reference.watt_hours(at(edges[0]), at(edges[-1])),
    )


def _demand(interval: DemandInterval | None, reference: Reference, at: _SourceTime) -> Demand | None:
    """Compare the interval of demand; None without one, or before its end."""
    if interval is None or interval.registered_nw is None:
        return None
    span = at(interval.begin), at(interval.end)
    true_w = reference.watt_hours(*span) * HOUR_S / (span[1] - span[0])
    return Demand(interval.registered_nw, true_w, span[1] - span[0])


def sensors_in(run: Run, chain: Chain) -> tuple[Sensor, ...]:
    """Give the sensors of a run."""
    if run.components is not None:
        return sensors_built_of(run.components, run.current_class)
    if run.sensors == "ideal":
        return ideal_sensors(run.current_class)
    return typical_sensors(run.current_class, chain.tick_hz)


def constants_of(run: Run, sensors: tuple[Sensor, ...], chain: Chain) -> Calibration:
    """Give the constants of a run."""
    return parse_calibration(run.calibration) if run.calibration else known_constants(sensors, chain.tick_hz)


class _Board:
    """The compiled netlist behind its SPI pins, as the driver sees it."""

    def __init__(self, chain: Chain, front_end: FrontEnd, settings: Mapping[str, int]) -> None:
        self._board = SimulatedBoard(chain, front_end, "rtl")
        self._link = SpiLink(self._board)
        for name, value in settings.items():
            self._link.write(name, value)
        self.configuration = configuration_digest(self._link.configuration())

    def records(self) -> Iterator[Record]:
        """Give records without end."""
        while True:
            self._board.advance(PIECE_TICKS // 2)
            yield from self._link.records()


def _oscillator_step(chain: Chain, hertz: float) -> int:
    """Give the step of the oscillator that the fundamental is measured with, on a line of this frequency."""
    reset = BY_NAME["OSCILLATOR_STEP"].reset or 0
    return tracking_step(reset, hertz, chain.tick_hz / chain.ticks_per_sample)


def _fundamental_varh(measurement: Measurement, window: Window) -> float:
    readings = measurement.readings(window.sums)
    return 0.0 if readings.q1_var is None else sum(readings.q1_var) * readings.seconds / 3600


def _registered(accounts: list[_Account], tick: int) -> Fraction:
    """Give the energy registered up to a tick, in nWh from the first account on, even within each."""
    total = Fraction(0)
    for each in accounts:
        if tick >= each.end:
            total += abs(each.nwh)
        else:
            return total + Fraction(abs(each.nwh) * (tick - each.begin), each.end - each.begin)
    return total
