"""The columns of a load's record: which is the time, which are energies, by their names or by `--columns`.

A name counts if all of its words are known: "Usage (kWh)", "Export kWh", "Active power kW", "Interval end". What is
not sure is refused, and `--columns kwh_delivered=NAME` says it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timezone
from fractions import Fraction

from rig.files.strict_toml import ConfigError, shown
from rig.replay.intervals.cell_units import cell_unit
from rig.replay.intervals.net import NET, beside_half, redundant
from rig.replay.intervals.zones import without_zone, zone_in, zone_text

COLUMNS = ("kwh_delivered", "kwh_received", "kvarh_lagging", "kvarh_leading")

UNITS = {"wh": Fraction(1, 1000), "kwh": Fraction(1), "mwh": Fraction(1000)}
UNITS |= {unit[:-1]: factor for unit, factor in UNITS.items()}
UNITS |= {"varh": Fraction(1, 1000), "kvarh": Fraction(1), "var": Fraction(1, 1000), "kvar": Fraction(1)}
"""By a unit's word, what it is in kWh, kvarh, kW or kvar."""

_DELIVERED = {"delivered", "import", "imported", "usage", "used", "consumption", "consumed"}
_DELIVERED |= {"del", "dlv", "dlvd", "imp", "consommation", "consommée", "livrée"}
_RECEIVED = {"received", "export", "exported", "generation", "generated", "reçue", "injectée", "injection"}
_RECEIVED |= {"rec", "rcv", "rcvd", "recd", "exp", "surplus", "surplusgeneration"}
_LAGGING = {"lagging", "lag", "inductive", "delivered", "del", "dlv", "dlvd", "imp", "import"}
_LEADING = {"leading", "lead", "capacitive", "received", "rec", "rcv", "rcvd", "recd", "exp", "export"}
"""Delivered vars are those of inductive loads, as in Green Button feeds."""

_NET = {"net", "nette", "netto"}
_PLAIN = {"energy", "active", "reactive", "power", "demand", "interval", "load", "value", "electricity", "in"}
_PLAIN |= {"énergie", "puissance", "active", "en"}
_STAMPS = {"time", "timestamp", "datetime", "date time", "time stamp", "reading time", "local time", "date and time"}
_STAMPS |= {"unix timestamp", "unix time", "epoch", "epoch time", "posix time"}
_STAMPS |= {"date et heure", "date heure", "horodatage", "heure", "hour", "hr"}
_BEGINS = {f"{a} {b}".strip() for a in ("", "interval", "period", "from") for b in ("start", "begin", "start time")}
_ENDS = {f"{a} {b}".strip() for a in ("", "interval", "period", "to") for b in ("end", "end time", "ending")}
_BEGINS |= {"usage start time", "interval start time", "start date time", "start datetime"}
_ENDS |= {"usage end time", "interval end time", "end date time", "end datetime", "interval end date time", "fin"}
_BEGINS |= {"interval start date time", "interval begin date time", "début"}
ENDING_HOURS = {"hour ending", "hour end", "ending hour", "he"}
BEGINNING_HOURS = {"hour beginning", "hour begin", "hour starting", "hour start", "starting hour", "hb"}
_ENDS |= ENDING_HOURS
_BEGINS |= BEGINNING_HOURS
_MILLI = re.compile(r"m(Wh?|[Vv][Aa][Rr]h?)")
"""Units of thousandths: lower case as a word is, mwh or mw, is taken for mega."""
_DATES = {"date", "day", "reading date", "read date", "usage date", "interval date", "service date", "start date"}
_DATES |= {"operating date", "operating day", "trade date", "flow date", "flow day", "local date"}
_ZONES = {"time zone", "timezone", "tz", "utc offset", "gmt offset", "time zone offset"}
"""Columns of which each cell says in which zone its line's time is."""
INTERVAL_NUMBERS = {"interval", "interval number", "interval no", "interval num", "interval of day", "period"}
INTERVAL_NUMBERS |= {"period number", "settlement period", "trading period", "trading interval", "intervalle"}
_METERS = {
    "recorder",
    "recorder id",
    "recorder number",
    "device id",
    "meter",
    "meter id",
    "meter number",
    "meter no",
    "meter serial number",
    "mpan",
    "nmi",
    "esiid",
    "usage point",
}


@dataclass(frozen=True)
class Source:
    """A column of the file at a place: its numbers times `factor` are kWh (kvarh), or kW (kvar) if it is a power.
    `by_cells`: only its cells say so."""

    place: int
    factor: Fraction
    power: bool
    by_cells: bool = False

    @property
    def exponent(self) -> int:
        """The factor as a power of ten."""
        return {Fraction(1, 1000): -3, Fraction(1): 0}.get(self.factor, 3)


@dataclass(frozen=True)
class Layout:
    """Places of columns: `times` are joined with a blank; `named`: their name says what of an interval they are; `zone`
    is in it, `zones` the place of a column of zones. `notes` say what is not as it is written."""

    times: tuple[int, ...]
    named: bool
    zone: timezone | None
    sources: Mapping[str, Source]
    meter: int | None
    notes: tuple[str, ...]
    zones: int | None = None


class WrongColumns(ConfigError):
    """Columns of which it is not sure what they are; the sentence goes on after the file's name."""


def parse_columns(text: str | None) -> dict[str, str]:
    """Read time=Date+Time,kwh_delivered="Usage (kWh)",meter=NMI. Raises ConfigError."""
    found: dict[str, str] = {}
    for part in next(csv.reader([text or ""], skipinitialspace=True), []):
        key, is_pair, name = part.partition("=")
        key = key.strip().lower()
        if not is_pair or key in found or not name.strip() or (key not in ("time", "meter") and unit_of(key) is None):
            raise ConfigError(
                f"--columns has {shown(part)}: give each of time, {', '.join(COLUMNS)}, kwh_net or meter once, kw_ or "
                'wh_ for kwh_ where the numbers are, as in time=Date+Time,kwh_delivered="Usage (kWh)"'
            )
        found[key] = name.strip().strip('"')
    return found


def unit_of(name: str) -> tuple[str, Fraction, bool] | None:
    """Give of an energy's or power's name the column of COLUMNS, its factor, and whether it is a power; else None."""
    words = words_of(name)
    units = [word for word in words if word in UNITS]
    if len(units) != 1:
        return None
    unit, others = units[0], set(words) - set(units) - _PLAIN
    if others & _NET:
        reactive = "var" in unit
        known = _LAGGING if reactive else _DELIVERED
        column = "kvarh_net" if reactive else "kwh_net"
        return (column, UNITS[unit], not unit.endswith("h")) if others <= known | _NET else None
    if "var" in unit:
        for column, known in (("kvarh_lagging", _LAGGING), ("kvarh_leading", _LEADING)):
            if others and others <= known:
                return column, UNITS[unit], not unit.endswith("h")
        return None
    for column, known in (("kwh_delivered", _DELIVERED), ("kwh_received", _RECEIVED)):
        if others <= known:
            return column, UNITS[unit], not unit.endswith("h")
    return None


def recognise(
    names: Sequence[str], given: Mapping[str, str], *, ends: bool, below: Sequence[str] = ()
) -> Layout | None:
    """Give the layout under a line of names; None if it is no such line. Raises WrongColumns.

    `given` are names by key (`parse_columns`), `ends` says that the ends of intervals are wanted, `below` are by
    column the first cell with a unit, which counts where a name has none.
    """
    plain = [plain_name(name) for name in names]
    notes: list[str] = []
    chosen = given.keys() - {"time", "meter"}
    sources = _given_sources(names, given) if chosen else _sources(names, below, notes)
    if not sources:
        return None
    times = given_times(names, given["time"]) if "time" in given else time_places(names, plain, ends, notes)
    if not times:
        return None
    meter = meter_place(names, given.get("meter"))
    if meter is None and "meter" in given:
        return None
    named = is_named(names, times, ends=ends)
    zone = zone_of(names, times)
    if zone is not None:
        notes.append(f"times of {shown(names[times[-1]].strip())} are read as {zone_text(zone)}")
    zones = next((place for place, name in enumerate(names) if " ".join(words_of(name)) in _ZONES), None)
    return Layout(times, named, zone, sources, meter, tuple(notes), zones if zone is None else None)


def is_time_name(name: str) -> bool:
    """Return whether a column is of times, or of a part of them, by its name."""
    return plain_name(name) in _STAMPS | _DATES | _BEGINS | _ENDS


def is_named(names: Sequence[str], times: Sequence[int], *, ends: bool) -> bool:
    """Return whether the name of a column of times says that they are ends, or begins, of intervals."""
    return any(plain_name(names[place]) in (_ENDS if ends else _BEGINS) for place in times)


def zone_of(names: Sequence[str], times: Sequence[int]) -> timezone | None:
    """Give the zone in the names of columns of times, as UTC or UTC-05:00; None where there is none."""
    found = {zone for place in times if (zone := zone_in(names[place])) is not None}
    if len(found) > 1:
        raise WrongColumns("has columns of times in two zones: say which with --columns time=NAME")
    return next(iter(found), None)


def meter_place(names: Sequence[str], given: str | None) -> int | None:
    """Give the place of the column of meters, by its name or as given; None where there is none."""
    if given is not None:
        return _place(names, given)
    return next((place for place, name in enumerate(names) if plain_name(name) in _METERS), None)


def plain_name(name: str) -> str:
    """Give the words of a column's name, without signs and a zone."""
    return " ".join(words_of(without_zone(name)))


def words_of(name: str) -> list[str]:
    """Give the words of a name in lower case, a unit of thousandths as no unit: mWh is not the MWh that mwh may be."""
    words = re.findall(r"[^\W_]+", name)
    return [f"milli{word[1:]}".lower() if _MILLI.fullmatch(word) else word.lower() for word in words]


def _place(names: Sequence[str], name: str) -> int | None:
    found = [place for place, each in enumerate(names) if each.strip().lower() == name.strip().lower()]
    if len(found) > 1:
        raise WrongColumns(f"has column {shown(name)} {len(found)} times: give each column a name of its own")
    return found[0] if found else None


def _given_sources(names: Sequence[str], given: Mapping[str, str]) -> dict[str, Source]:
    sources = {}
    for key, name in given.items():
        if (unit := unit_of(key)) is None:
            continue
        place = _place(names, name)
        if place is None:
            return {}
        if unit[0] in sources:
            raise WrongColumns(f"gets {unit[0]} from two columns by --columns: give it one")
        sources[unit[0]] = Source(place, *unit[1:])
    return _without_halves(names, sources)


def given_times(names: Sequence[str], name: str) -> tuple[int, ...]:
    """Give the places of NAME, or of NAME+NAME; none where one is not there."""
    whole = _place(names, name)
    if whole is not None:
        return (whole,)
    places = [_place(names, part) for part in name.split("+")]
    return () if None in places else tuple(place for place in places if place is not None)


def _sources(names: Sequence[str], below: Sequence[str], notes: list[str]) -> dict[str, Source]:
    """By their names: one written as in COLUMNS first, energy before power."""
    found: dict[str, list[tuple[int, str, Source]]] = {}
    for place, name in enumerate(names):
        unit = unit_of(name)
        by_cells = unit is None and place < len(below) and (own := cell_unit(below[place].strip())) is not None
        if by_cells and own is not None:
            unit = unit_of(f"{name} {own.word}")
        if unit is not None:
            column, factor, power = unit
            rank = 0 if name.strip().lower().replace(" ", "_") == column else 2 if power else 1
            found.setdefault(column, []).append((rank, name.strip(), Source(place, factor, power, by_cells)))
    sources = {}
    by_power = {column for column, ranked in found.items() if min(ranked, key=lambda each: each[0])[0] == 2}
    for net, parts in NET.items():  # energy before power here too
        for column in () if net not in found or net in by_power else by_power & {*parts}:
            del found[column]
    for column in redundant(found):
        del found[column]
    for column, ranked in found.items():
        ranked.sort(key=lambda each: each[0])
        rank, name, source = ranked[0]
        if len(ranked) > 1 and ranked[1][0] == rank:
            if rank == 0:
                raise WrongColumns(f"column {column} comes twice; give it once")
            raise WrongColumns(
                f"columns {shown(name)} and {shown(ranked[1][1])} could both be {column}: say which with --columns "
                f"{column}=NAME"
            )
        if rank:
            words = words_of(name)
            kind = ", a mean power times the interval's length" if source.power else ""
            told = "the units of its cells" if source.by_cells else _trade(next(w for w in words if w in UNITS))
            notes.append(f"column {shown(name)} is read as {column}, in {told}{kind}")
        sources[column] = source
    return _without_halves(names, sources)


def _without_halves(names: Sequence[str], sources: dict[str, Source]) -> dict[str, Source]:
    """Leave out net columns of which both parts are there. Raises WrongColumns where one of them is."""
    if (wrong := beside_half({column: names[source.place].strip() for column, source in sources.items()})) is not None:
        raise WrongColumns(wrong)
    return {column: source for column, source in sources.items() if column not in redundant(sources)}


def _trade(unit: str) -> str:
    """kwh as kWh, mw as MW, kvarh as it is."""
    if "var" in unit:
        return unit
    return unit.replace("w", "W").replace("m", "M")


def time_places(names: Sequence[str], plain: Sequence[str], ends: bool, notes: list[str]) -> tuple[int, ...]:
    """Give the places of the columns of times, of which the first may be a date. Raises WrongColumns."""
    stamps = [place for place, name in enumerate(plain) if name in _STAMPS]
    dates = [place for place, name in enumerate(plain) if name in _DATES]
    wanted, others = (_ENDS, _BEGINS) if ends else (_BEGINS, _ENDS)
    right = [place for place, name in enumerate(plain) if name in wanted]
    wrong = [place for place, name in enumerate(plain) if name in others]
    if len(stamps) > 1 and not (len(stamps) == 1 or dates):
        names_of = {names[place].strip().lower() for place in stamps}
        raise WrongColumns(
            "column time comes twice; give it once"
            if len(names_of) == 1
            else f"has columns {' and '.join(shown(names[place].strip()) for place in stamps)}: say which is the "
            "time, with --columns time=NAME"
        )
    if len(dates) > 1 or len(stamps) > 1 or len(right) > 1:
        raise WrongColumns("has several columns of times: say which with --columns time=NAME, or time=DATE+TIME")
    if wrong and not right and not stamps:
        raise WrongColumns(
            f"column {shown(names[wrong[0]].strip())} says when intervals {'begin' if ends else 'end'}: give --stamps "
            f"{'begin' if ends else 'end'}"
        )
    clock = right or stamps
    if dates and not clock and not wrong:
        clock = [place for place, name in enumerate(plain) if name in INTERVAL_NUMBERS][:1]
    found = (*dates, *clock) if dates else tuple(clock)
    if found and [names[place].strip().lower() for place in found] != ["time"]:
        notes.append(f"times are in {' and '.join(shown(names[place].strip()) for place in found)}")
    return found
