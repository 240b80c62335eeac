"""A Green Button feed (ESPI) as its resources: usage points, reading types, meter readings, blocks, a clock.

Elements count by their own names, whatever their prefix and namespace, in Atom entries, without them, or one in
another. An entry's links are kept as it has them, without scheme and host.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlsplit

from rig.files.strict_toml import ConfigError, shown
from rig.replay.espi.local_time import MOST_OFFSET_S, LocalTime, parse_rule
from rig.replay.espi.reading_types import ReadingType
from rig.replay.espi.safe_xml import read_xml

_WHOLE = re.compile(r"[+-]?\d{1,15}", re.ASCII)
"""Int48 has fifteen digits."""


class WrongFeed(ConfigError):
    """A feed that cannot be read as it is; the sentence goes on after the file's name."""


class Reading(NamedTuple):
    """An interval in seconds of UTC; `value` None: none is given. `qualities` are those told, `line` where it is."""

    start_s: int
    duration_s: int
    value: str | None
    qualities: tuple[int, ...]
    line: int


@dataclass
class Resource:
    """A resource of its kind, its entry's title and links, and the resource that it stands in."""

    kind: str
    line: int
    title: str = ""
    self_link: str = ""
    up: str = ""
    related: list[str] = field(default_factory=list)
    updated: str = ""
    inside: Resource | None = None
    type: ReadingType = field(default_factory=ReadingType)
    service: int | None = None
    clock: LocalTime | None = None
    start_s: int | None = None
    rows: list[tuple[int | None, int | None, str | None, tuple[int, ...], int]] = field(default_factory=list)


@dataclass
class Feed:
    """All resources of a feed, by kind, in its order."""

    root: str = ""
    points: list[Resource] = field(default_factory=list)
    types: list[Resource] = field(default_factory=list)
    meters: list[Resource] = field(default_factory=list)
    blocks: list[Resource] = field(default_factory=list)
    clocks: list[Resource] = field(default_factory=list)


_KINDS = {
    "UsagePoint": "points",
    "ReadingType": "types",
    "MeterReading": "meters",
    "IntervalBlock": "blocks",
    "LocalTimeParameters": "clocks",
    "TimeConfiguration": "clocks",
}
_ROW = {("timePeriod", "start"), ("timePeriod", "duration"), ("IntervalReading", "value")}
_TYPE_FIELDS = {
    "uom": "uom",
    "powerOfTenMultiplier": "multiplier",
    "flowDirection": "flow",
    "accumulationBehaviour": "accumulation",
    "commodity": "commodity",
    "dataQualifier": "qualifier",
    "intervalLength": "interval_s",
    "defaultQuality": "quality",
    "phase": "phase",
}


def read_feed(document: str | bytes) -> Feed:
    """Read a document. Raises WrongXml, and WrongFeed for one that is no Green Button feed."""
    reading = _FeedReading()
    read_xml(document, reading)
    if not reading.feed.blocks:
        others = sum(len(getattr(reading.feed, name)) for name in set(_KINDS.values()))
        raise WrongFeed(
            "it has no IntervalBlock, it must have readings of intervals: ask the utility for interval data"
            if others
            else f"it is no Green Button feed, its first element is {reading.feed.root}: it must be a feed with "
            "IntervalBlocks"
        )
    return reading.feed


class _FeedReading:
    """A feed on its way: the names of the elements that are open, and the resources among them."""

    def __init__(self) -> None:
        self.feed = Feed()
        self._path: list[str] = []
        self._lines: list[int] = []
        self._open: list[Resource] = []
        self._entries: list[Resource] = []
        self._in_entry: list[list[Resource]] = []
        self._fields: dict[str, int | None] = {}
        self._clock: dict[str, str] = {}
        self._row: dict[str, str] = {}
        self._qualities: list[int] = []

    def start(self, name: str, attributes: dict[str, str], line: int) -> None:
        if not self._path:
            self.feed.root = shown(name)
        self._path.append(name)
        self._lines.append(line)
        if name == "entry":
            self._entries.append(Resource(name, line))
            self._in_entry.append([])
        elif name == "link" and self._entries and not self._open:
            self._take_link(attributes)
        elif name in _KINDS:
            resource = Resource(name, line, inside=self._open[-1] if self._open else None)
            self._open.append(resource)
            getattr(self.feed, _KINDS[name]).append(resource)
            if self._in_entry:
                self._in_entry[-1].append(resource)
            self._fields, self._clock = {}, {}
        elif name == "IntervalReading":
            self._row, self._qualities = {}, []

    def end(self, name: str, text: str) -> None:
        self._path.pop()
        line = self._lines.pop()
        parent = self._path[-1] if self._path else ""
        if name == "entry" and self._entries:
            self._close_entry(self._entries.pop(), self._in_entry.pop())
        elif name in _KINDS:
            self._close(self._open.pop())
        elif self._open:
            self._take(name, text, parent, line, self._open[-1])
        elif self._entries and parent == "entry":
            if name == "title":
                self._entries[-1].title = text
            elif name == "updated":
                self._entries[-1].updated = text

    def _take_link(self, attributes: dict[str, str]) -> None:
        entry, link = self._entries[-1], _plain(attributes.get("href", ""))
        match attributes.get("rel"):
            case "self":
                entry.self_link = link
            case "up":
                entry.up = link
            case "related":
                entry.related.append(link)

    def _close_entry(self, entry: Resource, resources: list[Resource]) -> None:
        for resource in resources:
            if resource.inside is None:
                resource.title, resource.updated = entry.title, entry.updated
                resource.self_link, resource.up, resource.related = entry.self_link, entry.up, entry.related

    def _close(self, resource: Resource) -> None:
        if resource.kind == "ReadingType":
            resource.type = ReadingType(**self._fields)
        elif resource.kind in ("LocalTimeParameters", "TimeConfiguration"):
            resource.clock = _clock(self._clock)

    def _take(self, name: str, text: str, parent: str, line: int, resource: Resource) -> None:
        match resource.kind:
            case "ReadingType":
                if name in _TYPE_FIELDS and parent == "ReadingType" and text:
                    number = _whole(name, text, line)
                    if self._fields.setdefault(_TYPE_FIELDS[name], number) != number:
                        raise WrongFeed(f"line {line}: {name} is {number}, and was another in the same ReadingType")
            case "UsagePoint":
                if name == "kind" and parent == "ServiceCategory":
                    resource.service = _whole(name, text, line)
            case "IntervalBlock":
                self._take_of_block(name, text, parent, line, resource)
            case "LocalTimeParameters" | "TimeConfiguration":
                self._clock[name] = text

    def _take_of_block(self, name: str, text: str, parent: str, line: int, block: Resource) -> None:
        if name == "IntervalReading":
            row = self._row
            start, duration = (None if key not in row else _whole(key, row[key], line) for key in ("start", "duration"))
            block.rows.append((start, duration, row.get("value"), tuple(self._qualities), line))
        elif (parent, name) in _ROW and text:
            if self._row.setdefault(name, text) != text:
                raise WrongFeed(f"line {line}: {name} is {shown(text)}, and was another in the same IntervalReading")
        elif parent == "ReadingQuality" and name == "quality":
            self._qualities.append(_whole(name, text, line))
        elif parent == "interval" and name == "start":
            block.start_s = _whole(name, text, line)


def _plain(href: str) -> str:
    """A link without scheme, host and a stroke at its end."""
    try:
        parts = urlsplit(href.strip())
    except ValueError:
        return ""
    return (href.strip() if parts.scheme == "urn" else parts.path).strip("/")


def _whole(name: str, text: str, line: int) -> int:
    if not _WHOLE.fullmatch(text):
        raise WrongFeed(f"line {line}: {name} is {shown(text)}, it must be a whole number")
    return int(text)


def _clock(fields: dict[str, str]) -> LocalTime | None:
    try:
        standard_s, saving_s = int(fields.get("tzOffset", "")), int(fields.get("dstOffset", "") or 0)
    except ValueError:
        return None
    if max(abs(standard_s), abs(saving_s)) > MOST_OFFSET_S:
        return None
    return LocalTime(
        standard_s, saving_s, parse_rule(fields.get("dstStartRule", "")), parse_rule(fields.get("dstEndRule", ""))
    )
