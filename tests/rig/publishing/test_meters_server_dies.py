"""A publisher that ends with its meter outlives the meter's server, which is started anew, and a meter that stalls."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from rig.daemon.client import MeterClient
from rig.daemon.launch import Launched
from rig.daemon.protocol import Reading, Stop
from rig.daemon.startup import Start
from rig.hardware.config import Config
from rig.publishing import meter_feed
from rig.publishing.figures import Figure
from rig.publishing.identity import MeterIdentity
from rig.publishing.publishers import Publisher
from tests.rig.publishing.publishing_bench import wait_for


class Seen:
    """An outlet that counts what it is shown since it was hidden last."""

    def __init__(self) -> None:
        self.shown = self.hidden = 0

    def descriptors(self) -> list[int]:
        return []

    def show(self, identity: MeterIdentity, reading: Reading, figures: Sequence[Figure]) -> None:
        self.shown += 1

    def hide(self) -> None:
        self.hidden += self.shown > 0
        self.shown = 0

    def step(self) -> None:
        pass

    def close(self) -> None:
        pass


def server_of(process: int) -> int:
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return next(int(child) for child in children if b"rig.daemon.server" in Path(f"/proc/{child}/cmdline").read_bytes())


def test_it_goes_on_until_the_meter_has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meter_feed, "SILENT_S", 2.0)
    socket = tmp_path / "meter.sock"
    launched = Launched(Start(Config(), str(socket)))
    seen = Seen()
    publisher = Publisher(socket, "test", seen, lambda said: None, until_meter_ends=True)
    runs = threading.Thread(target=publisher.run)
    try:
        with MeterClient.connect(socket) as client:
            process = client.welcome.process
            runs.start()
            launched.begin()
            wait_for(lambda: seen.shown > 1)
        os.kill(server_of(process), signal.SIGKILL)
        wait_for(lambda: seen.hidden == 1 and seen.shown > 1)
        os.kill(process, signal.SIGSTOP)
        try:
            wait_for(lambda: seen.hidden == 2)
        finally:
            os.kill(process, signal.SIGCONT)
        wait_for(lambda: seen.shown > 1)
        assert runs.is_alive()
    finally:
        with MeterClient.connect(socket) as client:
            client.ask(Stop())
        launched.wait()
        runs.join(20)
        publisher.stopped = True
    assert not runs.is_alive(), "it ends with its meter"
