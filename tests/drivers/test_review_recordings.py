"""Every waveform of the review's inputs, read right or refused rightly (2026-11-29; the id stands in each line)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from drivers.sim.channels import assign, parse_spec
from drivers.sim.reading import read_recording
from drivers.sim.recording import RecordingError

INPUTS = Path(__file__).parents[2] / "../shared/review/inputs"


def given(name: str) -> Path:
    path = INPUTS / name
    if not path.exists():
        pytest.skip(f"the review's inputs are not here ({name})")
    return path


# A cosine, 60 Hz but for the date's, at 1920 or 7680 samples a second; crests as their texts have them.
READ = {
    # name: --channels, rate, crest of va in V, of ia in A
    "date_plotxy.cfg": (None, 1920, None, None),  # B-4
    "one.cff": (None, 1920, 169.71, 17.678),  # B-6
    "latin1_nophase.cfg": ("va=Tensão,ia=Corrente Fase R - Saída", 1920, None, None),  # B-7
    "time_s_paren.csv": (None, 7680, 169.7056, 17.67767),
    "unit_paren_mA.csv": (None, 7680, 169.7056, 0.02828427),
}


@pytest.mark.parametrize("name", READ)
def test_read_right(name: str) -> None:
    spec, rate, volts, amperes = READ[name]
    recording = read_recording(given(name))
    columns = assign(recording, None if spec is None else parse_spec(spec))
    assert recording.rate_hz == rate
    for slot, crest in (("va", volts), ("ia", amperes)):
        column = recording.column(columns[slot])
        assert np.isfinite(column).all()
        if crest is not None:
            assert np.abs(column).max() == pytest.approx(crest, rel=1e-6)


def test_the_dates_samples_are_those_of_its_words() -> None:
    """B-4: the words of the .dat, unpacked here by numpy alone, times the .cfg's 0.01 and 0.001."""
    path = given("date_plotxy.cfg")
    words = np.frombuffer(path.with_suffix(".dat").read_bytes(), "<i2").reshape(-1, 6)[:, 4:]
    recording = read_recording(path)
    assert np.array_equal(recording.values, words * np.array([0.01, 0.001]))
    assert "'09/44/2025,15:44:15.167000' of line 8" in recording.notes[0]


REFUSED = {
    "six_missing_999999.cfg": "channel VA has no value at sample 101 and 29 more: 999999 stands for",
    "miss5_spaces.cfg": "channel VA has no value at sample 101 and 29 more: 99999 stands for",
    "time_ms.csv": "column time gives 7.68 samples a second, .*: is the column in ms",
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_rightly(name: str) -> None:
    with pytest.raises(RecordingError, match=REFUSED[name]):
        assign(read_recording(given(name)))


@pytest.mark.parametrize("name", ["six_missing_999999.cfg", "miss5_spaces.cfg"])
def test_the_other_channel_is_whole(name: str) -> None:
    assert len(read_recording(given(name)).column(1)) == 960
