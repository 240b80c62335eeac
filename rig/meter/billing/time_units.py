"""Units of time as whole numbers: instants are in ns, lengths of intervals in s."""

from __future__ import annotations

MILLISECOND_NS = 10**6
SECOND_NS = 10**9

MINUTE_S = 60
HOUR_S = 60 * MINUTE_S
DAY_S = 24 * HOUR_S
MINUTES_A_DAY = DAY_S // MINUTE_S

MINUTE_NS = MINUTE_S * SECOND_NS
HOUR_NS = HOUR_S * SECOND_NS
DAY_NS = DAY_S * SECOND_NS
