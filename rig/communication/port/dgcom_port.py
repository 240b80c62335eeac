"""A port that speaks DGCOM: its link, and the meter's blocks behind it (X-1). Pure.

DGCOM has no session that begins and ends: each command wakes the meter. Ours are that one ends, and its level with it,
when nothing that is DGCOM has come for TRAFFIC_NS, and what of it is in the log then.
"""

from __future__ import annotations

from contextlib import suppress

from rig.communication.c1218.settings import DEFAULT_BAUD, OPTICAL
from rig.communication.c1219.outcome import Outcome, carry_out
from rig.communication.dgcom.device import DgcomDevice, Reply
from rig.communication.dgcom.link import Command, DgcomLink
from rig.communication.port.light import SharedLight
from rig.communication.port.meter_side import MeterAway, MeterSide
from rig.daemon.protocol import Asked, LogOff, LogOn, NoteAccess, ReadLevel, ResetDemand, SetClock, WriteProgram

TRAFFIC_NS = OPTICAL.timing.traffic_ns
TURN_AROUND_NS = OPTICAL.timing.turn_around_ns


class DgcomPort:
    """One port, used as Port is (rig/communication/port/port.py)."""

    baud = DEFAULT_BAUD

    def __init__(self, meter: MeterSide, software: str, *, shares_light: bool) -> None:
        self.level = 0
        self._meter = meter
        self._link = DgcomLink()
        self._device = DgcomDevice(software)
        self._light = SharedLight(meter, shared=shares_light)
        self._output = b""
        self._pending: Command | None = None
        self._heard_ns: int | None = None
        """When a byte came last that was answered; None: no session."""
        self._byte_ns = 0
        self._read = self._written = False

    @property
    def speaks(self) -> bool:
        """True while there is something to go out, now or soon."""
        return bool(self._output)

    @property
    def communicates(self) -> bool:
        """True until nothing has come for a while."""
        return self._heard_ns is not None

    @property
    def next_ns(self) -> int | None:
        """Instant of the next thing to do, if no bytes come before."""
        if self._heard_ns is None:
            return None
        instants = [self._heard_ns + TRAFFIC_NS]
        if self._output:
            instants.append(max(self._byte_ns + TURN_AROUND_NS, self._light.dark_ns))
        if self._light.renew_ns is not None:
            instants.append(self._light.renew_ns)
        return min(instants)

    def feed(self, data: bytes, now_ns: int) -> None:
        """Take bytes that came from the line."""
        self.tick(now_ns)
        reply, command = self._link.feed(data, now_ns / 1e9)
        self._byte_ns = now_ns
        if reply or command is not None:  # what is no DGCOM keeps nothing alive
            self._heard_ns = now_ns
        # Half duplex: who sends again has not waited for what was to go out.
        self._output = reply
        if command is not None:
            self._pending = command

    def tick(self, now_ns: int) -> None:
        """Let happen what is due."""
        try:
            if self._heard_ns is not None and now_ns >= self._heard_ns + TRAFFIC_NS:
                self._end()
            self._light.attend(now_ns, communicates=self.communicates)
        except MeterAway:
            self._drop()

    def output(self, now_ns: int) -> bytes:
        """Take what is to go out now."""
        if not self._output or now_ns < self._byte_ns + TURN_AROUND_NS:
            return b""
        try:
            if not self._light.take(now_ns):
                return b""
        except MeterAway:
            self._drop()
            return b""
        data, self._output = self._output, b""
        return data

    def carry_out(self, now_ns: int) -> bool:
        """Carry out the command that came, and wait for it; whether there was any."""
        command, self._pending = self._pending, None
        if command is None:
            return False
        try:
            reply: Reply = carry_out(self._device.carry_out(command, level=self.level), self._ask)
        except MeterAway:
            self._drop()
            return True
        self._read |= bool(reply.packets)
        self._output = self._link.answer(reply.status, reply.packets)
        self._heard_ns = now_ns
        return True

    def drop(self, now_ns: int) -> None:
        """End whatever goes on: the line has gone."""
        try:
            if self._heard_ns is not None:
                self._end()
            self._light.attend(now_ns, communicates=False)
        except MeterAway:
            self._drop()

    def _ask(self, asked: Asked) -> Outcome:
        outcome = self._meter.ask(asked)
        if outcome.refused is None:
            match asked:
                case LogOn() | ReadLevel():
                    self.level = int(outcome.result["level"])
                case LogOff():
                    self.level = 0
                case WriteProgram():
                    self.level, self._written = 0, True
                case SetClock() | ResetDemand():
                    self._written = True
        return outcome

    def _end(self) -> None:
        """End the session: its level, and a note for the log."""
        self._heard_ns, self._output, self._pending, self._link = None, b"", None, DgcomLink()
        self._device.end_session()
        read, written, level = self._read, self._written, self.level
        self._read = self._written = False
        self.level = 0
        if read or written or level:
            self._meter.tell(NoteAccess(read, written, procedures=False, ended=True))
        if level:
            self._meter.ask(LogOff())

    def _drop(self) -> None:
        self._light.forget()
        with suppress(MeterAway):
            self._end()
