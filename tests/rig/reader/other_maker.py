"""A meter of another make for tests: its tables by struct, in any format of ST0, as public descriptions have C12.19.

Nothing of the product is used. Registers are whole numbers, so that every format of numbers holds them exactly:
12345 kWh delivered (10000 and 2345 by rate), 987 kvarh lagging, 42 kW; a load profile of 15 minutes in blocks of four.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from psem_device import PsemDevice, sets

EPOCH = datetime(1970, 1, 1)
AT = datetime(2026, 11, 30, 14, 45)
CLOCK = datetime(2026, 11, 30, 15, 1, 9)
UNITS = {
    "kW delivered": 0 | 4 << 8 | 2 << 11 | 9 << 14,
    "kWh delivered": 0 | 0 << 8 | 2 << 11 | 9 << 14,
    "kvarh lagging": 1 | 0 << 8 | 2 << 11 | 5 << 14,
    "Wh delivered": 0 | 0 << 8 | 0 << 11 | 9 << 14,
    "MWh delivered": 0 | 0 << 8 | 3 << 11 | 9 << 14,
}
"""ST12's numbers: unit, time base in bits 8 to 10, power of ten 11 to 13, quadrants from 14 on."""

SCHEDULE = b"SEASONS" * 3


@dataclass(frozen=True)
class Make:
    """Formats of a make: ST0's DATA_ORDER, CHAR_FORMAT, TM_FORMAT, NI_FORMAT of both kinds."""

    order: int = 0
    characters: int = 1
    times: int = 2
    numbers: int = 13
    serial_bcd: bool = False

    def u(self, size: int, value: int) -> bytes:
        return value.to_bytes(size, "big" if self.order else "little")

    def number(self, value: int) -> bytes:
        sign = ">" if self.order else "<"
        match self.numbers:
            case 0 | 1:
                return struct.pack(sign + ("d" if self.numbers == 0 else "f"), value)
            case 2 | 3 | 13:
                return f"{value}".rjust({2: 12, 3: 6, 13: 21}[self.numbers]).encode()
            case 4:
                return self.u(4, value * 10_000)
        return self.u({7: 3, 8: 4, 9: 5, 10: 6, 11: 8}[self.numbers], value)

    def parts(self, *parts: int) -> bytes:
        return bytes(int(str(part), 16) for part in parts) if self.times == 1 else bytes(parts)

    def stime(self, at: datetime | None) -> bytes:
        if self.times > 2:
            seconds = 0 if at is None else int((at - EPOCH).total_seconds())
            return self.u(4, seconds if self.times == 4 else seconds // 60)
        return bytes(5) if at is None else self.parts(at.year - 2000, at.month, at.day, at.hour, at.minute)

    def ltime(self, at: datetime) -> bytes:
        if self.times == 4:
            return self.stime(at)
        return self.stime(at) + self.parts(at.second)

    def text(self, text: str, size: int) -> bytes:
        return text.encode({1: "ascii", 2: "latin-1", 3: "utf-8"}[self.characters]).ljust(size)

    def st0(self, used: set[int], own: set[int] = frozenset({3}), head: bytes = b"XYZ1") -> bytes:  # type: ignore[assignment]
        formats = bytes(
            (
                self.order | self.characters << 1,
                self.times | 1 << 3 | self.serial_bcd << 5,
                self.numbers | self.numbers << 4,
            )
        )
        return (
            formats + head + bytes((2, 0, 64, 200, 1, 0, 18, 1, 2, 1, 3, 0)) + sets(used, 18) + sets(own, 1)
            + sets((), 2) + sets((), 1) + sets((), 18) + sets((), 1)
        )  # fmt: skip

    def tables(self) -> dict[int, bytes]:
        made = {
            1: b"XYZ1" + self.text("MÈTRE" if self.characters > 1 else "METRE", 8) + bytes((1, 2, 3, 4))
            + (bytes.fromhex("0000000012345678") if self.serial_bcd else self.text("0000000012345678", 16)),
            3: b"\x00" + self.u(2, 1 << 11) + b"\x00" + b"\x01\x02\x03",
            5: b"\x00" * 6 + bytes.fromhex("98765432") if self.serial_bcd else self.text("98765432", 20),
            **self.sources(),
            **self.registers(),
            51: bytes((0, 0, 0x11, 1, 2)) + self.u(2, 1) + self.u(2, 21),
            52: self.ltime(CLOCK) + b"\x01",
            54: self.u(2, 26 | 3 << 7 | 8 << 11) + b"\x01"
            + (self.u(2, 3 | 2 << 8) + b"\x01") * 2 + self.u(2, 1 | 7 << 11) + b"\x00" + bytes((0, 0, 0, 0)),
            **self.profile(),
            **self.log(),
            143: b"of the second edition",
            2051: b"its maker's own",
        }  # fmt: skip
        return {0: self.st0({n for n in made if n < 2048} | {0, 7, 8, 42})} | made

    def sources(self) -> dict[int, bytes]:
        units = [UNITS[name] for name in ("kW delivered", "kWh delivered", "kvarh lagging")]
        return {
            11: bytes((1 << 2, 3, 1, 0, 0, 0, 2, 4)),
            12: b"".join(self.u(4, unit) for unit in units),
            13: self.u(2, 15),
            16: bytes((3, 0, 1, 1)),
        }

    def registers(self) -> dict[int, bytes]:
        def block(kwh: int, kvarh: int, kw: int, at: datetime) -> bytes:
            return self.number(kwh) + self.number(kvarh) + self.stime(at) + self.number(kw)

        early = datetime(2026, 11, 2, 7, 15)
        return {
            21: bytes((0b110, 0, 0, 2, 1, 0, 1, 2, 1, 0)),
            22: bytes((2, 3, 0, 1)),
            23: b"\x07" + block(12345, 987, 42, AT) + block(10000, 600, 42, AT) + block(2345, 387, 40, early),
            27: b"\x00",
            28: self.number(17),
        }

    def profile(self) -> dict[int, bytes]:
        """Three blocks of four intervals of two channels, two of them valid, the second with three intervals."""
        flags = 1 << 4 | 1 << 6 | 1 << 10

        def block(end: datetime | None, *intervals: tuple[int, int, int]) -> bytes:
            counted = b"".join(bytes((status, 0)) + self.u(2, a) + self.u(2, b) for status, a, b in intervals)
            return self.stime(end) + self.number(12345) + self.number(987) + counted

        one = datetime(2026, 11, 30, 1, 0)
        return {
            61: self.u(4, 4096) + self.u(2, flags) + b"\x02" + self.u(2, 3) + self.u(2, 4) + bytes((2, 15)),
            62: bytes((0, 2, 0, 0, 3, 0, 2)) + self.u(2, 1) + self.u(2, 1) + self.u(2, 4) + self.u(2, 10),
            63: bytes((1 << 5,)) + self.u(2, 2) + self.u(2, 1) + self.u(4, 9) + self.u(2, 0) + self.u(2, 3),
            64: block(one, (0, 8, 10), (0, 12, 20), (0x10, 16, 30), (0, 20, 40))
            + block(one + timedelta(minutes=45), (0, 4, 10), (0, 0, 0), (0x20, 40, 100), (0xFF, 999, 999))
            + block(None, *[(0, 0, 0)] * 4),
        }  # fmt: skip

    def log(self) -> dict[int, bytes]:
        def entry(at: datetime, sequence: int, code: int) -> bytes:
            return self.ltime(at) + b"".join(self.u(2, value) for value in (sequence, 1, code)) + b"\xab\xcd"

        return {
            71: bytes((0b110, 3, 1, 2, 0)) + self.u(2, 3) + self.u(2, 0),
            74: b"\x00" + self.u(2, 2) + self.u(2, 1) + self.u(4, 2) + self.u(2, 2)
            + entry(AT, 1, 20) + entry(CLOCK, 2, 1) + entry(AT, 0, 0),
        }  # fmt: skip


KWH = ("2", "3", "4", "5", "1", "0", "10")
KVARH = ("1", "2", "3", "4", "1", "0", "10")
ENDS = tuple(f"2026-11-30T{time}:00" for time in ("00:15", "00:30", "00:45", "01:00", "01:15", "01:30", "01:45"))
"""The load profile by hand: counts / 4 and / 10, ends back from the blocks' own."""


class OtherMeter(PsemDevice):
    """Such a meter at a line. `codes` are its answers for some tables, each so many times (None: always).

    `hangs_up` are tables at which it ends the session.
    """

    codes: dict[int, tuple[int, int | None]]
    hangs_up: frozenset[int] = frozenset()
    changed: Callable[[int, bytes], bytes] | None = None

    def open(self, device: str, baud: int) -> OtherMeter:
        return self

    def pause(self, seconds: float) -> None:
        self.now += round(seconds * 10**9)
        self.coming.clear()

    def _read(self, service: int, body: bytes) -> bytes:
        number = int.from_bytes(body[:2], "big")
        if self.logged_on and number in self.hangs_up:
            self.logged_on = False
        if self.logged_on and number in self.codes:
            code, times = self.codes[number]
            if times is None or times > 0:
                self.codes[number] = (code, None if times is None else times - 1)
                return bytes((code,))
        return super()._read(service, body)


def other_meter(make: Make, **faults: object) -> OtherMeter:
    """Such a meter; a fault is an attribute."""
    device = OtherMeter(make.tables(), packets=8)
    device.codes = {}
    for name, value in faults.items():
        setattr(device, name, value)
    return device
