"""The loop of a port's process: the line, the port, the meter, whichever has something next (X-1)."""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from rig.communication.c1218.settings import OPTICAL, REMOTE, LinkSettings
from rig.communication.modem.schedule import Cause
from rig.communication.port.dgcom_port import DgcomPort
from rig.communication.port.event_watch import EventWatch
from rig.communication.port.line import Line, LineAbsent, LineError, open_line, pty_link
from rig.communication.port.meter_link import MeterLink
from rig.communication.port.meter_side import MeterAway
from rig.communication.port.modem_port import ModemPort
from rig.communication.port.modem_setting_up import local_clock, modem_settings
from rig.communication.port.port import Port
from rig.communication.port.trace import FROM_METER, TO_METER, TraceError, TraceWriter
from rig.hardware.config import PTY, ModemConfig, PortConfig
from rig.meter.firmware import PortProtocol
from rig.service.port_keys import PORT_SOURCES, load_port_key

AGAIN_S = 1.0
"""A line or a meter that is not there is looked for so often."""

LONGEST_S = 1.0


def link_settings(port: PortConfig) -> LinkSettings:
    """Give the settings of a port's link: C12.18 at the optical one, C12.21 at the others."""
    base = OPTICAL if port.kind == "optical" else REMOTE
    authenticates = port.authentication is not None
    if port.kind == "modem":  # between meter and modem the speed stays
        return replace(base, address=port.address, bauds=frozenset({base.baud}), authenticates=authenticates)
    return replace(
        base,
        authenticates=authenticates,
        address=port.address,
        shared_line=port.kind == "rs-485",
        bauds=frozenset(baud for baud in base.bauds if baud <= port.most_baud),
    )


class Serving:
    """A port served until `stop` says so, or for ever; with `until_meter_ends`, as long as there is that meter.

    `report` takes a sentence for whoever looks after it.
    """

    def __init__(
        self,
        port: PortConfig,
        socket: Path,
        software: str,
        report: Callable[[str], None],
        *,
        until_meter_ends: bool = False,
    ) -> None:
        """Open the line and the trace. Raises LineError or TraceError; KeyFileError for a key that cannot be used.

        Of a meter that is running the port is left to itself: a device that is not there is waited for.
        """
        if port.authentication is not None:
            load_port_key(port.authentication, port.name)  # the meter reads it: here it is known to whoever starts it
        self._config, self._socket, self._report = port, socket, report
        self._until_meter_ends = until_meter_ends
        self.stopped = False
        self._meter = MeterLink(socket, PORT_SOURCES[port.kind], port.name, self._of_this)
        light = port.kind == "optical"
        self._called, self._dtr = False, True
        self._events = EventWatch(socket, frozenset())
        self._speaking: dict[PortProtocol, Port | DgcomPort | ModemPort] = {
            PortProtocol.ANSI: self._modem_port(port, software)
            if port.kind == "modem"
            else Port(link_settings(port), self._meter, software, shares_light=light),
            PortProtocol.DGCOM: DgcomPort(self._meter, software, shares_light=light),
        }
        self._port = self._speaking[PortProtocol.ANSI]
        self._baud = self._port.baud
        self._line = self._first_line()
        try:
            self._trace = None if port.trace is None else TraceWriter(Path(port.trace))
        except TraceError:
            if self._line is not None:
                self._line.close()
            raise

    def _first_line(self) -> Line | None:
        try:
            return open_line(self._config, self._socket, self._baud)
        except LineAbsent as error:
            if not self._until_meter_ends:
                raise
            self._report(f"{error}; it is looked for each second")
            return None

    def _modem_port(self, port: PortConfig, software: str) -> ModemPort:
        config = port.modem or ModemConfig()
        settings = modem_settings(config)
        self._events = EventWatch(self._socket, {event.value for event in settings.events})
        local_ns = local_clock(config.zone)
        return ModemPort(link_settings(port), settings, self._meter, software, local_ns, time.monotonic_ns())

    @property
    def where(self) -> str:
        """Place where a client finds the port: a device, or the link to a pseudo-terminal."""
        port = self._config
        return str(pty_link(port, self._socket)) if port.device == PTY else port.device

    def call(self) -> None:
        """Have the modem call, as somebody has commanded; a port without one does nothing. For a signal's handler."""
        self._called = True

    def run(self) -> None:
        """Serve."""
        try:
            if self._until_meter_ends:
                self._meter.connect()
            while not self.stopped:
                try:
                    self._step()
                except LineError as error:
                    self._lose_line(error)
                if not self._meter.alive() and self._until_meter_ends and self._meter.has_ended():
                    return
        except MeterAway:
            return
        finally:
            self._close()

    def _step(self) -> None:
        line = self._line
        if line is None:
            time.sleep(AGAIN_S)
            self._line = open_line(self._config, self._socket, self._baud)
            self._of_this(f"{self._line.where} is there")
            return
        heard = [line.fileno()]
        if (descriptor := self._meter.descriptor) is not None:
            heard.append(descriptor)
        readable, _, _ = select.select(heard, [line] if line.waiting else [], [], self._seconds())
        data = line.read() if heard[0] in readable else b""
        if line.renew_link():
            self._of_this(f"{line.where} had been removed, and is there again")
        now_ns = time.monotonic_ns()
        if isinstance(self._port, ModemPort):
            self._attend_modem(self._port, line, now_ns)
        if data:
            self._note(now_ns, TO_METER, data)
            if self._port.communicates or self._speaks_now():
                self._port.feed(data, time.monotonic_ns())
        else:
            self._port.tick(now_ns)
        self._send(line)
        while not self._port.speaks and self._port.carry_out(time.monotonic_ns()):
            self._send(line)
        if line.waiting:
            line.write()
        if self._port.baud != self._baud and not line.waiting:
            line.set_baud(self._port.baud)
            self._baud = self._port.baud

    def _attend_modem(self, port: ModemPort, line: Line, now_ns: int) -> None:
        """Set and hear the modem's wires, and have it call for what has happened. Raises LineError."""
        if self._events.happened():
            port.modem.call(Cause.EVENT, now_ns)
        if self._called:
            self._called = False
            port.modem.call(Cause.COMMAND, now_ns)
        if (carrier := line.carrier) is not None and port.modem.connected:
            port.carrier(carrier, now_ns)
        if port.modem.dtr is not self._dtr:
            self._dtr = port.modem.dtr
            if not line.set_dtr(self._dtr) and not self._dtr:
                raise LineError(f"{line.where} has no DTR, and its modem does not answer: it is connected anew")

    def _speaks_now(self) -> bool:
        """Find out what the meter speaks, while nothing goes on; whether it speaks at all."""
        spoken = self._meter.spoken()
        if spoken is not None:
            self._port = self._speaking[spoken]
        return spoken is not None

    def _send(self, line: Line) -> None:
        now_ns = time.monotonic_ns()
        if data := self._port.output(now_ns):
            line.write(data)
            self._note(now_ns, FROM_METER, data)

    def _seconds(self) -> float:
        due = self._port.next_ns
        return LONGEST_S if due is None else min(LONGEST_S, max(0.0, (due - time.monotonic_ns()) / 1e9))

    def _note(self, now_ns: int, way: str, data: bytes) -> None:
        if self._trace is None:
            return
        try:
            self._trace.write(now_ns, way, data)
        except TraceError as error:  # a full disk is no reason to be silent
            self._of_this(f"{error}; the trace ends here")
            self._trace.close()
            self._trace = None

    def _lose_line(self, error: LineError) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None
            self._port.drop(time.monotonic_ns())
            self._baud = self._port.baud
            self._report(f"{error}; it is looked for each second")
            self._dtr = True

    def _of_this(self, sentence: str) -> None:
        self._report(f"port {self._config.name}: {sentence}")

    def _close(self) -> None:
        self._port.drop(time.monotonic_ns())
        self._meter.close()
        self._events.close()
        if self._line is not None:
            self._line.close()
        if self._trace is not None:
            self._trace.close()
