"""Tables of accuracy test points: a TOML file for each standard in calibration/points/, or a user's own.

    title = "what the table is"

    points = [
      { name = "PF1 5% In", class = "0.2S", current = "5 % In", pf = "0.5L", limit = 0.2, source = "table4" },
    ]

    [sources.table4]
    status = "unverified"
    text = "recalled from IEC 62053-22 table 4"

docs/accuracy.md describes each key. A point without `limit` has none in the table, and never passes.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec

from calibration.errors import CalibrationError
from calibration.waveforms import MOST_ORDER, WAVEFORMS, Harmonic, Waveform

_Member = TypeVar("_Member", bound=Enum)

FOLDER = Path(__file__).parent / "points"

MOST_BYTES = 1 << 20
MOST_POINTS = 2000


class Judged(Enum):
    """Criterion that judges a point: which figure has the limit."""

    ERROR = "error"
    VARIATION = "variation"
    FROM_TA = "from TA"
    DIFFERENCE = "difference"
    PER_KELVIN = "per kelvin"
    STARTS = "starts"
    NO_LOAD = "no load"
    REPEATABILITY = "repeatability"
    CONSTANT = "constant"
    DEMAND = "demand"
    INTERVAL = "interval"


class Quantity(Enum):
    """Energy that is compared; demand is of active energy."""

    ACTIVE = "active"
    REACTIVE = "reactive"
    FUNDAMENTAL = "fundamental reactive"
    DEMAND = "demand"


class Status(Enum):
    """Status of a source: how far its text was seen."""

    VERIFIED = "verified"
    QUOTED = "quoted"
    PARTLY = "partly verified"
    UNVERIFIED = "unverified"

    @property
    def seen(self) -> bool:
        """True where the standard's own text, or a public quotation of it, has the limit."""
        return self in (Status.VERIFIED, Status.QUOTED)


class CurrentUnit(Enum):
    """Unit of a point's current: amperes, or percent of one of the meter's ratings."""

    AMPERES = "A"
    NOMINAL = "% In"
    BASIC = "% Ib"
    TEST = "% TA"
    MOST = "% Imax"
    TRANSITIONAL = "Itr"


@dataclass(frozen=True)
class Source:
    """Source of a limit."""

    status: Status
    text: str


@dataclass(frozen=True)
class AccuracyPoint:
    """A test point. `current` is in `unit`; `power_factor` from 0 to 1, lagging (+1) or leading (−1) by `side`, and
    sin φ of reactive energy. `volts_percent` and `hertz_percent` are of the nominal values.

    `load` is "balanced", phases that alone carry current such as "A", "reversed" (rotation CBA), or "without BC", whose
    voltages are interrupted. `limit_percent` None: not in the table. `needs` says what no simulation has, "" mostly.
    """

    name: str
    accuracy_class: str
    quantity: Quantity
    judged: Judged
    current: Fraction
    unit: CurrentUnit
    power_factor: float
    side: int
    volts_percent: float
    hertz_percent: float
    waveform: str
    shape: Waveform
    load: str
    limit_percent: float | None
    meter_class: int | None
    needs: str
    source: Source


@dataclass(frozen=True)
class WeightedAverage:
    """A weighted mean of the errors of points, by name."""

    name: str
    accuracy_class: str
    weights: tuple[tuple[str, float], ...]
    limit_percent: float | None
    source: Source


@dataclass(frozen=True)
class PointTable:
    """The points of a standard, in the order of the file."""

    key: str
    title: str
    points: tuple[AccuracyPoint, ...]
    averages: tuple[WeightedAverage, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that have points."""
        return tuple(dict.fromkeys(point.accuracy_class for point in self.points))

    def of_class(self, name: str) -> PointTable:
        """The points of one class. Raises CalibrationError."""
        if name not in self.classes:
            raise CalibrationError(f"--class is {name}, {self.key} has points of {', '.join(self.classes)}")
        return PointTable(
            self.key,
            self.title,
            tuple(point for point in self.points if point.accuracy_class == name),
            tuple(average for average in self.averages if average.accuracy_class == name),
        )


def standards() -> tuple[str, ...]:
    """Give the keys of the tables that come with the rig."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def point_table(standard: str) -> PointTable:
    """Give the table of a standard. Raises CalibrationError for one that there is not."""
    if standard not in standards():
        raise CalibrationError(f"--standard is {standard}, there are {', '.join(standards())}")
    return read_points(FOLDER / f"{standard}.toml")


def read_points(path: Path) -> PointTable:
    """Read a table strictly. Raises CalibrationError: one sentence with file, point, key and what would be right."""
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            raise CalibrationError(f"has more than {MOST_BYTES} bytes, a table of points has fewer")
        return _table(path.stem, tomllib.loads(raw.decode("utf-8")))
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, CalibrationError):
            raise CalibrationError(f"{path}: {error}") from None
        if isinstance(error, OSError | UnicodeDecodeError):
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise CalibrationError(f"{path} cannot be read ({why}): give a file of test points") from None
        raise CalibrationError(f"{path} is not TOML: {' '.join(str(error).split())}") from None


# --- the file ---------------------------------------------------------------------------------------------

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
_HarmonicRow = tuple[int, float, float]


class _SourceTable(msgspec.Struct, forbid_unknown_fields=True):
    status: _Text
    text: _Text


class _Row(msgspec.Struct, forbid_unknown_fields=True, rename={"accuracy_class": "class"}):
    name: _Text
    accuracy_class: _Text
    current: _Text
    source: _Text
    quantity: str = "active"
    judged: str = "error"
    pf: str = "1"
    voltage: float = 100.0
    frequency: float = 100.0
    waveform: str = "sinusoid"
    volts_harmonics: list[_HarmonicRow] = []
    amperes_harmonics: list[_HarmonicRow] = []
    load: str = "balanced"
    limit: float | None = None
    meter_class: int | None = None
    needs: str = ""


class _Average(msgspec.Struct, forbid_unknown_fields=True, rename={"accuracy_class": "class"}):
    name: _Text
    accuracy_class: _Text
    weights: dict[str, float]
    source: _Text
    limit: float | None = None


class _File(msgspec.Struct, forbid_unknown_fields=True):
    title: _Text
    points: list[_Row]
    sources: dict[str, _SourceTable]
    averages: list[_Average] = []


def _table(key: str, tree: dict[str, Any]) -> PointTable:
    try:
        file = msgspec.convert(tree, _File)
    except msgspec.ValidationError as error:
        raise CalibrationError(_explained(str(error), tree)) from None
    if not 0 < len(file.points) <= MOST_POINTS:
        raise CalibrationError(f"points are {len(file.points)}, give from 1 to {MOST_POINTS}")
    sources = {}
    for name, row in file.sources.items():
        sources[name] = Source(_member(Status, row.status, f"sources.{name}.status"), row.text)
    points = tuple(_point(row, sources) for row in file.points)
    names = [point.name for point in points]
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise CalibrationError(f"two points are called {doubled[0]!r}: give each a name of its own")
    return PointTable(key, file.title, points, tuple(_average(row, points, sources) for row in file.averages))


def _point(row: _Row, sources: dict[str, Source]) -> AccuracyPoint:
    where = f"point {row.name!r}"
    if not row.name.isprintable():
        raise CalibrationError(f"{where}: the name has characters that cannot be printed")
    try:
        current, unit = _current(row.current)
        power_factor, side = _power_factor(row.pf)
        for name, value, least, most in (
            ("voltage", row.voltage, 1.0, 200.0),
            ("frequency", row.frequency, 70.0, 120.0),
        ):
            if not least <= value <= most:
                raise CalibrationError(f"{name} is {value:g}, it must be from {least:g} to {most:g} percent")
        quantity = _member(Quantity, row.quantity, "quantity")
        if (quantity in (Quantity.REACTIVE, Quantity.FUNDAMENTAL)) != row.pf.startswith("sin"):
            raise CalibrationError(f"pf is {row.pf!r}: reactive energy has a sin φ such as sin0.5L, other has a cos φ")
        return AccuracyPoint(
            name=row.name,
            accuracy_class=row.accuracy_class,
            quantity=quantity,
            judged=_member(Judged, row.judged, "judged"),
            current=current,
            unit=unit,
            power_factor=power_factor,
            side=side,
            volts_percent=row.voltage,
            hertz_percent=row.frequency,
            waveform=row.waveform,
            shape=_waveform(row),
            load=_load(row.load),
            limit_percent=_limit(row.limit),
            meter_class=row.meter_class,
            needs=row.needs,
            source=_source(row.source, sources),
        )
    except CalibrationError as error:
        raise CalibrationError(f"{where}: {error}") from None


def _average(row: _Average, points: Sequence[AccuracyPoint], sources: dict[str, Source]) -> WeightedAverage:
    where = f"average {row.name!r}"
    there = [point.name for point in points if point.accuracy_class == row.accuracy_class]
    if unknown := [name for name in row.weights if name not in there]:
        raise CalibrationError(f"{where} has the point {unknown[0]!r}, which class {row.accuracy_class} has not")
    if not row.weights or not all(isfinite(w) and 0 < w <= 1e6 for w in row.weights.values()):
        raise CalibrationError(f"{where}: weights must be numbers above 0, one for each point")
    try:
        return WeightedAverage(
            row.name,
            row.accuracy_class,
            tuple(row.weights.items()),
            _limit(row.limit),
            _source(row.source, sources),
        )
    except CalibrationError as error:
        raise CalibrationError(f"{where}: {error}") from None


_CURRENT = re.compile(r"(\d{1,9}(?:\.\d{1,9})?) ?(A|% In|% Ib|% TA|% Imax|Itr)", re.ASCII)
_PF = re.compile(r"(?:sin)?(0(?:\.\d{1,6})?|1(?:\.0{1,6})?)([LC]?)", re.ASCII)
_LOAD = re.compile(r"balanced|reversed|[ABC]{1,3}|without [ABC]{1,2}", re.ASCII)


def _current(text: str) -> tuple[Fraction, CurrentUnit]:
    if text == "Imax":
        return Fraction(100), CurrentUnit.MOST
    if text == "0":
        return Fraction(0), CurrentUnit.AMPERES
    match = _CURRENT.fullmatch(text)
    if match is None:
        raise CalibrationError(f'current is {text!r}, it must be such as "5 % In", "10 % TA", "2.5 A", "Imax" or "0"')
    return Fraction(match[1]), CurrentUnit(match[2])


def _power_factor(text: str) -> tuple[float, int]:
    match = _PF.fullmatch(text)
    if match is None or (float(match[1]) < 1 and not match[2]):
        raise CalibrationError(f'pf is {text!r}, it must be such as "1", "0.5L", "0.8C" or "sin0.5L"')
    return float(match[1]), -1 if match[2] == "C" else 1


def _waveform(row: _Row) -> Waveform:
    if row.volts_harmonics or row.amperes_harmonics:
        if row.waveform != "sinusoid":
            raise CalibrationError("waveform and harmonics are both there: leave one out")
        return Waveform(_harmonics(row.volts_harmonics), _harmonics(row.amperes_harmonics))
    if row.waveform not in WAVEFORMS:
        raise CalibrationError(f"waveform is {row.waveform!r}, it must be one of {', '.join(WAVEFORMS)}")
    return WAVEFORMS[row.waveform]


def _harmonics(rows: Sequence[_HarmonicRow]) -> tuple[Harmonic, ...]:
    for order, share, angle in rows:
        if not (2 <= order <= MOST_ORDER and 0 <= share <= 2 and isfinite(angle)):
            raise CalibrationError(
                f"a harmonic is [{order}, {share:g}, {angle:g}], it must be [order from 2 to {MOST_ORDER}, share of "
                "the fundamental from 0 to 2, degrees]"
            )
    return tuple(rows)


def _load(text: str) -> str:
    if not _LOAD.fullmatch(text):
        raise CalibrationError(f'load is {text!r}, it must be "balanced", "reversed", "A" or "without C"')
    return text


def _limit(value: float | None) -> float | None:
    if value is not None and not (isfinite(value) and 0 < value <= 100):
        raise CalibrationError(
            f"limit is {value:g}, it must be a percentage above 0, or be left out where there is none"
        )
    return value


def _source(name: str, sources: dict[str, Source]) -> Source:
    if name not in sources:
        raise CalibrationError(f"source is {name!r}, the table's sources are {', '.join(sources) or 'none'}")
    return sources[name]


def _member(kind: type[_Member], text: str, key: str) -> _Member:
    try:
        return kind(text)
    except ValueError:
        known = ", ".join(str(each.value) for each in kind)
        raise CalibrationError(f"{key} is {text!r}, it must be one of {known}") from None


def _explained(message: str, tree: dict[str, Any]) -> str:
    """Give msgspec's message with the name of the point that it is about."""
    if match := re.search(r"\$\.points\[(\d+)\]", message):
        row = tree["points"][int(match[1])]
        name = (
            row.get("name", f"number {int(match[1]) + 1}") if isinstance(row, dict) else f"number {int(match[1]) + 1}"
        )
        return f"point {name!r}: {message.partition(' - at ')[0]}{_key(message)}"
    return message.replace(" - at `$.", " - at `").replace(" - at `$`", "")


def _key(message: str) -> str:
    match = re.search(r"\$\.points\[\d+\]\.?([\w.]*)", message)
    return f" ({match[1]})" if match and match[1] else ""
