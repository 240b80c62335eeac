# ruff: noqa: E501 - bases and ugly words are on one line each
"""Load records that were damaged, by seed: CSV in the flavours of analysts, and Green Button feeds, packed or not."""

from __future__ import annotations

import gzip
import io
import random
import re
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta

from tests.rig.espi_writer import BEGIN, Meter, Point, Read, as_bytes, feed, hours, watt_hours

DAY = datetime(2026, 1, 15)
LINES = 48


def csv(header: str, line: Callable[[datetime, int], str], encoding: str = "utf-8") -> bytes:
    """A day of half hours, stamped at their ends."""
    ends = [DAY + timedelta(minutes=30) * (k + 1) for k in range(LINES)]
    lines = [header, *(line(end, watt_hours(k)) for k, end in enumerate(ends))]
    return ("\n".join(lines) + "\n").encode(encoding)


def comma(wh: int) -> str:
    return f"{wh / 1000}".replace(".", ",")


def days(names: list[str]) -> bytes:
    """Three days, each on a line, with its total."""
    rows = [",".join(["Date", *names, "Total kWh"])]
    for day in range(12, 15):
        amounts = [watt_hours(day * 100 + k) for k in range(len(names))]
        if len(names) == 25:
            amounts[24] = 0
        rows.append(",".join([f"2026-01-{day}", *(f"{wh / 1000}" for wh in amounts), f"{sum(amounts) / 1000}"]))
    return ("\n".join(rows) + "\n").encode()


QUARTERS = [Read(BEGIN + k * 900, 900, watt_hours(k), (8,) if k % 7 == 0 else ()) for k in range(48)]

BASES: tuple[bytes, ...] = (
    csv("time,kwh_delivered", lambda t, wh: f"{t.isoformat()},{wh / 1000}"),
    csv("time;kwh_delivered;kvarh_lagging", lambda t, wh: f"{t:%d.%m.%Y %H:%M};{comma(wh)};{comma(wh // 3)}", "utf-16"),
    csv("Date,Time,Usage (kWh)", lambda t, wh: f"{t:%m/%d/%Y},{t:%I:%M %p},{wh / 1000}"),
    csv("NMI,Timestamp,Import kWh,Export kWh", lambda t, wh: f"A1,{t}+01:00,{wh / 1000},0"),
    csv("sep=|\nTime|Active power kW", lambda t, wh: f"{t - timedelta(minutes=30)}|{wh * 2 / 1000}", "cp1252"),
    csv("Name,A. Person\nAddress,1 Street\n\ntime,Wh delivered", lambda t, wh: f'{t.isoformat()},"{wh:,}.0"'),
    csv("time,Usage", lambda t, wh: f"{t.isoformat()},{wh} Wh" if wh % 2 else f"{t.isoformat()},{wh / 1000} kWh"),
    csv("Recorder,Channel,UOM,Time,Value", lambda t, wh: f"R1,kWh Del,KWH,{t.isoformat()},{wh / 1000}\nR1,2,KVARH,{t.isoformat()},{wh / 3000:.3f}"),
    days([f"{k // 4:02}:{k % 4 * 15:02} kWh" for k in range(1, 97)]),
    days([f"HE{k:02}" for k in range(1, 26)]),
    as_bytes(feed([Point([Meter([hours(48)])])])),
    as_bytes(feed([Point([Meter([[Read(r.start, 0, 99_990_000 + 700 * k) for k, r in enumerate(hours(30))]], accumulation=1)])])),
    as_bytes(feed([Point([Meter([QUARTERS], interval=900), Meter([QUARTERS[:40]], uom=73, flow=19)]), Point([], kind=1)])),
    as_bytes(feed([Point([Meter([[Read(r.start, r.duration, -r.value) for r in hours(24)]], flow=4)])], links=False), "utf-16"),
    as_bytes(feed([Point([Meter([hours(20)], title="Day"), Meter([hours(20)], flow=19)])])),
)  # fmt: skip

UGLY = (
    b"", b"-1", b"NaN", b"1e9", b"1e-999999", b"1e999999999", b"9" * 30, b"0x10", b"\xd9\xa3", b"--", b"+-5", b"1,234,5",
    b"24:00", b"2026-02-30", b"2026-13-01T00:00", b"60", b"1970-01-01", b"9999-12-31T23:59", b"inf", b"\x1b[31m", b"\r",
    b"\0", b"&lt;", b"&x;", b"<!DOCTYPE a [<!ENTITY x 'y'>]>", b"<![CDATA[5]]>", b"]]>", b"&#0;", b"&#x202E;", b"\xff\xfe",
    b"\xe2\x80\xae", b"\xe2\x80\xa8", b"1767243600000", b"-1767243600", b"4294967295", b"140737488355327", b"<a>", b"</a>",
    b'"', b"'", b";", b"\t", b"|",
)  # fmt: skip

_NUMBER = re.compile(rb"-?\d[\d.,:]*")
_TAG = re.compile(rb"</?[A-Za-z0-9:]+[^<>]*>")


def mutated(seed: int) -> bytes:
    """Give the file of a seed."""
    chance = random.Random(seed)
    data = bytearray(chance.choice(BASES))
    for _ in range(chance.choice((1, 1, 1, 2, 3, 5))):
        if data:
            chance.choice(_MUTATIONS)(data, chance)
    found = bytes(data)
    match chance.randrange(20):
        case 0:
            found = gzip.compress(found, mtime=0)
        case 1:
            file = io.BytesIO()
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(chance.choice(("a.xml", "a.csv", "../a.xml", "a\n.xml", "a.pdf")), found)
            found = file.getvalue()
    if chance.randrange(40) == 0 and found:  # a package, too, is damaged
        data = bytearray(found)
        _byte(data, chance)
        found = bytes(data)
    return found


def _byte(data: bytearray, chance: random.Random) -> None:
    data[chance.randrange(len(data))] = chance.randrange(256)


def _insert(data: bytearray, chance: random.Random) -> None:
    place = chance.randrange(len(data))
    data[place:place] = bytes(chance.choice(b'0123456789:-T,.;\n+Z"e /\t|=#<>&') for _ in range(chance.randint(1, 4)))


def _delete(data: bytearray, chance: random.Random) -> None:
    place = chance.randrange(len(data))
    del data[place : place + chance.randint(1, 60)]


def _repeat(data: bytearray, chance: random.Random) -> None:
    place = chance.randrange(len(data))
    data[place:place] = data[place : place + chance.randint(1, 200)] * chance.choice((1, 1, 2, 50))


def _cut(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(len(data)) :]


def _number(data: bytearray, chance: random.Random) -> None:
    """A number becomes something ugly."""
    if found := list(_NUMBER.finditer(data)):
        match = chance.choice(found)
        data[match.start() : match.end()] = chance.choice(UGLY)


def _digits(data: bytearray, chance: random.Random) -> None:
    """A number gets or loses digits."""
    if found := list(_NUMBER.finditer(data)):
        match = chance.choice(found)
        data[match.start() : match.end()] = match[0] * chance.randint(0, 3)


def _tag(data: bytearray, chance: random.Random) -> None:
    """A tag goes, comes twice, or takes the place of another."""
    if found := list(_TAG.finditer(data)):
        match, other = chance.choice(found), chance.choice(found)
        data[match.start() : match.end()] = chance.choice((b"", match[0] * 2, other[0]))


def _code(data: bytearray, chance: random.Random) -> None:
    """A code of a ReadingType becomes another one."""
    name = chance.choice(
        (b"uom", b"flowDirection", b"powerOfTenMultiplier", b"accumulationBehaviour", b"commodity", b"kind")
    )
    if match := re.search(b":" + name + rb">(\d+)<", data):
        data[match.start(1) : match.end(1)] = str(
            chance.choice((0, 1, 3, 4, 12, 19, 38, 71, 72, 73, 169, -9, 9999))
        ).encode()


def _lines(data: bytearray, chance: random.Random) -> None:
    """Two lines change places."""
    lines = data.split(b"\n")
    a, b = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]
    data[:] = b"\n".join(lines)


def _reading(data: bytearray, chance: random.Random) -> None:
    """A whole line, or a whole reading, goes or comes again somewhere else."""
    pattern = rb"<ns1:IntervalReading>.*?</ns1:IntervalReading>" if b"<ns1:" in data else rb"[^\n]*\n"
    if found := list(re.finditer(pattern, data, re.DOTALL)):
        match, other = chance.choice(found), chance.choice(found)
        text = chance.choice((b"", match[0] * 2, other[0], other[0] + match[0]))
        data[match.start() : match.end()] = text


def _stamp(data: bytearray, chance: random.Random) -> None:
    """A digit of a number becomes another one."""
    if found := list(re.finditer(rb"\d", data)):
        data[chance.choice(found).start()] = chance.choice(b"0123456789")


_GENTLE = (_number, _digits, _code, _lines, _reading, _reading, _stamp, _stamp, _stamp)
_MUTATIONS = (*_GENTLE, *_GENTLE, _byte, _insert, _delete, _repeat, _cut, _tag)
