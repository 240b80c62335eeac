"""DGCOM's blocks as values and as text: what docs/dgcom.md describes of them (X-2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from rig.communication.dgcom.encoding import REGISTER_BYTES, number_of
from rig.reader.reading_file import BlockRead

_METRICS = {0: "kWh", 2: "kvarh rms", 3: "kVAh rms", 4: "kQh", 6: "kvarh td", 0x11: "kVAh td"}
_RATES = ("A", "B", "C", "D", "fifth", "total")
_REGISTERS = len(_RATES)
_FAMILIES = {2: "DX or other", 3: "RX"}


def block_values(blocks: Sequence[BlockRead]) -> list[dict[str, Any] | None]:
    """Give each block's values by name; None for one that was refused, or has bytes that are none."""
    whole = {each.opcode: data for each in blocks if (data := each.bytes) is not None}
    found: list[dict[str, Any] | None] = []
    for each in blocks:
        try:
            found.append(_values(each.opcode, whole) if each.opcode in whole else None)
        except (ValueError, IndexError):
            found.append(None)
    return found


def blocks_shown(blocks: Sequence[BlockRead]) -> Iterator[str]:
    """Write each block for a person."""
    for each, values in zip(blocks, block_values(blocks), strict=True):
        if each.data is None:
            said = "refused"
        elif not values:
            said = f"{len(each.data) // 2} bytes, kept as they are"
        else:
            said = ", ".join(f"{name} {value}" for name, value in values.items())
        yield f"{each.opcode:02X}     {each.name:34} {said}"


def _values(opcode: int, blocks: dict[int, bytes]) -> dict[str, Any]:
    """Give a block's values. Raises ValueError, IndexError for bytes that are none."""
    data = blocks[opcode]
    match opcode:
        case 0x01:
            second, minute, hour = (number_of(data[at : at + 1]) for at in range(3))
            return {"time": f"{hour:02}:{minute:02}:{second:02}"}
        case 0x02:
            year, day, month = (number_of(data[at : at + 1]) for at in range(1, 4))
            return {"date": f"20{year:02}-{month:02}-{day:02}"}
        case 0x08:
            family = _FAMILIES.get(data[0] >> 4, f"{data[0] >> 4}")
            return {"firmware": f"{data[0] & 15}.{number_of(data[1:2]):02}", "family": family}
        case 0x0F:
            return {"subinterval_min": data[0], "thermal": bool(data[1]), "subintervals": data[2] + 1}
        case 0x1F | 0x6D:
            return {"wh": _decimal(Fraction(number_of(data[:3]), 1000))}
        case 0x6F:
            return {"serial": data[::-1].decode("ascii", "replace").strip(" \0")}
        case 0x87:
            return {"serial": f"{number_of(data[:4]):08}"}
        case 0xA0:
            return _energies(blocks)
        case 0xC4:
            names = ("selectable", "billing", "third")
            return {name: _METRICS.get(code, "none") for name, code in zip(names, data[:3], strict=True)}
    return {}


def _energies(blocks: dict[int, bytes]) -> dict[str, Any]:
    """Give energies in kilo-units: pulses of K, which block 1F has."""
    data = blocks[0xA0]
    k = Fraction(number_of(blocks.get(0x1F, b"")[:3]), 1000)
    if len(data) != 2 * _REGISTERS * REGISTER_BYTES or not k:
        raise ValueError
    selectable = _METRICS.get(blocks.get(0xC4, b"\xff")[0], "selectable")
    found = {}
    for place, what in enumerate(("kWh delivered", selectable)):
        for n, rate in enumerate(_RATES):
            at = (place * _REGISTERS + n) * REGISTER_BYTES
            pulses = number_of(data[at : at + REGISTER_BYTES])
            if rate != "fifth" or pulses:
                found[f"{what} {rate}"] = _decimal(pulses * k / 1000)
    return found


def _decimal(value: Fraction) -> Decimal:
    """Give a number of thousandths and pulses exactly; its denominator has only twos and fives."""
    return (Decimal(value.numerator) / Decimal(value.denominator)).normalize() + 0
