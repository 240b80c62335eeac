"""Types of C12.19's fields: how each value is bytes, and bytes a value again (X-1; facts: C12.19 §2.1).

One choice is made throughout, as ST0 says: DATA_ORDER 0, the least significant byte first; CHAR_FORMAT 1, ISO 646;
TM_FORMAT 2, a byte for each part of a time, two digits of the year; INT_FORMAT 0, two's complement. NI_FORMAT 1 and 2
are FLOAT-CHAR21 (docs/decisions/091-exact-numbers-in-tables.md). Sets have item n in bit n % 8 of byte n // 8.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from fractions import Fraction
from typing import Any, Protocol

from rig.errors import RigError

NI_CHARACTERS = 21
NI_DECIMALS = 12
"""So many follow the point, up to 10^8: a kWh has 10^12 nWh."""

DAY_MINUTES = 1440

_CENTURY = 2000
_YEARS = 100
"""Years that two digits stand for."""
_NUMBER = re.compile(rb" *[+-]?[0-9]*\.?[0-9]*(E[+-]?[0-9]{1,3})? *", re.ASCII)


class TableError(RigError):
    """Bytes that are no table, or values that do not fit one: a sentence with the field."""


class Cursor:
    """Place in the bytes of a table that is being decoded."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, size: int) -> bytes:
        """Give the next bytes. Raises TableError where there are fewer."""
        if self.at + size > len(self.data):
            raise TableError(
                f"the table ends after {len(self.data)} bytes, within a field that ends at {self.at + size}"
            )
        self.at += size
        return self.data[self.at - size : self.at]


class Leaf(Protocol):
    """A type of fixed size: `label` names it in documents, `encode` raises ValueError for what it cannot hold."""

    @property
    def label(self) -> str: ...
    @property
    def size(self) -> int: ...
    def encode(self, value: Any) -> bytes: ...
    def decode(self, data: bytes) -> Any: ...


@dataclass(frozen=True)
class Whole:
    """An integer of so many bytes; values int."""

    size: int
    signed: bool = False

    @property
    def label(self) -> str:
        """Its name, such as UINT16."""
        return f"{'INT' if self.signed else 'UINT'}{8 * self.size}"

    def encode(self, value: int) -> bytes:
        """Give its bytes."""
        try:
            return int(value).to_bytes(self.size, "little", signed=self.signed)
        except OverflowError:
            raise ValueError(f"{value} is no {self.label}") from None

    def decode(self, data: bytes) -> int:
        """Give the integer."""
        return int.from_bytes(data, "little", signed=self.signed)


@dataclass(frozen=True)
class Text:
    """Characters of ISO 646, padded with blanks; values str, without the padding."""

    size: int

    @property
    def label(self) -> str:
        """Its name, such as STRING(16)."""
        return f"STRING({self.size})"

    def encode(self, value: str) -> bytes:
        """Give its bytes; a character that ISO 646 lacks becomes a question mark."""
        data = value.encode("ascii", "replace")
        if len(data) > self.size:
            raise ValueError(f"{value!r} is longer than {self.size} characters")
        return data.ljust(self.size)

    def decode(self, data: bytes) -> str:
        """Give the text."""
        return data.decode("ascii", "replace").rstrip(" \0")


@dataclass(frozen=True)
class Binary:
    """Bytes as they are."""

    size: int

    @property
    def label(self) -> str:
        """Its name, such as BINARY(4)."""
        return f"BINARY({self.size})"

    def encode(self, value: bytes) -> bytes:
        """Give them."""
        if len(value) != self.size:
            raise ValueError(f"there are {len(value)} bytes for {self.size}")
        return bytes(value)

    def decode(self, data: bytes) -> bytes:
        """Give them."""
        return data


@dataclass(frozen=True)
class Numbers:
    """A set of numbers, a bit each; values frozenset[int]."""

    size: int

    @property
    def label(self) -> str:
        """Its name, such as SET(8)."""
        return f"SET({self.size})"

    def encode(self, value: Iterable[int]) -> bytes:
        """Give its bytes."""
        bits = 0
        for number in value:
            if not 0 <= number < 8 * self.size:
                raise ValueError(f"{number} is not in a set of {self.size} bytes")
            bits |= 1 << number
        return bits.to_bytes(self.size, "little")

    def decode(self, data: bytes) -> frozenset[int]:
        """Give the set."""
        bits = int.from_bytes(data, "little")
        return frozenset(n for n in range(8 * len(data)) if bits >> n & 1)


@dataclass(frozen=True)
class Real:
    """A number as 21 characters, exact in decimals; values Decimal (or int, Fraction, to encode).

    `00001234.567890123456`: always 21 characters, a minus sign first, no blanks. Twelve decimals up to 10^8 (10^7 if
    negative), beyond as many as there is room for; what does not fit is cut off, never rounded, as a register is.
    """

    label: str
    size: int = NI_CHARACTERS

    def encode(self, value: int | Fraction | Decimal) -> bytes:
        """Give its characters."""
        exact = Fraction(value)
        sign = "-" if exact < 0 else ""
        room = NI_CHARACTERS - len(sign)
        whole = abs(exact.numerator) // exact.denominator
        decimals = min(NI_DECIMALS, room - 1 - len(str(whole)))
        if decimals < 0:
            raise ValueError(f"{value} is longer than {NI_CHARACTERS} characters")
        steps = abs(exact.numerator) * 10**decimals // exact.denominator
        digits = f"{steps:0{room - 1}}"
        point = len(digits) - decimals
        return f"{sign}{digits[:point]}.{digits[point:]}".encode("ascii")

    def decode(self, data: bytes) -> Decimal:
        """Give the number. Raises TableError for characters that are none."""
        text = data.strip(b" ")
        if not _NUMBER.fullmatch(text) or not any(48 <= sign <= 57 for sign in text):
            raise TableError(f"{data!r} is no number of type {self.label}")
        return Decimal(text.decode("ascii"))


@dataclass(frozen=True)
class Date:
    """Year, month, day, a byte each; values date, None for none (zeros)."""

    label: str = "DATE parts"
    size: int = 3

    def encode(self, value: date | None) -> bytes:
        """Give its bytes."""
        if value is None:
            return bytes(3)
        if not _CENTURY <= value.year < _CENTURY + _YEARS:
            raise ValueError(f"{value} is in no year that two digits have")
        return bytes((value.year - _CENTURY, value.month, value.day))

    def decode(self, data: bytes) -> date | None:
        """Give the date. Raises TableError for what is none."""
        if not any(data):
            return None
        try:
            if data[0] >= _YEARS:
                raise ValueError
            return date(_CENTURY + data[0], data[1], data[2])
        except ValueError:
            raise TableError(f"{data.hex()} is no date") from None


@dataclass(frozen=True)
class Instant:
    """A local time, to the second (LTIME_DATE, 6 bytes) or to the minute (STIME_DATE, 5); values naive datetime, None
    for none (zeros). What is below the last part is cut off."""

    label: str
    size: int

    def encode(self, value: datetime | None) -> bytes:
        """Give its bytes."""
        if value is None:
            return bytes(self.size)
        parts = (value.hour, value.minute, value.second)[: self.size - 3]
        return Date().encode(value.date()) + bytes(parts)

    def decode(self, data: bytes) -> datetime | None:
        """Give the time. Raises TableError for what is none."""
        day = Date().decode(data[:3])
        if day is None:
            return None
        try:
            return datetime.combine(day, time(*data[3:]))
        except ValueError:
            raise TableError(f"{data.hex()} is no {self.label}") from None


@dataclass(frozen=True)
class TimeOfDay:
    """Hours, minutes, seconds, a byte each; values time (or a duration of a day at most, as time)."""

    label: str = "TIME"
    size: int = 3

    def encode(self, value: time) -> bytes:
        """Give its bytes."""
        return bytes((value.hour, value.minute, value.second))

    def decode(self, data: bytes) -> time:
        """Give the time. Raises TableError for what is none."""
        try:
            return time(*data)
        except ValueError:
            raise TableError(f"{data.hex()} is no time of a day") from None


@dataclass(frozen=True)
class HoursMinutes:
    """A time of a day, or a duration up to a day, in hours and minutes, a byte each; values int, minutes."""

    label: str = "STIME"
    size: int = 2

    def encode(self, value: int) -> bytes:
        """Give its bytes."""
        if not 0 <= value <= DAY_MINUTES:
            raise ValueError(f"{value} minutes are more than a day")
        return bytes(divmod(value, 60))

    def decode(self, data: bytes) -> int:
        """Give the minutes. Raises TableError for what is none."""
        minutes = 60 * data[0] + data[1]
        if data[1] >= 60 or minutes > DAY_MINUTES:
            raise TableError(f"{data.hex()} is no hours and minutes of a day")
        return minutes


@dataclass(frozen=True)
class DayOfYears:
    """A date in 16 bits: year in bits 0 to 6, month 7 to 10, day 11 to 15; values date, None for none."""

    label: str = "DATE"
    size: int = 2

    def encode(self, value: date | None) -> bytes:
        """Give its bytes."""
        if value is None:
            return bytes(2)
        if not _CENTURY <= value.year < _CENTURY + _YEARS:
            raise ValueError(f"{value} is in no year that two digits have")
        return (value.year - _CENTURY | value.month << 7 | value.day << 11).to_bytes(2, "little")

    def decode(self, data: bytes) -> date | None:
        """Give the date. Raises TableError for what is none."""
        bits = int.from_bytes(data, "little")
        if not bits:
            return None
        try:
            if bits & 0x7F >= _YEARS:
                raise ValueError
            return date(_CENTURY + (bits & 0x7F), bits >> 7 & 15, bits >> 11)
        except ValueError:
            raise TableError(f"{data.hex()} is no date") from None


U8, U16, U32 = Whole(1), Whole(2), Whole(4)
I16 = Whole(2, signed=True)
NI1, NI2 = Real("NI_FORMAT1"), Real("NI_FORMAT2")
LTIME, STIME = Instant("LTIME_DATE", 6), Instant("STIME_DATE", 5)
TIME, HOURS_MINUTES, DATE = TimeOfDay(), HoursMinutes(), DayOfYears()
