# ruff: noqa: E501 - a file that is read is on one line, as it is written
"""Units in the cells of load records: read by them, exactly, or refused with line and column.

The witness is the list of watt-hours that each file is written from.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from rig.errors import RigError
from rig.meter.billing.calendar import Calendar
from rig.replay.intervals.columns import parse_columns
from rig.replay.intervals.file import read_intervals
from rig.replay.intervals.record import LoadRecord
from rig.replay.intervals.writing import Writing

DAY = datetime(2026, 1, 15)
WATT_HOURS = [250 + (k * 7919) % 997 for k in range(48)]
"""Energy of each half hour of a day in Wh."""


def written(header: str, cell: Callable[[int, int], str], separator: str = ",") -> str:
    """A line for each half hour, stamped at its end, from its place and its Wh."""
    ends = [DAY + timedelta(minutes=30) * (k + 1) for k in range(48)]
    lines = [f"{end}{separator}{cell(k, wh)}" for k, (end, wh) in enumerate(zip(ends, WATT_HOURS, strict=True))]
    return "\n".join([header, *lines]) + "\n"


def read(folder: Path, text: str, columns: str | None = None, decimal: str | None = None) -> LoadRecord:
    path = folder / "load.csv"
    path.write_text(text, encoding="utf-8")
    writing = Writing(parse_columns(columns), decimal=decimal)
    return read_intervals(path, Calendar(UTC), stamps_end=True, writing=writing)


def shift(wh: int, places: int, sign: str = ".") -> str:
    """Watt-hours as a number of units of 10**places Wh, in plain digits."""
    digits = f"{wh:0{places + 1}}"
    return f"{digits[:-places]}{sign}{digits[-places:]}" if places else digits


def by_turns(k: int, wh: int) -> str:
    return (f"{wh} Wh", f"{shift(wh, 3)} kWh", f"{shift(wh, 6)} MWh")[k % 3]


READ: dict[str, tuple[str, str | None, str]] = {
    "the same as the header": (written("time,kwh_delivered", lambda k, wh: f"{shift(wh, 3)} kWh"), None, ""),
    "another than the header": (written("time,Usage (kWh)", lambda k, wh: f"{wh} Wh"), None, "48 values in another unit than the column, the first '250 Wh' in line 2"),
    "some with, some without": (written("time,Usage (kWh)", lambda k, wh: f"{wh}Wh" if k % 7 == 3 else shift(wh, 3)), None, "in line 5: read by it"),
    "by turns": (written("time,Usage", by_turns), None, "in the units of its cells"),
    "by turns under kWh": (written("time,kwh_delivered", by_turns), None, "kwh_delivered: 32 values"),
    "large letters": (written("time,CONSUMPTION", lambda k, wh: f"{shift(wh, 3)} KWH"), None, ""),
    "small letters": (written("time,consumption", lambda k, wh: f"{shift(wh, 3)}kwh"), None, ""),
    "mean power": (written("time,Demand", lambda k, wh: f"{shift(2 * wh, 3)} kW"), None, "a mean power times the interval's length"),
    "watts under kW": (written("time,Active power kW", lambda k, wh: f"{2 * wh} W"), None, "in another unit than the column"),
    "decimal commas": (written("time;Usage", lambda k, wh: f"{shift(wh, 3, ',')} kWh", ";"), None, ""),
    "all in quotes": (written('"time","Usage"', lambda k, wh: f'"{shift(wh, 3)} kWh"'), None, ""),
    "thousands parted by commas": (written("time,Usage", lambda k, wh: f'"{wh * 1000:,}.0 Wh"' if k % 2 else f"{wh} kWh"), "x1000", ""),
    "named by the user": (written("time,x", lambda k, wh: f"{wh} Wh"), "kwh_delivered=x", ""),
    "zero without a unit": (written("time,Usage", lambda k, wh: f"{shift(wh, 3)} kWh") + "2026-01-16 00:30:00,0\n", None, ""),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_cells_are_read_by_their_units(tmp_path: Path, name: str) -> None:
    text, columns, said = READ[name]
    times = 1000 if columns == "x1000" else 1
    load = read(tmp_path, text, None if columns == "x1000" else columns)
    found = [Fraction(one.energies[0], load.scale) for one in load.intervals[:48]]
    assert found == [Fraction(wh * times, 1000) for wh in WATT_HOURS]
    assert sum(one.energies[0] for one in load.intervals) * 1000 == sum(WATT_HOURS) * times * load.scale
    assert any(said in note for note in load.notes) or not said, load.notes


def test_vars_beside_watt_hours(tmp_path: Path) -> None:
    load = read(
        tmp_path,
        written("time,kWh delivered,Lagging", lambda k, wh: f"{wh} Wh,{shift(3 * wh, 3)} kVARh"),
    )
    assert load.columns == ("kwh_delivered", "kvarh_lagging")
    assert [Fraction(one.energies[1], load.scale) for one in load.intervals] == [
        Fraction(3 * wh, 1000) for wh in WATT_HOURS
    ]


def one_cell(cell: str, header: str = "time,kwh_delivered") -> str:
    """A file whose cells are in kWh but for that of line 9."""
    return written(header, lambda k, wh: cell if k == 7 else f"{shift(wh, 3)} kWh")


REFUSED = (
    (one_cell("5 kW"), None, "line 9: kwh_delivered is '5 kW', but its column is in kWh or a multiple"),
    (one_cell("5 kW", "time,Usage"), None, "line 9: kwh_delivered is '5 kW', but its column is in kWh"),
    (one_cell("5 kVARh"), None, "line 9: kwh_delivered is '5 kVARh', but its column is in kWh"),
    (one_cell("5", "time,Usage"), None, "line 9: kwh_delivered is '5' without a unit, which other cells"),
    (one_cell("5 mWh"), None, "line 9: kwh_delivered is '5 mWh', it must be a number"),
    (one_cell("5 therms"), None, "line 9: kwh_delivered is '5 therms', it must be a number"),
    (one_cell("5 kWh kWh"), None, "line 9: kwh_delivered is '5 kWh kWh', it must be a number"),
    (one_cell("kWh 5"), None, "line 9: kwh_delivered is 'kWh 5', it must be a number"),
    (one_cell("-5 kWh"), None, "line 9: kwh_delivered is '-5 kWh', .* energy received goes in kwh_received"),
    (one_cell("1e999999999 kWh"), None, "line 9: kwh_delivered is '1e999999999 kWh', it must be a number"),
    (one_cell("1e-999999 Wh"), None, "line 9: kwh_delivered is '1e-999999 Wh', it must be a number"),
    (one_cell("999999999 MWh"), None, "line 9: kwh_delivered is '999999999 MWh', it must be a number of kWh from 0"),
    (one_cell("1,5 kWh"), None, "load.csv, line 9: 3 cells under 2 columns"),
    (one_cell("$0.15"), None, r"line 9: kwh_delivered is '\$0.15', it must be a number"),
    (written("time;Usage", lambda k, wh: f"{wh // 100}.000 Wh", ";"), None, r"line 2: '2\.000' can be read in two ways"),
)  # fmt: skip


@pytest.mark.parametrize(("text", "columns", "said"), REFUSED)
def test_what_is_not_sure_is_refused(tmp_path: Path, text: str, columns: str | None, said: str) -> None:
    with pytest.raises(RigError) as caught:
        read(tmp_path, text, columns)
    assert re.search(said, str(caught.value)), caught.value
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("word", ["", "N/A", "-"])
def test_the_unit_is_found_below_cells_without_a_number(tmp_path: Path, word: str) -> None:
    load = read(tmp_path, written("time,Usage", lambda k, wh: f"{wh} Wh" if k > 2 else word))
    assert [Fraction(one.energies[0], load.scale) for one in load.intervals] == [
        Fraction(wh, 1000) for wh in WATT_HOURS[3:]
    ]
