"""Records of samples given one by one, from one commanded closing to another, as a replay makes them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from line_records import CHAIN, HYSTERESIS, POLL_SAMPLES, SAMPLE_HZ

from calibration.constants import nominal
from gateware.model.windows import Windows
from gateware.record_words import Record
from gateware.registers import BY_NAME
from rig.meter.measuring.elements import FORMS
from rig.meter.measuring.measurement import Measurement, Window
from rig.meter.measuring.oscillator import tracking_step

LEAD = 70
"""Samples that come before those given, for the delay line: the first ones, mirrored."""

VOLTS, AMPERES = Fraction(1000), Fraction(100)
"""Full scales of the channels."""

VOLT_CODES, AMPERE_CODES = 2**19 / 1000, 2**19 / 100
"""Codes for a volt and for an ampere."""


def seconds(count: int) -> np.ndarray:
    """The instants of so many samples, in seconds."""
    return np.arange(count) / float(SAMPLE_HZ)


def records_of(codes: np.ndarray, hz: float = 60.0) -> list[Record]:
    """The records of samples (6, n) of integer codes: from the first sample to the last, on a line of `hz`."""
    samples = np.concatenate([codes[:, LEAD:0:-1], codes, codes[:, -1:]], axis=1).T.astype(np.int64).copy()
    stamps = np.arange(len(samples), dtype=np.int64) * CHAIN.ticks_per_sample
    windows = Windows(CHAIN)
    step = tracking_step(BY_NAME["OSCILLATOR_STEP"].reset or 0, hz, SAMPLE_HZ)
    most = BY_NAME["WINDOW_MAX"].reset or 0
    made: list[Record] = []

    def feed(first: int, last: int) -> None:
        for begin in range(first, last, POLL_SAMPLES):
            part = slice(begin, min(begin + POLL_SAMPLES, last))
            none = np.zeros(part.stop - part.start, np.int64)
            config = np.array([0, HYSTERESIS, 128, most, 0, 0, step], np.int64)
            windows.feed(samples[part], stamps[part], none, none, config)
            while windows.waiting:
                made.append(Record.from_words([int(w) for w in windows.waiting.popleft()]))

    for boundary, begin, end in ((LEAD, 0, LEAD + 1), (LEAD + codes.shape[1], LEAD + 1, len(samples))):
        windows.set_close_at(int(stamps[boundary - 1]))
        windows.arm()
        feed(begin, end)
    return [record for record in made if record.tick_start >= stamps[LEAD - 1]]


def one_phase(volts: np.ndarray, amperes: np.ndarray) -> np.ndarray:
    """Codes of phase A alone, of samples in volts and amperes."""
    codes = np.zeros((6, len(volts)))
    codes[0], codes[3] = volts * VOLT_CODES, amperes * AMPERE_CODES
    return np.rint(codes).astype(np.int64)


def measurement(form: str = "1S") -> Measurement:
    """A measurement of those full scales, with no starting current."""
    return Measurement(
        equation=FORMS[form].equation(),
        calibration=nominal(VOLTS, AMPERES),
        tick_hz=CHAIN.tick_hz,
        ticks_per_sample=CHAIN.ticks_per_sample,
        config_digest=0,
        quarter=CHAIN.quarter,
    )


def metered(codes: np.ndarray, hz: float = 60.0) -> tuple[Measurement, list[Window]]:
    """What a meter of one element makes of samples: itself, and its windows."""
    meter = measurement()
    windows = [meter.advance(record) for record in records_of(codes, hz)]
    assert not meter.faults
    return meter, windows
