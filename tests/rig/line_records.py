"""Records of synthetic three-phase samples: waves in closed form, rounded to codes, summed by the model's windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from calibration.constants import nominal
from gateware.chain import Chain
from gateware.model.windows import Windows
from gateware.record_words import Record
from gateware.registers import BY_NAME
from rig.meter.measuring.elements import FORMS
from rig.meter.measuring.measurement import Measurement
from rig.meter.measuring.oscillator import tracking_step
from rig.meter.measuring.products import Mean, Moments, ac_products
from rig.meter.measuring.quantities import Sums

CHAIN = Chain()
SAMPLE_HZ = CHAIN.tick_hz / CHAIN.ticks_per_sample
SETTLED = 100
"""Samples before the first that count: the delay line is full by then."""
POLL_SAMPLES = 130
HYSTERESIS = 2000


@dataclass(frozen=True)
class Wave:
    """One channel in sample codes: peak of the fundamental, its lag behind the cosine of phase 0 in degrees, DC, and
    harmonics as order: (peak relative to the fundamental, lag in degrees of its own)."""

    peak: float
    lag: float = 0.0
    dc: float = 0.0
    harmonics: Mapping[int, tuple[float, float]] = field(default_factory=dict)

    def at(self, turns: np.ndarray) -> np.ndarray:
        """Values where the line has turned `turns`."""
        parts = {1: (1.0, self.lag)} | dict(self.harmonics)
        return self.dc + self.peak * sum(
            peak * np.cos(2 * np.pi * (order * turns - lag / 360)) for order, (peak, lag) in parts.items()
        )

    def square(self) -> float:
        """Mean square without DC."""
        return self.peak**2 / 2 * (1 + sum(peak**2 for peak, _ in self.harmonics.values()))


def powers(v: Wave, i: Wave) -> dict[int, complex]:
    """P + jQ of each order that both have, in codes squared."""
    volts = {1: (1.0, v.lag)} | dict(v.harmonics)
    amperes = {1: (1.0, i.lag)} | dict(i.harmonics)
    return {
        h: v.peak * i.peak / 2 * volts[h][0] * amperes[h][0] * np.exp(1j * np.radians(amperes[h][1] - volts[h][1]))
        for h in volts.keys() & amperes.keys()
    }


def delay_samples(hz: float) -> int:
    """Samples of a quarter cycle, at 50 Hz or at 60: docs/decisions/058-quarter-cycle-by-line.md."""
    return 65 if hz < 54 else 54


def delay_turn(hz: float) -> float:
    """What the line turns in the delay of the td products, radians."""
    return 2 * np.pi * hz * delay_samples(hz) / float(SAMPLE_HZ)


def records(
    waves: Sequence[Wave], hz: float, seconds: float, *, steer: bool = True, noise: float = 0.0, turns: float = 0.13
) -> list[Record]:
    """The whole windows of `seconds` of six channels, the line beginning at `turns`, with white noise in codes r.m.s.

    The oscillator begins at 60 Hz; tracking_step, it follows from the third record on.
    """
    count = round(seconds * SAMPLE_HZ) + SETTLED
    codes = np.array([w.at(turns + hz / float(SAMPLE_HZ) * np.arange(count)) for w in waves])
    if noise:
        codes += np.random.default_rng(1).normal(0, noise, codes.shape)
    samples = np.rint(codes).astype(np.int64).T.copy()
    stamps = np.arange(count, dtype=np.int64) * CHAIN.ticks_per_sample
    windows = Windows(CHAIN)
    step = BY_NAME["OSCILLATOR_STEP"].reset or 0
    made: list[Record] = []
    for first in range(0, count, POLL_SAMPLES):
        part = slice(first, first + POLL_SAMPLES)
        none = np.zeros(len(samples[part]), np.int64)
        config = np.array([0, HYSTERESIS, 128, 384, 0, 0, step], np.int64)
        windows.feed(samples[part], stamps[part], none, none, config)
        while windows.waiting:
            made.append(Record.from_words([int(w) for w in windows.waiting.popleft()]))
        if steer and len(made) >= 2:
            step = tracking_step(step, hz, SAMPLE_HZ)
    return made[1:]  # the first began before the delay line was full


def window_sums(record: Record, mean: Mean | None = None) -> Sums:
    """What a record alone adds up to, by default with its own mean as its DC."""
    mean = mean or Mean.of_record(record)
    return Sums(record.samples, ac_products(record, mean), moments=Moments.of(record), dc=mean.over(record.samples))


def summed(records: Sequence[Record]) -> tuple[Sums, float]:
    """What the meter makes of records in a row: their sums, and the line frequency."""
    meter = Measurement(
        equation=FORMS["9S"].equation(),
        calibration=nominal(Fraction(1000), Fraction(100)),
        tick_hz=CHAIN.tick_hz,
        ticks_per_sample=CHAIN.ticks_per_sample,
        config_digest=0,
        quarter=CHAIN.quarter,
    )
    for record in records:
        assert not meter.advance(record).faults
    assert meter.frequency_hz is not None
    return meter.run, meter.frequency_hz
