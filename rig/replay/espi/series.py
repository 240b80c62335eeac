"""The series of a feed: readings of one kind, of one usage point, brought together by links or by where they stand.

A block belongs to the meter reading that it stands in, or that links to it; a meter reading likewise to a usage point
and to a reading type. Where a feed has no links, the only one there is counts; of several, it is an error.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rig.files.strict_toml import shown
from rig.replay.espi.feed import Feed, Reading, Resource, WrongFeed
from rig.replay.espi.local_time import LocalTime
from rig.replay.espi.reading_types import REGISTERS, ReadingType

YEARS_S = range(0, 7_258_118_400)
"""1970 to 2199, as load records have them."""

DURATIONS_S = range(1, 31 * 86_400 + 3_601)
"""1 s to 31 days, of which one has 25 hours."""


@dataclass
class Series:
    """Readings of one kind, in the feed's order; `updated` of each is when its block was, as text."""

    title: str
    type: ReadingType
    readings: list[tuple[Reading, str]] = field(default_factory=list)


@dataclass
class Point:
    """A usage point and its series; `service` is the kind of its ServiceCategory."""

    title: str
    service: int | None
    clock: LocalTime | None
    series: list[Series] = field(default_factory=list)


def points_of(feed: Feed) -> list[Point]:
    """Give the usage points that have readings. Raises WrongFeed."""
    points: dict[int, Point] = {}  # by the identity of the usage point's resource
    series: dict[tuple[int, int, int], Series] = {}
    names = _Names(feed)
    for block in feed.blocks:
        meter = names.meter(block)
        type = names.type(block, meter)
        owner = names.point(block, meter)
        point = points.get(id(owner))
        if point is None:
            title, service = (owner.title, owner.service) if owner else ("", None)
            point = points[id(owner)] = Point(title, service, _clock(feed, owner))
        key = (id(owner), id(meter), id(type))
        one = series.get(key)
        if one is None:
            title = (meter.title if meter else "") or type.title
            one = series[key] = Series(title, type.type)
            point.series.append(one)
        one.readings += [(reading, block.updated) for reading in _readings(block, type.type)]
    in_order = [points[id(owner)] for owner in feed.points if id(owner) in points]
    return in_order + ([points[id(None)]] if id(None) in points else [])


class _Names:
    """Names of the owners of resources, by their links."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._meters = _by_link(feed.meters, "IntervalBlock")
        self._points = _by_link(feed.points, "MeterReading")
        self._types: dict[str, list[Resource]] = {}
        for type in feed.types:
            if type.self_link:
                self._types.setdefault(type.self_link, []).append(type)

    def meter(self, block: Resource) -> Resource | None:
        """The meter reading of a block; None where the feed does not say."""
        found = _inside(block, "MeterReading") or _owner(block, self._meters, "/IntervalBlock")
        if found is None and len(self._feed.meters) == 1 and not block.up:
            found = self._feed.meters[0]
        return found

    def type(self, block: Resource, meter: Resource | None) -> Resource:
        """The reading type of a block."""
        around = meter or block
        outer = [each for each in (around, block.inside) if each is not None]
        nested = [type for type in self._feed.types if any(type.inside is each for each in outer)]
        linked = [type for link in (*around.related, *block.related) for type in self._types.get(link, ())]
        for found in (nested, linked, self._feed.types):
            if found and all(type.type == found[0].type for type in found):
                return found[0]
        if not self._feed.types:
            raise WrongFeed(
                f"line {block.line}: no ReadingType says what the readings are, it must give their uom, "
                "powerOfTenMultiplier and flowDirection: ask the utility for the whole feed"
            )
        raise WrongFeed(
            f"line {block.line}: this IntervalBlock could be of {len(self._feed.types)} ReadingTypes, its links must "
            "say of which: ask the utility for the whole feed"
        )

    def point(self, block: Resource, meter: Resource | None) -> Resource | None:
        """The usage point of a block; None where the feed does not say and has several, or none."""
        found = _inside(block, "UsagePoint")
        if found is None and meter is not None:
            found = _inside(meter, "UsagePoint") or _owner(meter, self._points, "/MeterReading")
        if found is None:
            # A block's own address can hold that of its usage point.
            found = next((p for p in self._feed.points if p.self_link and block.up.startswith(p.self_link + "/")), None)
        if found is None and len(self._feed.points) == 1:
            found = self._feed.points[0]
        return found


def _inside(resource: Resource, kind: str) -> Resource | None:
    around = resource.inside
    while around is not None and around.kind != kind:
        around = around.inside
    return around


def _by_link(owners: list[Resource], child: str) -> dict[str, Resource]:
    """Owners by every link at which their children are; a link that several name is nobody's."""
    found: dict[str, Resource | None] = {}
    for owner in owners:
        links = {*owner.related, f"{owner.self_link}/{child}"} if owner.self_link else {*owner.related}
        for link in links:
            other = found.setdefault(link, owner)
            if other is not None and other is not owner and other.self_link != owner.self_link:
                found[link] = None
    return {link: owner for link, owner in found.items() if owner is not None}


def _owner(child: Resource, owners: dict[str, Resource], part: str) -> Resource | None:
    for link in (child.up, child.self_link, child.self_link.rpartition("/")[0]):
        if link and link in owners:
            return owners[link]
    return owners.get(child.self_link.rpartition(part)[0] + part) if part in child.self_link else None


def _clock(feed: Feed, point: Resource | None) -> LocalTime | None:
    linked = [each.clock for each in feed.clocks if point and each.self_link and each.self_link in point.related]
    all_ = [each.clock for each in feed.clocks]
    found = linked or all_
    return found[0] if found and all(each == found[0] for each in found) else None


def _readings(block: Resource, type: ReadingType) -> list[Reading]:
    """A block's readings; without their own times they follow one another from the block's start."""
    found = []
    following_s = block.start_s
    for start_s, duration_s, value, qualities, line in block.rows:
        if duration_s is None or (duration_s == 0 and type.accumulation not in REGISTERS):
            duration_s = type.interval_s
        if type.accumulation in REGISTERS and duration_s is None:
            duration_s = 0  # a register's reading may be of an instant
        if start_s is None:
            start_s = following_s
        if start_s is None or duration_s is None:
            missing, where = ("start", "block") if start_s is None else ("duration", "ReadingType")
            raise WrongFeed(
                f"line {line}: a reading has no {missing}, and neither has its {where}: it must have a timePeriod"
            )
        if start_s not in YEARS_S:
            hint = ", is it in ms?" if start_s // 1000 in YEARS_S and start_s > 0 else ""
            raise WrongFeed(
                f"line {line}: start is {start_s}, it must be seconds from 1970 on, in the years 1970 to 2199{hint}"
            )
        if duration_s not in DURATIONS_S and not (duration_s == 0 and type.accumulation in REGISTERS):
            raise WrongFeed(f"line {line}: duration is {shown(duration_s)}, it must be 1 s to 31 days in seconds")
        found.append(Reading(start_s, duration_s, value, qualities or _default(type), line))
        following_s = start_s + duration_s
    return found


def _default(type: ReadingType) -> tuple[int, ...]:
    return () if type.quality is None else (type.quality,)
