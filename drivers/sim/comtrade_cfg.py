"""The configuration of a COMTRADE recording, as recorders write it (IEEE C37.111 of 1991, 1999 and 2013).

What nothing is made of (dates, the line's frequency, the transformers' ratio, skew) may be anything: it is noted and
read over. What is needed to know a sample's value or time is refused with its line and field, a channel's own fields
only where that channel is used.
"""

from __future__ import annotations

import csv
import math
import re
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from pathlib import Path

from drivers.sim.recording import RecordingError, printable, shown
from drivers.sim.units import unit_of

DATA_TYPES = ("ASCII", "BINARY", "BINARY32", "FLOAT32")
_TYPE_NAMES = {"BINARY16": "BINARY", "FLOAT": "FLOAT32"}
REVISIONS = (1991, 1999, 2013)

_PLAIN = re.compile(r"[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})([ed][+-]?0{0,3}\d{1,2})?", re.IGNORECASE | re.ASCII)
_COUNT = re.compile(r"\d{1,15}(\.0*)?")
_COUNTED = re.compile(r"(\d{1,9})\s*([AD])", re.IGNORECASE)
_YEAR = re.compile(r"(?:19|20)\d\d")
_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{2}|\d{4})")
_TIME = re.compile(r"(\d{1,2}):(\d{2}):(\d{1,2})(?:\.(\d{1,12}))?")
_SHOWN = 4  # fields a note lists
_ANALOG_FIELDS = {1991: 10, 1999: 13, 2013: 13}


@dataclass(frozen=True)
class AnalogChannel:
    """One analog channel: value = a·x + b in `unit`. `low` and `high` are the range of x that the file gives.

    `fault` says which of its fields cannot be used; then it has no values.
    """

    name: str
    phase: str = ""
    component: str = ""
    unit: str = ""
    a: float = math.nan
    b: float = 0.0
    skew_us: float = 0.0
    low: float | None = None
    high: float | None = None
    primary: float = 1.0
    secondary: float = 1.0
    side: str = "P"
    fault: str | None = None


@dataclass(frozen=True)
class Configuration:
    """A .cfg: `rates` are pairs (samples a second, last sample); none when only the time stamps tell.

    `stamp_s` is the unit of the stamps, None where its factor cannot be read.
    """

    revision: int
    analog: tuple[AnalogChannel, ...]
    status_count: int
    rates: tuple[tuple[Fraction, int], ...]
    stamped: bool
    data_type: str
    stamp_s: float | None
    notes: tuple[str, ...] = field(default=())


def read_configuration(path: Path, text: str) -> Configuration:
    """Read the text of a .cfg; RecordingError names the line and field that cannot do without."""
    return _Reader(path, text).configuration()


class _Reader:
    """Goes through the lines in the standard's order."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._lines = re.split(r"\r*\n|\r", text.replace("\x1a", "").replace("\0", ""))
        while self._lines and not self._lines[-1].strip():
            self._lines.pop()
        self._at = 0
        self._notes: list[str] = []
        self._over: list[str] = []  # fields that are read over

    def configuration(self) -> Configuration:
        revision = self._revision()
        analog_count, status_count = self._counts()
        analog = tuple(self._analog(revision) for _ in range(analog_count))
        for _ in range(status_count):
            self._no_analog("a status channel")
        self._line_frequency()
        rates, stamped = self._rates()
        nanoseconds = self._times(revision)
        data_type = self._data_type()
        factor = self._time_factor(revision)
        if self._over:
            more = f" and {len(self._over) - _SHOWN} more" if len(self._over) > _SHOWN else ""
            listed = ", ".join(self._over[:_SHOWN])
            self._notes.append(f"not as the standard has it, and left out as nothing depends on it: {listed}{more}")
        stamp_s = None if factor is None else factor * (1e-9 if nanoseconds else 1e-6)
        return Configuration(revision, analog, status_count, rates, stamped, data_type, stamp_s, tuple(self._notes))

    # --- lines ----------------------------------------------------------------------------------------------

    def _next(self, what: str) -> str:
        if self._at >= len(self._lines):
            raise RecordingError(
                f"{self._path}: not well-formed COMTRADE, it ends at line {len(self._lines)} and lacks {what}"
            )
        self._at += 1
        return self._lines[self._at - 1]

    def _wrong(self, what: str, text: str, rule: str) -> RecordingError:
        return RecordingError(
            f"{self._path}: not well-formed COMTRADE, line {self._at}: {what} is {shown(text)}, it must be {rule}"
        )

    def _skip(self, what: str, text: str) -> None:
        self._over.append(f"{what} {shown(text)} of line {self._at}")

    # --- in order -------------------------------------------------------------------------------------------

    def _revision(self) -> int:
        first = self._next("the station's line")
        fields = _fields(first)
        if len(fields) < 3 or not fields[-1]:
            return 1991
        years = _YEAR.findall(fields[-1])
        if not years:
            self._skip("revision", fields[-1])
            return 1991
        year = int(years[-1])
        revision = 1991 if year < 1997 else 1999 if year < 2013 else 2013  # the drafts of 1999's are of 1997
        if year not in REVISIONS:
            self._notes.append(f"revision {year} is read as that of {revision}")
        return revision

    def _counts(self) -> tuple[int, int]:
        line = self._next("the numbers of channels")
        counted = {match[2].upper(): int(match[1]) for match in _COUNTED.finditer(line)}
        if "A" not in counted:
            raise self._wrong("the number of channels", line, "such as 8,6A,2D")
        analog, status = counted["A"], counted.get("D", 0)
        left = len(self._lines) - self._at
        if analog + status > left:
            raise RecordingError(
                f"{self._path}: not well-formed COMTRADE, line {self._at} counts {analog} analog and {status} status "
                f"channels, and the file has {left} lines more"
            )
        if analog == 0:
            raise RecordingError(f"{self._path}: line {self._at}: no analog channel, nothing to play")
        total = re.split(r"[\s,]+", line.strip())[0]
        if total != str(analog + status):
            self._skip("the total", total)
        return analog, status

    def _analog(self, revision: int) -> AnalogChannel:
        line = self._next("a channel's line")
        where = f"at line {self._at} of the .cfg"
        fields = _fields(line)
        expected = _ANALOG_FIELDS[revision]
        while len(fields) > expected and not fields[-1]:
            fields.pop()
        if revision == 1991 and len(fields) >= 13 and fields[-1].upper() in ("P", "S"):
            expected = 13
        there = len(fields)
        extra = there - expected
        if extra > 0 and (commas := _commas_in_name(fields, extra)) is not None:
            fields[1 : 2 + commas] = [",".join(fields[1 : 2 + commas])]
            there -= commas
        fields += [""] * (13 - len(fields))
        _, name, phase, component, unit, a, b, skew, low, high, primary, secondary, side = fields[:13]
        name = name or f"channel {self._at - 2}"
        scale, offset = _real(a), _real(b or "0")
        fault = None
        if there < 10 or there > expected or (there < 13 and fields[there - 1].upper() in ("P", "S")):
            fault = f"has no values: its line {self._at} of the .cfg has {there} fields, it must have {expected}"
        elif scale is None or scale == 0:
            fault = f"has no values: its multiplier a {where} is {shown(a)}, it must be a number other than 0"
        elif offset is None:
            fault = f"has no values: its offset b {where} is {shown(b)}, it must be a number"
        side = {"PRIMARY": "P", "SECONDARY": "S", "PRI": "P", "SEC": "S"}.get(side.upper(), side)
        if side.upper() not in ("P", "S", ""):
            self._skip("the side", side)
        return AnalogChannel(
            name,
            phase,
            component,
            unit,
            scale if scale is not None else math.nan,
            offset if offset is not None else math.nan,
            self._harmless("the skew", skew) or 0.0,
            self._harmless("the least value", low),
            self._harmless("the greatest value", high),
            self._harmless("the primary", primary) or 1.0,
            self._harmless("the secondary", secondary) or 1.0,
            "S" if side.upper() == "S" else "P",
            fault,
        )

    def _harmless(self, what: str, text: str) -> float | None:
        """A number that may be missing; what is there and is none is noted."""
        value = _real(text)
        if value is None and text:
            self._skip(what, text)
        return value

    def _no_analog(self, what: str) -> str:
        """The next line, which is `what`: an analog channel's there means that lines are missing or too many."""
        text = self._next(f"the line of {what}")
        if text.count(",") >= _ANALOG_FIELDS[1991] - 1:
            raise self._wrong(f"the line of {what}", text, "that, and is an analog channel's")
        return text

    def _line_frequency(self) -> None:
        text = self._no_analog("the line's frequency").strip()
        if text and _real(text) is None:
            self._skip("the frequency", text)

    def _rates(self) -> tuple[tuple[tuple[Fraction, int], ...], bool]:
        text = self._next("the number of sampling rates").strip(" \t,")
        if not _COUNT.fullmatch(text):
            raise self._wrong("the number of sampling rates", text, "a whole number")
        count = int(float(text))
        if count > len(self._lines) - self._at:
            raise self._wrong("the number of sampling rates", text, "that of the lines which follow with a rate")
        if count == 0 and self._at < len(self._lines) and re.search(r"\d+[/:]\d+", self._lines[self._at]):
            return (), True  # no line of a rate at all
        rates: list[tuple[Fraction, int]] = []
        for _ in range(max(1, count)):
            fields = _fields(self._next("a sampling rate"))
            rate = _exact(re.sub(r"(?i)\s*hz$", "", fields[0]))
            if rate is None or rate < 0:
                raise self._wrong("the sampling rate", fields[0], "a number of samples a second")
            last = fields[1] if len(fields) > 1 else ""
            if not _COUNT.fullmatch(last):
                raise self._wrong("the last sample of a rate", last, "a whole number")
            end = int(last.split(".")[0])
            if rates and end < rates[-1][1]:
                raise self._wrong("the last sample of a rate", last, f"no less than {rates[-1][1]}, the one before")
            rates.append((rate, end))
        return tuple(rates), count == 0 or not any(rate for rate, _ in rates)

    def _times(self, revision: int) -> bool:
        """Read over both times; whether they have nanoseconds, as the time stamps of the data then have."""
        nanoseconds = False
        for what in ("the first sample's time", "the trigger's time"):
            text = self._next(what).strip()
            found = _TIME.search(text)
            nanoseconds |= bool(found and found[4] and len(found[4]) > 6)
            if text.strip(", ") and not _is_time(text, revision):
                self._skip(what, text)
        return nanoseconds

    def _data_type(self) -> str:
        text = self._next("the data type").strip(" \t,")
        data_type = _TYPE_NAMES.get(text.strip("\"'").upper(), text.strip("\"'").upper())
        if data_type not in DATA_TYPES:
            raise RecordingError(
                f"{self._path}: unknown data type {shown(text)} at line {self._at}, "
                f"it would have to be ASCII, BINARY, BINARY32 or FLOAT32"
            )
        return data_type

    def _time_factor(self, revision: int) -> float | None:
        if revision == 1991 or self._at >= len(self._lines):
            return 1.0
        text = self._next("the time multiplier").strip()
        value = _real(text or "1")
        if value is None or value <= 0:
            self._skip("the time multiplier", text)
            return None
        return value


def _fields(line: str) -> list[str]:
    if '"' in line:
        try:
            (row,) = csv.reader([line], skipinitialspace=True)
        except (csv.Error, ValueError):
            row = line.split(",")
        return [printable(cell.strip().strip('"').strip()) for cell in row] or [""]
    return [printable(cell.strip()) for cell in line.split(",")]


def _commas_in_name(fields: list[str], extra: int) -> int | None:
    """Return how many of too many fields are the name's: all, if unit and multiplier stand in their places only then.

    None where they stand there without them too, or not at all: then other fields are too many, and no one can tell.
    """
    fits = [
        commas
        for commas in range(extra + 1)
        if fields[4 + commas] and unit_of(fields[4 + commas]) is not None and _exact(fields[5 + commas]) is not None
    ]
    return extra if fits == [extra] else None


def _exact(text: str) -> Fraction | None:
    """A number exactly; None for what is none, or has an exponent beyond sense."""
    text = text.strip()
    return Fraction(text.lower().replace("d", "e")) if _PLAIN.fullmatch(text) else None


def _real(text: str) -> float | None:
    exact = _exact(text)
    return None if exact is None else float(exact)


def _is_time(text: str, revision: int) -> bool:
    """Return whether a line is a date and time of day as the standard has them; 1991 puts the month first."""
    day_text, _, time_text = text.partition(",")
    day, time = _DATE.fullmatch(day_text.strip()), _TIME.fullmatch(time_text.strip())
    if not day or not time:
        return False
    first, second, year = int(day[1]), int(day[2]), int(day[3])
    month, dom = (first, second) if revision == 1991 else (second, first)
    try:
        date(year if year > 99 else 2000 + year, month, dom)
    except ValueError:
        return False
    return int(time[1]) < 24 and int(time[2]) < 60 and int(time[3]) < 60
