"""Files that processes of a meter leave in the runtime folder: none that is empty, none of a run that is over."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rig.daemon.client import MeterClient
from rig.daemon.launch import Launched
from rig.daemon.protocol import Ended, Reading, Stop, Topic
from rig.daemon.startup import Start
from rig.files.claim import Claim
from rig.hardware.config import load
from rig.hardware.own_process import new_log
from rig.terminal.start import own_socket

CHILD = "import sys; from rig.hardware.own_process import leave_no_empty_log; leave_no_empty_log(); {}"


def child(log: Path, does: str) -> None:
    with new_log(log) as file:
        subprocess.run([sys.executable, "-c", CHILD.format(does)], stderr=file, check=False)


@pytest.mark.parametrize(
    ("does", "stays"),
    [("pass", False), ("sys.exit(2)", False), ("print('why', file=sys.stderr)", True), ("1 / 0", True)],
)
def test_a_report_goes_with_its_process_where_nothing_is_in_it(tmp_path: Path, does: str, stays: bool) -> None:
    log = tmp_path / "m.optical.log"
    child(log, does)
    assert log.exists() is stays


def test_what_has_the_name_by_then_is_left_alone(tmp_path: Path) -> None:
    """Another process's new report, a link, and no file at all."""
    log, other = tmp_path / "m.log", tmp_path / "other"
    other.write_bytes(b"")
    child(log, f"from pathlib import Path; from rig.hardware.own_process import new_log; new_log(Path({str(log)!r}))")
    assert log.exists()
    child(log, f"import os; os.unlink({str(log)!r}); os.symlink({str(other)!r}, {str(log)!r})")
    assert (log.is_symlink(), other.exists()) == (True, True)
    child(log, f"import os; os.unlink({str(log)!r})")
    assert not log.exists()


def test_a_meter_that_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    """Nobody who started it is there any more to wait for it."""
    (tmp_path / "rig.toml").write_text("")
    launched = Launched(Start(load(tmp_path / "rig.toml"), str(tmp_path / "m.sock")))
    with MeterClient.connect(tmp_path / "m.sock") as client:
        client.subscribe(Topic.READINGS)
        launched.begin()
        client.await_message(Reading)
        client.ask(Stop())
        client.await_message(Ended)
    launched.process.wait(20)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rig.toml"]


def test_runs_that_were_killed_are_cleared_away_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = own_socket().parent
    gone = 4_194_305  # beyond the kernel's largest number of a process
    for name in ("sock", "sock.lock", "log", "optical.log"):
        (folder / f"run-{gone}.{name}").write_bytes(b"")
    kept = [f"run-{gone}.mqtt.log", f"run-{os.getpid()}.log", "run-x.log", "meter.log", f"run-{gone + 1}.sock"]
    for name in kept:
        (folder / name).write_bytes(b"refused" if "mqtt" in name else b"")
    held = Claim(folder / f"run-{gone + 1}.sock.lock", "a daemon that outlived its starter")
    assert own_socket() == folder / f"run-{os.getpid()}.sock"
    assert sorted(path.name for path in folder.iterdir()) == sorted([*kept, f"run-{gone + 1}.sock.lock"])
    held.close()
