"""A meter whose tables are read, without a daemon: its requests are answered of its own reading and program."""

from __future__ import annotations

from typing import Any

import msgspec

from rig.communication.c1219.codes import ResponseCode
from rig.communication.c1219.device import TableDevice
from rig.communication.c1219.outcome import Outcome, carry_out
from rig.daemon.protocol import Asked, ProgramInForce, ReadProgram, ReadState
from rig.program.written import public_file
from rig.results.exact_encoding import exact_reading
from tests.rig.kept_meter import KeptMeter

SOFTWARE = "0.9.1"


class MeterTables:
    """Tables of a meter; `asked` are the requests that came."""

    def __init__(self, kept: KeptMeter, *, level: int = 4) -> None:
        self._kept, self.level = kept, level
        self.device = TableDevice(SOFTWARE)
        self.asked: list[Asked] = []

    def read(self, number: int, offset: int = 0, count: int | None = None) -> bytes | ResponseCode:
        return carry_out(self.device.read(number, level=self.level, offset=offset, count=count), self._ask)

    def data(self, number: int) -> bytes:
        data = self.read(number)
        assert isinstance(data, bytes), f"table {number}: {data!r}"
        return data

    def _ask(self, asked: Asked) -> Outcome:
        self.asked.append(asked)
        result = self._answer(asked)
        return Outcome(msgspec.msgpack.decode(msgspec.msgpack.encode(result)))

    def _answer(self, asked: Asked) -> Any:
        program = self._kept.program
        match asked:
            case ReadState():
                return exact_reading(self._kept.meter.reading())
            case ReadProgram():
                return ProgramInForce(program.digest, public_file(program.file), False, False)
        raise AssertionError(f"{asked} is no reading")
