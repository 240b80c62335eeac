"""A series measured by a process of its own, which can be killed at any moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from rig.verify.series import PointResult, SeriesResult
from rig.verify.series_test import SeriesTestResult

RIG = str(Path(sys.executable).with_name("rig"))
PATIENCE_S = 240.0

SERIES = """
title = "two points and their mean"

[environment]
temperature = "22.8 °C"

[[points]]
name = "full load"
output = "kyz1"
load = "20 A"
pulses = 10

[[points]]
name = "wrong constant"
output = "kyz1"
load = "20 A"
pulses = 10
constant_wh = "0.15075"

[[tests]]
name = "dwell"
kind = "kyz dwell"
load = "20 A"
seconds = 2

[[averages]]
name = "mean of both"
weights = { "full load" = 1, "wrong constant" = 1 }
limit_percent = 0.3
"""
"""0.15075 Wh on the label where a pulse is 0.15 Wh: +0.5 %, and the mean +0.25 %."""


def begin(folder: Path, file: str = "s.series.toml") -> subprocess.Popen[bytes]:
    """Begin to measure a series, in a folder that has it."""
    command = [RIG, "verify", "--series", file, "--resume", "kept.jsonl", "--json"]
    with (folder / "stderr.txt").open("wb") as error:
        return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=error)


def kill_after(process: subprocess.Popen[bytes], folder: Path, words: str, seconds: float) -> bool:
    """Kill it so many seconds after it said some words; False if it ended before."""
    until = time.monotonic() + PATIENCE_S
    while words not in (folder / "stderr.txt").read_text(errors="replace"):
        if process.poll() is not None:
            process.communicate()
            return False
        assert time.monotonic() < until
        time.sleep(0.01)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode == -signal.SIGKILL


def meters_of(folder: Path) -> list[int]:
    """Processes of meters that were started in a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if b"rig.daemon.metering" in (entry / "cmdline").read_bytes() and os.readlink(entry / "cwd") == str(folder):
                found.append(int(entry.name))
        except (OSError, ValueError):
            continue
    return found


def whole_lines(folder: Path) -> list[bytes]:
    kept = folder / "kept.jsonl"
    return (
        [line for line in kept.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")] if kept.exists() else []
    )


def end(folder: Path) -> SeriesResult:
    process = begin(folder)
    out, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1, (folder / "stderr.txt").read_text()
    return msgspec.json.decode(out, type=SeriesResult)


def check_series(folder: Path, found: SeriesResult) -> None:
    lines = whole_lines(folder)
    points = [msgspec.json.decode(line, type=PointResult) for line in lines if b'"verification"' in line]
    (test,) = [msgspec.json.decode(line, type=SeriesTestResult) for line in lines if b'"verification"' not in line]
    assert found.tests == [test]
    assert (test.name, test.passed) == ("dwell", True)
    assert (folder / "kept.jsonl").read_bytes() == b"".join(lines)
    assert sorted(point.name for point in points) == ["full load", "wrong constant"]
    assert {point.name: point for point in points} == {point.name: point for point in found.points}
    assert [point.verification.passed for point in found.points] == [True, False]
    assert found.points[1].verification.error_percent == pytest.approx(0.5, abs=0.01)
    assert found.averages[0].error_percent == pytest.approx(0.25, abs=0.01)
    assert found.points[0].verification.setup.environment == {"temperature": "22.8 °C"}


def nobody_is_left(folder: Path) -> bool:
    until = time.monotonic() + 30
    while meters_of(folder) and time.monotonic() < until:
        time.sleep(0.05)
    return not meters_of(folder)
