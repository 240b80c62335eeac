"""Recordings written by the book for the tests of their readers: plain text and struct, nothing of the readers.

The load is 120 V and 5 A at 60 Hz, sampled 1920 times a second, the current 30° behind. Values are integers times a
multiplier, so that what must come out is known to the last bit.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

RATE = 1920
SAMPLES = 192
VOLTS_PER_COUNT = 0.01
AMPERES_PER_COUNT = 0.001

CODES = {"BINARY": "h", "BINARY32": "i", "FLOAT32": "f"}


def wave(peak: float, lag_deg: float, samples: int = SAMPLES) -> list[int]:
    """Counts of a 60 Hz wave, whole numbers."""
    turn = 2 * math.pi * 60 / RATE
    return [round(peak * math.cos(turn * k - math.radians(lag_deg))) for k in range(samples)]


VOLTS = wave(120 * math.sqrt(2) / VOLTS_PER_COUNT, 0)
AMPERES = wave(5 * math.sqrt(2) / AMPERES_PER_COUNT, 30)


@dataclass(frozen=True)
class Line:
    """One analog channel's line of a .cfg; `rest` are min, max, primary, secondary, P or S."""

    name: str = "VA"
    phase: str = "A"
    component: str = ""
    unit: str = "V"
    a: str = "0.01"
    b: str = "0"
    skew: str = "0"
    rest: tuple[str, ...] = ("-32767", "32767", "1", "1", "S")


VA, IA = Line(), Line("IA", "A", "", "A", "0.001")


@dataclass(frozen=True)
class Comtrade:
    """A recording of two channels, or of what `lines` and `columns` say; every text of the .cfg can be set."""

    revision: str = "1999"
    data_type: str = "BINARY"
    lines: tuple[Line, ...] = (VA, IA)
    columns: tuple[Sequence[object], ...] = (VOLTS, AMPERES)
    station: str = "SUB A"
    counts: str = ""
    status: tuple[str, ...] = ()
    status_values: str = "0"
    frequency: str = "60"
    rates: tuple[str, ...] = ("1", f"{RATE},{SAMPLES}")
    times: tuple[str, str] = ("01/03/2026,10:00:00.000000", "01/03/2026,10:00:00.000000")
    tail: tuple[str, ...] | None = None
    encoding: str = "utf-8"
    line_end: str = "\r\n"

    def cfg(self) -> bytes:
        """The bytes of the .cfg."""
        old = self.revision == "1991"
        first = f"{self.station},REC 1" + ("" if old else f",{self.revision}")
        counts = self.counts or f"{len(self.lines) + len(self.status)},{len(self.lines)}A,{len(self.status)}D"
        text = [first, counts]
        for n, c in enumerate(self.lines, 1):
            rest = c.rest[:2] if old else c.rest
            text.append(",".join((str(n), c.name, c.phase, c.component, c.unit, c.a, c.b, c.skew, *rest)))
        text += [f"{n},{line}" for n, line in enumerate(self.status, 1)]
        text += [self.frequency, *self.rates, *self.times, self.data_type]
        tail = ((), ("1",), ("1", "0,0", "0,0"))[("1991", "1999", "2013").index(self.revision)]
        text += self.tail if self.tail is not None else tail
        return (self.line_end.join(text) + self.line_end).encode(self.encoding)

    def dat(self) -> bytes:
        """The bytes of the .dat: numbers from 1, stamps in microseconds."""
        rows = list(zip(*self.columns, strict=True))
        stamps = [round(k * 1e6 / RATE) for k in range(len(rows))]
        if self.data_type == "ASCII":
            status = [self.status_values] * len(self.status)
            lines = (",".join(map(str, (k + 1, stamps[k], *row, *status))) for k, row in enumerate(rows))
            return (self.line_end.join(lines) + self.line_end).encode()
        layout = struct.Struct(f"<II{len(self.lines)}{CODES[self.data_type]}{-(-len(self.status) // 16)}H")
        words = [0] * -(-len(self.status) // 16)
        return b"".join(layout.pack(k + 1, stamps[k], *row, *words) for k, row in enumerate(rows))

    def write(self, folder: Path, name: str = "made") -> Path:
        """Write both files, give the .cfg."""
        path = folder / f"{name}.cfg"
        path.write_bytes(self.cfg())
        path.with_suffix(".dat").write_bytes(self.dat())
        return path

    def write_single(self, folder: Path, name: str = "made") -> Path:
        """Write a .cff of 2013."""
        dat = self.dat()
        size = f": {len(dat)}" if self.data_type != "ASCII" else ""
        path = folder / f"{name}.cff"
        path.write_bytes(
            b"--- file type: CFG ---\r\n"
            + self.cfg()
            + b"--- file type: INF ---\r\n\r\n--- file type: HDR ---\r\n\r\n"
            + f"--- file type: DAT {self.data_type}{size} ---\r\n".encode()
            + dat
        )
        return path

    def but(self, **changes: object) -> Comtrade:
        """The same with some texts changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


def with_missing(counts: Sequence[object], code: object, rows: Sequence[int] = (100,)) -> list[object]:
    """A column in which some rows have a code, or a text, instead of their value."""
    return [code if k in rows else value for k, value in enumerate(counts)]


def csv_text(
    names: Sequence[str] = ("time_s", "va", "ia"),
    scales: Mapping[str, float] | None = None,
    separator: str = ",",
    decimal: str = ".",
    rows: int = SAMPLES,
) -> str:
    """A CSV of the load; `scales` are the units of a column's numbers in s, V and A (by default 1)."""
    scales = scales or {}
    text = [separator.join(names)]
    for k in range(rows):
        base = (k / RATE, VOLTS[k] * VOLTS_PER_COUNT, AMPERES[k] * AMPERES_PER_COUNT)
        cells = [f"{value / scales.get(name, 1):.9f}" for name, value in zip(names, base, strict=True)]
        text.append(separator.join(cell.replace(".", decimal) for cell in cells))
    return "\n".join(text) + "\n"
