"""Writes Green Button feeds from closed forms, by the published schema of NAESB REQ.21 (ESPI 3.3) and Atom.

It shares nothing with the reader: elements are built by xml.etree in the schema's order, values are the caller's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

ATOM, ESPI = "http://www.w3.org/2005/Atom", "http://naesb.org/espi"

BEGIN = 1_767_243_600
"""2026-01-01 05:00:00 UTC: midnight in Toronto."""

HOUR = 3600
UPDATED = "2026-02-01T00:00:00Z"


def watt_hours(k: int) -> int:
    """The load of an interval: a saw-tooth without a pattern, which no reader could make up."""
    return 250 + k * 7919 % 997


@dataclass
class Read:
    """An IntervalReading; None: the element is not there."""

    start: object
    duration: object
    value: object
    qualities: Sequence[int] = ()
    cost: int | None = None


def hours(count: int = 48, begin: int = BEGIN, length: int = HOUR) -> list[Read]:
    return [Read(begin + k * length, length, watt_hours(k)) for k in range(count)]


@dataclass
class Meter:
    """A MeterReading with its ReadingType and its blocks; None: the element is not there."""

    blocks: Sequence[Sequence[Read]]
    title: str = "Hourly electricity"
    uom: object = 72
    multiplier: object = 0
    flow: object = 1
    accumulation: object = 4
    commodity: object = 1
    qualifier: object = 12
    interval: object = HOUR
    quality: object = None
    updated: Sequence[str] = ()


@dataclass
class Point:
    meters: Sequence[Meter]
    title: str = "Home"
    kind: object = 0
    clock: tuple[int, int, str, str] | None = (-18000, 3600, "360E2000", "B40E2000")


def content_of(meter: Meter) -> ET.Element:
    """A ReadingType, its elements in the schema's order."""
    type_ = ET.Element(f"{{{ESPI}}}ReadingType")
    for name, value in (
        ("accumulationBehaviour", meter.accumulation),
        ("commodity", meter.commodity),
        ("currency", 124),
        ("dataQualifier", meter.qualifier),
        ("defaultQuality", meter.quality),
        ("flowDirection", meter.flow),
        ("intervalLength", meter.interval),
        ("kind", 12),
        ("phase", 769),
        ("powerOfTenMultiplier", meter.multiplier),
        ("timeAttribute", 0),
        ("uom", meter.uom),
    ):
        _child(type_, name, value)
    return type_


def block_of(reads: Sequence[Read]) -> ET.Element:
    block = ET.Element(f"{{{ESPI}}}IntervalBlock")
    starts = [read.start for read in reads if isinstance(read.start, int)]
    interval = _child(block, "interval", "")
    _child(interval, "duration", HOUR * len(reads))
    _child(interval, "start", min(starts, default=BEGIN))
    for read in reads:
        reading = _child(block, "IntervalReading", "")
        _child(reading, "cost", read.cost)
        for quality in read.qualities:
            _child(_child(reading, "ReadingQuality", ""), "quality", quality)
        if read.start is not None or read.duration is not None:
            period = _child(reading, "timePeriod", "")
            _child(period, "duration", read.duration)
            _child(period, "start", read.start)
        _child(reading, "value", read.value)
    return block


def feed(points: Sequence[Point], *, links: bool = True) -> ET.Element:
    """An Atom feed with linked entries, as utilities publish them."""
    root = ET.Element(f"{{{ATOM}}}feed")
    ET.SubElement(root, f"{{{ATOM}}}title").text = "Green Button usage"
    base = "https://utility.example/DataCustodian/espi/1_1/resource"
    for p, point in enumerate(points, 1):
        at = f"{base}/RetailCustomer/9b6c7063/UsagePoint/{p:02}"
        clock_at = f"{base}/LocalTimeParameters/{p:02}"
        content = ET.Element(f"{{{ESPI}}}UsagePoint")
        if point.kind is not None:
            _child(_child(content, "ServiceCategory", ""), "kind", point.kind)
        _entry(root, point.title, at if links else "", [f"{at}/MeterReading", clock_at], content)
        if point.clock is not None:
            content = ET.Element(f"{{{ESPI}}}LocalTimeParameters")
            offset, saving, begins, ends = point.clock
            names = ("dstEndRule", "dstOffset", "dstStartRule", "tzOffset")
            for name, value in zip(names, (ends, saving, begins, offset), strict=True):
                _child(content, name, value)
            _entry(root, "Local time", clock_at if links else "", [], content)
        for m, meter in enumerate(point.meters, 1):
            meter_at, type_at = f"{at}/MeterReading/{m:02}", f"{base}/ReadingType/{p:02}{m:02}"
            content = ET.Element(f"{{{ESPI}}}MeterReading")
            _entry(root, meter.title, meter_at if links else "", [f"{meter_at}/IntervalBlock", type_at], content)
            _entry(root, "Type of reading", type_at if links else "", [], content_of(meter))
            for b, reads in enumerate(meter.blocks, 1):
                block_at = f"{meter_at}/IntervalBlock/{b:04}" if links else ""
                updated = meter.updated[b - 1] if b <= len(meter.updated) else UPDATED
                _entry(root, "", block_at, [], block_of(reads), updated)
    return root


def as_bytes(root: ET.Element, encoding: str = "utf-8") -> bytes:
    return ET.tostring(root, encoding=encoding, xml_declaration=True)


def _entry(
    root: ET.Element, title: str, at: str, related: Sequence[str], content: ET.Element, updated: str = UPDATED
) -> None:
    entry = ET.SubElement(root, f"{{{ATOM}}}entry")
    ET.SubElement(entry, f"{{{ATOM}}}id").text = "urn:uuid:0a5b2c1e-0000-4000-8000-000000000000"
    if at:
        for rel, href in (("self", at), ("up", at.rpartition("/")[0]), *(("related", each) for each in related)):
            ET.SubElement(entry, f"{{{ATOM}}}link", rel=rel, href=href)
    ET.SubElement(entry, f"{{{ATOM}}}title").text = title
    ET.SubElement(entry, f"{{{ATOM}}}content", type="xml").append(content)
    ET.SubElement(entry, f"{{{ATOM}}}published").text = updated
    ET.SubElement(entry, f"{{{ATOM}}}updated").text = updated


def _child(parent: ET.Element, name: str, value: object) -> ET.Element:
    """A child with text; nothing is added for None."""
    if value is None:
        return parent
    child = ET.SubElement(parent, f"{{{ESPI}}}{name}")
    child.text = str(value)
    return child
