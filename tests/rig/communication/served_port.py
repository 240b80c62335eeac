"""A port in virtual time, on a meter in service on the simulated rig, whose door decides what it asks (X-1)."""

from __future__ import annotations

from pathlib import Path

from psem_client import PsemClient, VirtualLine
from served_tables import ServedTables

from rig.communication.c1218.settings import OPTICAL, LinkSettings
from rig.communication.c1219.outcome import Outcome
from rig.communication.port.meter_side import MeterAway
from rig.communication.port.port import Port
from rig.daemon.protocol import Asked, NoteAccess, ShareLight

POLL_NS = 20_000_000
"""A meter looks at what it is asked at each poll, 50 times a second (rig/service/board.py): the longest wait."""


class ServedMeter:
    """The meter's side of a port; `away` and `silent` are faults."""

    def __init__(self, served: ServedTables) -> None:
        self.served = served
        self.away = self.silent = False
        self.asked: list[Asked] = []
        self.notes: list[NoteAccess] = []
        self.lent = 0.0

    def begin(self) -> bool:
        return not self.silent

    def ask(self, asked: Asked) -> Outcome:
        if self.away:
            raise MeterAway("away")
        self.asked.append(asked)
        if isinstance(asked, ShareLight):
            self.lent = asked.seconds
        return self.served.ask(asked)

    def tell(self, asked: Asked) -> None:
        if self.away:
            return
        if isinstance(asked, NoteAccess):
            self.notes.append(asked)
        self.ask(asked)


class ServedPort:
    """A port whose meter takes a poll to answer each request; the device of a VirtualLine."""

    def __init__(
        self, toml: str, folder: Path | None = None, settings: LinkSettings = OPTICAL, *, optical: bool = True
    ) -> None:
        self.served = ServedTables(toml, folder)
        self.served.run(0.2)
        self.meter = ServedMeter(self.served)
        self.port = Port(settings, self.meter, "0.9.1", shares_light=optical)
        self._ready_ns = 0
        self.longest_ns = 0
        self.line = VirtualLine(self, self.serve)
        self.client = PsemClient(self.line)

    @property
    def baud(self) -> int:
        return self.port.baud

    @property
    def next_ns(self) -> int | None:
        due = self.port.next_ns
        return None if due is None else max(due, self._ready_ns)

    def feed(self, data: bytes, now_ns: int) -> None:
        self.port.feed(data, now_ns)

    def tick(self, now_ns: int) -> None:
        if now_ns >= self._ready_ns:
            self.port.tick(now_ns)

    def output(self, now_ns: int) -> bytes:
        return self.port.output(now_ns) if now_ns >= self._ready_ns else b""

    def serve(self, now_ns: int) -> None:
        if self.port.speaks or now_ns < self._ready_ns:
            return
        before = len(self.meter.asked)
        if self.port.carry_out(now_ns):
            took_ns = (len(self.meter.asked) - before) * POLL_NS
            self._ready_ns = now_ns + took_ns
            self.longest_ns = max(self.longest_ns, took_ns)

    def close(self) -> None:
        self.served.close()
