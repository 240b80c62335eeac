"""A meter in service behind a simulated Hayes modem, in virtual time, and a client at the far end of the line (X-3).

The client's line is psem_client's; its device is modem and port together. Bytes of the call are counted, and at a count
something can happen to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from psem_client import PsemClient, VirtualLine
from served_port import POLL_NS, ServedMeter
from served_tables import ServedTables

from drivers.sim.hayes_modem import HayesModem, LineFaults, ModemIs
from rig.communication.c1218.settings import REMOTE
from rig.communication.modem.modem import ModemState
from rig.communication.modem.settings import ModemSettings
from rig.communication.port.modem_port import ModemPort

S = 10**9
MIDNIGHT_NS = 1_796_083_200 * S
"""Of 2026-12-01 in local time, where the bench's clock begins: S of virtual time."""


class CalledTables(ServedTables):
    """A meter in service that is asked through a modem."""

    source = "modem"


class ModemBench:
    """Meter, port, modem; `client` talks through the telephone. `at_byte` is done once so many bytes went over it."""

    def __init__(self, toml: str, settings: ModemSettings, faults: LineFaults | None = None) -> None:
        self.served = CalledTables(toml)
        self.served.run(0.2)
        self.meter = ServedMeter(self.served)
        self.link = replace(REMOTE, bauds=frozenset({9600}))
        self.plug_in(settings, faults)

    def plug_in(self, settings: ModemSettings, faults: LineFaults | None = None) -> None:
        """A modem and a port as they are switched on."""
        self.modem = HayesModem(faults)
        self.port = ModemPort(self.link, settings, self.meter, "0.9.1", self.local_ns, S)
        self.baud = 9600
        self.carried = 0
        self.at_byte: tuple[int, Callable[[int], None]] | None = None
        self._ready_ns = 0
        self._out = bytearray()
        self.line = VirtualLine(self)
        self.client = PsemClient(self.line)
        self._pump(S)

    def local_ns(self, now_ns: int) -> int:
        return MIDNIGHT_NS + now_ns - S

    # --- the telephone, as VirtualLine has it ---------------------------------------------------------------------

    @property
    def next_ns(self) -> int | None:
        due = [self.modem.next_ns, self.port.next_ns]
        if self._asked:
            due.append(0)
        found = min((each for each in due if each is not None), default=None)
        return None if found is None else max(found, self._ready_ns)

    @property
    def _asked(self) -> bool:
        return self.port.modem.connected and not self.port.speaks and self.port.port.session.pending is not None

    def feed(self, data: bytes, now_ns: int) -> None:
        for byte in data:
            self._count(now_ns)
            self.modem.line_sends(bytes((byte,)))
        self._pump(now_ns)

    def tick(self, now_ns: int) -> None:
        self._pump(now_ns)

    def output(self, now_ns: int) -> bytes:
        data = bytes(self._out)
        self._out.clear()
        return data

    def _count(self, now_ns: int) -> None:
        self.carried += 1
        if self.at_byte is not None and self.carried >= self.at_byte[0]:
            (_, action), self.at_byte = self.at_byte, None
            action(now_ns)

    def _pump(self, now_ns: int) -> None:
        """Let modem and port talk until neither has anything to say now."""
        modem, port = self.modem, self.port
        modem.tick(now_ns)
        if now_ns < self._ready_ns:
            return
        if not port.modem.dtr:
            modem.drop_dtr(now_ns)
        moved = True
        port.tick(now_ns)
        while moved:
            moved = False
            if data := port.output(now_ns):
                modem.feed(data, now_ns)
                moved = True
            if data := modem.output():
                port.feed(data, now_ns)
                moved = True
            for byte in modem.line_hears():
                self._count(now_ns)
                self._out.append(byte)
            before = len(self.meter.asked)
            if not port.speaks and port.carry_out(now_ns):
                self._ready_ns = now_ns + (len(self.meter.asked) - before) * POLL_NS
                return

    # --- what a person at the telephone does --------------------------------------------------------------------

    def wait(self, seconds: float) -> None:
        self.line.wait(seconds)

    def call_in(self) -> bool:
        """Call the meter; whether two modems have connected within a minute."""
        self.modem.ring(self.line.now_ns)
        self._pump(self.line.now_ns)
        self.client.restart()
        for _ in range(60):
            self.wait(1)
            if self.modem.carrier:
                self.wait(0.1)
                self.line._coming.clear()
                return True
        self.modem.give_up()
        return False

    def await_call(self, seconds: int) -> bool:
        """Wait for the meter to call; whether it has."""
        self.client.restart()
        for _ in range(seconds):
            self.wait(1)
            if self.modem.carrier:
                self.wait(0.1)
                self.line._coming.clear()
                return True
        return False

    def cut(self, now_ns: int) -> None:
        self.modem.cut(now_ns)

    def put_down(self) -> None:
        """Put the telephone down, now."""
        self.cut(self.line.now_ns)
        self._pump(self.line.now_ns)

    @property
    def at_rest(self) -> bool:
        return self.port.modem.state is ModemState.IDLE and self.modem.state is ModemIs.ON_HOOK

    def close(self) -> None:
        self.served.close()
