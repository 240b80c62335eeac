"""A meter's registers from the blocks of DGCOM in a reading, as far as they are publicly described (docs/dgcom.md).

Blocks 1F and A0 give energy in total and by rate, in pulses of K; C4 names the second metric; 6F, 08, 01 and 02 say
whose they are and when. Demand, closed periods and the load profile are in blocks that are kept as they came.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from rig.meter_report.meter_data import RATES, EnergyRow, RegisterSet, SetKind
from rig.meter_report.read_times import read_at
from rig.reader.blocks_shown import block_values
from rig.reader.reading_file import MeterReadout

_TOTAL, _FIFTH = "total", "fifth"


class BlocksOfReading:
    """The blocks of one reading; `notes` are sentences on what of them cannot be used."""

    def __init__(self, reading: MeterReadout) -> None:
        values = zip(reading.blocks, block_values(reading.blocks), strict=True)
        self._read_utc = {block.opcode: block.read_utc for block in reading.blocks}
        self._values: Mapping[int, Mapping[str, Any]] = {block.opcode: found for block, found in values if found}
        self.notes: list[str] = []
        if reading.blocks:
            self.notes.append(
                "of DGCOM this report has energy alone: blocks of demand and load profile are kept as they came"
            )

    def plate(self) -> Iterator[tuple[str, str]]:
        """Give rows of names and texts that say whose they are."""
        for opcode, name, key in ((0x08, "firmware", "firmware"), (0x6F, "serial", "serial"), (0x1F, "K", "wh")):
            if (found := self._values.get(opcode)) is not None:
                yield name, str(found[key])

    def sets(self) -> Iterator[RegisterSet]:
        """Give the present registers; none where the meter did not give its energies."""
        energies = self._values.get(0xA0)
        if energies is None:
            return
        rows = tuple(self._row(name, energies) for name in self._names(energies))
        at = read_at(self.clock(), self._read_utc.get(0x01, ""), self._read_utc[0xA0])
        yield RegisterSet(SetKind.PRESENT, at, None, None, rows, ())

    def clock(self) -> datetime | None:
        """Give what the meter's clock showed; None: it did not say, or no time that there is."""
        date, time = self._values.get(0x02), self._values.get(0x01)
        try:
            return datetime.fromisoformat(f"{date['date']}T{time['time']}") if date and time else None
        except ValueError:
            return None

    def _names(self, energies: Mapping[str, Decimal]) -> list[str]:
        return [key.removesuffix(f" {_TOTAL}") for key in energies if key.endswith(f" {_TOTAL}")]

    def _row(self, name: str, energies: Mapping[str, Decimal]) -> EnergyRow:
        if energies.get(f"{name} {_FIFTH}"):
            self.notes.append(f"the fifth rate of {name} has {energies[f'{name} {_FIFTH}']:f}: nothing says what it is")
        return EnergyRow(name, energies[f"{name} {_TOTAL}"], tuple(energies[f"{name} {rate}"] for rate in RATES))
