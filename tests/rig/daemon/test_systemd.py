"""What systemd is told, on a real socket; the unit file, by systemd's own check."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from rig.daemon.address import runtime_folder
from rig.daemon.systemd import Notifier
from rig.hardware.realtime import PRIORITY

ROOT = Path(__file__).parents[3]
PATIENCE_S = 120
"""On a fresh clone the first start compiles what is simulated, beside other tests."""

UNIT = ROOT / "docs" / "systemd" / "ae0764-rig.service"


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed: apt install systemd"
)
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    """What it names is put where it can be found: systemd looks for the program and the user's groups."""
    unit = tmp_path / UNIT.name
    program = shutil.which("true")
    text = UNIT.read_text()
    unit.write_text(re.sub(r"^ExecStart=\S+", f"ExecStart={program}", text, flags=re.MULTILINE))
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_unit_asks_for_what_the_process_takes() -> None:
    text = UNIT.read_text()
    assert f"LimitRTPRIO={PRIORITY}" in text
    assert "LimitMEMLOCK=infinity" in text
    assert "Type=notify" in text
    assert re.search(r"ExecStart=\S+/rig serve --config \S+ --socket /run/ae0764-rig/meter.sock", text)
    seconds = int(re.findall(r"^WatchdogSec=(\d+)$", text, re.MULTILINE)[0])
    assert 5 <= seconds <= 30


def heard(listener: socket.socket) -> str:
    return listener.recv(1000).decode()


def test_a_service_says_when_it_meters_that_it_lives_and_when_it_ends(tmp_path: Path) -> None:
    path = runtime_folder() / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        listener.settimeout(PATIENCE_S)
        environment = os.environ | {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "400000", "PYTHONPATH": str(ROOT)}
        environment.pop("WATCHDOG_PID", None)
        command = [sys.executable, "-W", "error", "-c", "from rig.cli.app import main; main()", "serve"]
        with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as service:
            try:
                ready = heard(listener).split("\n")
                assert ready[:2] == ["READY=1", f"MAINPID={service.pid}"]
                assert [heard(listener) for _ in range(3)] == ["WATCHDOG=1"] * 3
                service.send_signal(signal.SIGTERM)
                last = heard(listener)
                while last == "WATCHDOG=1":
                    last = heard(listener)
                assert last.startswith("STOPPING=1\n")
                assert service.communicate(timeout=PATIENCE_S)[1] == ""
            finally:
                service.kill()  # else a failure above would wait for it for ever
        assert service.returncode == 0


def test_without_systemd_nothing_is_said_and_nothing_fails(tmp_path: Path) -> None:
    for environment in (
        {}, {"NOTIFY_SOCKET": str(tmp_path / "gone"), "WATCHDOG_USEC": "1"}, {"NOTIFY_SOCKET": "@gone"},
        {"NOTIFY_SOCKET": "", "WATCHDOG_USEC": "x"}, {"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"},
    ):  # fmt: skip
        notifier = Notifier(environment)
        notifier.ready()
        notifier.alive()
        notifier.stopping()
