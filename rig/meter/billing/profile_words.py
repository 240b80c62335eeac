"""The load profile's words of 16 bits (T-4).

    bit 15 14 13 … 0
         0  p  count    pulses of one channel in one interval; p makes the ones of bits 14 to 0 even in number
         1  0  date     bits 12–8 the month, 7–0 the day, in BCD; bit 13 is 0; no year
         1  1  time     of the local day, in units of 6 s

A memory of them, least significant byte first, is what the meter's protocols hand out.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

MOST_PULSES = 0x3FFF
TIME_UNIT_S = 6

_TIMES = 24 * 3600 // TIME_UNIT_S
_LAST_DAY = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def encode_count(pulses: int) -> int:
    """The word of a channel's pulses in an interval, 0 to MOST_PULSES."""
    if not 0 <= pulses <= MOST_PULSES:
        raise ValueError(f"a count of {pulses} does not fit a profile word: 0 to {MOST_PULSES} do")
    return pulses | (pulses.bit_count() & 1) << 14


def encode_date(day: date) -> int:
    """The word of a date; the year is lost."""
    return 0x8000 | day.month // 10 << 12 | day.month % 10 << 8 | day.day // 10 << 4 | day.day % 10


def encode_time(second: int) -> int:
    """The word of a time of the day in seconds, rounded down to TIME_UNIT_S."""
    if not 0 <= second < _TIMES * TIME_UNIT_S:
        raise ValueError(f"{second} s is no time of a day: 0 to {_TIMES * TIME_UNIT_S - 1} s are")
    return 0xC000 | second // TIME_UNIT_S


class Count(NamedTuple):
    """Pulses of one channel."""

    pulses: int


class Date(NamedTuple):
    """A date of some year."""

    month: int
    day: int


class Time(NamedTuple):
    """A time of the day, in seconds since midnight."""

    second: int


class Damaged(NamedTuple):
    """A word that the recorder never writes: odd parity, or no date or time."""

    word: int


Decoded = Count | Date | Time | Damaged


def decode(word: int) -> Decoded:
    """Decode a word of 16 bits by itself, without its neighbours."""
    low = word & 0x3FFF
    if not word & 0x8000:
        return Damaged(word) if word.bit_count() & 1 else Count(low)
    if word & 0x4000:
        return Time(low * TIME_UNIT_S) if low < _TIMES else Damaged(word)
    tens_m, month, tens_d, day = low >> 12, low >> 8 & 15, low >> 4 & 15, low & 15
    if month < 10 and day < 10 and 1 <= 10 * tens_m + month <= 12:
        month, day = 10 * tens_m + month, 10 * tens_d + day
        if 1 <= day <= _LAST_DAY[month - 1]:
            return Date(month, day)
    return Damaged(word)
