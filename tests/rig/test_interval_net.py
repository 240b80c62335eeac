"""Net columns, and columns whose sign is the way of the energy: against the two energies that the files are made of."""

from __future__ import annotations

from collections.abc import Callable
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

WH = [700 - 97 * (k % 24) if 6 <= k % 24 <= 18 else 400 + k for k in range(48)]
"""Net energy of each hour; by day some is received."""
DELIVERED = [wh if wh > 0 else 0 for wh in WH]
RECEIVED = [-wh if wh < 0 else 0 for wh in WH]


def read(
    folder: Path, head: str, line: Callable[[int], str], columns: str = "", *, registers: bool = False
) -> LoadRecord:
    times = [datetime(2026, 1, 15) + timedelta(hours=k + 1) for k in range(48)]
    path = folder / "load.csv"
    path.write_text(
        "\n".join([head, *(f"{t}{head[4]}{line(k)}" for k, t in enumerate(times))]) + "\n", encoding="utf-8"
    )
    writing = Writing(parse_columns(columns), registers=registers)
    return read_intervals(path, Calendar(UTC), stamps_end=True, writing=writing)


def energies(load: LoadRecord, column: str) -> list[Fraction]:
    at = load.columns.index(column)
    return [Fraction(one.energies[at] * 1000, load.scale) for one in load.intervals]


NET: dict[str, tuple[str, Callable[[int], str], str]] = {
    "Net kWh": ("time,Net kWh", lambda k: f"{WH[k] / 1000}", ""),
    "net consumption in Wh": ("time,Net Consumption (Wh)", lambda k: f"{WH[k]}", ""),
    "net power": ("time,Net kW", lambda k: f"{WH[k] / 1000}", ""),
    "given": ("time,kwh", lambda k: f"{WH[k] / 1000}", "kwh_net=kwh"),
    "given, of power": ("time,P", lambda k: f"{WH[k] / 1000}", "kw_net=P"),
    "given, beside a part": ("time,Net kWh,Export kWh", lambda k: f"{WH[k] / 1000},0", 'kwh_net="Net kWh"'),
    "units in cells": ("time,Net", lambda k: f"{WH[k]} Wh", ""),
    "thousands": ("time;Net Wh", lambda k: f"{WH[k]:,}.0".replace(",", "'"), ""),
    "decimal comma": ("time;Net kWh", lambda k: f"{WH[k] / 1000}".replace(".", ","), ""),
    "the sign of print": ("time,Net kWh", lambda k: f"{WH[k] / 1000}".replace("-", "\u2212"), ""),
}


@pytest.mark.parametrize("name", NET)
def test_net_energy_by_its_sign(tmp_path: Path, name: str) -> None:
    load = read(tmp_path, *NET[name])
    assert load.columns == ("kwh_delivered", "kwh_received")
    assert energies(load, "kwh_delivered") == DELIVERED
    assert energies(load, "kwh_received") == RECEIVED
    assert f"kwh_net: {sum(wh < 0 for wh in WH)} of 48 values are below 0: they are kwh_received" in load.notes


def test_net_energy_that_is_never_below_0_is_delivered(tmp_path: Path) -> None:
    load = read(tmp_path, "time,Net kWh", lambda k: f"{1 + k % 5}")
    assert load.columns == ("kwh_delivered",)
    readings = read(tmp_path, "time,Net kWh", lambda k: f"{1000 + 3 * k}", registers=True)
    assert set(energies(readings, "kwh_delivered")) == {3000}


def test_net_vars_lag_above_0(tmp_path: Path) -> None:
    load = read(tmp_path, "time,kwh,Net kvarh", lambda k: f"1,{WH[k] / 1000}")
    assert energies(load, "kvarh_lagging") == DELIVERED
    assert energies(load, "kvarh_leading") == RECEIVED


def test_net_beside_both_of_its_parts_does_not_count(tmp_path: Path) -> None:
    line = lambda k: f"{DELIVERED[k] / 1000},{RECEIVED[k] / 1000},{WH[k] / 1000}"  # noqa: E731
    load = read(tmp_path, "time,Import kWh,Export kWh,Net kWh", line)
    assert energies(load, "kwh_delivered") == DELIVERED
    assert energies(load, "kwh_received") == RECEIVED
    assert "column 'net_kwh' does not count" in load.notes


@pytest.mark.parametrize("other", ["Export kWh", "Import kWh"])
def test_net_beside_one_of_its_parts_is_asked_for(tmp_path: Path, other: str) -> None:
    # 3 kWh net with 1 kWh received are 4 kWh delivered: not 3.
    with pytest.raises(ConfigError, match=r"column 'Net kWh' is net, and '.*port kWh' is kwh_.*, a part of it"):
        read(tmp_path, f"time,Net kWh,{other}", lambda k: "3,1")


def test_energy_received_below_0(tmp_path: Path) -> None:
    load = read(tmp_path, "time,Import kWh,Export kWh", lambda k: f"{DELIVERED[k] / 1000},{-RECEIVED[k] / 1000}")
    assert energies(load, "kwh_received") == RECEIVED
    assert any(note.startswith("kwh_received: all values are 0 or below, as '-0.") for note in load.notes)
    with pytest.raises(ConfigError, match="kwh_received is '-0"):
        read(tmp_path, "time,Import kWh,Export kWh", lambda k: f"1,{WH[k] / 1000}")
    with pytest.raises(ConfigError, match=r"kwh_delivered is '-.*--columns kwh_net=NAME says that a column has both"):
        read(tmp_path, "time,kwh", lambda k: f"{WH[k] / 1000}")


def test_channels_of_net_energy(tmp_path: Path) -> None:
    load = read(tmp_path, "time,Channel,kWh", lambda k: f"Net,{WH[k] / 1000}")
    assert energies(load, "kwh_delivered") == DELIVERED
    assert energies(load, "kwh_received") == RECEIVED


def test_the_one_channel_of_a_file_is_what_it_says(tmp_path: Path) -> None:
    assert read(tmp_path, "time,Channel,kWh", lambda k: f"Main house,{1 + k % 5}").columns == ("kwh_delivered",)
    with pytest.raises(ConfigError, match="no channel is kwh_delivered: it has 'Received'"):
        read(tmp_path, "time,Channel,kWh", lambda k: f"Received,{1 + k % 5}")


def test_of_net_energy_and_power_the_energy_counts(tmp_path: Path) -> None:
    load = read(tmp_path, "time,Net kWh,Demand (kW)", lambda k: f"{WH[k] / 1000},5")
    assert energies(load, "kwh_delivered") == DELIVERED
    assert "column 'demand_(kw)' does not count" in load.notes
