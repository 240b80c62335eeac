"""Events of the link as lines of the log."""

from __future__ import annotations

from rig.meter.billing.log import LogEvent
from rig.meter.billing.time_units import SECOND_NS
from rig.service.events import BoardForeign, LinkFailed, LinkLost, LinkRestored
from rig.service.link_state import LinkNews, LinkState


def event_of(news: LinkNews, utc_ns: int) -> LogEvent:
    """Give the line of the log, as of a time."""
    match news.state:
        case LinkState.RETRYING:
            return LinkFailed(utc_ns, news.sentence)
        case LinkState.LOST:
            return LinkLost(utc_ns, news.sentence)
        case LinkState.FOREIGN:
            return BoardForeign(utc_ns, news.sentence)
        case LinkState.GOOD:
            return LinkRestored(utc_ns, news.failed_ns // SECOND_NS)
