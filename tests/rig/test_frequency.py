"""Line frequency: within 0.5 mHz over any second, on waveforms with harmonics and noise."""

from __future__ import annotations

import pytest
from line_records import CHAIN, Wave, records

from rig.meter.measuring.frequency import RECENT_WINDOWS, LineFrequency

PEAK = 2.0**18
LIMIT_HZ = 5e-4
"""Issue 3: over one second."""
WAVES = {
    "sine": {},
    "harmonics": {2: (0.01, 20), 3: (0.05, 40), 5: (0.06, -70), 7: (0.03, 10), 11: (0.02, 90), 49: (0.005, 80)},
    "rough": {5: (0.1, 90), 25: (0.05, 90), 50: (0.05, 90)},
}


@pytest.mark.parametrize("wave", WAVES)
@pytest.mark.parametrize("hz", [45.0, 50.0, 55.0, 60.0, 60.037, 65.0])
def test_within_half_a_millihertz_over_a_second(hz: float, wave: str) -> None:
    """With noise 80 dB below the sine, twenty decibels more than the front ends have. Every second there is."""
    waves = [Wave(PEAK, 0, 20.0, WAVES[wave])] * 3 + [Wave(1000.0)] * 3
    made = records(waves, hz, 4, noise=PEAK * 2**-0.5 * 1e-4)
    second = round(hz)
    for first in range(0, len(made) - second - 1, 7):
        line = LineFrequency(CHAIN.tick_hz, CHAIN.ticks_per_sample)
        for k, record in enumerate(made[first : first + second + 1]):
            line.advance(record, follows=k > 0)
        assert line.mean_hz is not None
        assert abs(line.mean_hz - hz) < LIMIT_HZ


def test_recent_frequency_forgets() -> None:
    """What the oscillator is tracking_step by: after a step of the line it is there RECENT_WINDOWS later."""
    line = LineFrequency(CHAIN.tick_hz, CHAIN.ticks_per_sample)
    assert line.recent_hz is None
    waves = [Wave(PEAK, 0)] * 3 + [Wave(1000.0)] * 3
    for hz in (59.0, 61.0):
        seen = []
        for k, record in enumerate(records(waves, hz, 1)):
            line.advance(record, follows=k > 0)
            seen.append(line.recent_hz)
        assert seen[RECENT_WINDOWS:] == pytest.approx([hz] * (len(seen) - RECENT_WINDOWS), abs=1e-3)
    assert line.mean_hz == pytest.approx(60, abs=0.1)


def test_there_is_no_frequency_across_a_gap() -> None:
    """Where the crossing before a gap was says nothing of the window behind it, nor of the mean."""
    waves = [Wave(PEAK, 0)] * 3 + [Wave(1000.0)] * 3
    made = records(waves, 60.0, 0.5)
    line = LineFrequency(CHAIN.tick_hz, CHAIN.ticks_per_sample)
    before, behind = made[:8], made[13:]
    found = [line.advance(record, follows=k > 0) for k, record in enumerate(before)]
    assert found[0] is None
    assert found[1:] == pytest.approx([60.0] * 7, abs=1e-3)
    assert line.advance(behind[0], follows=False) is None
    assert line.advance(behind[1], follows=True) == pytest.approx(60.0, abs=1e-3)
    line.forget()
    assert line.advance(behind[2], follows=True) is None
    assert line.mean_hz == pytest.approx(60.0, abs=1e-3)
