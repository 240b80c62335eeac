"""Channels of a load record, a line for each: of a column of channels or units, and of days on one line.

    a column named                          has
    Unit, UOM, Units                        the unit of each line's numbers
    Channel, Channel No, Direction, …       which channel, perhaps in words: 1, kWh Del, Export
    Value, Usage, Reading, kWh, …           the number; or the columns of a day's intervals (day_columns.py)

A channel is what its channel, its unit and the name of its numbers say together; numbers of channels, as 1 or CH2, say
nothing. What is not sure does not count, or is asked for: `--columns kvarh_lagging=2`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timezone
from typing import NamedTuple

from rig.replay.intervals.cell_units import cell_unit
from rig.replay.intervals.columns import (
    UNITS,
    given_times,
    is_named,
    meter_place,
    plain_name,
    time_places,
    unit_of,
    words_of,
    zone_of,
)
from rig.replay.intervals.day_columns import DaySeries, day_series

_UNIT_NAMES = {"unit", "units", "uom", "unit of measure", "unit of measurement", "measurement unit", "units of measure"}
_CHANNEL_NAMES = {"channel", "ch", "chan", "channel no", "channel number", "channel id", "channel num", "channel name"}
_CHANNEL_NAMES |= {"channel description", "description", "direction", "flow", "flow direction", "energy direction"}
_CHANNEL_NAMES |= {"register", "register id", "data stream", "measurement", "measurand", "reading type", "energy type"}
_CHANNEL_NAMES |= {"consumption surplusgeneration", "import export", "data type"}
_VALUE_WORDS = {
    "value",
    "values",
    "reading",
    "usage",
    "consumption",
    "quantity",
    "amount",
    "data",
    "interval",
    "energy",
}
_VALUE_WORDS |= {"read", "measured", "demand", "load", "meter"}
_NO_VALUES = {"interval", "meter", "data", "load"}
"""Words that say nothing of numbers by themselves."""
_TOTAL_WORDS = {"total", "sum", "daily"}
_IDENTITIES = {"channel", "ch", "chan", "register", "recorder", "meter", *_VALUE_WORDS}
_IDENTITIES |= {"he", "hb", "hr", "hour", "hours", "ending", "beginning", "int", "period", "hh", "ip", "block", "slot"}


class Value(NamedTuple):
    """Place of numbers: a column, or those of a day; `unit` of the first cell that has one. `by_total`: only the name
    of a total says in which unit they are."""

    name: str
    place: int
    series: DaySeries | None
    unit: str
    by_total: bool = False


class ChannelLayout(NamedTuple):
    """Places of columns: `times` are joined with a blank, of days they are the date. `totals` are sums of days.
    `named`: the names of times say what of an interval they are; `zone` is in them."""

    times: tuple[int, ...]
    named: bool
    zone: timezone | None
    values: tuple[Value, ...]
    unit: int | None
    channel: tuple[int, ...]
    totals: tuple[int, ...]
    meter: int | None
    notes: tuple[str, ...]


def recognise_channels(
    names: Sequence[str], given: Mapping[str, str], below: Sequence[str], *, ends: bool
) -> ChannelLayout | None:
    """Give the layout under a line of names; None if it is none of channels or days. Raises WrongColumns.

    `given` are names by key (`parse_columns`), `below` are by column the first cell with a unit, `ends` says that the
    ends of intervals are wanted.
    """
    plain = [plain_name(name) for name in names]
    series = day_series(names)
    in_days = {column.place for each in series for column in each.columns}
    free = [place for place in range(len(names)) if place not in in_days]
    unit = next((place for place in free if plain[place] in _UNIT_NAMES), None)
    channel = tuple(place for place in free if plain[place] in _CHANNEL_NAMES)
    if not series and unit is None and not channel:
        return None
    notes: list[str] = []
    if series:
        values = [Value(" ".join(each.words), each.columns[0].place, each, _first_unit(each, below)) for each in series]
    else:
        values = [
            Value(names[place].strip(), place, None, _cell_word(place, below))
            for place in free
            if place != unit and place not in channel and _is_value(names[place], given)
        ]
    if not values:
        return None
    if "time" in given:
        times = given_times(names, given["time"])
    elif series:
        times = time_places(_blanked(names, in_days), _blanked(plain, in_days), ends, notes)
    else:
        times = time_places(names, plain, ends, notes)
    if not times:
        return None
    totals = tuple(place for place in free if series and _TOTAL_WORDS & set(plain[place].split()))
    if unit is None and len(values) == 1 and not _says_unit(values[0], channel):
        told = next((word for place in totals for word in plain[place].split() if word in UNITS), None)
        if told is not None and not (given.keys() - {"time", "meter"}):
            values = [values[0]._replace(name=f"{values[0].name} {told}".strip(), by_total=True)]
    meter = meter_place(names, given.get("meter"))
    named, zone = is_named(names, times, ends=ends), zone_of(names, times)
    layout = ChannelLayout(times, named, zone, tuple(values), unit, channel, totals, meter, tuple(notes))
    return layout if meter is not None or "meter" not in given else None


def _says_unit(value: Value, channel: Sequence[int]) -> bool:
    return bool(channel) or bool(value.unit) or bool(UNITS.keys() & set(value.name.lower().split()))


def _blanked(names: Sequence[str], places: set[int]) -> list[str]:
    return ["" if place in places else name for place, name in enumerate(names)]


def _cell_word(place: int, below: Sequence[str]) -> str:
    own = cell_unit(below[place].strip()) if place < len(below) else None
    return "" if own is None else own.word


def _first_unit(series: DaySeries, below: Sequence[str]) -> str:
    return next((word for column in series.columns if (word := _cell_word(column.place, below))), "")


def _is_value(name: str, given: Mapping[str, str]) -> bool:
    """Return whether a column is one of numbers by its name."""
    wanted = {name.strip().lower() for key, name in given.items() if key not in ("time", "meter")}
    if name.strip().lower() in wanted:
        return True
    words = words_of(name)
    others = [word for word in words if word not in _VALUE_WORDS and word not in UNITS]
    if set(words) <= _NO_VALUES:
        return False
    return unit_of(name) is not None or unit_of(" ".join((*others, "kwh"))) is not None


def meaning_words(parts: Sequence[str]) -> str:
    """Give what the parts of a channel's name say, as words for `unit_of`; numbers and single letters say nothing."""
    words = dict.fromkeys(word for part in parts for word in words_of(part))
    return " ".join(
        word for word in words if word not in _IDENTITIES and not any(sign.isdigit() for sign in word) and len(word) > 1
    )
