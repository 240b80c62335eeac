"""Connection of a port to its meter: made when a session begins, given up when it breaks (C-3)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from rig.communication.c1219.outcome import Outcome
from rig.communication.port.meter_side import MeterAway
from rig.daemon.client import ClientError, MeterClient, MeterGone, RequestRefusedError
from rig.daemon.protocol import Asked, ProgramInForce, ReadProgram
from rig.errors import RigError
from rig.meter.billing.source import Source
from rig.meter.firmware import PortOption, PortProtocol, firmware_named, protocols
from rig.meter.models import model_named

FOUND_S = 1.0
"""What a meter speaks is asked at most so often: a program may be written that changes it."""

ANSWER_S = 5.0
"""A meter that has not answered in this time does not answer the port either."""

_NEEDED = {Source.RS232: PortOption.RS232, Source.RS485: PortOption.RS485}


class MeterLink:
    """The meter at a socket, as a port of a kind has it. `report` takes a sentence for whoever looks after the port.

    What is asked is answered before the next is; what is told goes by a connection of its own, as its answer waits for
    the disk.
    """

    def __init__(self, socket: Path, source: Source, name: str, report: Callable[[str], None]) -> None:
        self._socket, self._source, self._name, self._report = socket, source, name, report
        self._asking: MeterClient | None = None
        self._telling: MeterClient | None = None
        self._reported: str | None = None
        self._found: PortProtocol | None = None
        self._found_s = -FOUND_S

    @property
    def descriptor(self) -> int | None:
        """Descriptor that is readable when the connection has ended; None: there is none."""
        return None if self._asking is None else self._asking.fileno()

    def connect(self) -> None:
        """Connect, if it is not. Raises MeterAway, with the sentence why."""
        try:
            if self._asking is None:
                self._asking = MeterClient.connect(self._socket, self._source.value, self._name, ANSWER_S)
        except ClientError as error:
            raise MeterAway(str(error)) from None

    def begin(self) -> bool:
        """Connect; whether the meter has this port."""
        return self.spoken() is not None

    def spoken(self) -> PortProtocol | None:
        """Return what the meter speaks at this port; None: nothing, or it is not there, which is reported once."""
        now_s = time.monotonic()
        if now_s >= self._found_s + FOUND_S:
            self._found, self._found_s = self._find(), now_s
        return self._found

    def _find(self) -> PortProtocol | None:
        try:
            self.connect()
            with MeterClient.connect(self._socket, "command line", self._name, ANSWER_S) as client:
                answer = msgspec.convert(client.ask(ReadProgram(), ANSWER_S), ProgramInForce)
        except (MeterAway, ClientError, RequestRefusedError, msgspec.ValidationError) as error:
            self._once(str(error))
            return None
        found = spoken_at(self._source, answer.file.get("meter", {}))
        if isinstance(found, str):
            self._once(found)
            return None
        self._reported = None
        return found

    def ask(self, asked: Asked) -> Outcome:
        """Ask, and wait. Raises MeterAway."""
        self.connect()
        assert self._asking is not None
        try:
            return Outcome(msgspec.to_builtins(self._asking.ask(asked, ANSWER_S)))
        except RequestRefusedError as error:
            return Outcome(refused=str(error), needs_key=error.needs_key, why=error.why)
        except ClientError as error:
            self.close()
            raise MeterAway(str(error)) from None

    def tell(self, asked: Asked) -> None:
        """Ask, and wait for nothing; a meter that is not there is not told."""
        try:
            if self._telling is None:
                self._telling = MeterClient.connect(self._socket, self._source.value, self._name, ANSWER_S)
            while self._telling.poll() is not None:
                pass
            self._telling.request(asked)
        except ClientError:
            self._telling = None

    def alive(self) -> bool:
        """Take what has come without being asked for; whether there is a connection."""
        try:
            while self._asking is not None and self._asking.poll() is not None:
                pass
        except ClientError:
            self.close()
        return self._asking is not None

    def has_ended(self) -> bool:
        """Connect again where the connection is lost; whether nobody listens there any more. A meter that does not
        answer has not ended: it may have stalled, or its server be started anew."""
        try:
            if self._asking is None:
                self._asking = MeterClient.connect(self._socket, self._source.value, self._name, ANSWER_S)
        except MeterGone:
            return False
        except ClientError:
            return True
        return False

    def close(self) -> None:
        """Leave."""
        for client in (self._asking, self._telling):
            if client is not None:
                with suppress(OSError):
                    client.close()
        self._asking = self._telling = None

    def _once(self, sentence: str) -> None:
        if sentence != self._reported:
            self._reported = sentence
            self._report(sentence)


def spoken_at(source: Source, meter: Mapping[str, Any]) -> PortProtocol | str:
    """Return what a meter of this program speaks at a port, or in a sentence why it is silent there (M-7).

    `meter` is the table [meter] of its program. Without a firmware version, the project's own speaks C12.19 where the
    model is available with it. DGCOM is known of the optical port alone.
    """
    version = meter.get("firmware")
    try:
        firmware = None if version is None else firmware_named(version)
        spoken = protocols(model_named(meter.get("model", "RXRS4e")), firmware)
    except RigError as error:
        return str(error)
    emulated = "the model" if version is None else f"firmware {version}"
    needed = _NEEDED.get(source)
    if firmware is not None and needed is not None and needed not in firmware.port_options:
        return f"{emulated} takes no {needed.value}: the port stays silent"
    if PortProtocol.ANSI in spoken:
        return PortProtocol.ANSI
    if source is not Source.OPTICAL:
        return f"{emulated} speaks DGCOM, which is there at the optical port alone: the port stays silent"
    return PortProtocol.DGCOM
