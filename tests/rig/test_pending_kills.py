"""The metering process killed around the activation of a program that waits, with a real store: the old program waiting
or the new one, and in the end the new one, written once (X-1, S-3, R-2). The witness is the history."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from rig.daemon.address import runtime_folder
from rig.daemon.client import MeterClient
from rig.daemon.launch import Launched
from rig.daemon.protocol import LogOn, Reading, ReadPending, ReadProgram, Topic, WritePending
from rig.daemon.startup import Start
from rig.hardware.config import Config, MeterFiles
from rig.program.build import load_program
from rig.store.reading import HistoryReader

pytestmark = pytest.mark.slow

OLD = "[meter]\nserial = '1'\n[demand]\nquantities = ['kW delivered']\n"
NEW = OLD + "[tou]\nseasons = [{ name = 'all', begins = '01-01', weekday = ['00:00 B'] }]\n"
PATIENCE_S = 60


class Meter:
    """A meter in real time with a store."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "meter.toml"
        self.file.write_text(OLD)
        self.store = folder / "store"
        self.config = Config(meter=MeterFiles(program=str(self.file), store=str(self.store)))
        self.start()

    def start(self) -> None:
        self.launched = Launched(Start(self.config, str(runtime_folder() / "meter.sock")))
        self.client = MeterClient.connect(runtime_folder() / "meter.sock", "command line", "test")
        self.client.subscribe(Topic.READINGS)
        self.launched.begin()
        deadline = time.monotonic() + PATIENCE_S
        while not isinstance(self.client._next(deadline), Reading):
            assert time.monotonic() < deadline
        self.client.subscribe()
        self.client.ask(LogOn("000000"))

    def kill(self) -> None:
        if self.launched.process.poll() is None:
            os.kill(self.launched.process.pid, signal.SIGKILL)
        self.launched.process.wait()
        self.client.close()

    @property
    def digest(self) -> str:
        return str(self.client.ask(ReadProgram())["digest"])

    @property
    def waits(self) -> bool:
        return self.client.ask(ReadPending())["waiting"] is not None

    def lines(self, *codes: int) -> list[int]:
        with HistoryReader(self.store) as history:
            return [event.code for event in history.events(codes=codes)]


@pytest.mark.parametrize("after_ms", [-300, -60, -20, 0, 10, 25, 45, 80, 150, 400])
def test_killed_so_long_after_its_time(tmp_path: Path, after_ms: int) -> None:
    (tmp_path / "new.toml").write_text(NEW)
    new = load_program(tmp_path / "new.toml").digest
    meter = Meter(tmp_path)
    old = meter.digest
    meter.client.ask(WritePending(NEW, after_s=1))
    killed = threading.Timer(1 + after_ms / 1000, meter.kill)
    killed.start()
    killed.join()
    meter.start()
    deadline = time.monotonic() + PATIENCE_S
    while meter.digest != new:
        assert meter.digest in (old, new)
        assert time.monotonic() < deadline, "it acts once power is back"
    assert not meter.waits
    meter.kill()
    meter.start()
    assert (meter.digest, meter.waits) == (new, False), "nothing of it comes again"
    meter.kill()
    assert meter.lines(28, 29, 2087) == [28]
    assert meter.lines(11) == [11]
