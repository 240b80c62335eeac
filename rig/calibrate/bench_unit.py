"""A simulated unit on a simulated bench, in virtual time: the truth is the waveform at its terminals (C-5).

When a load changes and which windows a sample is of goes by the board's ticks alone, so what is measured does not
depend on how the records came: through the service (simulated_unit.py) or from the model itself (model_unit.py).

    from the end of the point before    LEAD_S later        SETTLING_S later           then
    the old load                        the load changes    the first sample begins    sample after sample
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from cmath import rect
from collections.abc import Iterator
from fractions import Fraction
from math import ceil, radians

from calibration.constants import CHANNELS, Calibration
from calibration.observation import PhaseReading, PointPlan, Purpose, Readings, Sample
from calibration.solve import Truth
from drivers.sim.source import GRID_TICKS
from drivers.sim.waves import WYE, LoadState, Wave
from gateware.record_words import RecordFlag
from rig.calibrate.bench_load import BenchLoad
from rig.meter.measuring.measurement import Measurement, Window
from rig.meter.measuring.quantities import Sums

SAMPLE_S = 1.0
WIRING_SAMPLE_S = 0.5
"""What is looked for there is not a matter of hundredths of a percent."""

LEAD_S = 0.25
"""From the end of a point to the change of the load: by more than anything reads ahead, 0.2 s."""

SETTLING_S = 0.35
"""From the change on: sensors that go by the current follow in 0.1 s, filters and windows in as long again."""

BEGIN_TICK = 9 << 17
"""Windows are given from the first sample later than this, 0.35 s: the first load has been there for 0.1 s."""

TRUE_WAVEFORM = Truth("true waveform of the simulation", 0.002, 0.0001)
"""What a second's windows, which begin and end on a sample, leave of watts: half a sample in 13 020 at either end."""


class BenchUnit(ABC):
    """Unit whose windows `_endless` gives; what is left to a kind of unit is that, and `measurement`."""

    calibration: Calibration
    board: str
    tick_hz: Fraction
    truth = TRUE_WAVEFORM

    def __init__(self, load: BenchLoad) -> None:
        self._load = load
        self._windows: Iterator[Window] | None = None
        self._coming: Window | None = None
        self._begin = 0  # tick of the next sample's
        self._reference: Readings | None = None
        self._purpose = Purpose.WIRING

    @property
    @abstractmethod
    def _measurement(self) -> Measurement:
        """The measuring side of the unit, from the first point on."""

    @abstractmethod
    def _endless(self) -> Iterator[Window]:
        """Give windows without end, from BEGIN_TICK on."""

    def apply(self, plan: PointPlan) -> None:
        """Apply a load to all phases."""
        state, self._purpose = state_of(plan), plan.purpose
        self._reference = readings_of(state)
        change = ceil((self._begin + LEAD_S * self.tick_hz) / GRID_TICKS)
        self._load.change_at(change, state)
        if self._windows is None:
            self._windows = self._endless()
        self._begin = change * GRID_TICKS + round(SETTLING_S * self.tick_hz)

    def samples(self) -> Iterator[Sample]:
        """Measure: in a sample are the windows that end in its time."""
        assert self._reference is not None
        seconds = WIRING_SAMPLE_S if self._purpose is Purpose.WIRING else SAMPLE_S
        length = round(seconds * self.tick_hz)
        for _ in self._until(self._begin):
            pass
        while True:
            self._begin += length
            sums, clipped = Sums(), 0
            for window in self._until(self._begin):
                record = window.record
                if record.whole_cycles or RecordFlag.END_CROSSING not in record.flags:
                    sums += window.sums
                clipped |= record.overload
            found = self._measurement.phases(sums)
            vars_ = found.q_var or (0.0,) * 3
            meter = [PhaseReading(found.v_rms[k], found.i_rms[k], found.p_w[k], vars_[k]) for k in range(3)]
            names = tuple(name for c, name in enumerate(CHANNELS) if clipped >> c & 1)
            yield Sample((meter[0], meter[1], meter[2]), self._reference, names)

    def _until(self, tick: int) -> Iterator[Window]:
        """Give windows up to the last that ends by a tick; the one after it is given next time."""
        assert self._windows is not None
        while True:
            if self._coming is None:
                self._coming = next(self._windows)
            if self._coming.record.tick_end > tick:
                return
            window, self._coming = self._coming, None
            yield window

    def dc_codes(self) -> tuple[Fraction, ...] | None:
        """DC of the channels in sample codes."""
        return None if self._windows is None else self._measurement.dc_codes


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
