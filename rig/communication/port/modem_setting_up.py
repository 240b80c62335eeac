"""Settings of a port's modem made of its configuration, and the local time that they are of (X-3)."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from rig.communication.modem.settings import CallEvent, ModemSettings, Window
from rig.hardware.config import ModemConfig

SECOND = 1_000_000_000


def modem_settings(config: ModemConfig) -> ModemSettings:
    """Make the settings of a modem, whose configuration has been checked."""
    return ModemSettings(
        setup=config.setup,
        prefix=config.prefix,
        numbers=config.numbers,
        rings=config.rings,
        rings_outside=config.rings_outside,
        answer_windows=tuple(map(_window, config.answer_windows)),
        originate_windows=tuple(map(_window, config.originate_windows)),
        schedule=tuple(map(_minute, config.schedule)),
        events=frozenset(CallEvent(name) for name in config.events),
        tries=config.tries,
        retry_s=60 * config.retry_minutes,
        call_back=config.call_back,
        lockout_calls=config.lockout_calls,
        lockout_s=60 * config.lockout_minutes,
        idle_s=config.idle_s,
        longest_s=60 * config.longest_minutes,
    )


def local_clock(zone: str) -> Callable[[int], int]:
    """Make the function that gives the local time, ns since 1970, of an instant of the monotonic clock."""
    info = ZoneInfo(zone)

    def local_ns(now_ns: int) -> int:
        utc_ns = time.time_ns() + now_ns - time.monotonic_ns()
        offset = datetime.fromtimestamp(utc_ns / SECOND, info).utcoffset()
        assert offset is not None
        return utc_ns + round(offset.total_seconds()) * SECOND

    return local_ns


def _minute(text: str) -> int:
    hours, minutes = text.split(":")
    return 60 * int(hours) + int(minutes)


def _window(text: str) -> Window:
    begin, end = text.split("-")
    return Window(_minute(begin), _minute(end))
