"""Runs on all cores, or on a cluster: results come as they are finished.

A worker process that dies, killed or out of memory, takes what it worked on with it: the runs that are left are given
to new processes, a few times. A worker ends itself when the process that began it has gone.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing.connection import wait
from typing import Any, TypeVar

from rig.accuracy.errors import AccuracyError
from rig.accuracy.kept import code_digest
from rig.accuracy.run import Measured, Run, measure

ATTEMPTS = 4
"""So often processes are begun anew before a test gives up."""

CONNECT_S = 10

Item = TypeVar("Item")
Result = TypeVar("Result")


def cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def on_cores(runs: Sequence[Run], jobs: int) -> Iterator[tuple[Run, Measured]]:
    """Give runs with their results, from `jobs` processes. Raises AccuracyError where they die again and again."""
    for k, found in each_on_cores(measure, runs, jobs):
        yield runs[k], found


def each_on_cores(work: Callable[[Item], Result], items: Sequence[Item], jobs: int) -> Iterator[tuple[int, Result]]:
    """Give the place of each item with what `work` makes of it, in any order, from `jobs` processes.

    Raises AccuracyError where they die again and again.
    """
    left = set(range(len(items)))
    for _ in range(ATTEMPTS):
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["rig.accuracy.run", "rig.calibrate.model_unit"])
        pool = ProcessPoolExecutor(min(jobs, len(left)), context, begin_worker)
        futures: dict[Future[Result], int] = {pool.submit(work, items[k]): k for k in sorted(left)}
        try:
            for future in as_completed(futures):
                k = futures.pop(future)
                found = future.result()
                left.remove(k)
                yield k, found
            return
        except BrokenProcessPool:
            continue
        finally:
            _stop(pool)
    raise AccuracyError(
        f"worker processes ended {ATTEMPTS} times before they had a result, killed or out of memory: "
        "try --jobs 1; what was measured is kept"
    )


def begin_worker() -> None:
    """Set up a worker: Ctrl-C is its parent's, and it does not outlive that."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None
    sentinel = parent.sentinel

    def end_with_parent() -> None:
        wait([sentinel])
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()


def _stop(pool: ProcessPoolExecutor) -> None:
    """End a pool at once: what its workers are doing is of no use any more."""
    processes = list((getattr(pool, "_processes", None) or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.terminate()


_ADDRESS = re.compile(r"(tcp|tls|ws|wss|ucx)://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})/?", re.ASCII)


def check_address(address: str) -> None:
    """Refuse what cannot be a scheduler's address, before anything is looked up. Raises AccuracyError."""
    match = _ADDRESS.fullmatch(address)
    if match is None or not 0 < int(match[3]) < 1 << 16:
        raise AccuracyError(
            f"--scheduler is {address!r}, it must be the address of a Dask scheduler with its port, such as "
            "tcp://192.168.1.20:8786"
        )


def on_cluster(runs: Sequence[Run], address: str) -> Iterator[tuple[Run, Measured]]:
    """Give runs with their results, from a Dask cluster. Raises AccuracyError."""
    client = _client(address)
    try:
        _check_workers(client, address)
        from distributed import as_completed as completed

        futures = {client.submit(measure, run, pure=False): run for run in runs}
        with client.as_current():
            finished = completed(futures, with_results=True)
        for future, found in finished:
            if not isinstance(found, Measured):  # a run that was cancelled comes with its error as its result
                raise AccuracyError(_failed(address, found))
            yield futures[future], found
    except AccuracyError:
        raise
    except Exception as error:  # Dask has errors of many kinds for a cluster that is gone
        raise AccuracyError(_failed(address, error)) from None
    finally:
        with suppress(Exception):  # one that is gone cannot be closed in time
            client.close(timeout=2)


def _failed(address: str, error: object) -> str:
    why = " ".join(str(error).split())[:200] or type(error).__name__
    return (
        f"the cluster at {address} has failed ({type(error).__name__}: {why}): see to its scheduler and workers and "
        "begin again; what was measured is kept"
    )


def _client(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise AccuracyError(
            '--scheduler needs Dask: run `.venv/bin/pip install -e ".[campaign]"` in the project folder, or leave '
            "it out"
        ) from None
    try:
        return Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        why = " ".join(str(error).split())[:200]
        raise AccuracyError(
            f"--scheduler is {address}, where no Dask scheduler answers ({why}): give an address such as "
            "tcp://192.168.1.20:8786"
        ) from None


def _check_workers(client: Any, address: str) -> None:
    """Refuse a cluster without workers, or whose workers have other code."""
    try:
        found = client.run(code_digest)
    except Exception as error:
        why = " ".join(str(error).split())[:200]
        raise AccuracyError(
            f"a worker of {address} cannot run this project ({type(error).__name__}: {why}): install it there"
        ) from None
    if not found:
        raise AccuracyError(f"the scheduler at {address} has no workers: begin some with `dask worker {address}`")
    if others := sorted({worker for worker, digest in found.items() if digest != code_digest()}):
        raise AccuracyError(f"worker {others[0]} has another version of this project: install this one there")
