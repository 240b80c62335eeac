"""Time by the meter's clock at which something was read that has no time of its own (a table, a block)."""

from __future__ import annotations

from datetime import datetime, timedelta


def read_at(shown: datetime | None, shown_utc: str, read_utc: str) -> datetime | None:
    """Give what the meter's clock showed at `read_utc`, to the second, from what it showed at `shown_utc`.

    Both are the reader's times as a reading has them. A reading that broke off goes on days later: what was read
    before is as old as it is.
    """
    if shown is None:
        return None
    try:
        passed = datetime.fromisoformat(shown_utc) - datetime.fromisoformat(read_utc)
        return shown - timedelta(seconds=round(passed.total_seconds()))
    except (ValueError, TypeError, OverflowError):  # no such times: an edited file
        return shown
