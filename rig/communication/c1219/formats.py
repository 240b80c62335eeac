"""Formats in which a meter's tables are, as its ST0 says, and layouts in them (X-1, X-2; facts: C12.19 §2.1).

Our own meter has one choice (types.py). Of others' these are read: both orders of bytes; ISO 646, ISO 8859-1 and UTF-8;
times as BCD or binary parts, or counted from 1970 in minutes or seconds; numbers as floating point, characters or
integers of any sign convention. Numbers in BCD and wider characters are not: how they stand in a table is not publicly
described, and a guess would give wrong registers. For the same reason a time of a day that is counted stays four bytes.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from rig.communication.c1219.layout import Array, BitField, Layout, Scope, Sized, Type, Values
from rig.communication.c1219.types import (
    Binary,
    Cursor,
    DayOfYears,
    HoursMinutes,
    Instant,
    Leaf,
    Real,
    TableError,
    Text,
    TimeOfDay,
    Whole,
)

_CHARACTERS = {1: "ascii", 2: "latin-1", 3: "utf-8"}
_FLOATS = {0: 8, 1: 4}
_TEXTS = {2: 12, 3: 6, 13: 21}
_INTEGERS = {4: 4, 7: 3, 8: 4, 9: 5, 10: 6, 11: 8}
_IMPLIED_DECIMALS = {4: 4}
BCD_PARTS, PARTS, MINUTES, SECONDS = 1, 2, 3, 4
"""TM_FORMAT."""

_IDENTIFIERS = {(1, "MFG_SERIAL_NUMBER"), (5, "IDENTIFICATION")}
"""Fields that are BCD where ID_FORM is 1, of half the bytes."""


@dataclass(frozen=True)
class Formats:
    """Formats by ST0's numbers: DATA_ORDER, CHAR_FORMAT, TM_FORMAT, ID_FORM, INT_FORMAT, NI_FORMAT1 and 2."""

    order: int = 0
    characters: int = 1
    times: int = PARTS
    identifiers: int = 0
    integers: int = 0
    numbers: tuple[int, int] = (13, 13)

    @classmethod
    def of(cls, configuration: bytes) -> Formats:
        """Read them of ST0's first three bytes. Raises TableError."""
        first, second, third = Cursor(configuration).take(3)
        return cls(first & 1, first >> 1 & 7, second & 7, second >> 5 & 1, second >> 6, (third & 15, third >> 4))


OURS = Formats()


def layout_in(formats: Formats, number: int, layout: Layout) -> Layout:
    """Give the layout of a table in some formats, to decode by. What cannot be read raises TableError when it is."""
    if formats == OURS:
        return layout
    types = _Types(formats)
    fields = tuple(
        replace(
            field,
            type=_Digits(field.type.size // 2)
            if formats.identifiers and (number, field.name) in _IDENTIFIERS and isinstance(field.type, Text)
            else types.type(field.type),
        )
        for field in layout.fields
    )
    return Layout(fields)


class _Types:
    """Types in some formats."""

    def __init__(self, formats: Formats) -> None:
        self._formats = formats

    def type(self, kind: Type) -> Type:
        match kind:
            case BitField(size, bits):
                return _ReversedBits(size, bits) if self._formats.order else kind
            case Sized(make, count):
                return Sized(self._maker(make), count)
            case Array():
                return replace(kind, type=self.type(kind.type))
            case Layout(fields):
                return Layout(tuple(replace(field, type=self.type(field.type)) for field in fields))
            case Whole() | DayOfYears() | Text() | Real() | Instant() | TimeOfDay() | HoursMinutes():
                return self._leaf(kind)
        return kind

    def _maker(self, make: Callable[[int], Leaf]) -> Callable[[int], Leaf]:
        return lambda size: self._leaf(make(size))

    def _leaf(self, leaf: Leaf) -> Leaf:
        formats = self._formats
        match leaf:
            case Whole(size, signed) if signed:
                return _Signed(size, formats.order, formats.integers)
            case Whole() | DayOfYears():
                return _Reversed(leaf) if formats.order else leaf
            case Text(size):
                return leaf if formats.characters == 1 else _Characters(size, formats.characters)
            case Real(label):
                return _number(formats.numbers[label.endswith("2")], formats)
            case Instant(label, size):
                return _instant(label, size, formats)
            case TimeOfDay() | HoursMinutes():
                return _time(leaf, formats)
        return leaf


def _number(code: int, formats: Formats) -> Leaf:
    if code in _FLOATS:
        return _Float(_FLOATS[code], formats.order)
    if code in _TEXTS:
        return Real(f"FLOAT-CHAR{_TEXTS[code]}", _TEXTS[code])
    if code in _INTEGERS:
        return _Scaled(_INTEGERS[code], formats.order, formats.integers, _IMPLIED_DECIMALS.get(code, 0))
    return _Unread(f"NI_FORMAT {code}")


def _instant(label: str, size: int, formats: Formats) -> Leaf:
    match formats.times:
        case 1:
            return _Packed(Instant(label, size))
        case 2:
            return Instant(label, size)
        case 3:
            return _Counted(label, 4 + (size == 6), formats.order, 60)
        case 4:
            return _Counted(label, 4, formats.order, 1)
    return _Unread(f"TM_FORMAT {formats.times}")


def _time(leaf: TimeOfDay | HoursMinutes, formats: Formats) -> Leaf:
    if formats.times == BCD_PARTS:
        return _Packed(leaf)
    if formats.times in (MINUTES, SECONDS):
        return Binary(4)
    return leaf if formats.times == PARTS else _Unread(f"a time of a day in TM_FORMAT {formats.times}")


# --- leaves, decoded only --------------------------------------------------------------------------------------


class _ReadOnly:
    """A leaf of others' meters: we read them, and write none."""

    label = "of another meter"

    def encode(self, value: Any) -> bytes:
        raise ValueError("another meter's formats are read only")


@dataclass(frozen=True)
class _Reversed(_ReadOnly):
    """A leaf whose most significant byte comes first."""

    leaf: Leaf

    @property
    def size(self) -> int:
        return self.leaf.size

    def decode(self, data: bytes) -> Any:
        return self.leaf.decode(data[::-1])


@dataclass(frozen=True)
class _ReversedBits(BitField):
    """A bit field whose most significant byte comes first."""

    def decode(self, cursor: Cursor, scope: Scope) -> Values:
        return BitField(self.size, self.bits).decode(Cursor(cursor.take(self.size)[::-1]), scope)


def _integer(data: bytes, order: int, sign: int) -> int:
    """Read a signed integer: `sign` 0 two's complement, 1 one's, 2 a sign bit and the amount."""
    value = int.from_bytes(data, "big" if order else "little")
    top = 1 << 8 * len(data) - 1
    if not value & top:
        return value
    match sign:
        case 0:
            return value - 2 * top
        case 1:
            return value - 2 * top + 1
        case 2:
            return top - value
    raise TableError(f"INT_FORMAT {sign} is not one that is read: its tables are kept as bytes")


@dataclass(frozen=True)
class _Signed(_ReadOnly):
    size: int
    order: int
    sign: int

    def decode(self, data: bytes) -> int:
        return _integer(data, self.order, self.sign)


@dataclass(frozen=True)
class _Scaled(_ReadOnly):
    """A number as an integer with so many decimals."""

    size: int
    order: int
    sign: int
    decimals: int

    def decode(self, data: bytes) -> Decimal:
        return Decimal(_integer(data, self.order, self.sign)).scaleb(-self.decimals)


@dataclass(frozen=True)
class _Float(_ReadOnly):
    """A number as binary floating point, given exactly."""

    size: int
    order: int

    def decode(self, data: bytes) -> Decimal:
        (value,) = struct.unpack(f"{'>' if self.order else '<'}{'d' if self.size == 8 else 'f'}", data)
        if not math.isfinite(value):
            raise TableError(f"{data.hex()} is no number")
        return Decimal(value)


@dataclass(frozen=True)
class _Characters(_ReadOnly):
    size: int
    code: int

    def decode(self, data: bytes) -> str:
        encoding = _CHARACTERS.get(self.code)
        if encoding is None:
            raise TableError(f"CHAR_FORMAT {self.code} is not one that is read: its tables are kept as bytes")
        return data.decode(encoding, "replace").rstrip(" \0")


@dataclass(frozen=True)
class _Digits(_ReadOnly):
    """An identifier in BCD: digits in the order in which they stand, without zeros before."""

    size: int

    def decode(self, data: bytes) -> str:
        digits = data.hex()
        if not digits.isdecimal():
            raise TableError(f"{digits} is no number in BCD")
        return digits.lstrip("0") or "0"


@dataclass(frozen=True)
class _Packed(_ReadOnly):
    """A time whose parts are two BCD digits each."""

    leaf: Instant | TimeOfDay | HoursMinutes

    @property
    def size(self) -> int:
        return self.leaf.size

    def decode(self, data: bytes) -> Any:
        if not data.hex().isdecimal():
            raise TableError(f"{data.hex()} is no time in BCD")
        return self.leaf.decode(bytes(int(f"{byte:02x}") for byte in data))


@dataclass(frozen=True)
class _Counted(_ReadOnly):
    """A time as so many units of `unit_s` seconds since 1970, with a byte of seconds behind where it has five."""

    name: str
    size: int
    order: int
    unit_s: int

    def decode(self, data: bytes) -> datetime | None:
        if not any(data):
            return None
        count = int.from_bytes(data[:4], "big" if self.order else "little")
        since = timedelta(seconds=count * self.unit_s + (data[4] if self.size > 4 else 0))
        try:
            return (datetime(1970, 1, 1, tzinfo=UTC) + since).replace(tzinfo=None)
        except OverflowError:
            raise TableError(f"{data.hex()} is no {self.name}") from None


@dataclass(frozen=True)
class _Unread(_ReadOnly):
    """A type that is not read: the table stays bytes."""

    what: str
    size: int = 0

    def decode(self, data: bytes) -> Any:
        raise TableError(f"{self.what} is not one that is read: its tables are kept as bytes")
