"""`rig read` and `rig report` of meters that are not ours, in every format, and with every way of not answering (X-2).

Expected figures are other_maker.py's own, written down by hand; its tables are made by struct.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from other_maker import AT, CLOCK, ENDS, KVARH, KWH, UNITS, Make, OtherMeter, other_meter
from psem_device import sets
from test_reading_file import READOUT

from rig.reader.meter import MeterAccess
from rig.reader.reading_file import TableRead, encoded, load_reading

ISC, IAR, BSY, DNR, ONP = 3, 5, 6, 7, 4

Rig = Callable[..., Any]


@pytest.fixture
def at_the_line(monkeypatch: pytest.MonkeyPatch) -> Callable[[OtherMeter], None]:
    def connect(device: OtherMeter) -> None:
        access = partial(MeterAccess, open_line=device.open, pause=device.pause)
        monkeypatch.setattr("rig.reader.meter.MeterAccess", access)

    return connect


def rows(path: Path) -> list[dict[str, str]]:
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    return list(csv.DictReader(lines))


def number(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


NUMBERS = (0, 1, 2, 3, 4, 7, 8, 9, 10, 11)
MAKES = [Make(order=1, times=1, numbers=4, serial_bcd=True, characters=2), Make(order=0, times=3, numbers=1)]
MORE_MAKES = [
    Make(order=1, times=4, numbers=10, characters=3),
    *(Make(order=order, times=times, characters=1 + times % 3) for order in (0, 1) for times in (1, 2, 3, 4)),
    *(Make(order=k % 2, numbers=numbers, times=2 + k % 3) for k, numbers in enumerate(NUMBERS)),
]


@pytest.mark.parametrize(
    "make", [*MAKES, *(pytest.param(make, marks=pytest.mark.slow) for make in MORE_MAKES)], ids=str
)
def test_another_make_is_read_and_reported(
    make: Make, at_the_line: Callable[[OtherMeter], None], command_line: Rig, tmp_path: Path
) -> None:
    device = other_meter(make)
    at_the_line(device)
    done = command_line("read", "port", "--out", "other.json", "--profile")
    assert (done.status, done.out) == (0, ""), done
    plain = json.loads(command_line("read", "--show", "other.json", "--json").out)
    assert {table["table"]: table["data"] for table in plain["tables"]} == {
        number: data.hex() for number, data in device.tables.items()
    }
    kept = {table["title"]: table["not_decoded"] for table in plain["tables"] if table["values"] is None}
    assert kept.keys() == {"ST143", "MT3"}, kept
    shown = command_line("read", "--show", "other.json").out
    model = "MÈTRE" if make.characters > 1 else "METRE"
    assert f"XYZ1 {model}, serial number 98765432, firmware 3.04" in shown
    assert f"the meter's clock: {CLOCK:%Y-%m-%d %H:%M:%S}" in shown
    assert [line.split() for line in shown.splitlines() if line.startswith("k")] == [
        ["kWh", "delivered", "12345"], ["kvarh", "lagging", "987"],
        ["kW", "delivered", "42", "2026-11-30", "14:45"],
    ]  # fmt: skip

    for part in ("registers", "profile", "events"):
        done = command_line("report", "other.json", "--part", part, "--out", f"{part}.csv")
        assert done.status == 0, done
    registers = {(r["quantity"], r["rate"], r["register"]): r for r in rows(tmp_path / "registers.csv")}
    for rate, kwh, kvarh, kw, at in (
        ("", "12345", "987", "42", AT.isoformat()), ("A", "10000", "600", "42", AT.isoformat()),
        ("B", "2345", "387", "40", "2026-11-02T07:15:00"),
    ):  # fmt: skip
        assert number(registers["kWh delivered", rate, "energy"]["value"]) == kwh
        assert number(registers["kvarh lagging", rate, "energy"]["value"]) == kvarh
        maximum = registers["kW delivered", rate, "maximum"]
        assert (number(maximum["value"]), maximum["reached_at"]) == (kw, at)
    assert number(registers["kW delivered", "", "present"]["value"]) == "17"
    assert {row["resets"] for row in registers.values()} == {"7"}
    profile = rows(tmp_path / "profile.csv")
    assert [row["end_local"] for row in profile] == list(ENDS)
    assert [number(row["kWh delivered"]) for row in profile] == list(KWH)
    assert [number(row["kvarh lagging"]) for row in profile] == list(KVARH)
    assert [row["flags"] for row in profile] == [*[""] * 6, "outage"]
    events = rows(tmp_path / "events.csv")
    assert [(row["at"], row["event"], json.loads(row["details"])) for row in events] == [
        (AT.isoformat(), "demand reset", {"arguments": "abcd"}),
        (CLOCK.isoformat(), "power down", {"arguments": "abcd"}),
    ]  # fmt: skip
    page = command_line("report", "other.json", "--out", "other.html")
    assert page.status == 0
    text = (tmp_path / "other.html").read_text()
    assert "25.000 kWh" in text, "the load profile's sum: 2 + 3 + 4 + 5 + 1 + 0 + 10"


def test_tables_that_are_refused_busy_and_not_ready(
    at_the_line: Callable[[OtherMeter], None], command_line: Rig, tmp_path: Path
) -> None:
    """Busy twice and not ready once: asked again; never ready, not there, not allowed: noted, and all others come."""
    device = other_meter(Make())
    device.codes = {1: (BSY, 2), 11: (DNR, 1), 13: (DNR, None), 3: (IAR, None), 54: (ISC, None), 52: (BSY, None)}
    at_the_line(device)
    done = command_line("read", "port", "--out", "other.json", "--profile")
    assert done.status == 0, done
    reading = load_reading(tmp_path / "other.json")
    refused = {table.title: (table.refused or "")[:3] for table in reading.tables if table.data is None}
    assert refused == {"ST3": "iar", "ST13": "dnr", "ST52": "bsy", "ST54": "isc"}
    assert reading.table(1) == device.tables[1]
    assert command_line("report", "other.json", "--out", "r.html").status == 0
    assert "the meter did not give ST3, ST13, ST52, ST54" in (tmp_path / "r.html").read_text()


@pytest.mark.parametrize("answer", [2, 4, 5, 1], ids=["sns", "onp", "iar", "err"])
def test_a_meter_without_reads_by_offset(
    answer: int, at_the_line: Callable[[OtherMeter], None], command_line: Rig, tmp_path: Path
) -> None:
    device = other_meter(Make(), answers={0x3F: bytes((answer,))})
    at_the_line(device)
    assert command_line("read", "port", "--out", "other.json", "--profile").status == 0
    assert load_reading(tmp_path / "other.json").table(64) == device.tables[64]


@pytest.mark.parametrize("places", [frozenset({22}), frozenset({12, 64, 2051})], ids=["one", "three"])
def test_a_meter_that_ends_the_session_at_a_table(
    places: frozenset[int], at_the_line: Callable[[OtherMeter], None], command_line: Rig, tmp_path: Path
) -> None:
    """It is asked for the table once more; then all the others come without it."""
    device = other_meter(Make(), hangs_up=places)
    at_the_line(device)
    done = command_line("read", "port", "--out", "other.json", "--profile")
    assert done.status == 0, done
    reading = load_reading(tmp_path / "other.json")
    assert {table.table for table in reading.tables if table.data is None} == places
    assert {(table.refused or "isss")[:4] for table in reading.tables} == {"isss"}
    assert reading.sessions == 1 + 2 * len(places)
    assert {table.table for table in reading.tables} == device.tables.keys()


def test_a_meter_that_ends_each_session_after_some_requests(
    at_the_line: Callable[[OtherMeter], None], command_line: Rig, tmp_path: Path
) -> None:
    device = other_meter(Make())
    reads = device._read
    served = 0

    def limited(service: int, body: bytes) -> bytes:
        nonlocal served
        served += 1
        if served % 12 == 0:
            device.logged_on = False
        return reads(service, body)

    device._read = limited  # type: ignore[method-assign]
    at_the_line(device)
    assert command_line("read", "port", "--out", "other.json", "--profile").status == 0
    reading = load_reading(tmp_path / "other.json")
    assert {table.table: table.bytes for table in reading.tables} == device.tables
    assert reading.sessions > 2


def long_meter(size: int) -> OtherMeter:
    device = other_meter(Make())
    device.tables = {0: device.tables[0], 1: device.tables[1], 143: bytes(k * k % 251 for k in range(size))}
    device.tables[0] = Make().st0({0, 1, 143}, own=set())
    return device


@pytest.mark.parametrize("whole", [True, False], ids=["first 65535 given whole", "onp"])
def test_a_table_longer_than_one_answer_can_count(
    whole: bool, at_the_line: Callable[[OtherMeter], None], command_line: Rig, tmp_path: Path
) -> None:
    device = long_meter(70_001)
    reads = device._read

    def full(service: int, body: bytes) -> bytes:
        if service == 0x30 and body[:2] == b"\x00\x8f":
            data = device.tables[143][:0xFFFF]
            return b"\x00\xff\xff" + data + bytes((-sum(data) & 0xFF,)) if whole else b"\x04"
        return reads(service, body)

    device._read = full  # type: ignore[method-assign]
    device.packets = 255
    at_the_line(device)
    assert command_line("read", "port", "--out", "long.json").status == 0
    assert load_reading(tmp_path / "long.json").table(143) == device.tables[143]


def test_a_table_that_has_become_shorter_when_it_is_read_on(
    at_the_line: Callable[[OtherMeter], None], command_line: Rig, tmp_path: Path
) -> None:
    """The same beginning, and another end: what there was is left, and it is read anew."""
    device = long_meter(0)
    device.tables = {0: Make().st0({0, 1, 64}, own=set()), 1: device.tables[1], 64: bytes(range(250)) * 80}
    reads, parts = device._read, 0

    def breaking(service: int, body: bytes) -> bytes:
        nonlocal parts
        if service == 0x3F:
            parts += 1
            if parts == 4:
                device.logged_on = False
                device.tables[64] = bytes(range(250)) * 40
        return reads(service, body)

    device._read = breaking  # type: ignore[method-assign]
    at_the_line(device)
    assert command_line("read", "port", "--out", "other.json", "--profile").status == 0
    reading = load_reading(tmp_path / "other.json")
    assert (reading.table(64), reading.sessions) == (device.tables[64], 2)


def test_units_of_other_powers_of_ten_are_named_and_a_profile_is_in_kwh(
    at_the_line: Callable[[OtherMeter], None], command_line: Rig, tmp_path: Path
) -> None:
    make = Make(order=1)
    device = other_meter(make)
    units = ("kW delivered", "MWh delivered", "Wh delivered")
    device.tables[12] = b"".join(make.u(4, UNITS[name]) for name in units)
    at_the_line(device)
    assert command_line("read", "port", "--out", "other.json", "--profile").status == 0
    for part in ("registers", "profile"):
        assert command_line("report", "other.json", "--part", part, "--out", f"{part}.csv").status == 0
    energies = {r["quantity"]: r["value"] for r in rows(tmp_path / "registers.csv") if r["register"] == "energy"}
    assert list(energies) == ["MWh delivered", "Wh delivered"]
    profile = rows(tmp_path / "profile.csv")
    assert [number(row["kWh delivered"]) for row in profile] == [f"{text}000" if text != "0" else "0" for text in KWH]
    assert [row["kWh delivered #2"] for row in profile][:2] == ["0.001", "0.002"]


@pytest.mark.parametrize(
    ("minutes", "unit", "names"),
    [
        (20, 8 | 2 << 11, ["kV", "kV #2"]),
        (120, 33, ["Hz", "Hz #2"]),
        (255, 77, ["unit 77", "unit 77 #2"]),
        (2, 10, ["V²h", "V²h #2"]),
    ],
)
def test_a_profile_of_other_units_and_lengths_is_reported_from_its_own_csv(
    minutes: int, unit: int, names: list[str], command_line: Rig, tmp_path: Path
) -> None:
    whole = Make().tables()
    whole[61] = whole[61][:-1] + bytes((minutes,))
    whole[12] = unit.to_bytes(4, "little") * 3
    tables = [TableRead(n, f"ST{n}", "", data.hex()) for n, data in sorted(whole.items())]
    (tmp_path / "other.json").write_bytes(encoded(msgspec.structs.replace(READOUT, tables=tables)))
    assert command_line("report", "other.json", "--out", "one.csv").status == 0
    done = command_line("report", "one.csv", "--out", "two.csv", "--out", "two.html")
    assert done.status == 0, done
    assert rows(tmp_path / "two.csv") == rows(tmp_path / "one.csv")
    assert list(rows(tmp_path / "two.csv")[0]) == ["end_local", "flags", *names]
    assert len(rows(tmp_path / "two.csv")) == 7
    assert f"intervals of {minutes} min: 7" in (tmp_path / "two.html").read_text()


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize(
    ("bits", "said"),
    [((1, 0), "clock set 2026-11-01 02:00 to 2026-11-01 01:00"), ((0, 0), "at a time that was there already")],
)
def test_the_doubled_hour_of_autumn_stays_in_its_order(
    newest_first: bool, bits: tuple[int, int], said: str, command_line: Rig, tmp_path: Path
) -> None:
    """Two blocks of four quarters of an hour, both until 2 o'clock; bit 0 of the common status is daylight saving."""
    make = Make()
    whole = make.tables()
    end = make.stime(AT.replace(month=11, day=1, hour=2, minute=0))
    reads = make.number(1) * 2

    def block(bit: int, counts: tuple[int, ...]) -> bytes:
        made = [bytes((bit << 4, 0)) + make.u(2, count) * 2 for count in counts]
        return end + reads + b"".join(made[::-1] if newest_first else made)

    whole[63] = (
        bytes((newest_first << 4,)) + make.u(2, 2) + make.u(2, 1) + make.u(4, 9) + make.u(2, 0) + make.u(2, 4)
    )  # fmt: skip
    whole[64] = block(bits[0], (4, 8, 12, 16)) + block(bits[1], (20, 24, 28, 32))
    tables = [TableRead(n, f"ST{n}", "", data.hex()) for n, data in sorted(whole.items())]
    (tmp_path / "other.json").write_bytes(encoded(msgspec.structs.replace(READOUT, tables=tables)))
    assert command_line("report", "other.json", "--out", "p.csv", "--out", "p.html").status == 0
    found = [(row["end_local"][11:16], number(row["kWh delivered"])) for row in rows(tmp_path / "p.csv")]
    assert found == list(zip(["01:15", "01:30", "01:45", "02:00"] * 2, "12345678", strict=True))
    assert said in (tmp_path / "p.html").read_text()


def set_two(make: Make) -> dict[int, bytes]:
    """A second set and no first: circular, newest interval first, simple status, signed bytes, no scalars."""
    blocks = [
        make.stime(CLOCK.replace(hour=hour, minute=0, second=0)) + b"\x03" + bytes(counts)
        for hour, counts in ((3, (7, 8)), (1, (0xFE, 2)), (2, (5, 6)))
    ]
    flags = 1 << 11
    return {
        61: make.u(4, 9) + make.u(2, flags) + b"\x08" + make.u(2, 3) + make.u(2, 2) + bytes((1, 30)),
        62: bytes((0, 2, 0, 8)),
        63: bytes((1 << 2 | 1 << 4,)) + make.u(2, 3) + make.u(2, 0) + make.u(4, 9) + make.u(2, 0) + make.u(2, 2),
        65: b"".join(blocks),
    }


def test_a_second_set_that_goes_round(
    at_the_line: Callable[[OtherMeter], None], command_line: Rig, tmp_path: Path
) -> None:
    make = Make(order=1, times=3)
    device = other_meter(make)
    del device.tables[64]
    device.tables |= set_two(make)
    device.tables[0] = make.st0({n for n in device.tables if n < 2048})
    at_the_line(device)
    assert command_line("read", "port", "--out", "other.json", "--profile").status == 0
    assert command_line("report", "other.json", "--part", "profile", "--out", "p.csv").status == 0
    assert [(row["end_local"][11:16], number(row["kWh delivered"])) for row in rows(tmp_path / "p.csv")] == [
        ("00:30", "2"), ("01:00", "-2"), ("01:30", "6"), ("02:00", "5"), ("02:30", "8"), ("03:00", "7"),
    ]  # fmt: skip


X = 0
"""No entry: a place that was never written."""


@pytest.mark.parametrize(
    ("status", "newest", "self_reads", "events"),
    [
        (0, 2, (100, 200, 300, X), (1, 2, X)),
        (1, 0, (300, 200, 100, X), (2, 1, X)),
        (4, 0, (300, X, 100, 200), (2, X, 1)),
        (5, 2, (100, X, 300, 200), (1, X, 2)),
        (4, 9, (100, 200, 300, X), (1, 2, X)),
    ],
    ids=["in order", "against it", "round", "round against it", "round from nowhere"],
)
def test_lists_are_read_in_their_own_order(
    status: int, newest: int, self_reads: tuple[int, ...], events: tuple[int, ...], command_line: Rig, tmp_path: Path
) -> None:
    """Three self-reads of 100, 200 and 300 kWh at 1, 2 and 3 o'clock in four places, two events in three."""
    make = Make()

    def self_read(kwh: int) -> bytes:
        at = make.stime(AT.replace(hour=kwh // 100, minute=0) if kwh else None)
        block = make.number(kwh) + make.number(0) + make.stime(AT) + make.number(0)
        return at + b"\x07" + block * 3

    def event(sequence: int) -> bytes:
        at = make.ltime(AT.replace(minute=sequence))
        return at + b"".join(make.u(2, value) for value in (sequence, 1, sequence)) + b"\xab\xcd"

    whole = make.tables()
    whole[21] = bytes((0b110, 0, 4, 2, 1, 0, 1, 2, 1, 0))
    whole[26] = bytes((status, 3, newest)) + make.u(2, 9) + b"\x00" + b"".join(map(self_read, self_reads))
    newest_event = 9 if newest == 9 else events.index(2)
    whole[74] = (
        bytes((status,)) + make.u(2, 2) + make.u(2, newest_event) + make.u(4, 2) + make.u(2, 0)
        + b"".join(map(event, events))
    )  # fmt: skip
    whole[0] = make.st0({n for n in whole if n < 2048})
    tables = [TableRead(n, f"ST{n}", "", data.hex()) for n, data in sorted(whole.items())]
    (tmp_path / "other.json").write_bytes(encoded(msgspec.structs.replace(READOUT, tables=tables)))
    for part in ("registers", "events"):
        assert command_line("report", "other.json", "--part", part, "--out", f"{part}.csv").status == 0
    read = [row for row in rows(tmp_path / "registers.csv") if (row["set"], row["rate"]) == ("self-read", "")]
    assert [(row["at"][11:13], number(row["value"])) for row in read if row["quantity"] == "kWh delivered"] == [
        ("01", "100"), ("02", "200"), ("03", "300"),
    ]  # fmt: skip
    assert [row["event"] for row in rows(tmp_path / "events.csv")] == ["power down", "power up"]


@pytest.mark.parametrize(
    "change",
    [
        {21: bytes((0b110, 0, 0, 2, 1, 0, 0, 2, 1, 0))},  # no occurrence: a demand without a value
        {61: b"\x00" * 7 + b"\x03\x00\x04\x00\x02\x00"},  # intervals of no minutes
        {63: b"\xff" * 13},
        {62: b"\x00" * 15},
        {
            61: b"\x00" * 4 + b"\x10\x00\x02\x03\x00\x04\x00\x02\x0f",
            62: bytes((0, 2, 0, 0, 3, 0, 255)),
            64: (b"\x1a\x0b\x1e\x01\x00" + b"%21d" % 1 * 2) * 3,
        },  # counts of no format
        {16: b""},
        {12: b"\xff" * 12},
        {22: b"\xff" * 4},
        {71: b"\xff" * 9},
        {74: b""},
        {51: b"\xff" * 9},
        {0: b"\x02"},
    ],
    ids=lambda change: "ST" + "".join(map(str, change)),
)
def test_tables_that_do_not_fit_each_other_are_reported_as_far_as_they_do(
    change: dict[int, bytes], command_line: Rig, tmp_path: Path
) -> None:
    """A file of such a reading: damaged meters too are shown and reported, without a traceback."""
    whole = Make().tables()
    tables = [TableRead(n, f"ST{n}", "", data.hex()) for n, data in sorted((whole | change).items())]
    (tmp_path / "other.json").write_bytes(encoded(msgspec.structs.replace(READOUT, tables=tables)))
    for words in (("read", "--show", "other.json"), ("read", "--show", "other.json", "--json")):
        done = command_line(*words)
        assert (done.status, "Traceback" in done.err) == (0, False), done
    done = command_line("report", "other.json", "--out", "r.html", "--force")
    assert (done.status, "Traceback" in done.err) == (0, False), done


def test_an_st0_without_its_last_sets_and_one_with_more_behind_them(
    at_the_line: Callable[[OtherMeter], None], command_line: Rig, tmp_path: Path
) -> None:
    for change in (lambda data: data[: 19 + 18 + 1], lambda data: data + b"of a later edition"):
        device = other_meter(Make())
        device.tables[0] = change(device.tables[0])
        at_the_line(device)
        assert command_line("read", "port", "--out", "other.json", "--force").status == 0
        reading = load_reading(tmp_path / "other.json")
        assert {table.table for table in reading.tables} == device.tables.keys() - {64}


def test_only_some_tables_come_with_what_decodes_them(
    at_the_line: Callable[[OtherMeter], None], command_line: Rig, tmp_path: Path
) -> None:
    device = other_meter(Make())
    at_the_line(device)
    done = command_line("read", "port", "--tables", "ST64,74,3,MT3", "--json")
    assert done.status == 0, done
    found = {table["title"]: table["values"] is not None for table in json.loads(done.out)["tables"]}
    assert found == {
        "ST0": True, "ST1": True, "ST3": True, "ST5": True, "ST61": True, "ST62": True, "ST63": True, "ST64": True,
        "ST71": True, "ST74": True, "MT3": False,
    }  # fmt: skip


def test_sets_are_bit_by_bit() -> None:
    """The witness itself: bit n is byte n / 8, bit n % 8 (facts on C12.19, §2.1)."""
    assert sets({0, 9, 143}, 18) == b"\x01\x02" + bytes(15) + b"\x80"
