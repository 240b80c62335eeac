"""Numbers, times and words of DGCOM's blocks (X-1)."""

from __future__ import annotations

from datetime import date, datetime, time
from fractions import Fraction

TIMESTAMP_BYTES = 6
REGISTER_BYTES = 6
NANO = 10**9


def bcd(value: int, size: int) -> bytes:
    """Give a number in BCD of so many bytes, the least significant first; of more digits the last ones, as a register
    that has gone round."""
    digits = f"{value % 10 ** (2 * size):0{2 * size}}"
    return bytes(int(digits[at : at + 2], 16) for at in range(2 * size - 2, -1, -2))


def number_of(data: bytes) -> int:
    """Give the number of BCD, the least significant byte first. Raises ValueError for what is none."""
    return int(data[::-1].hex() or "0")


def u16(value: int) -> bytes:
    """Give 16 bits, the least significant byte first; 65535 for more."""
    return max(0, min(value, 0xFFFF)).to_bytes(2, "little")


def weekday(day: date) -> int:
    """Give the day of the week: 1 Sunday … 7 Saturday."""
    return day.isoweekday() % 7 + 1


def time_bytes(at: time) -> bytes:
    """Give seconds, minutes, hours in BCD."""
    return bcd(at.second, 1) + bcd(at.minute, 1) + bcd(at.hour, 1)


def date_bytes(day: date) -> bytes:
    """Give day of the week, year, day, month in BCD."""
    return bcd(weekday(day), 1) + bcd(day.year, 1) + bcd(day.day, 1) + bcd(day.month, 1)


def timestamp(at: datetime | None) -> bytes:
    """Give minute, hour, day of the week, year, day, month in BCD; zeros for none."""
    if at is None:
        return bytes(TIMESTAMP_BYTES)
    return bcd(at.minute, 1) + bcd(at.hour, 1) + date_bytes(at.date())


def energy_pulses(nano: int, k_wh: Fraction) -> int:
    """Give an energy in pulses of K, cut off; of a net quantity below 0 none."""
    return max(0, nano) * k_wh.denominator // (k_wh.numerator * NANO)


def demand_pulses(nano: int, k_wh: Fraction, interval_min: int) -> int:
    """Give a demand as the pulses of K that an interval has, cut off."""
    return max(0, nano) * interval_min * k_wh.denominator // (60 * k_wh.numerator * NANO)
