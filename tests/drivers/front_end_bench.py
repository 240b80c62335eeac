"""The simulated front end beside the one it is measured by: python -m tests.drivers.front_end_bench prints how much
faster it is, the median of rounds in which they take turns, and the least and the most.

The witness (tests/drivers/double_front_end.py) and the front end make bits on one core. The board does as it does in a
run: it makes the next bits on a second core while it runs the model on these. What it is compared with makes the
witness's bits, then runs the model.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable

from drivers.sim.board import SimulatedBoard
from drivers.sim.frontend import FrontEnd
from drivers.sim.playing import lively_load
from drivers.sim.sensors import typical_sensors
from gateware.chain import Chain
from gateware.model.model import GatewareModel
from tests.drivers.double_front_end import DoubleFrontEnd

ROUNDS = 40
SECONDS = 0.5


def jobs(chain: Chain, ticks: int) -> dict[str, Callable[[], object]]:
    """What is timed, each of `ticks` of the lively load: "front end", "double front end", "model", "board"."""
    load, sensors = lively_load, typical_sensors(20, chain.tick_hz)
    front_end = FrontEnd(load(chain.tick_hz), sensors, chain.tick_hz)
    witness = DoubleFrontEnd(load(chain.tick_hz), sensors, chain.tick_hz)
    board = SimulatedBoard(chain, FrontEnd(load(chain.tick_hz), sensors, chain.tick_hz), "exact")
    model, bits = GatewareModel(chain), front_end.bits(ticks)
    return {
        "front end": lambda: front_end.bits(ticks),
        "double front end": lambda: witness.bits(ticks),
        "model": lambda: (model.run(bits), model.level(model.ticks * chain.clocks_per_tick)),
        "board": lambda: _on_all_cores(lambda: board.advance(ticks)),
    }


def _on_all_cores(work: Callable[[], object]) -> None:
    """Do it with every core that this computer has, and be on those before again after it."""
    if not hasattr(os, "sched_setaffinity"):
        work()
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    try:
        work()
    finally:
        os.sched_setaffinity(0, before)


def ratios(times: dict[str, list[float]]) -> dict[str, list[float]]:
    """Of every round: how much faster front end and board are than with the witness."""
    rounds = [dict(zip(times, values, strict=True)) for values in zip(*times.values(), strict=True)]
    return {
        "frontend_vs_double": [t["double front end"] / t["front end"] for t in rounds],
        "exact_with_frontend_vs_double": [(t["double front end"] + t["model"]) / t["board"] for t in rounds],
    }


def main() -> None:
    chain = Chain()
    timed = jobs(chain, round(SECONDS * chain.tick_hz))
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    times: dict[str, list[float]] = {name: [] for name in timed}
    for number in range(ROUNDS + 1):
        for name, job in timed.items():
            start = time.perf_counter()
            job()
            if number:  # the first compiles, and fills caches
                times[name].append(time.perf_counter() - start)
    for name, values in times.items():
        print(f"{name:32} {SECONDS / statistics.median(values):7.1f} × real time, {SECONDS / min(values):.1f} at best")
    for name, of_rounds in ratios(times).items():
        low, middle, high = statistics.quantiles(of_rounds, n=4)
        spread = f"{min(of_rounds):.2f} to {max(of_rounds):.2f}, the middle half {low:.2f} to {high:.2f}"
        best = min(times["double front end"]) + (min(times["model"]) if "exact" in name else 0)
        quiet = best / min(times["board" if "exact" in name else "front end"])
        print(f"{name:32} {middle:7.2f} ×, {spread}; best of each by best {quiet:.2f}")


if __name__ == "__main__":
    main()
