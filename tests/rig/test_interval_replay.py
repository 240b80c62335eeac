"""Loads through the meter's billing: months, rates, demand and recorder, against sums made here and against a year and
a day of real load with reference values."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from rig.cli.bill import Stamps, bill
from rig.files.strict_toml import ConfigError
from rig.meter.billing.billing import Billing, MeterEvent
from rig.meter.billing.demand import DemandSettings
from rig.meter.billing.energy_interval import EnergyInterval
from rig.meter.billing.events import ProfileWords
from rig.meter.billing.profile_words import Count, decode
from rig.meter.billing.quantity import NANO, NANO_PER_KILO, Quadrant, Quantity
from rig.profile.stored import stored_profile
from rig.program.build import Program, load_program
from rig.replay.intervals.file import read_intervals
from rig.replay.intervals.replay import Replay
from rig.replay.intervals.report import Report
from rig.store.check import check
from rig.store.errors import StoreError
from rig.store.reading import HistoryReader
from rig.store.saved_meter import decode_saved
from rig.store.store import Store
from rig.terminal.intervals_view import report as view

ROOT = Path(__file__).parents[2]
TORONTO = ZoneInfo("America/Toronto")

FLAT = """
[demand]
interval_minutes = 30
quantities = ["kW delivered", "kW received"]
"""
TOU = """
[clock]
zone = "America/Toronto"

[demand]
interval_minutes = 30
quantities = ["kW delivered"]

[[tou.seasons]]
name = "summer"
begins = "05-01"
weekday = ["00:00 C", "07:00 B", "11:00 A", "17:00 B", "19:00 C"]
saturday = ["00:00 C"]

[[tou.seasons]]
name = "winter"
begins = "11-01"
weekday = ["00:00 C", "07:00 A", "11:00 B", "17:00 A", "19:00 C"]
saturday = ["00:00 C"]
"""


def programmed(folder: Path, text: str) -> Program:
    path = folder / "meter.toml"
    path.write_text(text)
    return load_program(path)


def replayed(
    folder: Path, program: Program, text: str, *, ends: bool = True, words: list[int] | None = None
) -> tuple[Report, Replay]:
    path = folder / "load.csv"
    path.write_text(text)
    replay = Replay(read_intervals(path, program.billing.calendar, stamps_end=ends), program, stamps_end=ends)

    def keep(events: list[MeterEvent]) -> None:
        for happening in events:
            if isinstance(happening, ProfileWords) and words is not None:
                assert happening.first == len(words)
                words.extend(happening.words)

    return replay.run(keep=keep), replay


def with_demand(program: Program, text: str) -> Program:
    assert program.billing.demand is not None
    demand = DemandSettings.parse(text, program.billing.demand.quantities)
    return replace(program, billing=replace(program.billing, demand=demand))


def record(begin: datetime, minutes: int, columns: dict[str, list[str]]) -> str:
    """A file with the ends of its intervals, and their offsets."""
    lines = [",".join(("time", *columns))]
    for k, cells in enumerate(zip(*columns.values(), strict=True), 1):
        end = (begin + timedelta(minutes=minutes) * k).astimezone(begin.tzinfo)
        lines.append(",".join((end.isoformat(), *cells)))
    return "\n".join(lines)


# --- real loads -----------------------------------------------------------------------------------------------

REFERENCE_TOU = (
    FLAT
    + """
[[tou.seasons]]
name = "all year"
begins = "01-01"
weekday = ["00:00 C", "07:00 B", "14:00 A", "20:00 B", "22:00 C"]
saturday = ["00:00 C", "07:00 B", "22:00 C"]
"""
)
"""A is the reference's peak, B its shoulder, C its off-peak."""


@pytest.fixture(scope="module")
def year(waveforms: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, dict[str, Any]]:
    """A house with panels: what it took less what they gave is delivered, or received."""
    folder = tmp_path_factory.mktemp("year")
    with (waveforms / "interval_ausgrid_netmeter" / "data_2011-2012.csv").open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    lines = ["time,kwh_delivered,kwh_received"]
    for stamp, taken, given_ in rows:
        net = Decimal(taken) - Decimal(given_)
        lines.append(f"{stamp},{max(net, 0)},{max(-net, 0)}")
    report, _ = replayed(folder, programmed(folder, REFERENCE_TOU), "\n".join(lines), ends=False)
    found = json.loads((waveforms / "interval_ausgrid_netmeter" / "reference.json").read_text())
    return report, found["records"]["data_2011-2012.csv"]


def test_a_year_of_a_house_with_panels(year: tuple[Report, dict[str, Any]]) -> None:
    report, reference = year
    assert report.totals["kwh_delivered"] == reference["net_import_kWh"]
    assert report.totals["kwh_received"] == reference["net_export_kWh"]
    assert report.totals["kwh_net"] == reference["net_kWh"]
    assert report.max_demand is not None
    assert report.max_demand["kw"] == reference["max_import_demand_kW_30min"]
    assert report.max_demand["time"] == reference["at"].replace(" ", "T")
    assert (report.intervals, report.begin) == (reference["rows"], reference["first"].replace(" ", "T"))
    assert report.notes == []


def test_its_months_and_rates(year: tuple[Report, dict[str, Any]]) -> None:
    report, reference = year
    assert list(report.months) == list(reference["months"])
    for name, month in reference["months"].items():
        found = report.months[name]
        assert found["kwh_delivered"] == month["import_kWh"]
        assert found["kwh_received"] == month["export_kWh"]
        assert found["max_kw"] == month["max_import_kW"]
        assert found["max_kw_received"] == month["max_export_kW"]
        by_rate = {rate: registers["kwh_delivered"] for rate, registers in found["rates"].items()}
        assert by_rate == {"A": month["peak_kWh"], "B": month["shoulder_kWh"], "C": month["offpeak_kWh"]}


@pytest.mark.parametrize(
    ("demand", "of"),
    [
        ("block:15", "block15"), ("sliding:5x3", "rolling15_sub5"),
        ("block:30", "block30"), ("sliding:5x6", "rolling30_sub5"),
    ],
)  # fmt: skip
def test_a_day_of_a_transformer(waveforms: Path, tmp_path: Path, demand: str, of: str) -> None:
    with (waveforms / "interval_transformer_5min" / "123A.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    # A twelfth of two decimals has no end: forty decimals leave less than a nWh of all of them.
    lines = [f"{row['datetime']},{Decimal(row['power']) / 12:.25f}" for row in rows]
    text = "time,kwh_delivered\n" + "\n".join(lines)
    report, _ = replayed(tmp_path, with_demand(programmed(tmp_path, FLAT), demand), text, ends=False)
    reference = json.loads((waveforms / "interval_transformer_5min" / "reference.json").read_text())["records"][
        "123A.csv"
    ]
    assert report.totals["kwh_delivered"] == reference["kWh"]
    assert report.max_demand is not None
    assert report.max_demand["kw"] == reference[of]["max_kW"]
    begin = datetime(2020, 1, 1) + timedelta(minutes=5) * reference[of]["at_row"]
    assert report.max_demand["begin"] == begin.isoformat()


# --- sums made here -------------------------------------------------------------------------------------------

_BEGIN = datetime(2024, 10, 30, tzinfo=TORONTO)
_QUARTERS = 5 * 96 + 4
"""Through the end of a month and a season, and a day of 25 hours."""


def the_rate(local: datetime) -> str:
    """Of TOU, written down once more."""
    if local.weekday() >= 5:
        return "C"
    on, mid = ("B", "A") if local.month in range(5, 11) else ("A", "B")
    return "C" if not 7 <= local.hour < 19 else mid if 11 <= local.hour < 17 else on


@given(st.lists(st.integers(0, 9999), min_size=_QUARTERS, max_size=_QUARTERS))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=8)
def test_registers_are_the_sums(tmp_path: Path, wh: list[int]) -> None:
    start = _BEGIN.astimezone(UTC)
    text = record(start, 15, {"kwh_delivered": [str(Decimal(e) / 1000) for e in wh]}).replace("+00:00", "Z")
    report, _ = replayed(tmp_path, programmed(tmp_path, TOU), text)

    months: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    seasons: dict[str, int] = defaultdict(int)
    blocks: dict[datetime, int] = defaultdict(int)
    for k, energy in enumerate(wh):
        at = start + timedelta(minutes=15) * k
        local = at.astimezone(TORONTO)
        months[local.strftime("%Y-%m")][the_rate(local)] += energy
        seasons["summer" if local.month in range(5, 11) else "winter"] += energy
        blocks[at.replace(minute=at.minute // 30 * 30)] += energy

    assert report.totals["kwh_delivered"] == sum(wh) / 1000
    assert report.months.keys() == months.keys()
    for name, rates in months.items():
        found = report.months[name]
        assert found["kwh_delivered"] == sum(rates.values()) / 1000
        assert {r: v["kwh_delivered"] for r, v in found["rates"].items()} == {r: rates[r] / 1000 for r in report.rates}
        of_month = [(e, at) for at, e in blocks.items() if at.astimezone(TORONTO).strftime("%Y-%m") == name]
        top, at = max(of_month, key=lambda one: (one[0], -one[1].timestamp()))
        assert found["max_kw"] == (2 * top / 1000 if top else None)
        if top:
            assert datetime.fromisoformat(found["max_kw_time"]) == at + timedelta(minutes=30)
        assert report.seasons["summer" if name == "2024-10" else "winter"]["max_kw"] == found["max_kw"]
    assert {name: found["kwh_delivered"] for name, found in report.seasons.items()} == {
        name: energy / 1000 for name, energy in seasons.items()
    }
    for rate, registers in report.rates.items():
        assert registers["kwh_delivered"] == sum(rates[rate] for rates in months.values()) / 1000
    assert list(report.rates) == ["A", "B", "C"], "C-9: those of the program, whether they have energy or not"
    assert [(p.season, p.begin, p.end) for p in report.season_periods] == [
        ("summer", "2024-10-30T00:00:00-04:00", "2024-11-01T00:00:00-04:00"),
        ("winter", "2024-11-01T00:00:00-04:00", "2024-11-04T00:00:00-05:00"),
    ]
    (reset,) = report.resets
    assert (reset.time, reset.cause) == ("2024-11-01T00:00:00-04:00", "season")
    assert reset.registers["kwh_delivered"] == report.months["2024-10"]["kwh_delivered"]
    assert reset.registers["max_kw"] == report.months["2024-10"]["max_kw"]
    assert report.totals["max_kw"] == max((2 * e / 1000 for e in blocks.values() if e), default=None)
    assert [line.event for line in report.events] == ["demand reset", "season change", "daylight saving off"]


@given(st.lists(st.integers(0, 9999), min_size=30, max_size=60), st.integers(2, 4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
def test_sliding_demand_is_that_of_every_window(tmp_path: Path, wh: list[int], count: int) -> None:
    program = with_demand(programmed(tmp_path, FLAT), f"sliding:15x{count}")
    text = record(datetime(2024, 1, 1, tzinfo=UTC), 15, {"kwh_delivered": [str(Decimal(e) / 1000) for e in wh]})
    report, _ = replayed(tmp_path, program, text)
    windows = [sum(wh[max(0, k + 1 - count) : k + 1]) for k in range(len(wh))]
    top = max(windows)
    end = datetime(2024, 1, 1) + timedelta(minutes=15) * (windows.index(top) + 1)
    assert report.max_demand == (
        {
            "kw": float(round(Fraction(top * 60, 15 * count * 1000), 9)),
            "time": end.isoformat(),
            "begin": (end - timedelta(minutes=15 * count)).isoformat(),
            "end": end.isoformat(),
        }
        if top
        else None
    )


@given(st.lists(st.integers(0, 9999), min_size=2, max_size=40), st.sampled_from([1, 5, 15, 30, 60]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
def test_thermal_demand_is_the_closed_form(tmp_path: Path, wh: list[int], minutes: int) -> None:
    program = with_demand(programmed(tmp_path, FLAT), "thermal:15")
    text = record(datetime(2024, 1, 1, tzinfo=UTC), minutes, {"kwh_delivered": [str(Decimal(e) / 1000) for e in wh]})
    report, _ = replayed(tmp_path, program, text)
    levels = [0.0]
    for energy in wh:
        power = energy / 1000 * 60 / minutes
        levels.append(power + (levels[-1] - power) * 10 ** (-minutes / 15))  # 90 % in 15 min
    if not any(wh):
        assert report.max_demand is None
        return
    assert report.max_demand is not None
    # 9.2 nW by nWh that were cut off (rig/meter/billing/averaging.py), and the report's own rounding to nine decimals.
    assert report.max_demand["kw"] == pytest.approx(max(levels), rel=1e-12, abs=1e-9)
    at = (datetime.fromisoformat(report.max_demand["time"]) - datetime(2024, 1, 1)) // timedelta(minutes=minutes)
    assert levels[at] == pytest.approx(max(levels), rel=1e-12, abs=1e-9)
    assert report.max_demand["begin"] is None
    assert report.months["2024-01"]["max_kw"] == report.totals["max_kw"]


def test_a_month_begins_with_the_pointer_where_it_is(tmp_path: Path) -> None:
    """Thermal demand falls from the old month's load: the new month's highest is at its begin."""
    program = with_demand(programmed(tmp_path, FLAT), "thermal:15")
    text = record(datetime(2024, 1, 31, tzinfo=UTC), 60, {"kwh_delivered": ["1"] * 24 + ["0"] * 24})
    report, _ = replayed(tmp_path, program, text)
    february = report.months["2024-02"]
    assert february["kwh_delivered"] == 0
    assert february["max_kw"] == pytest.approx(1, abs=1e-9)
    assert february["max_kw_time"] == "2024-02-01T00:00:00"


def test_energy_is_spread_evenly_over_boundaries(tmp_path: Path) -> None:
    """Intervals of 40 min begin at 23:40 before a month's end: half of one is of either month, a third of rate B."""
    text = record(datetime(2024, 6, 30, 23, 40, tzinfo=TORONTO), 40, {"kwh_delivered": ["0.4"] * 15})
    report, _ = replayed(tmp_path, programmed(tmp_path, TOU), text)
    assert report.months["2024-06"]["kwh_delivered"] == 0.2
    assert report.months["2024-07"]["kwh_delivered"] == 5.8
    by_rate = {rate: r["kwh_delivered"] for rate, r in report.months["2024-07"]["rates"].items()}
    assert by_rate == {"A": 0.0, "B": 1.6, "C": 4.2}
    assert report.max_demand is not None
    assert report.max_demand["kw"] == 0.6
    (note,) = report.notes
    assert note.startswith("intervals of 40 min are longer than the 30 min of demand: energy is spread evenly")


def test_seasons_that_come_again_are_one_and_stand_apart(tmp_path: Path) -> None:
    """Two years of days; each has a kWh more than the one before."""
    days = [datetime(2023, 1, 1, tzinfo=TORONTO) + timedelta(days=k) for k in range(731)]
    lines = [f"{day.date()},{k + 1}" for k, day in enumerate(days)]
    report, _ = replayed(tmp_path, programmed(tmp_path, TOU), "time,kwh_delivered\n" + "\n".join(lines), ends=False)
    seasons = ["summer" if day.month in range(5, 11) else "winter" for day in days]
    for name in ("summer", "winter"):
        found = report.seasons[name]
        assert found["kwh_delivered"] == sum(k for k, season in enumerate(seasons, 1) if season == name)
        of_rates = sum(registers["kwh_delivered"] for registers in found["rates"].values())
        assert of_rates == pytest.approx(found["kwh_delivered"], rel=1e-12)
        last = len(seasons) - seasons[::-1].index(name)
        assert found["max_kw"] == round(last / 24, 9)  # a day of 24 hours
    assert [period.season for period in report.season_periods] == ["winter", "summer", "winter", "summer", "winter"]
    assert [period.begin[:10] for period in report.season_periods[1:]] == [
        "2023-05-01", "2023-11-01", "2024-05-01", "2024-11-01",
    ]  # fmt: skip
    assert [reset.cause for reset in report.resets] == ["season"] * 4


def test_months_of_a_gap_are_there(tmp_path: Path) -> None:
    text = "time,kwh_delivered\n2024-01-31T23:30,1\n2024-02-01T00:00,1\n2024-04-01T00:30,1\n2024-04-01T01:00,1\n"
    report, _ = replayed(tmp_path, programmed(tmp_path, FLAT), text)
    assert {name: month["kwh_delivered"] for name, month in report.months.items()} == {
        "2024-01": 2.0, "2024-02": 0.0, "2024-03": 0.0, "2024-04": 2.0,
    }  # fmt: skip
    assert report.months["2024-03"]["max_kw"] is None
    assert report.notes == ["nothing from 2024-02-01T00:00 to 2024-04-01T00:00: no energy in that time"]


# --- both directions, and vars --------------------------------------------------------------------------------


def test_quadrants_of_an_interval_with_energy_both_ways(tmp_path: Path) -> None:
    program = programmed(tmp_path, FLAT.replace('"kW received"', '"kW received", "kVA td"'))
    columns = {
        "kwh_delivered": ["3", "0", "1", "0"], "kwh_received": ["0", "6", "2", "0"],
        "kvarh_lagging": ["4", "0", "0.5", "0.25"], "kvarh_leading": ["0", "8", "0", "0"],
    }  # fmt: skip
    report, _ = replayed(tmp_path, program, record(datetime(2024, 1, 1, tzinfo=UTC), 30, columns))
    totals = report.totals
    assert [totals[f"kwh_{name}"] for name in ("delivered", "received", "net")] == [4, 8, -4]
    assert [totals[f"kvarh_{name}"] for name in ("lagging", "leading", "net")] == [4.75, 8, -3.25]
    # √(3²+4²) + √(6²+8²) + 1 in Q1 beside √(2²+0.5²) in Q3, + 0.25
    assert totals["kvah_td"] == pytest.approx(5 + 10 + 1 + 4.25**0.5 + 0.25, abs=1e-9)
    assert (totals["max_kw"], totals["max_kw_received"], totals["max_kva_td"]) == (6, 12, 20)


def test_less_than_a_nwh_is_carried_on(tmp_path: Path) -> None:
    """A third of a nWh in each of nine intervals are three."""
    third = f"0.{'0' * 12}{'3' * 28}"
    begin = datetime(2024, 1, 1, tzinfo=UTC)
    _, replay = replayed(tmp_path, programmed(tmp_path, FLAT), record(begin, 15, {"kwh_delivered": [third] * 10}))
    assert replay.billing.registers.energy(Quantity.KWH_DELIVERED) == 3


@pytest.mark.parametrize("model", ["AXS4", "AXLS4"])
def test_vars_are_left_out_by_a_model_without_them(tmp_path: Path, model: str) -> None:
    columns = {"kwh_delivered": ["1", "2"], "kwh_received": ["0", "1"], "kvarh_lagging": ["5", "5"]}
    text = record(datetime(2024, 1, 1, tzinfo=UTC), 30, columns)
    report, replay = replayed(tmp_path, programmed(tmp_path, f'[meter]\nmodel = "{model}"\n'), text)
    assert report.notes[0] == f"model {model} registers no reactive energy: without kvarh_lagging"
    assert {key: value for key, value in report.totals.items() if "max" not in key} == {
        "kwh_delivered": 3, "kwh_received": 1, "kwh_net": 2,
    }  # fmt: skip
    assert replay.billing.registers.energy(Quantity.KVARH_LAGGING) == 0
    assert (report.demand, report.max_demand is None) == ((None, True) if model == "AXLS4" else ("block:15", False))


def test_ratios_divide_going_in_and_multiply_coming_out(tmp_path: Path) -> None:
    text = record(datetime(2024, 1, 1, tzinfo=UTC), 30, {"kwh_delivered": ["0.392", "0.578", "7.001"]})
    plain, meter = replayed(tmp_path, programmed(tmp_path, FLAT), text)
    ratios = '\n[meter]\nvt_ratio = "4200/120"\nct_ratio = "200/3"\n'
    primary, secondary = replayed(tmp_path, programmed(tmp_path, FLAT + ratios), text)
    assert primary.multiplier == pytest.approx(7000 / 3)
    assert primary.totals == plain.totals
    at_meter = secondary.billing.registers.energy(Quantity.KWH_DELIVERED)
    assert at_meter == meter.billing.registers.energy(Quantity.KWH_DELIVERED) * 3 // 7000


# --- recorder and self-reads ----------------------------------------------------------------------------------

RECORDER = (
    TOU
    + """
[meter]
model = "RXRS4"
ct_ratio = "40"

[recorder]
interval_minutes = 15
channels = [{ metric = "kWh delivered", pulse = "3/5" }, { metric = "kvarh leading", pulse = "0.7" }]

[self_read]
schedule = "monthly"
"""
)


@given(st.lists(st.tuples(st.integers(0, 99999), st.integers(0, 99999)), min_size=60, max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10)
def test_the_recorder_counts_what_the_registers_have_to_the_pulse(tmp_path: Path, rows: list[tuple[int, int]]) -> None:
    """Over the day of 25 hours, from intervals of 10 min."""
    whole = rows[: len(rows) // 3 * 3]  # so that the recorder's last interval is complete
    columns = {
        name: [str(Decimal(row[k]) / 1000) for row in whole]
        for k, name in enumerate(("kwh_delivered", "kvarh_leading"))
    }
    words: list[int] = []
    text = record(datetime(2024, 11, 2, 22, tzinfo=TORONTO).astimezone(UTC), 10, columns)
    report, replay = replayed(tmp_path, programmed(tmp_path, RECORDER), text, words=words)
    assert report.profile_words == len(words)
    counts = [word.pulses for word in map(decode, words) if isinstance(word, Count)]
    assert len(counts) == 2 * (len(whole) * 10 // 15)
    energy = replay.billing.registers.energy
    for counted, quantity, pulse in (
        (counts[::2], Quantity.KWH_DELIVERED, Fraction(3, 5)),
        (counts[1::2], Quantity.KVARH_LEADING, Fraction(7, 10)),
    ):
        assert sum(counted) == energy(quantity) // (pulse * NANO)
        assert sum(counted) * pulse * 40 <= sum(Fraction(e) for e in columns[_column(quantity)]) * 1000


def _column(quantity: Quantity) -> str:
    return quantity.value.lower().replace(" ", "_")


def test_monthly_self_reads_with_reset_have_the_months_maxima(tmp_path: Path) -> None:
    hours = 24 * (31 + 29 + 10)
    energies = [str(Decimal(k * 7919 % 1000) / 100) for k in range(hours)]
    text = record(datetime(2024, 1, 1, tzinfo=TORONTO), 60, {"kwh_delivered": energies})
    tail = '\n[self_read]\nschedule = "monthly"\nresets_demand = true\n'
    report, _ = replayed(tmp_path, programmed(tmp_path, TOU + tail), text)
    assert [reading.time[:10] for reading in report.self_reads] == ["2024-02-01", "2024-03-01"]
    assert report.resets == report.self_reads
    so_far = 0
    for reading, name in zip(report.self_reads, ("2024-01", "2024-02"), strict=True):
        month = report.months[name]
        so_far += round(100 * month["kwh_delivered"])
        assert reading.cause == "self read"
        assert round(100 * reading.registers["kwh_delivered"]) == so_far
        assert (reading.registers["max_kw"], reading.registers["max_kw_time"]) == (
            month["max_kw"],
            month["max_kw_time"],
        )
    assert report.totals["max_kw"] == max(month["max_kw"] for month in report.months.values())


def test_a_reset_is_of_what_asked_for_it(tmp_path: Path) -> None:
    """A self-read and a season's close on one midnight: only the one that the program says resets demand."""
    text = record(datetime(2024, 4, 30, 12, tzinfo=TORONTO), 30, {"kwh_delivered": [str(k % 7) for k in range(48)]})
    for read, season in (("true", "false"), ("false", "true"), ("true", "true")):
        settings = TOU.replace("[demand]", f"[demand]\nseason_change_resets = {season}", 1)
        tail = f'\n[self_read]\nschedule = "monthly"\nresets_demand = {read}\n'
        report, _ = replayed(tmp_path, programmed(tmp_path, settings + tail), text)
        (reset,) = report.resets
        (logged,) = (line for line in report.events if line.event == "demand reset")
        assert reset.cause == logged.details["cause"] == ("season" if season == "true" else "self read")
        assert reset.registers["max_kw"] == 12


# --- what people see ------------------------------------------------------------------------------------------


def test_the_view_fits_eighty_columns(tmp_path: Path) -> None:
    columns = {
        "kwh_delivered": ["12345.678"] * 96, "kwh_received": ["99.5"] * 96,
        "kvarh_lagging": ["5"] * 96, "kvarh_leading": ["55555.5"] * 96,
    }  # fmt: skip
    text = record(datetime(2024, 10, 31, tzinfo=TORONTO), 30, columns)
    report, _ = replayed(tmp_path, programmed(tmp_path, RECORDER), text)
    console = Console(file=io.StringIO(), width=80)
    console.print(view(report))
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert shown.startswith("SIMULATED (window)\n")
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= 80
    for figure in (
        "1185185.09",
        "592592.54",
        "24691.356",
        "2024-10-31 summer",
        "2024-11-01 season",
        "2024-11-01 00:00",
    ):
        assert figure in shown, shown
    assert re.search(r"meter +RXRS4, program [0-9a-f]{12}, times 40 *\n", shown)


def test_of_many_self_reads_the_latest_are_shown(tmp_path: Path) -> None:
    text = record(datetime(2024, 1, 1, tzinfo=UTC), 60, {"kwh_delivered": ["1"] * 20})
    program = programmed(tmp_path, FLAT + '[self_read]\nschedule = "hours"\nhours = 1\n')
    report, _ = replayed(tmp_path, program, text)
    assert len(report.self_reads) == 20
    console = Console(file=io.StringIO(), width=80)
    console.print(view(report))
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert re.findall(r"^2024-01-01 (\d\d):00 +(\d+)", shown, re.MULTILINE) == [
        (f"{h:02}", f"{h}") for h in range(9, 21)
    ]
    assert "8 before these" in shown


def test_the_view_of_a_meter_without_demand(tmp_path: Path) -> None:
    text = record(datetime(2024, 1, 1, tzinfo=UTC), 30, {"kwh_delivered": ["0.001"] * 4})
    report, _ = replayed(tmp_path, programmed(tmp_path, '[meter]\nmodel = "AXLS4"\n'), text)
    console = Console(file=io.StringIO(), width=80)
    console.print(view(report))
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert "kW " not in shown
    assert re.search(r"2024-01 +0\.004 +0\.000\n", shown)


# --- the command ----------------------------------------------------------------------------------------------

HOURS = (
    "time,kwh_delivered\n" + "\n".join(f"2024-01-01T{h:02}:00,{h}" for h in range(1, 24)) + "\n2024-01-02T00:00,24\n"
)


def call(folder: Path, text: str = HOURS, **options: Any) -> None:
    path = folder / "load.csv"
    path.write_bytes(text.encode())
    bill(path, **options)


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(tmp_path, json=True, demand="block:60")
    out, err = capsys.readouterr()
    assert out.count("\n") == 1
    report = msgspec.json.decode(out, type=Report, strict=True)
    assert (report.simulated, report.fidelity, report.model, report.stamps) == (True, "window", "RXRS4e", "end")
    assert report.max_demand == {
        "kw": 24.0, "time": "2024-01-02T00:00:00", "begin": "2024-01-01T23:00:00", "end": "2024-01-02T00:00:00",
    }  # fmt: skip
    assert report.totals == {
        "kwh_delivered": 300.0, "kwh_received": 0.0, "kwh_net": 300.0,
        "max_kw": 24.0, "max_kw_time": "2024-01-02T00:00:00", "max_kw_received": None, "max_kw_received_time": None,
        "max_kva_td": 24.0, "max_kva_td_time": "2024-01-02T00:00:00",
    }  # fmt: skip
    doubts = err.splitlines()
    assert len(doubts) == len(report.notes) == 2
    assert "never falls" in doubts[0]
    assert "8 of 24 intervals are above MAX of this meter, 16.62 kW" in doubts[1]


def test_for_people_with_notes_beside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(tmp_path, HOURS.replace("2024-01-01T05:00,5\n", ""), demand="block:5")
    out, err = capsys.readouterr()
    assert "SIMULATED (window)" in out
    assert "295.000" in out
    assert [line.split(":")[0] for line in err.splitlines()] == ["note"] * 5
    assert "--demand block:5 is of less than 15 min: not for billing (S-E-06, 5.15.3)" in err
    assert "nothing from 2024-01-01T04:00 to 2024-01-01T05:00: no energy in that time" in err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"interval_minutes": "0"}, r"--interval-minutes is '0', it must be a number from 1/60 to 44640, such as 15"),
        ({"interval_minutes": "x"}, r"--interval-minutes is 'x'"),
        ({"interval_minutes": "1e99"}, r"--interval-minutes is '1e99'"),
        ({"demand": "block"}, r"--demand: demand 'block': give block:30, sliding:5x6 or thermal:15"),
        ({"demand": "block:7"}, r"--demand: block demand of 7 min: give 1, 2, 3"),
        ({"program": "gone.toml"}, r"gone\.toml does not exist"),
        ({"program": "AXLS4.toml", "demand": "block:15"}, r"--demand asks for demand, which model AXLS4 has not"),
        ({"program": "wrong.toml"}, r"wrong\.toml: demand\.interval_minutes is 7, it must be"),
    ],
)  # fmt: skip
def test_options_that_cannot_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: dict[str, str], said: str
) -> None:
    (tmp_path / "AXLS4.toml").write_text('[meter]\nmodel = "AXLS4"\n')
    (tmp_path / "wrong.toml").write_text("[demand]\ninterval_minutes = 7\n")
    paths = {"program": tmp_path / options["program"]} if "program" in options else {}
    with pytest.raises(ConfigError, match=said):
        call(tmp_path, **(options | paths))
    assert capsys.readouterr().out == ""


@given(
    st.lists(
        st.tuples(
            st.integers(0, len(HOURS) - 1), st.integers(0, 30), st.text('0123456789:-T,.;\n +Z"\x00é', max_size=30)
        ),
        max_size=4,
    ),
    st.sampled_from(Stamps),
    st.sampled_from(["block:60", "sliding:30x2", "thermal:15"]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_whatever_a_file_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], cuts: list[tuple[int, int, str]], stamps: Stamps, demand: str
) -> None:
    text = HOURS
    for place, length, instead in cuts:
        text = text[:place] + instead + text[place + length :]
    try:
        call(tmp_path, text, stamps=stamps, demand=demand, json=True)
    except ConfigError as error:
        sentences, out = [str(error)], capsys.readouterr().out
        assert out == ""
    else:
        out, err = capsys.readouterr()
        sentences = err.splitlines()
        report = msgspec.json.decode(out, type=Report)
        assert sentences == [f"note: {note}" for note in report.notes]
        months = sum(month["kwh_delivered"] for month in report.months.values())
        assert report.totals["kwh_delivered"] == pytest.approx(
            months, rel=1e-12, abs=1e-8
        )  # each is rounded to nine decimals
    assert all("\n" not in sentence for sentence in sentences)


@given(st.text(max_size=8), st.sampled_from(["interval_minutes", "demand"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_whatever_an_option_says(tmp_path: Path, text: str, option: str) -> None:
    try:
        call(tmp_path, **{option: text})
    except ConfigError as error:
        sentences = [str(error)]
    else:
        sentences = []
    assert all("\n" not in sentence and sentence.startswith("--") for sentence in sentences)


# --- the store ------------------------------------------------------------------------------------------------


def test_a_store_has_what_the_replay_came_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begin = datetime(2024, 10, 1, tzinfo=TORONTO).astimezone(UTC)
    hours = 24 * 50
    energies = [str(Decimal(k * 7919 % 1000) / 100) for k in range(hours)]
    text = record(begin, 60, {"kwh_delivered": energies, "kvarh_leading": energies[::-1]})
    hourly = RECORDER.replace('"monthly"', '"hours"\nhours = 6')  # more snapshots than a save can take
    (tmp_path / "meter.toml").write_text(hourly)
    folder = tmp_path / "kept" / "here"
    call(tmp_path, text, program=tmp_path / "meter.toml", store=folder, json=True)
    report = msgspec.json.decode(capsys.readouterr().out, type=Report)

    assert all(finding.holds for finding in check(folder, decode_saved))
    made, profile = stored_profile(folder)
    assert made.fidelity == report.fidelity
    for place, name in enumerate(("kwh_delivered", "kvarh_leading")):
        pulse = profile.settings.channels[place].unit_value * 40
        counted = sum(interval.counts[place] or 0 for interval in profile.intervals) * pulse
        assert 0 <= Fraction(str(report.totals[name])) - counted < pulse
    with HistoryReader(folder) as history:
        assert [event.name for event in history.events() if event.name != "rate change"] == [
            line.event for line in report.events
        ]
        kinds = [snapshot.kind for snapshot in history.snapshots()]
    assert [kinds.count("season"), kinds.count("self read")] == [len(report.resets), len(report.self_reads)] == [1, 200]

    store = Store.open(folder)
    store.close()
    assert store.restored is not None
    kept = decode_saved(store.restored.payload)
    program = load_program(tmp_path / "meter.toml")
    assert kept.program == program.digest == report.program
    meter = Billing(program.billing, kept.meter.billing)  # it goes on from there
    meter.advance(EnergyInterval(store.restored.utc_ns, store.restored.utc_ns + 3600 * NANO, Quadrant.Q1, 40))
    meter.settle()
    registered = meter.registers.energy(Quantity.KWH_DELIVERED) - 40
    assert registered * 40 == round(report.totals["kwh_delivered"] * NANO_PER_KILO)


@pytest.mark.parametrize("what", ["folder", "file"])
def test_a_store_is_never_put_over_something(tmp_path: Path, what: str) -> None:
    kept = tmp_path / "kept"
    if what == "file":
        kept.write_text("mine")
    else:
        kept.mkdir()
        (kept / "mine").write_text("mine")
    with pytest.raises(
        StoreError, match="is not empty, and a replay keeps a new meter" if what == "folder" else "a file"
    ):
        call(tmp_path, store=kept)
    with pytest.raises(ConfigError, match="--store keeps a meter as its program has it: give it without --demand"):
        call(tmp_path, store=tmp_path / "new", demand="block:30")
    assert not (tmp_path / "new").exists()
    assert (kept if what == "file" else kept / "mine").read_text() == "mine"
