"""Plant the listed faults, one at a time, and see whether the tests notice: `make mutants`, or

    python -m tests.mutants [WORD …] [--again] [--jobs N] [--limit SECONDS]

A WORD chooses the lists and faults whose name has it. Ctrl-C ends it; what was found is in results.json and is not
tried again unless the fault or its tests change. The exit status is 0 where at least 95 % of all listed faults are
found and the list says of each other why not.
"""

from __future__ import annotations

import argparse
import os
import queue
import signal
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.mutants.planted import ROOT, Fault, FaultListError, faults
from tests.mutants.private_copy import PrivateCopy, Run, made_into_loops
from tests.mutants.results import Result, Results

FOLDER = ROOT / "build" / "mutants"
SHARE = 0.95
TIME_LIMIT = "time limit"


class UnsoundError(Exception):
    """Tests that tell nothing of a fault: they end without running, or take too long without one."""


class Planting:
    """The faults that are still to be tried, in as many copies of the tree as there are jobs."""

    def __init__(self, wanted: list[Fault], results: Results, jobs: int, limit_s: float) -> None:
        self._wanted = wanted
        self._results = results
        self._jobs = jobs
        self._limit_s = limit_s
        self._copies: queue.Queue[PrivateCopy] = queue.Queue()
        self._lock = threading.Lock()
        self._done = 0
        self.stopping = False
        self.errors: list[str] = []

    def run(self) -> None:
        loops = made_into_loops()
        for number in range(self._jobs):
            self._copies.put(PrivateCopy(FOLDER / f"copy-{number}", loops))
        with ThreadPoolExecutor(self._jobs) as pool:
            list(pool.map(self._try, self._wanted))
        if not self.stopping:
            self.hold()

    def _try(self, fault: Fault) -> None:
        copy = self._copies.get()
        try:
            if not self.stopping:
                self._note(fault, self._tried(copy, fault))
        except (UnsoundError, FaultListError) as error:
            self.errors.append(str(error))
            self._print(f"ERROR  {error}")
        finally:
            self._copies.put(copy)

    def _tried(self, copy: PrivateCopy, fault: Fault) -> Result | None:
        with copy.planted(fault):
            run = copy.pytest(fault.tests, self._limit_s, fault, lambda: self.stopping, "-x")
        if self.stopping:
            return None
        if run.status == 0:
            return Result("", round(run.cpu_s, 1), fault.digest("", copy.tree))
        if run.status is None:
            without = copy.pytest(fault.tests, self._limit_s / 2, stopping=lambda: self.stopping)
            if without.status != 0 and not self.stopping:
                raise UnsoundError(f"{fault.room}: {fault.name}: its tests take too long, or fail, without the fault")
            return Result(TIME_LIMIT, round(run.cpu_s, 1), fault.digest(TIME_LIMIT, copy.tree))
        if not run.failed:
            raise UnsoundError(
                f"{fault.room}: {fault.name}: pytest ended with {run.status} and no test failed\n{run.output[-2000:]}"
            )
        return Result(run.failed[0], round(run.cpu_s, 1), fault.digest(run.failed[0], copy.tree))

    def hold(self) -> None:
        """See that the tests that found something pass where no fault is: all of them, in one run for each copy."""
        found = {result.found for result in self._results.by_name.values() if not result.held}
        tests = sorted(found - {"", TIME_LIMIT})
        if tests:
            print(f"without a fault: {len(tests)} tests that found one", flush=True)
        with ThreadPoolExecutor(self._jobs) as pool:
            parts = [tuple(tests[k :: self._jobs]) for k in range(self._jobs)]
            runs = list(pool.map(self._without, [part for part in parts if part]))
        if self.stopping:
            return
        if odd := [run for run in runs if run.status not in (0, 1)]:
            self.errors.append(f"pytest ended with {odd[0].status}\n{odd[0].output[-2000:]}")
            print(self.errors[-1])
            return
        for name in self._results.hold({test for run in runs for test in run.failed}):
            self.errors.append(f"{name}: the test that found it fails without a fault, too")
            print(self.errors[-1])

    def _without(self, tests: tuple[str, ...]) -> Run:
        copy = self._copies.get()
        try:
            return copy.pytest(tests, len(tests) * self._limit_s, stopping=lambda: self.stopping)
        finally:
            self._copies.put(copy)

    def _note(self, fault: Fault, result: Result | None) -> None:
        if result is None:
            return
        with self._lock:
            self._results.add(fault.name, result)
        told = result.found or ("unfound, as the list says" if fault.unfound else "NOT FOUND")
        self._print(f"{result.cpu_s:6.1f} s  {fault.room}: {fault.name}: {told}")

    def _print(self, text: str) -> None:
        with self._lock:
            self._done += 1
            print(f"{self._done:3}/{len(self._wanted)}  {text}", flush=True)


def _in_turns(wanted: list[Fault]) -> list[Fault]:
    """One of each room after the other, so that a run that is stopped has something of all."""
    seen = Counter[str]()
    turn = {}
    for fault in wanted:
        turn[fault.name] = seen[fault.room]
        seen[fault.room] += 1
    return sorted(wanted, key=lambda fault: turn[fault.name])


def summary(listed: tuple[Fault, ...], results: Results) -> tuple[str, bool]:
    """Give a table by list of what is found, and whether it is enough."""
    rows = [f"{'list':28} faults  found  CPU s"]
    found, spent = Counter[str](), Counter[str]()
    lines = []
    for fault in listed:
        result = results.by_name.get(fault.name)
        found[fault.room] += bool(result and result.found)
        spent[fault.room] += result.cpu_s if result else 0
        if result is None:
            lines.append(f"not tried: {fault.room}: {fault.name}")
        elif not result.found:
            lines.append(f"not found: {fault.room}: {fault.name}: {fault.unfound or 'NOT EXPLAINED'}")
        elif fault.unfound:
            lines.append(f"found, though the list explains why not: {fault.room}: {fault.name}")
    for room, count in Counter(fault.room for fault in listed).items():
        rows.append(f"{room:28} {count:6} {found[room]:6} {spent[room]:6.0f}")
    share = found.total() / len(listed)
    rows.append(f"{'all':28} {len(listed):6} {found.total():6} {spent.total():6.0f}   {100 * share:.1f} % found")
    explained = all(line.startswith("not found") and "NOT EXPLAINED" not in line for line in lines)
    return "\n".join(rows + lines), share >= SHARE and explained


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("words", nargs="*", metavar="WORD", help="lists and faults whose name has it")
    parser.add_argument("--again", action="store_true", help="those that have a result, too")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="faults at a time; one a core")
    parser.add_argument("--limit", type=float, default=300, help="seconds that the tests of one fault may take")
    chosen = parser.parse_args()
    os.chdir(ROOT)
    try:
        listed = faults()
        for fault in listed:
            fault.planted()
    except FaultListError as error:
        print(error, file=sys.stderr)
        return 1
    results = Results()
    results.only({fault.name for fault in listed})
    wanted = [
        fault
        for fault in listed
        if not chosen.words or any(word in f"{fault.room}: {fault.name}" for word in chosen.words)
        if chosen.again or not results.hold_for(fault)
    ]
    planting = Planting(_in_turns(wanted), results, max(1, chosen.jobs), chosen.limit)

    def stop(*_: object) -> None:
        planting.stopping = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    if wanted or not all(result.held for result in results.by_name.values()):
        planting.run()
    text, enough = summary(listed, results)
    print(text)
    if planting.stopping:
        print("stopped; the next `make mutants` goes on from here", file=sys.stderr)
        return 130
    return 0 if enough and not planting.errors else 1


if __name__ == "__main__":
    sys.exit(main())
