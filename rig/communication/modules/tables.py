"""Tables of C12.19 for a module: each as its row grants what the table holds, decided and logged by the meter (X-4).

    tables = ModuleTables(version, as_module, of_the_meter)
    data = tables.read(23)          # bytes, or a ResponseCode

`as_module` asks the meter with the module's name: whether a table may be read, and everything that a procedure does.
What a table is made of comes by `of_the_meter`, only once the meter has granted the table, and stays here.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from rig.communication.c1219.codes import ResponseCode
from rig.communication.c1219.device import TableDevice
from rig.communication.c1219.levels import NEVER, read_level
from rig.communication.c1219.outcome import Outcome, Steps, carry_out
from rig.communication.c1219.session_tables import STAGED_FORMS
from rig.communication.c1219.table import MANUFACTURER, PROCEDURES_ARE_WRITTEN_TO
from rig.communication.c1219.tables import TABLES
from rig.communication.c1219.types import TableError
from rig.communication.modules.far_end import ModuleReading, TableOfModule
from rig.communication.modules.table_parts import PROCEDURE_PARTS, TABLE_PARTS, Parts
from rig.daemon.client import MeterClient, RequestRefusedError
from rig.daemon.protocol import (
    Asked,
    AskPermission,
    ReadIdentity,
    ReadLog,
    ReadPending,
    ReadProfile,
    ReadProgram,
    ReadSnapshots,
    ReadState,
)
from rig.meter.access.actions import MOST_LEVEL, MeterAction
from rig.meter.access.readable import Readable
from rig.results.provenance import project_version

FACTS = (ReadIdentity, ReadState, ReadProgram, ReadPending, ReadLog, ReadSnapshots, ReadProfile)
"""Requests for what tables are made of. All others do something, and are the module's own."""

_NUMBER_MASK, _MANUFACTURER_BIT = 0x7FF, 0x800

T = TypeVar("T")
Ask = Callable[[Asked], Outcome]


class ModuleTables:
    """A meter's tables as its module has them; `refused` is the meter's sentence for the last one that it refused."""

    def __init__(self, software: str, as_module: Ask, of_the_meter: Ask) -> None:
        self.refused: str | None = None
        self._as_module, self._of_the_meter = as_module, of_the_meter
        self._device = TableDevice(software)

    def read(self, number: int, offset: int = 0, count: int | None = None) -> bytes | ResponseCode:
        """Read a table, whole or a part of it; INSUFFICIENT_SECURITY where the module's row does not grant it."""
        if number not in TABLE_PARTS and number not in STAGED_FORMS:
            return ResponseCode.INSUFFICIENT_SECURITY if read_level(number) is NEVER else ResponseCode.INAPPROPRIATE
        action = MeterAction.WRITE_PROGRAM if number in STAGED_FORMS else None
        if not self._granted(TABLE_PARTS.get(number, frozenset()), action):
            return ResponseCode.INSUFFICIENT_SECURITY
        return self._carry_out(self._device.read(number, level=MOST_LEVEL, offset=offset, count=count))

    def write(self, number: int, data: bytes, offset: int | None = None) -> ResponseCode | None:
        """Write a table, as far as it can be written; None: it is written, and ST8 says what came of a procedure."""
        action = MeterAction.WRITE_PROGRAM if number in STAGED_FORMS else None
        parts = TABLE_PARTS.get(number, frozenset())
        if number == PROCEDURES_ARE_WRITTEN_TO:
            parts = _parts_of_procedure(data)
        if not self._granted(parts, action):
            return ResponseCode.INSUFFICIENT_SECURITY
        return self._carry_out(self._device.write(number, data, level=MOST_LEVEL, offset=offset))

    def _granted(self, parts: Parts, action: MeterAction | None) -> bool:
        """Ask the meter whether the module has parts and may do something; with neither, whether it may read at all."""
        asked = action or (None if parts else MeterAction.READ)
        labels = [part.label for part in Readable if part in parts]
        outcome = self._as_module(AskPermission(labels, None if asked is None else asked.label))
        self.refused = outcome.refused
        return outcome.refused is None

    def _carry_out(self, steps: Steps[T]) -> T:
        return carry_out(
            steps, lambda asked: (self._of_the_meter if isinstance(asked, FACTS) else self._as_module)(asked)
        )


def _parts_of_procedure(data: bytes) -> Parts:
    """Give what a module must be granted for a procedure that the door is not asked for; nothing for all others."""
    if len(data) < struct.calcsize("<H"):
        return frozenset()
    (word,) = struct.unpack_from("<H", data)
    return frozenset() if word & _MANUFACTURER_BIT else PROCEDURE_PARTS.get(word & _NUMBER_MASK, frozenset())


def asking(client: MeterClient) -> Ask:
    """Make a client of the meter what steps are carried out by. Raises ClientError for a meter that has gone."""

    def ask(asked: Asked) -> Outcome:
        try:
            return Outcome(msgspec.to_builtins(client.ask(asked)))
        except RequestRefusedError as error:
            return Outcome(refused=str(error), needs_key=error.needs_key, why=error.why)

    return ask


def with_tables(
    found: ModuleReading, numbers: Sequence[int], as_module: MeterClient, of_the_meter: MeterClient
) -> ModuleReading:
    """Add tables to a module's reading, each by its number on the wire, as far as the meter gives them."""
    tables = ModuleTables(project_version(), asking(as_module), asking(of_the_meter))
    return msgspec.structs.replace(found, tables=[_read(tables, number) for number in numbers])


def _refusal(code: ResponseCode) -> str:
    if code is ResponseCode.INSUFFICIENT_SECURITY:
        return "passwords and keys are given to nobody"
    return "the meter has no such table now"


def _read(tables: ModuleTables, number: int) -> TableOfModule:
    known = TABLES.get(number)
    title = f"ST{number}" if number < MANUFACTURER else f"MT{number - MANUFACTURER}"
    name = "" if known is None else known.name
    tables.refused = None
    try:
        data = tables.read(number)
    except TableError as error:
        return TableOfModule(number, title, name, None, str(error))
    if isinstance(data, bytes):
        return TableOfModule(number, title, name, data.hex())
    return TableOfModule(number, title, name, None, tables.refused or _refusal(data))
