# ruff: noqa: E501 - a feed that is read is on one line, with what is said of it
"""Green Button feeds (NAESB REQ.21, ESPI) as load records: totals and instants equal those they were written from.

The witness is tests/rig/espi_writer.py, which builds feeds from a closed form, and plain integers and Fractions.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest

from rig.cli.bill import Stamps, bill
from rig.files.strict_toml import ConfigError
from rig.meter.billing.calendar import Calendar
from rig.program import schema
from rig.program.build import build
from rig.replay.espi import safe_xml
from rig.replay.espi.local_time import LocalTime, parse_rule
from rig.replay.intervals.columns import parse_columns
from rig.replay.intervals.file import read_intervals
from rig.replay.intervals.record import LoadRecord
from rig.replay.intervals.replay import Replay
from rig.replay.intervals.writing import Writing
from tests.rig.espi_writer import (
    ATOM,
    BEGIN,
    ESPI,
    HOUR,
    Meter,
    Point,
    Read,
    as_bytes,
    block_of,
    content_of,
    feed,
    hours,
    watt_hours,
)  # fmt: skip

TORONTO = Calendar(ZoneInfo("America/Toronto"))
TWO_DAYS = [watt_hours(k) for k in range(48)]


def read(
    folder: Path, data: bytes, calendar: Calendar = TORONTO, name: str = "load.xml", **writing: object
) -> LoadRecord:
    path = folder / name
    path.write_bytes(data)
    minutes = writing.pop("minutes", None)
    if "columns" in writing:
        writing["columns"] = parse_columns(str(writing["columns"]))
    return read_intervals(path, calendar, stamps_end=None, minutes=minutes, writing=Writing(**writing))  # type: ignore[arg-type]


def refused(folder: Path, data: bytes, **writing: object) -> str:
    with pytest.raises(ConfigError) as caught:
        read(folder, data, **writing)
    said = str(caught.value)
    assert said.isprintable()
    assert str(folder / "load.xml") in said
    return said


def written(*meters: Meter, **point: object) -> bytes:
    return as_bytes(feed([Point(meters or [Meter([hours()])], **point)]))  # type: ignore[arg-type]


def energies(load: LoadRecord, column: str = "kwh_delivered") -> list[Fraction]:
    place = load.columns.index(column)
    return [Fraction(one.energies[place], load.scale) for one in load.intervals]


def check(load: LoadRecord) -> None:
    """Two days of the closed form, hour by hour."""
    assert energies(load) == [Fraction(wh, 1000) for wh in TWO_DAYS]
    assert [one.start_ns for one in load.intervals] == [(BEGIN + k * HOUR) * 10**9 for k in range(48)]
    assert [one.end_ns - one.start_ns for one in load.intervals] == [HOUR * 10**9] * 48
    assert load.minutes == 60


# --- as it is published ---------------------------------------------------------------------------------------


def test_a_feed(tmp_path: Path) -> None:
    load = read(tmp_path, written())
    check(load)
    assert (load.columns, load.notes) == (("kwh_delivered",), ())


def test_a_quarter_through_the_meter(tmp_path: Path) -> None:
    """2190 hours in three blocks: the register is the sum, to the watt-hour."""
    blocks = [hours(730, BEGIN + k * 730 * HOUR) for k in range(3)]
    load = read(tmp_path, written(Meter(blocks)))
    total = 3 * sum(watt_hours(k) for k in range(730))
    assert sum(one.energies[0] for one in load.intervals) == total * load.scale // 1000
    clock = schema.ClockTable(zone="America/Toronto")
    report = Replay(load, build(schema.ProgramFile(clock=clock))).run()
    assert report.totals["kwh_delivered"] == total / 1000
    assert report.begin == "2026-01-01T00:00:00-05:00"


def renamed(root: ET.Element, space: str) -> bytes:
    for each in root.iter():
        each.tag = each.tag.replace(f"{{{ESPI}}}", f"{{{space}}}" if space else "")
    return as_bytes(root)


def bare(*parts: ET.Element) -> bytes:
    root = ET.Element("GreenButton")
    root.extend(parts)
    return as_bytes(root)


def nested() -> bytes:
    """Types and blocks within their meter reading, without Atom."""
    root = ET.Element(f"{{{ESPI}}}UsagePoint")
    meter = ET.SubElement(root, f"{{{ESPI}}}MeterReading")
    meter.extend([content_of(Meter([])), block_of(hours())])
    return as_bytes(root)


def zipped(*members: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return file.getvalue()


PLAIN = written()
SPELLINGS: dict[str, Callable[[], bytes]] = {
    "prefixes": lambda: PLAIN,
    "default namespaces": lambda: PLAIN.replace(b"ns0:", b"").replace(b"ns1:", b""),
    "espi prefix": lambda: PLAIN.replace(b"ns1:", b"espi:").replace(b"xmlns:ns1", b"xmlns:espi"),
    "another namespace": lambda: renamed(feed([Point([Meter([hours()])])]), "http://naesb.org/espi/draft"),
    "no namespace": lambda: renamed(feed([Point([Meter([hours()])])]), ""),
    "without Atom": lambda: bare(content_of(Meter([])), block_of(hours())),
    "type after its block": lambda: bare(block_of(hours()), content_of(Meter([]))),
    "nested": nested,
    "without links": lambda: as_bytes(feed([Point([Meter([hours()])])], links=False)),
    "UTF-16": lambda: as_bytes(feed([Point([Meter([hours()], title="Électricité")])]), "utf-16"),
    "Latin-1": lambda: as_bytes(feed([Point([Meter([hours()], title="Électricité")])]), "iso-8859-1"),
    "UTF-8 that says UTF-16": lambda: PLAIN.replace(b"utf-8", b"utf-16"),
    "a mark and blanks": lambda: b"\xef\xbb\xbf\r\n" + PLAIN.partition(b"?>")[2],
    "gzip": lambda: gzip.compress(PLAIN),
    "zip": lambda: zipped(("data/", b""), ("data/feed.xml", PLAIN), ("style.xslt", b"<x/>"), ("__MACOSX/feed.xml", b"")),
    "blocks out of order": lambda: written(Meter([hours()[24:], hours()[:24]])),
    "comments and instructions": lambda: PLAIN.replace(b"<ns0:entry>", b"<!-- x --><?y z?><ns0:entry>"),
    "cost": lambda: written(Meter([[Read(r.start, r.duration, r.value, cost=12345) for r in hours()]])),
    "lengths by the type alone": lambda: written(Meter([[Read(r.start, None, r.value) for r in hours()]])),
    "times by the block alone": lambda: written(Meter([[Read(None, None, r.value) for r in hours()]])),
    "multiplier -3": lambda: written(Meter([[Read(r.start, r.duration, r.value * 1000) for r in hours()]], multiplier=-3)),
    "multiplier 3": lambda: written(Meter([[Read(r.start, r.duration, r.value / 1000) for r in hours()]], multiplier=3)),
    "no multiplier": lambda: written(Meter([hours()], multiplier=None)),
    "unsigned kind of service": lambda: written(kind=None),
}  # fmt: skip


@pytest.mark.parametrize("name", SPELLINGS)
def test_however_it_is_spelled(tmp_path: Path, name: str) -> None:
    check(read(tmp_path, SPELLINGS[name]()))


@pytest.mark.parametrize("name", ["load.csv", "load", "download.php"])
def test_its_name_does_not_matter(tmp_path: Path, name: str) -> None:
    check(read(tmp_path, PLAIN, name=name))


def test_a_csv_that_is_packed(tmp_path: Path) -> None:
    text = b"time,kwh_delivered\n2026-01-15T00:15,0.5\n2026-01-15T00:30,0.25\n"
    for data in (gzip.compress(text), zipped(("x.csv", text))):
        path = tmp_path / "load.gz"
        path.write_bytes(data)
        assert energies(read_intervals(path, TORONTO, stamps_end=True)) == [Fraction(1, 2), Fraction(1, 4)]


# --- units and directions -------------------------------------------------------------------------------------


def test_power_is_energy_by_its_length(tmp_path: Path) -> None:
    reads = [Read(BEGIN + k * 900, 900, watt_hours(k) * 4) for k in range(96)]
    load = read(tmp_path, written(Meter([reads], uom=38, accumulation=6, interval=900)))
    assert energies(load) == [Fraction(watt_hours(k), 1000) for k in range(96)]
    assert any("a mean power, read as energy" in note for note in load.notes)


def other(uom: int, flow: int, by: int = 3) -> Meter:
    return Meter(
        [[Read(r.start, r.duration, r.value * by) for r in hours()]], uom=uom, flow=flow, title=f"{uom} {flow}"
    )


@pytest.mark.parametrize(
    ("uom", "flow", "column"),
    [
        (72, 19, "kwh_received"), (72, 10, "kwh_received"), (73, 1, "kvarh_lagging"), (73, 2, "kvarh_lagging"),
        (73, 5, "kvarh_lagging"), (73, 19, "kvarh_leading"), (73, 3, "kvarh_leading"), (73, 13, "kvarh_leading"),
        (63, 1, "kvarh_lagging"), (38, 19, "kwh_received"),
    ],
)  # fmt: skip
def test_a_second_series(tmp_path: Path, uom: int, flow: int, column: str) -> None:
    load = read(tmp_path, written(Meter([hours()]), other(uom, flow)))
    check(load)
    assert energies(load, column) == [Fraction(3 * wh, 1000) for wh in TWO_DAYS]


def test_net_readings_are_both_directions(tmp_path: Path) -> None:
    values = [(-1) ** k * watt_hours(k) for k in range(48)]
    reads = [Read(BEGIN + k * HOUR, HOUR, value) for k, value in enumerate(values)]
    load = read(tmp_path, written(Meter([reads], flow=4)))
    assert energies(load) == [Fraction(max(value, 0), 1000) for value in values]
    assert energies(load, "kwh_received") == [Fraction(max(-value, 0), 1000) for value in values]
    assert any("are net: negative ones are read as received" in note for note in load.notes)
    # Beside its two parts it would count twice.
    load = read(tmp_path, written(Meter([reads], flow=4, title="Net"), Meter([hours()]), other(72, 19)))
    check(load)
    assert any("1 'Net', net beside its parts" in note for note in load.notes)


NOT_READ = [
    (Meter([hours()], uom=169, commodity=7), r"of another commodity than electricity \(commodity 7\)"),
    (Meter([hours()], uom=169), r"in therms \(uom 169\)"),
    (Meter([hours()], uom=71), r"in VAh, which the meter works out itself \(uom 71\)"),
    (Meter([hours()], uom=29), r"in V \(uom 29\)"),
    (Meter([hours()], uom=None), r"of an unknown unit \(uom none\)"),
    (
        Meter([hours()], accumulation=2),
        r"those of a register \(accumulationBehaviour 2, continuousCumulative\) that is not read, where the energy",
    ),
    (Meter([hours()], accumulation=13), r"those of a register \(accumulationBehaviour 13, latchingQuantity\)"),
    (Meter([hours()], uom=38, accumulation=12), r"no means over intervals \(accumulationBehaviour 12\)"),
    (Meter([hours()], qualifier=8), r"maxima \(dataQualifier 8\)"),
    (Meter([hours()], flow=20), r"of a direction that is not read \(flowDirection 20, it must be 1 delivered, 19"),
    (Meter([hours()], uom=73, flow=None), r"\(flowDirection none, it must be 1 lagging, 19 leading or 4 net\)"),
    (Meter([hours()], multiplier=13), r"powerOfTenMultiplier 13, it must be -12 to 12"),
]


@pytest.mark.parametrize(("meter", "said"), NOT_READ)
def test_what_is_not_read(tmp_path: Path, meter: Meter, said: str) -> None:
    """Alone it is refused; beside energy it is told."""
    assert re.search(said, refused(tmp_path, written(meter)))
    load = read(tmp_path, written(Meter([hours()]), meter))
    check(load)
    assert re.search(r"series that do not count: 2 'Hourly electricity', .*" + said, " ".join(load.notes))


def test_what_is_not_said_of_energy_is_told(tmp_path: Path) -> None:
    load = read(tmp_path, written(Meter([hours()], flow=None, accumulation=0)))
    check(load)
    assert [note.partition("' ")[2] for note in load.notes] == [
        "have no flowDirection, and are read as delivered",
        "have accumulationBehaviour 0, and are read as energy of each interval",
    ]


# --- which of several -----------------------------------------------------------------------------------------


def barn(uom: int = 72, kind: int = 0) -> Point:
    return Point([other(uom, 1)], title="Barn", kind=kind)


def test_several_usage_points_are_asked_for(tmp_path: Path) -> None:
    data = as_bytes(feed([Point([Meter([hours()])]), barn()]))
    assert refused(tmp_path, data).endswith(
        "has 2 usage points of electricity, 1 'Home', 2 'Barn': say which with --meter, by its number or its title"
    )
    for name in ("1", "Home", "home"):
        check(read(tmp_path, data, meter=name))
    assert energies(read(tmp_path, data, meter="Barn")) == [Fraction(3 * wh, 1000) for wh in TWO_DAYS]
    assert "has no usage point 'Shed' for --meter: it has 1 'Home', 2 'Barn'" in refused(tmp_path, data, meter="Shed")
    assert "has no usage point '3' for" in refused(tmp_path, data, meter="3")


def test_a_usage_point_of_gas_is_passed_over(tmp_path: Path) -> None:
    load = read(tmp_path, as_bytes(feed([barn(169, 1), Point([Meter([hours()])])])))
    check(load)
    assert load.notes == ("1 usage point of gas passed over",)
    assert "its readings are of gas: they must be energy or power" in refused(tmp_path, as_bytes(feed([barn(169, 1)])))


def test_series_of_one_column_are_asked_for(tmp_path: Path) -> None:
    days = [Read(BEGIN + k * 24 * HOUR, 24 * HOUR, sum(TWO_DAYS[24 * k : 24 * k + 24])) for k in range(2)]
    data = written(Meter([hours()], title="Hourly"), Meter([days], title="Daily", interval=24 * HOUR))
    assert refused(tmp_path, data).endswith(
        "has 2 series of kwh_delivered, 1 'Hourly' of 60 min, 2 'Daily' of 1440 min: say which with --columns "
        "kwh_delivered=NAME, by its number or its title"
    )
    for name in ("Hourly", "1"):
        check(read(tmp_path, data, columns=f"kwh_delivered={name}"))
    load = read(tmp_path, data, columns="kwh_delivered=daily")
    assert (len(load.intervals), sum(energies(load))) == (2, Fraction(sum(TWO_DAYS), 1000))
    assert "no one series 'Weekly' of kwh_delivered" in refused(tmp_path, data, columns="kwh_delivered=Weekly")


def test_series_of_other_lengths_do_not_go_together(tmp_path: Path) -> None:
    days = Meter([[Read(BEGIN, 24 * HOUR, 5)]], flow=19)
    said = refused(tmp_path, written(Meter([hours()]), days))
    assert "kwh_delivered and kwh_received have intervals that overlap at 2026-01-01T0" in said


def test_types_without_links_are_not_guessed(tmp_path: Path) -> None:
    data = bare(content_of(Meter([])), content_of(Meter([], flow=19)), block_of(hours()))
    assert "this IntervalBlock could be of 2 ReadingTypes, its links must say of which" in refused(tmp_path, data)
    check(read(tmp_path, bare(content_of(Meter([])), content_of(Meter([])), block_of(hours()))))


def test_a_link_that_two_usage_points_name_is_nobodys(tmp_path: Path) -> None:
    """Taken as the first one's, the barn's energy would be the house's."""
    root = feed([Point([Meter([hours()], title="House's")]), barn()])
    for link in root.iter(f"{{{ATOM}}}link"):
        at = link.get("href", "")
        link.set(
            "href",
            re.sub(
                r"/UsagePoint/(\d\d)/MeterReading(/\d\d)?", lambda m: "/MeterReading" + (f"/{m[1]}" if m[2] else ""), at
            ),
        )
    said = refused(tmp_path, as_bytes(root))
    assert (
        "has 2 series of kwh_delivered, 1 \"House's\" of 60 min, 2 '72 1' of 60 min: say which with --columns" in said
    )
    check(read(tmp_path, as_bytes(root), columns="kwh_delivered=1"))


def test_feeds_of_two_months_in_one(tmp_path: Path) -> None:
    """The same resources twice, each with other blocks."""
    root = feed([Point([Meter([hours()[:24]])])])
    root.extend(list(feed([Point([Meter([hours()[24:]])])]))[1:])
    check(read(tmp_path, as_bytes(root)))


def test_two_types_at_one_address_are_not_chosen_from(tmp_path: Path) -> None:
    root = feed([Point([Meter([hours()[:24]])])])
    root.extend(list(feed([Point([Meter([hours()[24:]], multiplier=3)])]))[1:])
    assert "this IntervalBlock could be of 2 ReadingTypes" in refused(tmp_path, as_bytes(root))


@pytest.mark.parametrize(
    "option",
    [{"time_format": "%Y"}, {"decimal": ","}, {"minutes": Fraction(60)}, {"columns": "time=x"}, {"columns": "meter=x"}],
)
def test_options_of_csv(tmp_path: Path, option: dict[str, object]) -> None:
    assert re.search(
        r"is a Green Button feed, its? .*: leave out --|--meter says which", refused(tmp_path, PLAIN, **option)
    )


# --- readings -------------------------------------------------------------------------------------------------


def test_readings_again(tmp_path: Path) -> None:
    """Of two blocks with the same hours the one that was updated last counts, wherever it stands."""
    wrong = [Read(r.start, r.duration, 7) for r in hours(24)]
    for blocks, updated in (
        ([hours(), wrong], ["2026-03-01T00:00:00Z", "2026-02-01T00:00:00Z"]),
        ([wrong, hours()], ["2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"]),
        ([hours(), wrong], ["", ""]),
    ):
        load = read(tmp_path, written(Meter(blocks, updated=updated)))
        check(load)
        assert any(
            "24 readings again, the first in line" in n and "24 of them with other values" in n for n in load.notes
        )
    load = read(tmp_path, written(Meter([hours(), hours(3)])))
    check(load)
    assert "3 readings again, the first in line" in load.notes[0]
    assert "other values" not in load.notes[0]


def test_one_over_another_is_refused(tmp_path: Path) -> None:
    said = refused(tmp_path, written(Meter([[*hours(3), Read(BEGIN + 1800, HOUR, 5)]])))
    assert re.search(
        r"line \d+: the reading of 3600 s from 2026-01-01T00:30-05:00 overlaps that in line \d+, which is of 3600 s from "
        r"2026-01-01T00:00-05:00: they must follow one another", said,
    )  # fmt: skip


def test_gaps_and_readings_without_value(tmp_path: Path) -> None:
    reads = hours(10)
    reads[4].value = None
    load = read(tmp_path, written(Meter([[*reads[:2], *reads[3:]]])))
    assert energies(load) == [Fraction(watt_hours(k), 1000) for k in range(10) if k not in (2, 4)]
    assert [note for note in load.notes if "nothing from" in note] == [
        "nothing from 2026-01-01T02:00-05:00 to 2026-01-01T03:00-05:00: no energy in that time",
        "nothing from 2026-01-01T04:00-05:00 to 2026-01-01T05:00-05:00: no energy in that time",
    ]


def test_a_series_that_lacks_readings_is_told(tmp_path: Path) -> None:
    load = read(tmp_path, written(Meter([hours()]), Meter([hours(40)], flow=19)))
    check(load)
    assert "kwh_received: no reading in 8 of 48 intervals, where there are others: taken as 0" in load.notes


def test_qualities_are_told(tmp_path: Path) -> None:
    reads = hours()
    for k in range(5, 12):
        reads[k].qualities = (9,)
    reads[3].qualities = (0, 17)
    reads[20].qualities = (10, 99)
    load = read(tmp_path, written(Meter([reads], quality=18)))
    check(load)
    at = "the first from 2026-01-0"
    assert load.notes == (
        f"kwh_delivered: 7 of 48 readings estimated by linear interpolation (quality 9), {at}1T05:00-05:00",
        f"kwh_delivered: 1 of 48 readings questionable (quality 10), {at}1T20:00-05:00",
        f"kwh_delivered: 1 of 48 readings of a quality that is not known (quality 99), {at}1T20:00-05:00",
    )
    load = read(tmp_path, written(Meter([hours()], quality=14)))
    assert load.notes == (f"kwh_delivered: 48 of 48 readings raw, not validated (quality 14), {at}1T00:00-05:00",)


def test_months_of_their_own_lengths(tmp_path: Path) -> None:
    """Bills of 28 to 31 days, of which March has 1 h less in local time."""
    lengths = [31 * 24, 28 * 24, 31 * 24 - 1, 30 * 24]
    starts = [BEGIN + HOUR * sum(lengths[:k]) for k in range(4)]
    reads = [Read(start, length * HOUR, 500_000) for start, length in zip(starts, lengths, strict=True)]
    load = read(tmp_path, written(Meter([reads])))
    assert [one.end_ns - one.start_ns for one in load.intervals] == [length * HOUR * 10**9 for length in lengths]
    assert not any("nothing from" in note for note in load.notes)


def test_a_register_under_the_name_of_deltas(tmp_path: Path) -> None:
    reads = [Read(r.start, r.duration, 12_000_000 + sum(TWO_DAYS[:k])) for k, r in enumerate(hours())]
    assert "never falls from line" in refused(tmp_path, written(Meter([reads])))


def test_daylight_saving_days_need_no_care(tmp_path: Path) -> None:
    """Seconds of UTC go through both changes; each local day has its hours."""
    spring = 1_772_946_000  # 2026-03-08T05:00Z, the day that skips 02:00
    load = read(tmp_path, written(Meter([hours(23, spring)])))
    assert load.notes == ()
    ends = TORONTO.local(load.intervals[-1].end_ns)
    assert ends.isoformat() == "2026-03-09T00:00:00-04:00"


RULES = {
    "America/Toronto": (-18000, 3600, "360E2000", "B40E2000"),
    "America/St_Johns": (-12600, 3600, "360E2000", "B40E2000"),
    "Europe/Berlin": (3600, 3600, "3E0E2000", "AE0E3000"),  # the last Sundays of March and October
    "Australia/Sydney": (36000, 3600, "A40E2000", "440E3000"),  # summer over the turn of the year
    "Asia/Jerusalem": (7200, 3600, "337A2000", "AE0E2000"),  # the Friday on or after 23 March
    "America/Panama": (-18000, 0, "FFFFFFFF", "FFFFFFFF"),
}


@pytest.mark.parametrize("zone", RULES)
def test_rules_of_daylight_saving(zone: str) -> None:
    """Against tzdata: every hour of the days around each change, and noon of all others, 2014 to 2035."""
    standard, saving, begins, ends = RULES[zone]
    clock = LocalTime(standard, saving, parse_rule(begins), parse_rule(ends))
    assert (clock.begins is None) == (begins == "FFFFFFFF")
    first, last = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (2014, 2036))
    offsets = [(utc, offset_of(zone, utc)) for utc in range(first, last, 86400)]
    for (day, before), (_, after) in pairwise(offsets):
        for utc in range(day, day + 86400, 1800) if before != after else (day + 43200,):
            assert clock.offset_s(utc) == offset_of(zone, utc), datetime.fromtimestamp(utc, UTC)


def offset_of(zone: str, utc_s: int) -> float:
    offset = datetime.fromtimestamp(utc_s, ZoneInfo(zone)).utcoffset()
    assert offset is not None
    return offset.total_seconds()


@pytest.mark.parametrize("rule", ["", "x" * 8, "FFFFFFFF", "00000000", "D60E2000", "361F8000", "36002000", "30002000"])
def test_rules_that_are_none(rule: str) -> None:
    assert parse_rule(rule) is None


@pytest.mark.parametrize(
    ("clock", "zone", "told"),
    [
        ((-18000, 3600, "360E2000", "B40E2000"), "America/Toronto", None),
        ((-18000, 3600, "360E2000", "B40E2000"), "UTC", "UTC-05:00 at 2026-01-01T05:00, the meter's clock UTC+00:00"),
        ((-18000, 0, "FFFFFFFF", "FFFFFFFF"), "America/Toronto", "UTC-05:00 at 2026-03-08T13:00-04:00, the meter's"),
        ((-18000, 3600, "AQsFAAIA", "AQMCAAIA"), "America/Panama", None),
        ((99999999, 0, "x", ""), "UTC", None),
    ],
)
def test_another_clock_is_told(tmp_path: Path, clock: tuple[int, int, str, str], zone: str, told: str | None) -> None:
    reads = hours(730, length=12 * HOUR)
    calendar = Calendar(UTC if zone == "UTC" else ZoneInfo(zone))
    load = read(tmp_path, written(Meter([reads]), clock=clock), calendar)
    found = [note for note in load.notes if "local time is" in note]
    assert (told is None and not found) or (told is not None and told in found[0]), found


# --- what cannot be read --------------------------------------------------------------------------------------


def one(**of: object) -> bytes:
    reads = hours(3)
    for name, value in of.items():
        setattr(reads[1], name, value)
    return written(Meter([reads], interval=None))


LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">'
    + b"".join(b'<!ENTITY lol%d "%s">' % (k + 1, b"&lol%d;" % k * 10 if k else b"&lol;" * 10) for k in range(9))
    + b"]><feed>&lol9;</feed>"
)
EXTERNAL = b'<!DOCTYPE feed SYSTEM "file:///etc/passwd"><feed/>'

REFUSED: Sequence[tuple[bytes, str]] = (
    (LAUGHS, "line 1: it has a document type, 'lolz', which is not read for safety: a Green Button feed has none"),
    (EXTERNAL, "it has a document type, 'feed', which is not read"),
    (b"<feed>&secret;</feed>", "line 1: it is no XML, undefined entity"),
    (b"<!doctype html><html><body>Sign in</body></html>", "line 1: it is no XML"),
    (b"<html><body>Sign in</body></html>", "it is no Green Button feed, its first element is 'html'"),
    (b"<feed>" * 100 + b"</feed>" * 100, "line 1: elements are in one another more than 64 deep"),
    (b"<feed><title>" + b"x" * 5000 + b"</title></feed>", "the text of an element is longer than 4096"),
    (b"<feed " + b" ".join(b'a%d=""' % k for k in range(99)) + b"/>", "it has more than 64 attributes"),
    (b"<feed>" + b"".join(b"<a%d/>" % k for k in range(1100)), "its elements have more than 1000 different names"),
    (PLAIN[:-30], "it is no XML, unclosed token: get the file once more"),
    (PLAIN[: len(PLAIN) // 2].rpartition(b">")[0] + b">", "it is no XML, no element found"),
    (b"<", "it is no XML"),
    (b"<feed/>", "it is no Green Button feed"),
    (b'<?xml version="1.0" encoding="klingon"?><feed>\xff</feed>', "unknown encoding"),
    (b'<?xml version="1.0" encoding="zip"?><feed>\xff</feed>', "line 1"),
    (as_bytes(feed([Point([])])), "it has no IntervalBlock, it must have readings of intervals"),
    (bare(block_of(hours())), "no ReadingType says what the readings are, it must give their uom"),
    (written(Meter([[]])), "has no readings with a value: it must have at least one"),
    (one(value="12,5"), "value is '12,5', it must be a number"),
    (one(value="1e5"), "value is '1e5', it must be a number"),
    (one(value="nan"), "value is 'nan'"),
    (one(value=-5), "value is -5, of kwh_delivered it must be 0 or more; what flows the other way has a ReadingType"),
    (one(value=10**14), "of kwh_delivered it must be at most 1000000000"),
    (one(start="2026-01-01T00:00:00Z"), "start is '2026-01-01T00:00:00Z', it must be a whole number"),
    (one(start=BEGIN * 1000), "it must be seconds from 1970 on, in the years 1970 to 2199, is it in ms?"),
    (one(start=-5), "start is -5, it must be seconds from 1970 on"),
    (one(start=10**30), "start is '1000000000000000000000000000000', it must be a whole number"),
    (one(start=BEGIN + 2 * 366 * 86400), "more than a year: correct the stamps"),
    (one(duration=0), "a reading has no duration, and neither has its ReadingType"),
    (one(duration=-900), "duration is -900, it must be 1 s to 31 days"),
    (one(duration=10**9), "duration is 1000000000, it must be 1 s to 31 days"),
    (written(Meter([hours()], uom="kWh")), "uom is 'kWh', it must be a whole number"),
    (gzip.compress(PLAIN)[:-9], "is damaged: its end is missing, by gzip"),
    (b"\x1f\x8b" + b"x" * 50, "is damaged: it cannot be unpacked by gzip"),
    (zipped(("a.xml", PLAIN), ("b.xml", PLAIN)), "is an archive with 'a.xml', 'b.xml': unpack it, and give one file"),
    (zipped(("readme.pdf", b"x")), "is an archive with no .xml or .csv: unpack it"),
    (zipped(("xl/workbook.xml", b"x"), ("a.xml", b"x")), "is an Excel workbook: save the sheet as CSV"),
    (zipped(("a.xml", PLAIN))[:300], "is damaged: it cannot be unpacked as a zip archive"),
    (zipped(("a.xml", PLAIN))[:100] + b"\0" * 50 + zipped(("a.xml", PLAIN))[150:], "is damaged"),
)  # fmt: skip


@pytest.mark.parametrize(("data", "said"), REFUSED)
def test_what_cannot_be_read(tmp_path: Path, data: bytes, said: str) -> None:
    assert said in refused(tmp_path, data)


def test_elements_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a lower bound, as 2 500 000 of them take seconds."""
    elements = PLAIN.count(b"</") + PLAIN.count(b"/>")
    monkeypatch.setattr(safe_xml, "MOST_ELEMENTS", elements)
    check(read(tmp_path, PLAIN))
    monkeypatch.setattr(safe_xml, "MOST_ELEMENTS", elements - 1)
    assert f"it has more than {elements - 1} elements" in refused(tmp_path, PLAIN)


@pytest.mark.parametrize("pack", [gzip.compress, lambda data: zipped(("a.xml", data))])
def test_no_more_is_unpacked_than_is_read(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    data = pack(b"<feed>" + b" " * (65 << 20))
    assert len(data) < 1 << 20
    assert "is longer than 64 MB: give it in parts" in refused(tmp_path, data)


# --- the command ----------------------------------------------------------------------------------------------


def test_the_command_reads_a_feed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "usage.xml"
    path.write_bytes(as_bytes(feed([Point([Meter([hours()])]), barn()])))
    bill(path, which="home", json=True)
    said = capsys.readouterr()
    assert json.loads(said.out)["totals"]["kwh_delivered"] == sum(TWO_DAYS) / 1000
    assert "the feed's local time is UTC-05:00" in said.err


def test_the_command_asks_for_days(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "days.csv"
    path.write_text("time,kwh_delivered\n2026-01-15,24\n2026-01-16,36\n")
    with pytest.raises(ConfigError, match="say --stamps begin if its energy is from 2026-01-15 00:00 to 2026-01-16"):
        bill(path)
    begins = {}
    for stamps in Stamps:
        bill(path, stamps=stamps, json=True)
        begins[stamps] = json.loads(capsys.readouterr().out)["begin"]
    assert begins == {Stamps.begin: "2026-01-15T00:00:00", Stamps.end: "2026-01-14T00:00:00"}


def without_prefixes(data: bytes) -> bytes:
    return re.sub(rb"(</?)\w+:", rb"\1", data)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b"<uom>72</uom>", b"<uom>72</uom><uom>38</uom>", "uom is 38, and was another in the same ReadingType"),
        (b"</powerOfTenMultiplier>", b"</powerOfTenMultiplier><powerOfTenMultiplier>3</powerOfTenMultiplier>", "powerOfTenMultiplier is 3, and was"),
        (b"<value>", b"<value>1</value><value>", "and was another in the same IntervalReading"),
    ],
)  # fmt: skip
def test_what_a_feed_says_twice_must_be_the_same(tmp_path: Path, old: bytes, new: bytes, says: str) -> None:
    """Of two multipliers the last one once counted: a thousand times the energy (review B-9)."""
    data = without_prefixes(as_bytes(feed([Point([Meter([hours()])])])))
    assert old in data
    assert says in refused(tmp_path, data.replace(old, new))


def test_readings_of_one_phase_are_told(tmp_path: Path) -> None:
    data = without_prefixes(as_bytes(feed([Point([Meter([hours()])])])))
    phase = data.replace(b"<phase>769</phase>", b"<phase>64</phase>")
    (note,) = set(read(tmp_path, phase).notes) - set(read(tmp_path, data).notes)
    assert "are of phase B alone (phase 64), not of the whole service" in note
    whole = data.replace(b"<phase>769</phase>", b"<phase>225</phase>")
    assert read(tmp_path, whole).notes == read(tmp_path, data).notes
