"""A level proven through a server that died is nobody's at the next one, which numbers its clients anew (S-1)."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from rig.daemon.address import runtime_folder
from rig.daemon.client import ClientError, MeterClient, RequestRefusedError
from rig.daemon.launch import Launched
from rig.daemon.protocol import LogOn, Reading, ResetDemand, Stop, Topic
from rig.daemon.startup import Start
from rig.hardware.config import Config

PATIENCE_S = 60


def server_of(process: int) -> int:
    for child in Path(f"/proc/{process}/task/{process}/children").read_text().split():
        if b"rig.daemon.server" in Path(f"/proc/{child}/cmdline").read_bytes():
            return int(child)
    raise AssertionError("no server runs")


def connected_again(socket: Path) -> MeterClient:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            client = MeterClient.connect(socket)
            client.ask(LogOn("0BAD00"))
        except RequestRefusedError:
            return client
        except ClientError:
            assert time.monotonic() < deadline, "no server came back"
            time.sleep(0.05)


def test_levels_end_with_the_server() -> None:
    socket = runtime_folder() / "meter.sock"
    launched = Launched(Start(Config(), str(socket)))
    client = MeterClient.connect(socket)
    try:
        client.subscribe(Topic.READINGS)
        launched.begin()
        client.await_message(Reading)
        client.ask(LogOn("000000"))
        client.ask(ResetDemand())
        process, number = client.welcome.process, client.welcome.client
        os.kill(server_of(process), signal.SIGKILL)
        client.close()
        client = connected_again(socket)
        assert client.welcome.process == process
        assert client.welcome.client > number
        with pytest.raises(RequestRefusedError):
            client.ask(ResetDemand())
        client.ask(LogOn("000000"))
        client.ask(ResetDemand())
    finally:
        client.ask(Stop())
        client.close()
        launched.wait()
