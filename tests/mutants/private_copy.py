"""A private copy of the tree, in which one fault at a time stands and the tests of its room run.

Nothing of the working tree is changed. The copy has its own caches, temporary folder and process group; what a
test leaves running is found by a mark in its environment and killed. Compiled loops are kept between faults only
where the faulty file is none that they are made of.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests import rooms
from tests.mutants.planted import ROOT, Fault

PACKAGES = ("gateware", "drivers", "calibration", "rig")
_MARK = "RIG_PLANTED"
ENDS_S = 10
"""For a process that was killed to be gone."""


@dataclass(frozen=True)
class Run:
    """What a run of pytest gave: its exit status, None where it was over the limit; what failed; CPU seconds."""

    status: int | None
    failed: tuple[str, ...]
    cpu_s: float
    output: str


def tree_files(root: Path = ROOT) -> list[str]:
    """Give the files of the working tree that git has or would take, as paths from its root."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        check=True,
    ).stdout.decode()
    return sorted({name for name in listed.split("\0") if name and (root / name).is_file()})


def made_into_loops() -> set[str]:
    """Give the files that compiled loops are made of: those that import numba, and all of ours that they import."""
    known = rooms.modules(*PACKAGES)
    wanted = [name for name, path in known.items() if "from numba import" in path.read_text(encoding="utf-8")]
    seen: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name not in seen:
            seen.add(name)
            wanted.extend(rooms.imported(known[name], known))
    return {str(known[name].relative_to(ROOT)) for name in seen}


class PrivateCopy:
    """A copy of the tree in `folder`; one fault and one run at a time."""

    def __init__(self, folder: Path, loops: set[str]) -> None:
        self.tree = folder / "tree"
        self._folder = folder
        self._loops = loops
        self._written = int(time.time())
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.tree.exists():
            shutil.rmtree(self.tree)
        for name in tree_files():
            (self.tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, self.tree / name)
        beside = ROOT.parent / "shared"
        link = folder / "shared"
        if beside.is_dir() and not link.is_symlink():
            link.symlink_to(beside.resolve())
        if (self.tree / "build").exists():
            raise AssertionError("build/ is made, and no part of the tree")

    @contextmanager
    def planted(self, fault: Fault) -> Iterator[None]:
        """Have the fault in the copy for a while."""
        path = self.tree / fault.file
        before = path.read_text(encoding="utf-8")
        try:
            self._write(path, fault.planted(self.tree))
            yield
        finally:
            self._write(path, before)

    def _write(self, path: Path, text: str) -> None:
        """Write a source so that Python sees it as new: it compares whole seconds and sizes."""
        path.write_text(text, encoding="utf-8")
        self._written += 1
        os.utime(path, (self._written, self._written))

    def pytest(
        self,
        tests: tuple[str, ...],
        limit_s: float,
        fault: Fault | None = None,
        stopping: Callable[[], bool] = bool,
        *options: str,
    ) -> Run:
        """Run tests in a process group of their own, at a low priority."""
        with tempfile.TemporaryDirectory(prefix="planted-") as temporary:
            failure = Path(temporary, "failed")
            (scratch := Path(temporary, "tmp")).mkdir()
            mark = f"{os.getpid()}-{threading.get_ident()}-{time.monotonic_ns()}"
            fresh = fault is not None and fault.file in self._loops
            environment = {
                **{name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"},
                "PYTHONPATH": str(self.tree),
                "RIG_CACHE": str(self._made("cache")),
                "NUMBA_CACHE_DIR": str(Path(temporary, "loops") if fresh else self._made("loops")),
                "TMPDIR": str(scratch),
                "FAILURES": str(failure),
                _MARK: mark,
            }
            words = ["-m", "pytest", *options, "-q", "-p", "tests.mutants.failures", "-p", "no:cacheprovider"]
            words += [
                "-p",
                "no:xdist",
                "-o",
                "faulthandler_timeout=0",
                "--hypothesis-profile=planted",
                "-m",
                "slow or not slow",
                *tests,
            ]
            with Path(temporary, "output").open("w+b") as output:
                process = subprocess.Popen(
                    [sys.executable, *words],
                    cwd=self.tree,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    preexec_fn=lambda: os.nice(10) and None,
                )
                try:
                    status, cpu_s = _wait(process, limit_s, stopping)
                finally:
                    _end(process, mark)
                output.seek(0)
                text = output.read().decode(errors="replace")
            failed = failure.read_text(encoding="utf-8").splitlines() if failure.exists() else []
        return Run(status, tuple(failed), cpu_s, text)

    def _made(self, name: str) -> Path:
        path = self._folder / name
        path.mkdir(exist_ok=True, mode=0o700)
        return path


def _wait(process: subprocess.Popen[bytes], limit_s: float, stopping: Callable[[], bool]) -> tuple[int | None, float]:
    """Wait for a process: its exit status and CPU seconds, those of its children included."""
    deadline = time.monotonic() + limit_s
    while True:
        child, status, usage = os.wait4(process.pid, os.WNOHANG)
        if child:
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, usage.ru_utime + usage.ru_stime
        if stopping() or time.monotonic() > deadline:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            _, _, usage = os.wait4(process.pid, 0)
            process.returncode = -signal.SIGKILL
            return None, usage.ru_utime + usage.ru_stime
        time.sleep(0.1)


def _end(process: subprocess.Popen[bytes], mark: str) -> None:
    """Kill what is left of a run: its process group, and what left that group but has the run's mark."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    wanted = f"{_MARK}={mark}".encode()
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                left = os.pidfd_open(int(entry.name))
                try:
                    signal.pidfd_send_signal(left, signal.SIGKILL)
                    select.select([left], [], [], ENDS_S)
                finally:
                    os.close(left)
