"""Tables decoded a second time, from ../shared/facts/c12.md's layouts with struct alone; the witness of the codec."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from decimal import Decimal
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


# --- registers ------------------------------------------------------------------------------------------------

NI_SIZES = {0: 8, 1: 4, 2: 12, 3: 6, 4: 4, 5: 6, 6: 4, 7: 3, 8: 4, 9: 5, 10: 6, 11: 8, 12: 8, 13: 21}


class Reader:
    """Fields one after the other, with the sizes that ST0 fixes."""

    def __init__(self, data: bytes, ni: tuple[int, int]) -> None:
        self.data, self.at, self.ni = data, 0, ni

    def raw(self, size: int) -> bytes:
        self.at += size
        assert self.at <= len(self.data)
        return self.data[self.at - size : self.at]

    def u(self, size: int) -> int:
        return int.from_bytes(self.raw(size), "little")

    def number(self, which: int) -> Decimal:
        kind = self.ni[which - 1]
        data = self.raw(NI_SIZES[kind])
        assert kind == 13
        assert data == data.strip()
        return Decimal(data.decode("ascii"))

    def time(self, size: int) -> tuple[int, ...] | None:
        parts = tuple(self.raw(size))
        return None if not any(parts) else (2000 + parts[0], *parts[1:])

    def end(self) -> None:
        assert self.at == len(self.data)


def st21(data: bytes) -> dict[str, int]:
    names = (
        "func1",
        "func2",
        "self_reads",
        "summations",
        "demands",
        "coincidents",
        "occur",
        "tiers",
        "present",
        "values",
    )
    return dict(zip(names, data, strict=True))


def _block(read: Reader, dims: dict[str, int]) -> dict[str, Any]:
    block: dict[str, Any] = {"summations": [read.number(1) for _ in range(dims["summations"])], "demands": []}
    for _ in range(dims["demands"]):
        at = [read.time(5) for _ in range(dims["occur"])] if dims["func1"] & 2 else None
        cumulative = read.number(1) if dims["func1"] & 16 else None
        continuous = read.number(1) if dims["func1"] & 32 else None
        maxima = [read.number(2) for _ in range(dims["occur"])]
        block["demands"].append({"at": at, "cumulative": cumulative, "continuous": continuous, "maxima": maxima})
    block["coincidents"] = [[read.number(2) for _ in range(dims["occur"])] for _ in range(dims["coincidents"])]
    return block


def registers(read: Reader, dims: dict[str, int]) -> dict[str, Any]:
    resets = read.u(1) if dims["func1"] & 4 else None
    total = _block(read, dims)
    return {"resets": resets, "total": total, "tiers": [_block(read, dims) for _ in range(dims["tiers"])]}


def st23(data: bytes, ni: tuple[int, int], dims: dict[str, int]) -> dict[str, Any]:
    read = Reader(data, ni)
    found = registers(read, dims)
    read.end()
    return found


def closed(read: Reader, dims: dict[str, int]) -> dict[str, Any]:
    end = read.time(5) if dims["func1"] & 2 else None
    season = read.u(1) if dims["func1"] & 1 else None
    return {"end": end, "season": season, **registers(read, dims)}


def st24(data: bytes, ni: tuple[int, int], dims: dict[str, int]) -> dict[str, Any]:
    read = Reader(data, ni)
    found = closed(read, dims)
    read.end()
    return found


MULTIPLIERS = (0, 2, 3, 6, 9, -2, -3, -6)


def st12(data: bytes) -> list[dict[str, Any]]:
    found = []
    for (word,) in struct.iter_unpack("<I", data):
        found.append(
            {
                "id": word & 0xFF,
                "base": word >> 8 & 7,
                "power": MULTIPLIERS[word >> 11 & 7],
                "quadrants": {q for q in (1, 2, 3, 4) if word >> 13 + q & 1},
                "net": bool(word >> 18 & 1),
                "phase": word >> 19 & 7,
            }
        )
    return found


def st15(data: bytes, ni: tuple[int, int], count: int) -> list[dict[str, Any]]:
    read = Reader(data, ni)
    found = [
        {
            "multiplier": read.number(1),
            "offset": read.number(1),
            "flags": read.u(1),
            "f": read.number(1),
            "p": read.number(1),
        }
        for _ in range(count)
    ]
    read.end()
    return found


# --- clock and calendar ----------------------------------------------------------------------------------------


def st51(data: bytes) -> dict[str, int]:
    one, two, calendar, dates, recurring, switches, size = struct.unpack("<5B2H", data)
    return {
        "flags1": one, "flags2": two, "seasons": calendar & 15, "specials": calendar >> 4,
        "dates": dates, "recurring": recurring, "switches": switches, "size": size,
    }  # fmt: skip


def day_of(word: int) -> tuple[int, int, int]:
    return 2000 + (word & 0x7F), word >> 7 & 15, word >> 11


@dataclass
class TariffTable:
    """ST54: dates and actions, switches by schedule, schedules by season and Saturday, Sunday, weekday, special."""

    dates: list[tuple[tuple[int, int, int], int]]
    switches: dict[int, list[tuple[int, int]]]
    matrix: list[bytes]

    def rate(self, season: int, day: int, minute: int) -> int:
        """`day` is the place in a row of the matrix."""
        begun = [(at, tier) for at, tier in self.switches[self.matrix[season][day]] if at <= minute]
        return max(begun)[1]


def st54(data: bytes, dims: dict[str, int]) -> TariffTable:
    assert len(data) == dims["size"]
    at, dates = 0, []
    for _ in range(dims["dates"]):
        word, action = struct.unpack_from("<HB", data, at)
        dates.append((day_of(word), action))
        at += 3
    assert dims["recurring"] == 0
    switches: dict[int, list[tuple[int, int]]] = {}
    for _ in range(dims["switches"]):
        word, schedule = struct.unpack_from("<HB", data, at)
        assert word & 0x18 == 0x18
        switches.setdefault(schedule, []).append((60 * (word >> 11) + (word >> 5 & 63), word & 7))
        at += 3
    row = 3 + dims["specials"]
    matrix = [data[at + row * season : at + row * (season + 1)] for season in range(dims["seasons"])]
    return TariffTable(dates, switches, matrix)


# --- load profile -----------------------------------------------------------------------------------------------


def st61(data: bytes) -> dict[str, int]:
    memory, flags, formats, blocks, intervals, channels, minutes = struct.unpack("<IHBHHBB", data)
    return {
        "memory": memory, "flags": flags, "formats": formats, "blocks": blocks, "intervals": intervals,
        "channels": channels, "minutes": minutes,
    }  # fmt: skip


def st62(data: bytes, channels: int) -> dict[str, Any]:
    sources = [data[3 * n + 1] for n in range(channels)]
    code = data[3 * channels]
    numbers = struct.unpack(f"<{2 * channels}H", data[3 * channels + 1 :])
    return {"sources": sources, "format": code, "scalars": numbers[:channels], "divisors": numbers[channels:]}


def st63(data: bytes) -> dict[str, int]:
    names = ("flags", "valid", "last", "sequence", "unread", "intervals")
    return dict(zip(names, struct.unpack("<BHHIHH", data), strict=True))


def st64(data: bytes, dims: dict[str, int], valid: int) -> list[dict[str, Any]]:
    channels = dims["channels"]
    assert (dims["formats"], dims["intervals"], dims["flags"] & 0x400) == (2, 1, 0x400)
    status_size = channels // 2 + 1
    size = 5 + status_size + 2 * channels
    assert len(data) == size * valid
    blocks = []
    for n in range(valid):
        block = data[size * n : size * (n + 1)]
        nibbles = [half for byte in block[5 : 5 + status_size] for half in (byte >> 4, byte & 15)]
        blocks.append(
            {
                "end": (2000 + block[0], *block[1:5]),
                "common": nibbles[0],
                "status": nibbles[1 : 1 + channels],
                "counts": struct.unpack(f"<{channels}H", block[5 + status_size :]),
            }
        )
    return blocks


# --- log ---------------------------------------------------------------------------------------------------------


def st76(data: bytes, entries: int) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """An event log, laid out as a history log that has times and sequence numbers and no event numbers; and an argument
    of four bytes."""
    size = 16
    assert len(data) == 11 + size * entries
    places = range(11, len(data), size)
    header, lines = st74(data[:11] + b"".join(data[at : at + 12] for at in places), entries)
    arguments = [int.from_bytes(data[at + 12 : at + size], "little", signed=True) for at in places]
    assert not any(arguments[header["valid"] :])
    return header, [{**line, "argument": each} for line, each in zip(lines, arguments, strict=False)]


def st74(data: bytes, entries: int) -> tuple[dict[str, int], list[dict[str, Any]]]:
    names = ("flags", "valid", "last", "sequence", "unread")
    header = dict(zip(names, struct.unpack("<BHHIH", data[:11]), strict=True))
    assert len(data) == 11 + 12 * entries
    lines = []
    for n in range(header["valid"]):
        entry = data[11 + 12 * n : 23 + 12 * n]
        sequence, user, code = struct.unpack("<3H", entry[6:])
        lines.append({"at": (2000 + entry[0], *entry[1:6]), "sequence": sequence, "user": user, "code": code})
    assert not any(data[11 + 12 * header["valid"] :])
    return header, lines


def mt3(data: bytes, ni: tuple[int, int], dims: dict[str, int]) -> dict[str, Any]:
    """Our own, as docs/communication-tables.md has it."""
    read = Reader(data, ni)
    found: dict[str, Any] = {
        "demands": [[(read.number(2), read.number(2)) for _ in range(5)] for _ in range(dims["demands"])]
    }
    found["peaks"] = [
        (read.time(5), read.number(2), [read.number(2) for _ in range(dims["demands"] - 1)]) for _ in range(read.u(1))
    ]
    found["inputs"] = [read.u(8), read.u(8)]
    found["outputs"] = [
        (read.raw(8).decode().rstrip(), read.raw(24).decode().rstrip(), read.number(1), read.u(8), read.number(1))
        for _ in range(read.u(1))
    ]
    found["test"] = _block(read, dims) if read.u(1) else None
    read.end()
    return found
