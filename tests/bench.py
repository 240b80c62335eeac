"""Speeds, measured side by side in one run: `make bench`. Prints a table and writes build/bench.json.

Every figure but the jitter of pulses is the median of several rounds in which the rows take turns, on one core, except
that exact_with_frontend is the simulated board as it runs, on two; "double" is a front end that is kept for comparison
(tests/drivers/front_end_bench.py). The jitter is of five minutes in real time, before them, on a machine kept busy
(tests/rig/jitter_bench.py); what saving a state takes, taking over from a killed process and a table of accuracy
points on two cores come between (tests/rig/takeover_bench.py, tests/rig/accuracy/accuracy_bench.py). "× real time" is
signal time over computing time, for three elements (six channels).

A bar is a ratio of two things of the same run. Where a row is a speed or a time, the other is the yardstick: a fixed
piece of Python and NumPy that has nothing of ours, timed in the same rounds. Such a bar is given for a computer that
takes YARDSTICK_S for it, and moves with what this one takes; a row without a bar is a figure and no more.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from amaranth.sim import Simulator
from rich.console import Console
from rich.progress import track
from rich.table import Table

from gateware.chain import Chain
from gateware.metrology import Metrology
from gateware.twin.build import TwinError
from gateware.twin.engine import Twin
from tests.drivers import front_end_bench
from tests.rig.accuracy.accuracy_bench import accuracy
from tests.rig.jitter_bench import pulse_jitter
from tests.rig.meter_bench import live_cpu_percent, year_s
from tests.rig.takeover_bench import takeover
from tests.rig.wear_bench import sd_gb_per_year

ROUNDS = 5
SHORT_ROUNDS = 40
"""Of what takes some milliseconds, by itself: beside what takes seconds, each would begin with cold caches."""

SECONDS = 0.5
CHAIN = Chain()
TICKS = round(SECONDS * CHAIN.tick_hz)
PYSIM_CLOCKS = 4000
YARDSTICK_S = 0.05
"""What the yardstick takes on the computer that the bars were set on."""

OTHERS_SHARE = 8
"""The slower engines get this part of the ticks."""


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _yardstick() -> int:
    """Whole numbers and a dictionary, as in registers; a cumulative sum and a product, as in the model."""
    counts: dict[int, int] = {}
    total = 1
    for number in range(250_000):
        total = (total * 1_103_515_245 + number) & 0xFFFF_FFFF
        counts[total & 63] = counts.get(total & 63, 0) + 1
    samples = np.arange(1 << 20, dtype=np.int64)
    return sum(counts.values()) + int(np.cumsum(samples * samples)[-1])


def _pysim() -> Callable[[], None]:
    """Amaranth's simulator on the whole gateware, PYSIM_CLOCKS clocks a call."""
    top = Metrology(CHAIN)
    simulator = Simulator(top)
    simulator.add_clock(1e-6)
    simulator.reset()

    def run() -> None:
        for _ in range(2 * PYSIM_CLOCKS):  # two clock edges are two steps
            simulator.advance()

    return run


def _verilated() -> dict[str, Twin]:
    try:
        return {"verilator": Twin(CHAIN, "verilator")}
    except TwinError:  # not installed
        return {}


def _first_reading() -> float:
    """Seconds from starting `rig run` to its first reading."""
    command = [sys.executable, "-c", "from rig.cli.app import main; main()", "run", "--for", "1.2", "--json"]
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        elapsed = time.perf_counter() - start
        process.stdout.read()
    assert first["type"] == "reading"
    return elapsed


def _in_turns(jobs: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds that each job took in each of these rounds, after one that compiles and fills caches."""
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for number in track(range(rounds + 1), "measuring", console=Console(stderr=True), transient=True):
        for name, job in jobs.items():
            seconds = _timed(job)
            if number:
                times[name].append(seconds)
    return times


def measure() -> list[dict]:
    """The rows of the table."""
    jitter, kept, table = pulse_jitter(), takeover(), accuracy()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    bits = np.random.default_rng(1).integers(0, 64, TICKS).astype(np.uint8)
    native, cxxrtl = Twin(CHAIN), Twin(CHAIN, "cxxrtl")
    others = {"cxxrtl": cxxrtl} | _verilated()
    pysim = _pysim()
    jobs: dict[str, Callable[[], object]] = {
        "yardstick": _yardstick,
        "native": lambda: native.run(bits),
        **{name: partial(twin.run, bits[: TICKS // OTHERS_SHARE]) for name, twin in others.items()},
        "pysim": pysim,
    }
    front_end = _in_turns(front_end_bench.jobs(CHAIN, TICKS), SHORT_ROUNDS)
    times = _in_turns(jobs, ROUNDS) | front_end

    def ratio(name: str, over: str, scale: float) -> float:
        """Median of the rounds' own ratios, so that a slow spell of the machine hits both."""
        return statistics.median(b / a for a, b in zip(times[name], times[over], strict=True)) * scale

    clocks = TICKS * CHAIN.clocks_per_tick
    middle = {name: statistics.median(values) for name, values in times.items()}
    speed, duration = scaled(middle["yardstick"])

    return [
        _row("yardstick_s", middle["yardstick"], "s"),
        _row("rtl_vs_pysim", ratio("native", "pysim", clocks / PYSIM_CLOCKS), "×", 1000),
        *(_row(f"rtl_vs_{name}", ratio("native", name, OTHERS_SHARE), "×", 1) for name in others),
        speed("rtl_realtime", SECONDS / middle["native"], "× real time", 1),
        speed("exact_realtime", SECONDS / middle["model"], "× real time", 20),
        speed("frontend_realtime", SECONDS / middle["front end"], "× real time", 10),
        speed("exact_with_frontend_realtime", SECONDS / middle["board"], "× real time", 5),
        *(_row(name, statistics.median(values), "×", 3) for name, values in front_end_bench.ratios(front_end).items()),
        duration("year_s", min(year_s() for _ in range(2)), "s", 30),
        duration("live_cpu_percent", live_cpu_percent(), "% of a core", 10),
        _row("pulse_jitter_ms_p999", jitter["p999_ms"], "ms"),
        _row("pulse_jitter_vs_timer", jitter["vs_timer"], "×", 2, least=False),
        _row("pulse_edges_lost", jitter["lost"], "edges", 0, least=False),
        _row("sd_gb_per_year", sd_gb_per_year(), "GB", 150, least=False),
        duration("state_save_ms_p999", kept["state_save_ms_p999"], "ms", 1),
        duration("takeover_s", kept["takeover_s"], "s", 3),
        duration("accuracy_62053_22_s", table["table_s"], "s", 60),
        _row("accuracy_two_workers", table["two_workers"], "×", 1.8),
        duration("first_reading_s", statistics.median(_first_reading() for _ in range(3)), "s", 10),
    ]


def scaled(yardstick_s: float) -> tuple[Callable[..., dict], Callable[..., dict]]:
    """Give what makes rows of speeds and of durations on a computer that takes so long for the yardstick: their bars
    are less, or more, by as much as it is slower."""
    slowness = yardstick_s / YARDSTICK_S

    def speed(name: str, value: float, unit: str, bar: float) -> dict:
        return _row(name, value, unit, bar / slowness)

    def duration(name: str, value: float, unit: str, bar: float) -> dict:
        return _row(name, value, unit, bar * slowness, least=False)

    return speed, duration


def _row(name: str, value: float, unit: str, bar: float | None = None, least: bool = True) -> dict:
    holds = bar is None or (value >= bar if least else value <= bar)
    shown = None if bar is None else float(f"{bar:.4g}")
    return {"name": name, "value": float(f"{value:.4g}"), "unit": unit, "bar": shown, "holds": holds}


def main() -> None:
    rows = measure()
    table = Table(box=None)
    for name in ("row", "value", "unit", "bar", "holds"):
        table.add_column(name, justify="right" if name in ("value", "bar") else "left")
    for row in rows:
        bar, holds = ("", "") if row["bar"] is None else (f"{row['bar']:g}", "yes" if row["holds"] else "NO")
        table.add_row(row["name"], f"{row['value']:g}", row["unit"], bar, holds)
    Console().print(table)
    target = Path("build/bench.json")
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(rows, indent=1) + "\n")
    sys.exit(0 if all(row["holds"] for row in rows) else 1)


if __name__ == "__main__":
    main()
