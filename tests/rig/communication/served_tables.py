"""Tables of a meter in service on the simulated rig: every request goes through its own door, as a port's does."""

from __future__ import annotations

import struct
import tomllib
from pathlib import Path
from time import sleep
from typing import Any

import msgspec

from rig.communication.c1219.codes import ResponseCode
from rig.communication.c1219.device import TableDevice
from rig.communication.c1219.outcome import Outcome, carry_out
from rig.daemon.internal import Ask
from rig.daemon.protocol import Asked, Done, LogOff, LogOn, RequestRefused
from rig.daemon.requests import Requests
from rig.files.strict_toml import convert
from rig.hardware.config import Config, MeterFiles
from rig.hardware.selection import open_hardware
from rig.program import schema
from rig.program.build import build
from rig.service.persistence import configured_copy, program_in_force
from rig.service.service import Service
from rig.store.store import Store

SECOND = 10**9


class ServedTables:
    """A meter in service at full speed, and the tables of its optical port, or of another `source`."""

    source = "optical port"

    def __init__(self, toml: str, folder: Path | None = None, later_s: int = 0) -> None:
        """`later_s`: its clock begins so much later than the computer's, as when power is back."""
        program = build(convert(tomllib.loads(toml), schema.ProgramFile))
        config = Config(meter=MeterFiles(store="" if folder is None else str(folder)))
        self.hardware = open_hardware(config, program.metering.current_class, paced=False)
        self.hardware.clock._begin_utc_ns += later_s * SECOND  # type: ignore[attr-defined]
        store = None if folder is None else Store.open(folder)
        in_force, written = program_in_force(program, folder)
        self.service = Service(self.hardware, config, in_force, store, written=written)
        self.requests = Requests(self.service, configured_copy(program, in_force, written))
        self.service.watch = self.requests.activate_due
        self.service.begin()
        self.device = TableDevice("0.9.1")
        self.level = 0
        self.asked: list[Asked] = []

    def run(self, seconds: float) -> None:
        list(self.service.run(self.hardware.clock.now_ns() + round(seconds * SECOND)))

    def log_on(self, key: str) -> None:
        assert self.ask(LogOn(key)).refused is None

    def ask(self, asked: Asked) -> Outcome:
        self.asked.append(asked)
        outcome = self._outcome(Ask(1, 0, self.source, "", len(self.asked), asked))
        if outcome.refused is None and isinstance(asked, LogOn):
            self.level = outcome.result["level"]
        if outcome.refused is None and isinstance(asked, LogOff):
            self.level = 0
        return outcome

    def ask_elsewhere(self, *asked: Asked) -> None:
        """Have somebody else ask meanwhile, at the command line, and be granted it."""
        for number, each in enumerate(asked, 1):
            assert self._outcome(Ask(2, 0, "command line", "", number, each)).refused is None
        self.requests.forget(2)

    def _outcome(self, ask: Ask) -> Outcome:
        reply = self.requests.execute(ask)
        while reply is None:  # it waits for the disk
            sleep(0.001)
            ready = self.requests.settled()
            reply = ready[0][1] if ready else None
        if isinstance(reply, RequestRefused):
            return Outcome(None, reply.sentence, reply.needs_key, reply.why)
        assert isinstance(reply, Done)
        return Outcome(msgspec.msgpack.decode(msgspec.msgpack.encode(reply.result)))

    def read(self, number: int, offset: int = 0, count: int | None = None) -> bytes | ResponseCode:
        return carry_out(self.device.read(number, level=self.level, offset=offset, count=count), self.ask)

    def write(self, number: int, data: bytes, offset: int | None = None) -> ResponseCode | None:
        return carry_out(self.device.write(number, data, level=self.level, offset=offset), self.ask)

    def data(self, number: int) -> bytes:
        data = self.read(number)
        assert isinstance(data, bytes), data
        return data

    def procedure(self, number: int, parameters: bytes = b"", *, manufacturer: bool = False) -> tuple[int, bytes]:
        """Write ST7, read ST8: the result, and its data."""
        word = number | manufacturer << 11
        sequence = len(self.asked) % 250 + 2
        assert self.write(7, struct.pack("<HB", word, sequence) + parameters) is None
        answer = self.data(8)
        assert answer[:3] == struct.pack("<HB", word, sequence)
        return answer[3], answer[4:]

    def reading(self) -> Any:
        return self.service.meter.reading()

    def flush(self) -> None:
        """Wait until the disk has all of it and the store is at rest: files copied then are of one instant."""
        writer = self.service._persistence._writer
        assert writer is not None
        assert writer.flush(60)

    def close(self) -> None:
        self.service.close()
        self.hardware.close()
