"""A meter whose socket somebody removes is found again a second later, and meters on meanwhile (C-3)."""

from __future__ import annotations

import stat
import time
from pathlib import Path

from rig.daemon.client import ClientError, MeterClient
from rig.daemon.launch import Launched
from rig.daemon.protocol import Reading, ReadState, Stop, Topic
from rig.daemon.startup import Start
from rig.hardware.config import Config

PATIENCE_S = 60


def found_again(socket: Path) -> MeterClient:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return MeterClient.connect(socket)
        except ClientError:
            assert time.monotonic() < deadline, "the meter cannot be found"
            time.sleep(0.05)


def test_a_socket_that_was_removed_is_there_again(tmp_path: Path) -> None:
    socket = tmp_path / "meter.sock"
    launched = Launched(Start(Config(), str(socket)))
    client = MeterClient.connect(socket)
    try:
        client.subscribe(Topic.READINGS)
        launched.begin()
        client.await_message(Reading)
        process, before = client.welcome.process, client.ask(ReadState())
        socket.unlink()
        client.close()
        client = found_again(socket)
        assert client.welcome.process == process
        after = client.ask(ReadState())
        nwh = [state["registers"]["energy"]["q1"]["nwh"] for state in (before, after)]
        assert nwh[1] > nwh[0] > 0
        assert after["faults"] == before["faults"]
        assert stat.S_IMODE(socket.lstat().st_mode) == 0o600
    finally:
        client.ask(Stop())
        client.close()
        launched.wait()
    assert not socket.exists()
    assert list(tmp_path.iterdir()) == [], "it goes with the meter as ever"
