"""Waveforms in CSV whose time is that of a clock, and files that only look like CSV; against the wave that is
written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from recordings_made import AMPERES, RATE, SAMPLES, VOLTS, VOLTS_PER_COUNT

from drivers.sim.reading import read_recording
from drivers.sim.recording import Recording, RecordingError

NOON_NS = 12 * 3600 * 10**9
LATE_NS = 24 * 3600 * 10**9 - 50 * 10**6


def clock(ns: int, hours: int = 24) -> str:
    """Time of day of a count of ns."""
    seconds, part = divmod(ns, 10**9)
    hour = seconds // 3600 % 24
    return f"{hour if hours == 24 else hour % 12 or 12:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{part:09}"


def wave(folder: Path, head: str, stamp: Callable[[int], str], first_ns: int = NOON_NS, above: str = "") -> Recording:
    lines = [
        f"{stamp(first_ns + round(k * 10**9 / RATE))}{head[4:5]}{VOLTS[k]}{head[4:5]}{AMPERES[k]}"
        for k in range(SAMPLES)
    ]
    path = folder / "wave.csv"
    path.write_text(above + "\n".join([head, *lines]) + "\n", encoding="utf-8")
    return read_recording(path)


STAMPS: dict[str, Callable[[int], str]] = {
    "time of day": clock,
    "microseconds": lambda ns: clock(ns)[:-3],
    "ISO": lambda ns: f"2026-01-15T{clock(ns)}",
    "ISO of UTC": lambda ns: f"2026-01-15T{clock(ns)}Z",
    "ISO with an offset": lambda ns: f"2026-01-15 {clock(ns)} -05:00",
    "a date in dots": lambda ns: f"15.01.2026 {clock(ns)}",
    "12 hours": lambda ns: f"1/15/2026 {clock(ns, 12)} {'PM' if ns % (24 * 3600 * 10**9) >= NOON_NS else 'AM'}",
}


@pytest.mark.parametrize("name", STAMPS)
@pytest.mark.parametrize(
    "first_ns", [NOON_NS, NOON_NS - 50 * 10**6, LATE_NS], ids=["noon", "over noon", "over midnight"]
)
def test_stamps_of_a_clock(tmp_path: Path, name: str, first_ns: int) -> None:
    recording = wave(tmp_path, "time,va (mV),ia (mA)", STAMPS[name], first_ns)
    assert recording.rate_hz == RATE
    assert list(recording.values[:, 0]) == pytest.approx([volts / 1000 for volts in VOLTS], rel=1e-12)


def test_a_comma_before_the_fraction(tmp_path: Path) -> None:
    assert wave(tmp_path, "Time;va;ia", lambda ns: clock(ns).replace(".", ",")).rate_hz == RATE


def test_a_clock_that_is_too_coarse_or_too_slow(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"its time stamps do not increase|time stamps are uneven"):
        wave(tmp_path, "time,va,ia", lambda ns: clock(ns)[:8])
    with pytest.raises(RecordingError, match="column time has 1 samples a second, too few for a line frequency"):
        wave(tmp_path, "time,va,ia", lambda ns: clock(NOON_NS + (ns - NOON_NS) * RATE))
    with pytest.raises(RecordingError, match=r"column time is not a finite number at line 3 \('later'\)"):
        wave(tmp_path, "time,va,ia", lambda ns: str(ns / 1e9) if ns == NOON_NS else "later")


@pytest.mark.parametrize(
    "line", ["# Multiplier: 20\n", "Multiplier,20\n", "# PT ratio 120:1\n", "CT,400/5\n", "Scale factor = 0.1\n"]
)
def test_a_factor_above_the_values_is_told(tmp_path: Path, line: str) -> None:
    notes = wave(tmp_path, "time,va,ia", clock, above=line).notes
    assert any(note.startswith("line 1 is '") and "nothing is multiplied" in note for note in notes), notes


@pytest.mark.parametrize(
    "line", ["# Multiplier: 1\n", "# multiplier 1.000\n", "# Power factor 0.8\n", "Vertical Scale,5\n", "# 20 A\n"]
)
def test_other_lines_above_are_not(tmp_path: Path, line: str) -> None:
    assert not any("multiplied" in note for note in wave(tmp_path, "time,va,ia", clock, above=line).notes)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"PK\x03\x04" + bytes(range(200)), "is a zip archive or an Excel workbook, and no text"),
        (b"\x1f\x8b\x08" + bytes(range(200)), "is packed by gzip, and no text"),
        (b"\xd0\xcf\x11\xe0" + bytes(400), "is an old Excel workbook"),
    ],
)
def test_files_that_are_no_text(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "wave.csv"
    path.write_bytes(data)
    with pytest.raises(RecordingError, match=said):
        read_recording(path)


def test_cells_with_units_are_shown(tmp_path: Path) -> None:
    path = tmp_path / "wave.csv"
    path.write_text("time_s,va\n" + "".join(f"{k / 1920:.7f},{VOLTS[k] * VOLTS_PER_COUNT} V\n" for k in range(192)))
    recording = read_recording(path)
    with pytest.raises(RecordingError, match=r"column va is not a finite number at line 2 \('169.71 V'\)"):
        recording.column(0)
