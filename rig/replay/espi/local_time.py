"""LocalTimeParameters of a feed: its offset from UTC, and the rules of its daylight saving (ESPI DstRuleType).

Bits of a rule: 0-11 seconds, 12-16 hours, 17-19 day of the week (7 Sunday), 20-24 day of the month, 25-27 operator,
28-31 month. Operators:

    0      the day of the month
    1      the day of the week, on or after the day of the month
    2 … 6  the first … fifth day of the week in the month
    7      the last one
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

DISABLED = 0xFFFFFFFF
MOST_OFFSET_S = 18 * 3600
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class LocalTime:
    """A feed's clock: seconds ahead of UTC, and more while daylight saving is on."""

    standard_s: int
    saving_s: int
    begins: int | None
    ends: int | None

    def offset_s(self, utc_s: int) -> int:
        """Give how far it is ahead of UTC at an instant."""
        if not self.saving_s or self.begins is None or self.ends is None:
            return self.standard_s
        year = (_EPOCH + timedelta(seconds=utc_s + self.standard_s)).year
        begin = _local_s(self.begins, year)
        end = _local_s(self.ends, year)
        if begin is None or end is None:
            return self.standard_s
        begin, end = begin - self.standard_s, end - self.standard_s - self.saving_s
        on = begin <= utc_s < end if begin < end else not end <= utc_s < begin
        return self.standard_s + (self.saving_s if on else 0)


def parse_rule(text: str) -> int | None:
    """Read a rule of eight hexadecimal digits; None for one that is disabled, or none."""
    try:
        rule = int(text, 16) if len(text) == 8 else DISABLED
    except ValueError:
        return None
    return None if rule == DISABLED or _local_s(rule, 2000) is None else rule


def _local_s(rule: int, year: int) -> int | None:
    """Return when it holds in a year, by the clock that is set then, in seconds since 1970; None for no rule."""
    seconds, hour, weekday = rule & 0xFFF, rule >> 12 & 31, rule >> 17 & 7
    day, operator, month = rule >> 20 & 31, rule >> 25 & 7, rule >> 28
    if not (1 <= month <= 12 and hour < 24):
        return None
    first, days = monthrange(year, month)
    if (operator < 2 and not 1 <= day <= days) or (operator and not weekday):
        return None
    if operator == 1:
        day += (weekday - 1 - (first + day - 1)) % 7
    elif operator:
        day = 1 + (weekday - 1 - first) % 7 + 7 * (operator - 2)
        while day > days:
            day -= 7
    local = datetime(year, month, 1, tzinfo=UTC) + timedelta(days=day - 1, hours=hour, seconds=seconds)
    return (local - _EPOCH) // timedelta(seconds=1)
