"""Power is cut at any operation of the disk, with any part of what was not synced there, or at any byte in the FRAM:
what is missing is a second at most, or a poll; what is there is exact, and the outage is in the log (S-3)."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from power_bench import PowerBench, quiet_threads

from rig.program.build import load_program

T0 = int(datetime(2026, 5, 1, 10, tzinfo=UTC).timestamp()) * 10**9
PROGRAM = """
[meter]
model = "RXRS4e"
form = "9S"
[demand]
quantities = ["kW delivered"]
[recorder]
interval_minutes = 1
channels = [{ metric = "kWh delivered", pulse = "1" }]
"""
CUTS_IN_A_LIFE = 40


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: what is on the simulated disk is in its own books."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else tmp_path) as folder:
        yield Path(folder)


def lives(folder: Path, cuts: int, seed: int, *, fram: bool) -> tuple[Counter[str], int]:
    """One meter after the other, CUTS_IN_A_LIFE cuts each; what came of them, and the most that was missing, in ms."""
    file = folder / "meter.toml"
    file.write_text(PROGRAM)
    program, found, most = load_program(file), Counter[str](), 0
    with quiet_threads(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("rig.store.journal_reading._BETWEEN_S", 0)  # nobody writes meanwhile
        for life in range(cuts // CUTS_IN_A_LIFE):
            bench = PowerBench(folder / str(life), program, T0, seed + life, fram=fram)
            for _ in range(CUTS_IN_A_LIFE):
                bench.cut()
            bench.finish()
            found += bench.found
            most = max(most, bench.most_missing_ms)
    return found, most


@pytest.mark.parametrize("fram", [False, True], ids=["disk", "fram"])
def test_power_is_cut_two_hundred_times(quick: Path, fram: bool) -> None:
    found, most = lives(quick, 120 if fram else 200, 1, fram=fram)
    assert found["something saved"] > 20
    assert found["cut in starting"] > 5
    assert found["cut in metering"] > 20
    assert most <= (18 if fram else 1000)


@pytest.mark.slow
@pytest.mark.parametrize(("fram", "cuts"), [(False, 6000), (True, 4000)], ids=["disk", "fram"])
def test_power_is_cut_ten_thousand_times(quick: Path, fram: bool, cuts: int) -> None:
    found, most = lives(quick, cuts, 1000, fram=fram)
    assert found["something saved"] > cuts // 4
    assert found["cut in starting"] + found["cut in metering"] == cuts
    assert found["demand resets"] > cuts // 40
    assert most <= (18 if fram else 1000)
    print(found, most)
