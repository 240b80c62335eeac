"""`rig scope`: the capture of the simulated rig in volts and amperes, its picture, its files, its refusals."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from io import StringIO
from pathlib import Path
from typing import get_args, get_type_hints

import msgspec
import numpy as np
import pytest
from rich.console import Console

from calibration.constants import FULL_SCALE_CODES
from drivers.sim.channels import assign
from drivers.sim.comtrade_file import read_comtrade
from drivers.sim.reading import read_recording
from drivers.sim.synthetic import SyntheticLoad
from drivers.sim.waves import LoadState, Step, Wave
from gateware.chain import Chain
from gateware.registers import Channel, EventKind
from rig.files.whole import FileError, check_free, write_files
from rig.hardware.config import Config
from rig.hardware.selection import open_hardware
from rig.hardware.simulation import simulated_hardware
from rig.replay.recordings.replay import Playback, replay
from rig.results.provenance import Provenance
from rig.scope.capture import CaptureRequest, Scope, ScopeError, Trace, capture, parse_trigger, whole_cycles
from rig.scope.files import PrimaryRatios, comtrade, comtrade_pair, csv
from rig.terminal.scope_view import braille, scope_view

ROOT = Path(__file__).parents[2]
WHEN = datetime(2026, 11, 22, 19, 0, 0, 123456, tzinfo=UTC)
SAMPLE_HZ = 40e6 / 3 / 1024
CHANNELS = ("v1", "v2", "v3", "i1", "i2", "i3")

PROVENANCE = Provenance(True, "exact", True, "1", "abc", "00000000", "p", "c", "k", 1, "2026-11-29T00:00:00+00:00")


def shot(trigger: str, seconds: float = 0.05, wait_s: float = 2.0, **ratios: Fraction) -> Scope | None:
    hardware = open_hardware(Config(), 20, paced=False)
    try:
        before = hardware.link.configuration()
        found = capture(hardware, trigger, seconds, wait_s, **ratios, provenance=PROVENANCE)
        assert hardware.link.configuration() == before, "the board is left as it was found"
    finally:
        hardware.close()
    return found


@pytest.fixture(scope="module")
def six_cycles() -> Scope:
    found = shot("v1:rising:0V", seconds=0.1)
    assert found is not None
    return found


def sines(count: int = 900, index: int = 200, scale: float = 1.0) -> Scope:
    """A waveform that no rig was needed for."""
    turn = 2 * np.pi * 60 * (np.arange(count) - index) / SAMPLE_HZ
    traces = {}
    for k, name in enumerate(CHANNELS):
        unit, peak = ("V", 170.0 * scale) if k < 3 else ("A", 7.0 * scale)
        samples = (peak * np.sin(turn - 2 * np.pi * k / 3)).tolist()
        traces[name] = Trace(unit, peak / math.sqrt(2), max(map(abs, samples)), 0.0, 60.0, samples)
    return Scope(
        True,
        True,
        "exact",
        "v1:rising:0V",
        index,
        1_000_000,
        0.0,
        SAMPLE_HZ,
        60.0,
        traces,
        "0" * 12,
        "0" * 8,
        PROVENANCE,
    )


# --- what is captured ---------------------------------------------------------------------------------------


def test_a_capture_is_in_volts_and_amperes(six_cycles: Scope) -> None:
    assert six_cycles.simulated
    assert six_cycles.calibrated
    assert list(six_cycles.channels) == list(CHANNELS)
    assert six_cycles.frequency_hz == pytest.approx(60, abs=0.1)
    for name, trace in six_cycles.channels.items():
        assert len(trace.samples) == round(0.1 * SAMPLE_HZ)
        assert trace.unit == ("V" if name[0] == "v" else "A")
        assert trace.peak == max(map(abs, trace.samples))
    for name in ("v1", "v2", "v3"):
        assert six_cycles.channels[name].rms == pytest.approx(120, rel=0.05)


def test_the_trigger_is_where_it_says(six_cycles: Scope) -> None:
    samples, at = six_cycles.channels["v1"].samples, six_cycles.trigger_index
    code_v = 850 / 0.78125 / FULL_SCALE_CODES
    assert samples[at - 1] < code_v
    assert samples[at] > -code_v
    assert at == len(samples) // 4


@pytest.mark.parametrize(
    ("trigger", "channel", "level"), [("v2:falling:50V", "v2", 50), ("i1:rising:-2.5A", "i1", -2.5)]
)
def test_levels_are_in_volts_and_amperes(trigger: str, channel: str, level: float) -> None:
    found = shot(trigger)
    assert found is not None
    before, at = found.channels[channel].samples[found.trigger_index - 1 : found.trigger_index + 1]
    assert min(before, at) - 0.01 <= level <= max(before, at) + 0.01
    assert (at < before) == ("falling" in trigger)


def test_now_needs_no_trigger() -> None:
    found = shot("now", seconds=0.02)
    assert found is not None
    assert found.trigger_index == 0
    assert len(found.channels["i3"].samples) == round(0.02 * SAMPLE_HZ)


def test_ratios_scale_values_and_levels() -> None:
    """The simulated rig plays the same again, so the samples are those of the meter's side, times the ratios."""
    found, at_the_meter = shot("v1:rising:3000V", vt_ratio=Fraction(60), ct_ratio=Fraction(500)), shot("v1:rising:50V")
    assert found is not None
    assert at_the_meter is not None
    for name, trace in found.channels.items():
        ratio, plain = (60 if name[0] == "v" else 500), at_the_meter.channels[name]
        for figures in ("rms", "peak", "samples"):
            scaled = np.multiply(ratio, getattr(plain, figures))
            assert getattr(trace, figures) == pytest.approx(scaled, rel=1e-12), "but for the rounding of floats"
    before, at = found.channels["v1"].samples[found.trigger_index - 1 : found.trigger_index + 1]
    assert before < 3000 + 1 and at > 3000 - 1  # noqa: PT018


def test_an_event_triggers() -> None:
    """Va falls to 60 V at 0.4 s: a sag below 100 V is told half a cycle of 45 Hz after its last crest."""
    amperes = tuple(Wave(5, -120 * k) for k in range(3))
    steps = [
        Step(at_s, LoadState((Wave(volts), Wave(120, -120), Wave(120, -240)), amperes))
        for at_s, volts in ((0.0, 120), (0.4, 60))
    ]
    source = SyntheticLoad(Chain().tick_hz, steps)
    hardware, _, _ = simulated_hardware(Config(), 20, source)
    found = capture(hardware, "event:sag:100V", 0.08, 2.0, provenance=PROVENANCE)
    assert found is not None
    at, samples = found.trigger_index, found.channels["v1"].samples
    last = max(k for k, value in enumerate(samples) if abs(value) >= 100 * math.sqrt(2) * 1.001)
    assert at - last == pytest.approx(145, abs=1)
    assert 0.4 < found.trigger_tick / float(Chain().tick_hz) < 0.43


def test_a_trigger_that_does_not_come_is_none() -> None:
    assert shot("v1:rising:800V", wait_s=0.1) is None
    assert shot("event:overload", wait_s=0.1) is None


@pytest.mark.parametrize("trigger", ["event:swell:2000V", "event:sag:0V"])
def test_levels_beyond_the_range_are_refused(trigger: str) -> None:
    with pytest.raises(ScopeError, match="is not within the range"):
        shot(trigger)


def test_triggers_as_written() -> None:
    assert parse_trigger("now") == CaptureRequest()
    assert parse_trigger("v3:falling:-12.5V") == CaptureRequest(Channel.V3, True, level=Fraction("-12.5"))
    assert parse_trigger("event:no-crossing") == CaptureRequest(event=EventKind.NO_CROSSING)
    assert parse_trigger("event:loss:20V") == CaptureRequest(event=EventKind.LOSS, level=Fraction(20))


@pytest.mark.parametrize(
    "text", ["", "v4:rising:0V", "v1:up:0V", "v1:rising:0A", "i1:rising:1V", "event:rain", "event:dead:3V", "event:sag"]
)
def test_what_is_no_trigger_is_refused(text: str) -> None:
    with pytest.raises(ScopeError, match=re.escape(text) + ".*(must be such as|needs the level)"):
        parse_trigger(text)


def test_whole_cycles_are_found_between_samples() -> None:
    turn = 2 * np.pi * 60.5 * np.arange(1000) / SAMPLE_HZ + 1
    cycles = whole_cycles(np.sin(turn).tolist())
    assert cycles is not None
    assert cycles.number == 3
    # A chord instead of the sine: at most (2π·60/13021)²/8 of a sample off at each end.
    assert cycles.frequency * SAMPLE_HZ == pytest.approx(60.5, rel=1e-5)
    assert whole_cycles([0.0] * 100) is None
    assert whole_cycles([1.0, -1.0, 1.0]) is None


def test_a_ripple_about_zero_is_no_crossing() -> None:
    """Between two crossings a signal was below −5 % of its peak once: a ripple of 1 % about zero adds none."""
    rising = [-1.0, -0.2, -0.01, 0.01, -0.01, 0.01, 0.2, 1.0]
    samples = [*rising, 0.2, -0.2, *rising, 0.2, -0.2, *rising]
    cycles = whole_cycles(samples)
    assert cycles is not None
    assert (cycles.begin, cycles.end, cycles.number) == (2.5, 22.5, 2)


def test_figures_are_about_the_mean_and_offsets_are_taken_off(tmp_path: Path) -> None:
    """100 V and 40 V of DC; with 40 V of offset in the calibration there is none left. R.m.s. is without DC in both.

    Within 1 %: typical sensors have gains off by a few tenths of a percent.
    """
    load = LoadState((Wave(100.0, dc=40.0),), (Wave(1.0),))
    found = []
    for offset_v in (0, 40):
        hardware, _, _ = simulated_hardware(Config(), 20, SyntheticLoad(Chain().tick_hz, [Step(0.0, load)]))
        first, *others = hardware.calibration.channels
        offset = Fraction(offset_v) / first.gain
        channels = (replace(first, offset_codes=offset), *others)
        calibrated = replace(hardware, calibration=replace(hardware.calibration, channels=channels))
        found.append(capture(calibrated, "now", 0.1, 2.0, provenance=PROVENANCE))
        hardware.close()
    assert [scope.channels["v1"].mean for scope in found if scope] == pytest.approx([40, 0], abs=0.4)
    assert [scope.channels["v1"].rms for scope in found if scope] == pytest.approx([100, 100], rel=0.01)
    assert [scope.channels["v1"].peak for scope in found if scope] == pytest.approx([181.4, 141.4], rel=0.01)


# --- files -----------------------------------------------------------------------------------------------


def test_comtrade_reads_back(tmp_path: Path) -> None:
    wave = sines()
    write_files(comtrade(wave, tmp_path / "a.cfg", WHEN, PrimaryRatios(60.0, 500.0)))
    recording = read_comtrade(tmp_path / "a.cfg")
    assert recording.names == ("VA", "VB", "VC", "IA", "IB", "IC")
    assert float(recording.rate_hz) == wave.sample_hz
    assert recording.notes == ()
    assert assign(recording) == {"va": 0, "vb": 1, "vc": 2, "ia": 3, "ib": 4, "ic": 5}
    for k, trace in enumerate(wave.channels.values()):
        half_step = trace.peak / 32767 / 2
        assert np.abs(recording.values[:, k] - trace.samples).max() <= half_step * (1 + 1e-6)
        assert recording.channels[k].unit == trace.unit
        assert recording.ratio(k) == (60 if k < 3 else 500)


def test_comtrade_says_when(tmp_path: Path) -> None:
    import comtrade as library

    write_files(comtrade(sines(), tmp_path / "a.cfg", WHEN, PrimaryRatios()))
    record = library.load(str(tmp_path / "a.cfg"))
    assert record.cfg.rev_year == "1999"
    assert record.total_samples == 900
    assert record.trigger_timestamp == WHEN.replace(tzinfo=None)
    assert (record.trigger_timestamp - record.start_timestamp).total_seconds() == pytest.approx(
        200 / SAMPLE_HZ, abs=1e-6
    )
    assert record.time[-1] == pytest.approx(899 / SAMPLE_HZ, abs=1e-6)


def test_csv_reads_back(tmp_path: Path) -> None:
    wave = sines()
    write_files(csv(wave, tmp_path / "a.csv", WHEN))
    recording = read_recording(tmp_path / "a.csv")
    assert recording.names == ("va", "vb", "vc", "ia", "ib", "ic")
    assert float(recording.rate_hz) == pytest.approx(wave.sample_hz, rel=1e-7)
    for k, trace in enumerate(wave.channels.values()):
        assert np.abs(recording.values[:, k] - trace.samples).max() < 1e-6 * trace.peak
    text = (tmp_path / "a.csv").read_text()
    assert "SIMULATED" in text
    assert WHEN.isoformat() in text


@pytest.mark.parametrize("suffix", [".cfg", ".csv"])
def test_a_capture_exported_and_replayed_is_what_it_was(six_cycles: Scope, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"shot{suffix}"
    write_files(comtrade(six_cycles, path, WHEN, PrimaryRatios()) if suffix == ".cfg" else csv(six_cycles, path, WHEN))
    recording = read_recording(path)
    summary = replay(Playback(recording, assign(recording)), Config())
    for k, phase in enumerate("abc", 1):
        # Six cycles, cut off to whole samples: one of 1302 at any phase of the wave is at most 2/1302 of the square.
        assert summary.phases[phase].v_rms == pytest.approx(six_cycles.channels[f"v{k}"].rms, rel=8e-4)
        assert summary.phases[phase].i_rms == pytest.approx(six_cycles.channels[f"i{k}"].rms, rel=8e-4)


def test_files_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(FileError, match="cannot be written"):
        write_files({tmp_path / "a.dat": b"1", tmp_path / "gone" / "a.cfg": b"2"})
    assert [p.name for p in tmp_path.iterdir()] == ["taken"]


def test_files_that_exist_are_kept(tmp_path: Path) -> None:
    pair = comtrade_pair(tmp_path / "a.cfg")
    assert [p.name for p in pair] == ["a.cfg", "a.dat"]
    check_free(pair, force=False)
    pair[1].write_bytes(b"kept")
    with pytest.raises(FileError, match=r"a\.dat exists: .* --force"):
        check_free(pair, force=False)
    check_free(pair, force=True)
    with pytest.raises(FileError, match="does not exist"):
        check_free([tmp_path / "gone" / "a.csv"], force=True)
    with pytest.raises(ScopeError, match=r"ends in \.cfg"):
        comtrade_pair(tmp_path / "a.txt")


# --- the picture --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [80, 120])
def test_the_picture_fits_and_says_what_it_shows(width: int) -> None:
    screen = StringIO()
    Console(file=screen, width=width).print(scope_view(sines(), width))
    lines = screen.getvalue().splitlines()
    assert {len(line) for line in lines} == {width}
    text = screen.getvalue()
    for said in ("▼ v1:rising:0V", "V1 120.2 V rms", "170 V peak", "I3 4.95 A rms", "60.00 Hz", "200 V", "SIMULATED"):
        assert said in text
    (mark,) = (line.index("▼") for line in lines if "▼" in line)
    (zero,) = (i for line in lines if "ms" in line for i, c in enumerate(line) if line[i - 1 : i + 2] == " 0 ")
    assert abs(mark - zero) <= 1


@pytest.mark.parametrize("width", [40, 57, 58, 80, 120])
@pytest.mark.parametrize("index", [0, 225, 899])
def test_its_figures_are_there_at_any_width(width: int, index: int) -> None:
    console = Console(file=StringIO(), width=width)
    console.print(scope_view(sines(index=index), width))
    assert isinstance(console.file, StringIO)
    text = console.file.getvalue()
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width
    unframed = " ".join(re.sub("[│╭╮╰╯─]", " ", text).split())
    for figure in ("v1:rising:0V", "120.2 V rms", "170 V peak", "4.95 A rms", "60.000 Hz", "SIMULATED (exact)", "ms"):
        assert figure in unframed


@pytest.mark.parametrize("scale", [1e-5, 1.0, 4e4])
@pytest.mark.parametrize("count", [1, 2, 7, 8191])
def test_any_size_can_be_shown(count: int, scale: float) -> None:
    Console(file=StringIO(), width=80).print(scope_view(sines(count, index=0, scale=scale), 80))


def test_dots_of_a_ramp() -> None:
    assert braille([1.0, 1 / 3, -1 / 3, -1.0], 1.0, columns=2, rows=1) == ["⠑⢄"]


# --- the command and its documents ---------------------------------------------------------------------------


def test_the_command_shows_and_writes(command_line, tmp_path: Path) -> None:
    done = command_line("scope", "--cycles", "3", "--comtrade", "a.cfg", "--csv", "a.csv")
    assert done.status == 0, done.err
    assert "SIMULATED (exact)" in done.out
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.cfg", "a.csv", "a.dat"]
    again = command_line("scope", "--comtrade", "a.cfg")
    assert again.status == 2
    assert "a.cfg exists" in again.err
    forced = command_line("scope", "--seconds", "0.02", "--csv", "a.csv", "--force", "--json")
    found = msgspec.json.decode(forced.out.encode(), type=Scope)
    assert len(found.channels["v1"].samples) == round(0.02 * SAMPLE_HZ)
    assert len(read_recording(tmp_path / "a.csv").values) == len(found.channels["v1"].samples)


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--trigger", "v9"], 2, r'--trigger is "v9", it must be such as now'),
        (["--trigger", "v1:rising:800V", "--wait", "0.1", "--csv", "a.csv"], 1, r"did not come in 0\.1 s"),
        (["--cycles", "2", "--seconds", "1"], 2, r"give one of them"),
        (["--seconds", "-1"], 2, r"--seconds is '-1', it must be a positive number"),
        (["--seconds", "100"], 2, r"do not fit the capture's memory"),
        (["--csv", "gone/a.csv"], 2, r"the folder gone does not exist"),
        (["--comtrade", "a.dat"], 2, r"name ends in \.cfg"),
        (["--vt-ratio", "0"], 2, r"--vt-ratio is '0', it must be a positive number"),
    ],
)
def test_mistakes_get_one_sentence(command_line, tmp_path: Path, arguments: list[str], status: int, said: str) -> None:
    done = command_line("scope", *arguments)
    assert done.status == status, done.err
    assert re.search(said, done.err), done.err
    assert done.err.count("\n") == 1
    assert done.out == ""
    assert not list(tmp_path.iterdir())


def test_the_schema_is_documented() -> None:
    text = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    trace = get_args(get_type_hints(Scope)["channels"])[1]
    for heading, kind in (("Waveform", Scope), ("Trace", trace)):
        section = re.split(r"^#+ ", text.partition(f"# {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
        assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(kind.__struct_fields__)
    assert json.loads(msgspec.json.encode(sines(3, 0)))["channels"]["v1"]["unit"] == "V"
