"""Runs on a Dask cluster of two processes, and one that goes away."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from rig.accuracy.campaign import measured
from rig.accuracy.errors import AccuracyError
from rig.accuracy.kept import Kept
from rig.accuracy.plan import planned
from rig.accuracy.workers import on_cluster
from tests.rig.accuracy.runs import chosen, plain_meter

pytest.importorskip("distributed")
ROOT = Path(__file__).parents[3]


@contextmanager
def cluster(folder: Path, workers: int, project: Path = ROOT):
    """A scheduler and workers that have the code of `project`, each a process of its own; yields the address and the
    scheduler's process."""
    file = folder / "scheduler.json"
    module = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
    common = {"cwd": ROOT, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    begin = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)]
    processes = [subprocess.Popen([*module, *begin], **common)]
    try:
        for _ in range(workers):
            worker = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", str(file)]
            more = ["--nthreads", "1", "--no-dashboard", "--local-directory", str(folder)]
            there = {"cwd": project, "env": {**os.environ, "PYTHONPATH": str(project)}}
            processes.append(subprocess.Popen([*worker, *more], **common | there))
        deadline = time.monotonic() + 60
        while not file.exists() or not (address := _address(file)):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        _await_workers(address, workers)
        yield address, processes[0]
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _address(file: Path) -> str:
    import json

    try:
        return json.loads(file.read_text())["address"]
    except ValueError:
        return ""


def _await_workers(address: str, count: int) -> None:
    if not count:
        return
    from distributed import Client

    with Client(address, timeout=30, set_as_default=False) as client:
        client.wait_for_workers(count, timeout=60)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_cluster_measures_what_this_computer_does(tmp_path):
    plans = planned(chosen("0.2S PF1 Imax", "0.2S PF1 100", "0.2S 0.5L Imax"), plain_meter())
    here = measured(plans, Kept(tmp_path / "here"), 2, None, lambda done: None)
    with cluster(tmp_path, 2) as (address, _):
        there = measured(plans, Kept(tmp_path / "there"), 2, address, lambda done: None)
    assert there == here


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_cluster_without_workers_or_scheduler_is_named(tmp_path):
    runs = [plan.runs[0] for plan in planned(chosen("0.2S PF1 Imax"), plain_meter())]
    with cluster(tmp_path, 0) as (address, _), pytest.raises(AccuracyError, match="has no workers"):
        list(on_cluster(runs, address))


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_scheduler_that_vanishes_ends_it_in_a_sentence(tmp_path):
    names = ("0.2S PF1 Imax", "0.2S PF1 100", "0.2S 0.5L Imax", "0.2S 0.8C Imax", "0.2S repeatability 5")
    plans = planned(chosen(*names), plain_meter())
    kept = Kept(tmp_path / "kept")
    with cluster(tmp_path, 1) as (address, scheduler):

        def kill(done: float) -> None:
            os.kill(scheduler.pid, signal.SIGKILL)

        with pytest.raises(AccuracyError, match="what was measured is kept"):
            measured(plans, kept, 1, address, kill)
    assert len(list((tmp_path / "kept").glob("*.json"))) >= 1


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_worker_with_other_code_is_refused_by_its_address(tmp_path):
    """A real worker, whose copy of the project differs by a comment: what it would measure is not ours."""
    project = tmp_path / "other"
    for name in ("gateware", "drivers", "calibration", "rig"):
        shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
    with (project / "calibration" / "coverage.py").open("a") as file:
        file.write("# other\n")
    runs = [plan.runs[0] for plan in planned(chosen("0.2S PF1 Imax"), plain_meter())]
    with cluster(tmp_path, 1, project) as (address, _):
        with pytest.raises(AccuracyError, match=r"worker tcp://\S+ has another version of this project") as caught:
            list(on_cluster(runs, address))
    assert "\n" not in str(caught.value)
