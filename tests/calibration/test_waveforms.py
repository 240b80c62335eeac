"""Waveforms of accuracy tests, against sums over sampled points of the shapes that the standards describe."""

from __future__ import annotations

from math import radians, sqrt

import numpy as np
import pytest

from calibration.waveforms import MOST_ORDER, WAVEFORMS, Waveform

DEGREES = np.arange(0.0, 360.0, 0.05)


def played(shape: Waveform) -> tuple[np.ndarray, np.ndarray]:
    """Volts and amperes over a cycle, of 1 at the crest of the voltage's fundamental and of the point's sine."""
    y = np.radians(DEGREES)
    turned = y + radians(shape.turned_deg)
    volts = np.cos(y) + sum(share * np.cos(h * y + radians(a)) for h, share, a in shape.volts)
    amperes = np.cos(turned) + sum(share * np.cos(h * turned + radians(a)) for h, share, a in shape.amperes)
    return volts, shape.scale * (amperes + shape.dc)


@pytest.mark.parametrize(
    ("name", "power", "volts", "amperes"),
    [  # of facts/accuracy_points.json: P/P1, Vrms/V1, Irms/I1; of the fifth 1 + 0.1 · 0.4
        ("fifth", 1.04, sqrt(1.01), sqrt(1.16)),
        ("quadriform", 0.98051, 1.001246, 1.073592),
        ("peaked", 0.9806, 1.001236, 1.073592),
    ],
)
def test_harmonic_waves_have_the_published_power(name, power, volts, amperes):
    v, i = played(WAVEFORMS[name])
    assert 2 * np.mean(v * i) == pytest.approx(power, abs=6e-6)  # as printed
    assert np.sqrt(2 * np.mean(v**2)) == pytest.approx(volts, abs=1e-6)
    assert np.sqrt(2 * np.mean(i**2)) == pytest.approx(amperes, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "on"),
    [
        ("phase-fired", lambda y: (y % 180 > 0) & (y % 180 < 90)),
        ("half-wave", lambda y: (y < 90) | (y > 270)),
    ],
)
def test_cut_waves_are_the_sine_where_they_conduct(name, on):
    shape = WAVEFORMS[name]
    cut = np.where(on(DEGREES), np.cos(np.radians(DEGREES)), 0.0)
    spectrum = np.fft.rfft(cut) / len(cut)
    spectrum[MOST_ORDER + 1 :] = 0  # the band that the rig plays
    band = np.fft.irfft(spectrum * len(cut), len(cut))
    # One of 7200 points beside each of four edges: 2/7200 of each harmonic.
    assert played(shape)[1] == pytest.approx(band, abs=MOST_ORDER * 2 / 7200)
    assert 2 * np.mean(played(shape)[0] * played(shape)[1]) == pytest.approx(0.5, abs=1e-9)


def test_the_pulse_is_a_raised_cosine_at_each_crest():
    amperes = played(WAVEFORMS["pulse"])[1]
    relative = amperes / amperes[0]
    for degree, expected in ((0, 1.0), (15, 0.5), (30, 0.0), (90, 0.0), (165, -0.5), (180, -1.0)):
        assert relative[round(degree / 0.05)] == pytest.approx(expected, abs=0.005), degree


@pytest.mark.parametrize(("name", "which"), [("current crossings", 1), ("voltage crossings", 0)])
def test_crossings_are_several(name, which):
    wave = played(WAVEFORMS[name])[which]
    assert np.count_nonzero(np.diff(np.sign(wave[wave != 0]))) > 2
    assert np.count_nonzero(np.diff(np.sign(played(WAVEFORMS[name])[1 - which]))) == 2
