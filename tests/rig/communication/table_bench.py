"""A meter whose tables are read, without a daemon: its requests are answered of its own reading, program and store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from rig.communication.c1219.codes import ResponseCode
from rig.communication.c1219.device import TableDevice
from rig.communication.c1219.outcome import Outcome, carry_out
from rig.daemon.history_pages import FROM_STORE, PageError, page
from rig.daemon.protocol import (
    Asked,
    PendingAnswer,
    ProgramInForce,
    ReadIdentity,
    ReadLevel,
    ReadPending,
    ReadProgram,
    ReadState,
)
from rig.program.written import public_file
from rig.results.exact_encoding import exact_reading
from tests.rig.kept_meter import KeptMeter

SOFTWARE = "0.9.1"


class MeterTables:
    """Tables of a meter, with its store if it has one; `asked` are the requests that came."""

    def __init__(self, kept: KeptMeter, folder: Path | None = None, *, level: int = 4) -> None:
        self._kept, self._folder, self.level = kept, folder, level
        self.device = TableDevice(SOFTWARE)
        self.asked: list[Asked] = []

    def read(self, number: int, offset: int = 0, count: int | None = None) -> bytes | ResponseCode:
        return carry_out(self.device.read(number, level=self.level, offset=offset, count=count), self._ask)

    def write(self, number: int, data: bytes, offset: int | None = None) -> ResponseCode | None:
        return carry_out(self.device.write(number, data, level=self.level, offset=offset), self._ask)

    def data(self, number: int) -> bytes:
        data = self.read(number)
        assert isinstance(data, bytes), f"table {number}: {data!r}"
        return data

    def by_parts(self, number: int, part: int) -> bytes:
        """A table by offset reads, up to the one that is beyond it."""
        found = b""
        while isinstance(data := self.read(number, len(found), part), bytes) and data:
            found += data
        return found

    def _ask(self, asked: Asked) -> Outcome:
        self.asked.append(asked)
        try:
            result = self._answer(asked)
        except PageError as error:
            return Outcome(None, str(error))
        return Outcome(msgspec.msgpack.decode(msgspec.msgpack.encode(result)))

    def _answer(self, asked: Asked) -> Any:
        program = self._kept.program
        match asked:
            case ReadState():
                return exact_reading(self._kept.meter.reading())
            case ReadProgram() | ReadIdentity():
                return ProgramInForce(program.digest, public_file(program.file), False, False)
            case ReadLevel():
                return {"level": self.level}
            case ReadPending():
                return PendingAnswer(None, None)
            case _ if isinstance(asked, FROM_STORE):
                if self._folder is not None:
                    self._kept.writer.flush()
                return page(self._folder, asked)
        raise AssertionError(f"{asked} is no reading")
