"""Tables decoded a second time, from ../shared/facts/c12.md's layouts with struct alone; the witness of the codec."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any


def numbers_of(data: bytes) -> set[int]:
    return {8 * place + bit for place, byte in enumerate(data) for bit in range(8) if byte & (1 << bit)}


@dataclass
class Configuration:
    """ST0."""

    manufacturer: bytes
    formats: bytes
    ni: tuple[int, int]
    version: int
    dims: tuple[int, ...]
    standard: set[int] = field(default_factory=set)
    manufacturers: set[int] = field(default_factory=set)
    procedures: set[int] = field(default_factory=set)
    manufacturers_procedures: set[int] = field(default_factory=set)
    standard_written: set[int] = field(default_factory=set)
    manufacturers_written: set[int] = field(default_factory=set)


def st0(data: bytes) -> Configuration:
    one, two, three, maker, kind, _, _, _, ver, _, *dims = struct.unpack("<3B4s12B", data[:19])
    assert kind == 2
    found = Configuration(maker, bytes((one, two, three)), (three & 15, three >> 4), ver, tuple(dims))
    std, mfg, std_proc, mfg_proc, _, _ = dims
    at, sets = 19, []
    for size in (std, mfg, std_proc, mfg_proc, std, mfg):
        sets.append(numbers_of(data[at : at + size]))
        at += size
    assert at == len(data)
    (found.standard, found.manufacturers, found.procedures, found.manufacturers_procedures,
     found.standard_written, found.manufacturers_written) = sets  # fmt: skip
    return found


def st1(data: bytes) -> dict[str, Any]:
    maker, model, hw, hw_rev, fw, fw_rev, serial = struct.unpack("<4s8s4B16s", data)
    return {
        "manufacturer": maker,
        "model": model.decode().rstrip(),
        "hardware": (hw, hw_rev),
        "firmware": (fw, fw_rev),
        "serial": serial.decode().rstrip(),
    }


def st3(data: bytes) -> dict[str, Any]:
    mode, status, second = struct.unpack("<BHB", data[:4])
    return {"mode": mode, "status": numbers_of(struct.pack("<H", status)), "second": second, "maker": data[4:]}
