"""Clock and calendar by C12.19: rates that a reader of ST51 to ST54 finds are the meter's own (X-1, T-1)."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.communication.c1219.layout import Scope, decode_table
from rig.communication.c1219.time_tables import CALENDAR, TIME_DIMENSIONS
from rig.files.strict_toml import convert
from rig.program import schema
from rig.program.build import Program, build
from tests.rig.communication import table_decoder as witness
from tests.rig.communication.table_bench import MeterTables
from tests.rig.reading.read_meters import lived, program

TARIFF = """
[clock]
{clock}
[[tou.seasons]]
name = "summer"
begins = "first Sunday of May"
weekday = ["00:00 C", "07:00 A", "11:37 D", "20:00 B"]
saturday = ["00:00 C", "17:00 A"]
[[tou.seasons]]
name = "winter"
begins = "11-01"
weekday = ["00:00 D", "06:30 A"]
sunday = ["00:00 C"]
holiday = ["00:00 B"]
[[tou.holidays]]
name = "Canada Day"
date = "07-01"
observed = "next Monday"
[[tou.holidays]]
name = "Good Friday"
date = "Good Friday"
[[tou.holidays]]
name = "Labour Day"
date = "first Monday of September"
"""
CLOCKS = {
    "Toronto": 'zone = "America/Toronto"',
    "Sydney": 'zone = "Australia/Sydney"',
    "UTC": "",
    "rule": 'standard_offset = "-06:00"\n'
    'dst_begin = "second Sunday of March 02:00"\ndst_end = "first Sunday of November 02:00"',
}
BEGIN = datetime(2026, 10, 31, 22, tzinfo=UTC)
DST_ON, DST_OFF, SEASON, HOLIDAY = 1, 2, 3, 19


@cache
def tariff(clock: str) -> tuple[Program, witness.TariffTable, bytes]:
    made = build(convert(tomllib.loads(TARIFF.format(clock=CLOCKS[clock])), schema.ProgramFile))
    tables = MeterTables(lived(made, [])[0])
    table = witness.st54(tables.data(54), witness.st51(tables.data(51)))
    return made, table, tables.data(53)


@pytest.mark.parametrize("clock", CLOCKS)
@given(second=st.integers(0, int(timedelta(days=4 * 365).total_seconds())))
@settings(max_examples=150)
def test_the_rate_by_the_tables_is_the_meters(clock: str, second: int) -> None:
    made, table, _ = tariff(clock)
    calendar = made.billing.calendar
    at = BEGIN + timedelta(seconds=second)
    utc_ns = int(at.timestamp()) * 10**9
    local = calendar.local(utc_ns)
    today = (local.year, local.month, local.day)
    begun = [(day, action - SEASON) for day, action in table.dates if SEASON <= action < HOLIDAY and day <= today]
    assert begun or local.year == 2026
    season = max(begun)[1] if begun else [a - SEASON for d, a in sorted(table.dates) if SEASON <= a < HOLIDAY][-1]
    special = (today, HOLIDAY) in table.dates
    kind = 3 if special else {5: 0, 6: 1}.get(local.weekday(), 2)
    span = calendar.span(utc_ns)
    assert season == span.season
    assert table.rate(season, kind, 60 * local.hour + local.minute) == span.rate


@pytest.mark.parametrize("clock", CLOCKS)
def test_daylight_saving_is_where_the_zone_has_it(clock: str) -> None:
    made, table, offset = tariff(clock)
    zone = made.billing.calendar.zone
    expected = []
    for n in range(5 * 365):
        day = date(2026, 1, 1) + timedelta(days=n)
        noon, before = (datetime(d.year, d.month, d.day, 12, tzinfo=zone) for d in (day, day - timedelta(days=1)))
        change = (noon.utcoffset() or timedelta()) - (before.utcoffset() or timedelta())
        if change:
            expected.append(((day.year, day.month, day.day), DST_ON if change > timedelta() else DST_OFF))
    assert [entry for entry in table.dates if entry[1] in (DST_ON, DST_OFF)] == expected
    standard = {"Toronto": -300, "Sydney": 600, "UTC": 0, "rule": -360}[clock]
    assert int.from_bytes(offset[4:], "little", signed=True) == standard
    assert (offset[0], offset[3]) == ((2, 60) if expected else (0, 0))


def test_the_clock_and_its_state() -> None:
    kept, _ = lived(program("block"), [("force", (3,)), ("idle", (3600,))])
    tables = MeterTables(kept)
    data = tables.data(55)
    local = kept.program.billing.calendar.local(kept.now_ns)
    assert data[:6] == bytes((local.year - 2000, local.month, local.day, local.hour, local.minute, local.second))
    assert data[6] & 7 == local.isoweekday() % 7
    assert bool(data[6] & 8) == bool(local.dst())
    status = int.from_bytes(data[7:], "little")
    assert (status & 7, status >> 3 & 7, status >> 6 & 3, status >> 8 & 15, status >> 12) == (3, 3, 1, 15, 0)
    assert tables.data(52) == data[:7]
    kept, _ = lived(program("block"), [])
    assert MeterTables(kept).data(56) == (6 * 60).to_bytes(2, "little") + b"\0", "Saturday 18:00; rate D at midnight"


def test_epris_table_51() -> None:
    """c12.md §1.5's sample, from EPRI's c12test; its size is that of the dates, switches and schedules it counts."""
    found = decode_table(TIME_DIMENSIONS, bytes.fromhex("00001400283200 1E01"), Scope({}))
    assert found["CALENDAR_FUNC"] == {"NBR_SEASONS": 4, "NBR_SPECIAL_SCHED": 1}
    assert (found["NBR_NON_RECURR_DATES"], found["NBR_RECURR_DATES"], found["NBR_TIER_SWITCHES"]) == (0, 40, 50)
    assert found["CALENDAR_TBL_SIZE"] == 286 == 3 * 40 + 3 * 50 + 4 * (3 + 1)
    assert witness.st51(bytes.fromhex("000014002832001E01"))["size"] == 286


def test_the_codec_gives_back_what_it_decodes() -> None:
    tables = MeterTables(lived(program("block"), [])[0])
    limits: dict[int, Any] = {51: decode_table(TIME_DIMENSIONS, tables.data(51), Scope({}))}
    data = tables.data(54)
    assert CALENDAR.encode(decode_table(CALENDAR, data, Scope(limits)), Scope(limits)) == data
