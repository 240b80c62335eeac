"""Trust in the computer's time of day: as far as two clocks agree, and no further (H-8).

The meter's own clock goes on by the board's crystal, checked by the computer's monotonic one, whatever the time of day
does. A time of day that is set far off, by a battery that failed, a bit that flipped, or hands, would cause self-reads,
changes of season and demand resets that stay; so one that cannot be right is not followed until it is right again, or
until someone who may sets the clock.

    state     plausible       implausible    confirmed
    believed  .               doubted, told  .
    doubted   believed, told  .              believed, told

plausible: from BUILT_UTC_NS to LATEST_UTC_NS, and against the time that the meter has, or had when it was last saved,
at most AHEAD_NS later and BEHIND_NS earlier. confirmed: a request has set the clock; what it then shows is the measure.
`.`: nothing changes. While it is doubted, the meter's clock goes on from what it was; a time without power is then
taken for none, as nobody knows how long it was.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from rig.meter.billing.log import LogEvent
from rig.meter.billing.time_units import DAY_NS, SECOND_NS
from rig.service.events import HostTimeBelieved, HostTimeDoubted

EARLIEST_UTC_NS, LATEST_UTC_NS = 946_684_800 * SECOND_NS, 4_102_444_800 * SECOND_NS
"""2000 to 2100: a clock set to anything else is a mistake, whoever sets it."""

BUILT_UTC_NS = 1_793_491_200 * SECOND_NS
"""2026-11-01: this version did not exist before. To be raised with each release."""

AHEAD_NS = 92 * DAY_NS
"""A meter may be without power for a quarter of a year and take the computer's time at once."""

BEHIND_NS = DAY_NS
"""A computer without a clock of its own begins with the time at which it was last shut down."""


class HostTime:
    """The machine of the table. `given`: a simulation chose its time of day, which is then believed whatever it is.

    `doubt` says in a sentence why the time of day is not believed; None: it is.
    """

    def __init__(self, given: bool = False) -> None:
        self.doubt: str | None = None
        self._doubt_logged = False
        self._given = given
        self._confirmed = False

    def at_start(self, host_ns: int, saved: tuple[int, int] | None) -> int:
        """Give the host's time now; where it cannot be right, what it would be if no time had passed since the meter
        was saved. `saved` is the meter's time then, and by how much that is ahead of the host's; None: it never was."""
        saved_ns, ahead_ns = saved or (None, 0)
        if self.judge(host_ns + ahead_ns, saved_ns):
            return host_ns
        return BUILT_UTC_NS if saved_ns is None else saved_ns - ahead_ns

    def judge(self, shown_ns: int, meter_ns: int | None) -> bool:
        """Say whether what the computer's clock makes of the meter's time is believed; `meter_ns` is what the meter
        has, None: it has none yet."""
        if self._given or self._confirmed:
            self.doubt = None
        else:
            self.doubt = _doubt(shown_ns, meter_ns)
        return self.doubt is None

    def confirm(self) -> None:
        """Believe the next time that is judged, whatever it is: the clock was set by someone who may."""
        self._confirmed = True

    def take_events(self, now_ns: int) -> list[LogEvent]:
        """Give what is to be logged since the last call: that it began to be doubted, or is believed again."""
        was_doubted, self._doubt_logged = self._doubt_logged, self.doubt is not None
        if self.doubt is not None and not was_doubted:
            return [HostTimeDoubted(now_ns, self.doubt)]
        return [HostTimeBelieved(now_ns)] if self.doubt is None and was_doubted else []

    @property
    def state(self) -> tuple[str | None, bool]:
        """The doubt, and whether the next time is believed whatever it is: for a process that takes over."""
        return self.doubt, self._confirmed

    def resume(self, state: tuple[str | None, bool]) -> None:
        """Go on where the process before was."""
        self.doubt, self._confirmed = state
        self._doubt_logged = self.doubt is not None

    def followed(self) -> None:
        """Take in that the meter's clock now shows it: from here on it is judged by the meter's again."""
        self._confirmed = False


def _doubt(shown_ns: int, meter_ns: int | None) -> str | None:
    if not BUILT_UTC_NS <= shown_ns < LATEST_UTC_NS:
        why = f"which is not from {text_of(BUILT_UTC_NS)[:10]} to {text_of(LATEST_UTC_NS - 1)[:10]}"
    elif meter_ns is None or -BEHIND_NS <= shown_ns - meter_ns <= AHEAD_NS:
        return None
    else:
        days, way = abs(shown_ns - meter_ns) / DAY_NS, "later" if shown_ns > meter_ns else "earlier"
        why = f"{days:.1f} days {way} than the meter's {text_of(meter_ns)}"
    shown = f"the computer's clock says {text_of(shown_ns)}, {why}"
    return f"{shown}: correct it, or confirm it with rig ask set-clock"


def text_of(utc_ns: int) -> str:
    """An instant as people write it, in UTC; of years that no calendar has, the seconds since 1970."""
    try:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=utc_ns // SECOND_NS)).strftime("%Y-%m-%d %H:%M:%S")
    except OverflowError:
        return f"{utc_ns // SECOND_NS} s from 1970"
