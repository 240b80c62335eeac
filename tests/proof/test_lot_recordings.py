"""Recordings of ../shared/waveforms on a calibrated meter of a lot: within 0.05 % of ∫S of their references."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from lot_bench import SEED, calibrated_constants

from calibration.constants_file import write_calibration
from drivers.sim.channels import assign, parse_spec
from drivers.sim.reading import read_recording
from drivers.sim.recording import RecordedChannel, Recording
from rig.hardware.config import Config, LotConfig, MeterFiles, SimulationConfig
from rig.replay.recordings.replay import Playback, replay
from rig.results.summary import Summary

pytestmark = pytest.mark.slow

LIMIT = 5e-4
"""Of issue 17."""

METER = 12
LOT = SimulationConfig(lot=LotConfig(seed=SEED, meter=METER))


@pytest.fixture(scope="module")
def imperfect(tmp_path_factory: pytest.TempPathFactory) -> Config:
    folder = tmp_path_factory.mktemp("lot")
    write_calibration(folder / "constants.toml", calibrated_constants(METER, folder))
    return Config(simulation=LOT, meter=MeterFiles(calibration=str(folder / "constants.toml")))


RECORDS = {
    "G1": ("comtrade_ufsc_generators", "test3.cfg", "test3_G1", 60, 500),
    "G3": ("comtrade_ufsc_generators", "test3.cfg", "test3_G3", 60, 500),
    "xtz 213": ("comtrade_220kv_fault_recorder", "xtz.cfg", "xtz_213", 1, 1),
    "xtz 211": ("comtrade_220kv_fault_recorder", "xtz.cfg", "xtz_211", 1, 1),
    "VL1": ("comtrade_110kv_substation_ru", "wisp2.cfg", "VL1", 1100, 60),
    "VL5": ("comtrade_110kv_substation_ru", "wisp2.cfg", "VL5", 1100, 80),
}


@pytest.mark.parametrize("name", RECORDS)
def test_whole_recordings(name: str, waveforms: Path, imperfect: Config) -> None:
    folder, file, record, vt_ratio, ct_ratio = RECORDS[name]
    recording = read_recording(waveforms / folder / file, None)
    named = json.loads((waveforms / folder / "reference.json").read_text())["records"][record]
    spec = ",".join(f"{q}{c['phase'].lower()}={c[q]}" for c in named["channels"] for q in "vi")
    assignment = assign(recording, parse_spec(spec))
    error, _ = played(
        Playback(recording, assignment, vt_ratio=Fraction(vt_ratio), ct_ratio=Fraction(ct_ratio)), imperfect
    )
    print(f"{name}: {100 * error:+.4f} % of ∫S")
    assert abs(error) <= LIMIT


@pytest.mark.parametrize("row", [139, 19, 103, 209, 59])
def test_appliances(row: int, waveforms: Path, imperfect: Config) -> None:
    """Laptop, lamp, hair iron of half waves, vacuum cleaner, kettle: one period, looped for ten seconds."""
    folder = waveforms / "plaid_one_cycle_60hz"
    columns = np.stack([np.load(folder / f"{name}.npy")[row] for name in ("voltage", "current")], axis=1)
    channels = (RecordedChannel("va", "V"), RecordedChannel("ia", "A"))
    recording = Recording(Path(f"plaid row {row}"), channels, columns, Fraction(30_000))
    error, _ = played(Playback(recording, {"va": 0, "ia": 1}, loop=True, seconds=Fraction(10)), imperfect)
    print(f"row {row}: {100 * error:+.4f} % of S")
    assert abs(error) <= LIMIT


def test_the_same_meter_uncalibrated_is_as_bad_as_its_parts(waveforms: Path) -> None:
    recording = read_recording(waveforms / "comtrade_ufsc_generators" / "test3.cfg", None)
    spec = ",".join(f"{q}{p}={q.upper()}{p.upper()}_G1" for q in "vi" for p in "abc")
    playback = Playback(recording, assign(recording, parse_spec(spec)), vt_ratio=Fraction(60), ct_ratio=Fraction(500))
    error, summary = played(playback, Config(simulation=LOT))
    assert not summary.calibrated
    assert abs(error) > 2 * LIMIT


def played(playback: Playback, config: Config) -> tuple[float, Summary]:
    """Play it; give the error of the energy as a share of ∫S by numpy's sums over the samples, without their mean."""
    summary = replay(playback, config)
    assert not summary.faults
    energy_wh = apparent_wh = 0.0
    values = playback.recording.values
    hours = len(values) / float(playback.recording.rate_hz) / 3600 if playback.seconds is None else None
    for phase in summary.phases:
        v, i = (values[:, playback.assignment[q + phase]] for q in "vi")
        v, i = v - v.mean(), i - i.mean()
        length = hours if hours is not None else float(playback.seconds or 0) / 3600
        energy_wh += float(np.mean(v * i)) * length
        apparent_wh += float(v.std() * i.std()) * length
    net = summary.energy_wh.delivered - summary.energy_wh.received
    return (net - energy_wh) / apparent_wh, summary
