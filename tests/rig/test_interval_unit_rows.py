"""Units of load records in a row of their own, and what is said of a file whose columns are not found."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from rig.files.strict_toml import ConfigError
from rig.meter.billing.calendar import Calendar
from rig.replay.intervals.columns import parse_columns
from rig.replay.intervals.file import read_intervals
from rig.replay.intervals.record import LoadRecord
from rig.replay.intervals.writing import Writing

WH = [500 + (k * 7919) % 997 for k in range(48)]
BEGIN = datetime(2026, 1, 15)


def read(folder: Path, head: str, scale: int = 1, columns: str = "") -> LoadRecord:
    """A file of three columns, the last of them constant; numbers are Wh over `scale`."""
    lines = [f"{BEGIN + timedelta(hours=k + 1)},{wh / scale},1" for k, wh in enumerate(WH)]
    path = folder / "load.csv"
    path.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    return read_intervals(path, Calendar(UTC), stamps_end=True, writing=Writing(parse_columns(columns)))


@pytest.mark.parametrize(
    ("head", "scale"),
    [
        ("Timestamp,Energy,Status\n,Wh,", 1),
        ("Timestamp,Energy,Status\n[],[kWh],[-]", 1000),
        ("Timestamp,Energy,Voltage\nyyyy-mm-dd hh:mm:ss,(Wh),(V)", 1),
        ("time,kwh,x\n(local),(kWh),", 1000),
        ("Time,Active Energy,Current\n(UTC),kWh,A", 1000),
        (",Wh,\nTimestamp,Energy,Status", 1),
        ("Site,A,\n\nTimestamp,Energy,Status\n,MWh,", 1_000_000),
        ("Timestamp,Power,Status\n,kW,", 1000),
    ],
)
def test_units_below_or_above_the_names(tmp_path: Path, head: str, scale: int) -> None:
    load = read(tmp_path, head, scale)
    assert [Fraction(one.energies[0] * 1000, load.scale) for one in load.intervals] == WH
    assert load.columns == ("kwh_delivered",)


def test_both_directions(tmp_path: Path) -> None:
    load = read(tmp_path, "Timestamp,Energy Delivered,Energy Received\n,kWh,Wh", 1000)
    assert load.columns == ("kwh_delivered", "kwh_received")
    assert {Fraction(one.energies[1], load.scale) for one in load.intervals} == {Fraction(1, 1000)}
    assert "units are those of line 2" in load.notes


def test_a_row_of_units_against_a_name_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="column 'kwh' has the unit 'Wh' in the row of units: which is it"):
        read(tmp_path, "time,kwh,x\n,Wh,")


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("Date,Zählerstand,x", "no column kwh_delivered: its first line has 'date', 'zählerstand', 'x'"),
        ("Wann,kwh,x", "no column time: its first line has 'wann', 'kwh', 'x'"),
        (
            "Recorder ID: 5,,\nUnits: kWh,,\nInterval End,Pulse count,x",
            "no column kwh_delivered: its line 3 has 'interval",
        ),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, head: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read(tmp_path, head)


@pytest.mark.parametrize("head", ["h,kWh,x", "Time (UTC),Wh,x", "t,Wh,V"])
def test_names_that_could_be_units_are_names(tmp_path: Path, head: str) -> None:
    first = head.split(",", maxsplit=1)[0]
    load = read(tmp_path, head, columns=f'time="{first}"')
    assert len(load.intervals) == 48
