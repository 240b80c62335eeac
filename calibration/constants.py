"""The constants that turn sample codes into volts and amperes, and their file.

A calibration file is TOML, one table a channel:

    identity = "rig 3, front end 17"
    date = "2026-03-14"
    calibrated = true
    source = "three-phase standard, 0.02 %, 23 °C"

    [channels.v1]
    volts_per_code = "0.00137"
    delay_ticks = 3
    offset_codes = "-12.5"

and so on for v2 and v3, and with `amperes_per_code` for i1, i2 and i3. Gains and offsets are texts, decimal
or "numerator/denominator", because they stay exact rationals from here to the registers.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec

from calibration.errors import CalibrationError

CHANNELS = ("v1", "v2", "v3", "i1", "i2", "i3")
"""The order of the sample vector, as in the gateware."""

FULL_SCALE_CODES = 1 << 19
"""Nominal full scale of a 20-bit signed sample."""

DELAY_LIMIT_TICKS = 255
"""The gateware's bit delay line holds a channel back by at most this many modulator ticks."""

FULL_SCALE_LIMIT = 100_000
"""Volts or amperes at full scale. More is a full scale entered where volts or amperes per code belong."""


_GAIN_RULE = (
    f'a positive number in quotes, decimal or fraction, such as "0.00137", for a full scale '
    f"({FULL_SCALE_CODES} codes) of at most {FULL_SCALE_LIMIT} V or A"
)
_RULES = {
    "identity": "one line of text naming the board and its serial number",
    "date": 'a date in quotes such as "2026-03-14", or "" when calibrated is false',
    "calibrated": "true or false",
    "source": "one line of text saying where the constants come from",
    "channels": f"six tables: {', '.join(CHANNELS)}",
    "volts_per_code": _GAIN_RULE,
    "amperes_per_code": _GAIN_RULE,
    "delay_ticks": f"a whole number of modulator ticks from 0 to {DELAY_LIMIT_TICKS}",
    "offset_codes": f'a number in quotes within ±{FULL_SCALE_CODES}, such as "-12.5"',
    **dict.fromkeys(CHANNELS, "a table of gain, delay_ticks and offset_codes"),
}


def _gain_key(channel: str) -> str:
    return "volts_per_code" if channel.startswith("v") else "amperes_per_code"


def _wrong(key: str, value: object) -> CalibrationError:
    shown = json.dumps(value, ensure_ascii=False, default=str)
    rule = _RULES[key.rsplit(".", 1)[-1]]
    return CalibrationError(f"{key} is {shown}, it must be {rule}")


@dataclass(frozen=True)
class ChannelConstants:
    """One channel: `gain` in volts or amperes per sample code, the delay for the gateware's DELAY register in
    modulator ticks, and the channel's DC in sample codes (used for windows that are not whole cycles)."""

    gain: Fraction
    delay_ticks: int = 0
    offset_codes: Fraction = Fraction(0)


@dataclass(frozen=True)
class Calibration:
    """The constants of the six channels in the order of CHANNELS, and where they come from.

    `date` is ISO text, empty for constants that nobody measured; with `calibrated` false every result says
    UNCALIBRATED. Raises CalibrationError for constants out of range.
    """

    channels: tuple[ChannelConstants, ...]
    identity: str
    date: str
    calibrated: bool
    source: str

    def __post_init__(self) -> None:
        for key, value in (("identity", self.identity), ("source", self.source)):
            if not value or not value.isprintable():
                raise _wrong(key, value)
        if (self.date or self.calibrated) and not _is_date(self.date):
            raise _wrong("date", self.date)
        if len(self.channels) != len(CHANNELS):
            raise CalibrationError(f"a calibration has {len(CHANNELS)} channels, got {len(self.channels)}")
        for name, channel in zip(CHANNELS, self.channels, strict=True):
            if not 0 < channel.gain * FULL_SCALE_CODES <= FULL_SCALE_LIMIT:
                raise _wrong(f"channels.{name}.{_gain_key(name)}", _text(channel.gain))
            if not 0 <= channel.delay_ticks <= DELAY_LIMIT_TICKS:
                raise _wrong(f"channels.{name}.delay_ticks", channel.delay_ticks)
            if abs(channel.offset_codes) > FULL_SCALE_CODES:
                raise _wrong(f"channels.{name}.offset_codes", _text(channel.offset_codes))

    @property
    def digest(self) -> str:
        """The first 12 hexadecimal digits of SHA-256 over to_toml(): what result records carry."""
        return hashlib.sha256(self.to_toml().encode()).hexdigest()[:12]

    def to_toml(self) -> str:
        """The file's text. Equal calibrations have equal texts."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        # A JSON string of printable characters is also a TOML basic string.
        yield f"identity = {json.dumps(self.identity, ensure_ascii=False)}"
        yield f'date = "{self.date}"'
        yield f"calibrated = {json.dumps(self.calibrated)}"
        yield f"source = {json.dumps(self.source, ensure_ascii=False)}"
        for name, channel in zip(CHANNELS, self.channels, strict=True):
            yield ""
            yield f"[channels.{name}]"
            yield f'{_gain_key(name)} = "{_text(channel.gain)}"'
            yield f"delay_ticks = {channel.delay_ticks}"
            yield f'offset_codes = "{_text(channel.offset_codes)}"'


def nominal(volts: Fraction, amperes: Fraction, identity: str = "nominal") -> Calibration:
    """Uncalibrated constants from the nominal full scales, the peak volts and amperes at code 2**19."""
    v = ChannelConstants(Fraction(volts) / FULL_SCALE_CODES)
    i = ChannelConstants(Fraction(amperes) / FULL_SCALE_CODES)
    source = f"nominal full scales of {_text(Fraction(volts))} V and {_text(Fraction(amperes))} A peak"
    return Calibration((v, v, v, i, i, i), identity=identity, date="", calibrated=False, source=source)


# --- reading and writing --------------------------------------------------------------------------------


class _VoltageTable(msgspec.Struct, forbid_unknown_fields=True):
    volts_per_code: str
    delay_ticks: int
    offset_codes: str


class _CurrentTable(msgspec.Struct, forbid_unknown_fields=True):
    amperes_per_code: str
    delay_ticks: int
    offset_codes: str


class _Channels(msgspec.Struct, forbid_unknown_fields=True):
    v1: _VoltageTable
    v2: _VoltageTable
    v3: _VoltageTable
    i1: _CurrentTable
    i2: _CurrentTable
    i3: _CurrentTable


class _File(msgspec.Struct, forbid_unknown_fields=True):
    identity: str
    date: str
    calibrated: bool
    source: str
    channels: _Channels


MOST_CHARACTERS = 1 << 14
"""Of a calibration file: six channels are 1 kB. What may come is bounded before it is parsed."""


def read_calibration(path: Path) -> Calibration:
    """Read a calibration file strictly. Raises CalibrationError for anything but six complete channels."""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(MOST_CHARACTERS + 1)
        if len(text) > MOST_CHARACTERS:
            raise CalibrationError(f"has more than {MOST_CHARACTERS} characters, a calibration file has fewer")
        return parse_calibration(text)
    except OSError as error:
        raise CalibrationError(
            f"{path} cannot be read ({error.strerror}): give the path of a calibration file"
        ) from None
    except UnicodeDecodeError:
        raise CalibrationError(f"{path} is not UTF-8 text: a calibration file is TOML") from None
    except CalibrationError as error:
        raise CalibrationError(f"{path}: {error}") from None


def parse_calibration(text: str) -> Calibration:
    """A calibration from the text of its file: the inverse of Calibration.to_toml()."""
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CalibrationError(f"not TOML: {error}") from None
    try:
        file = msgspec.convert(tree, _File)
    except msgspec.ValidationError as error:
        raise _explain(str(error), tree) from None
    channels = []
    for name in CHANNELS:
        table = getattr(file.channels, name)
        gain_key = _gain_key(name)
        channels.append(
            ChannelConstants(
                gain=_number(f"channels.{name}.{gain_key}", getattr(table, gain_key)),
                delay_ticks=table.delay_ticks,
                offset_codes=_number(f"channels.{name}.offset_codes", table.offset_codes),
            )
        )
    return Calibration(tuple(channels), file.identity, file.date, file.calibrated, file.source)


def write_calibration(path: Path, calibration: Calibration) -> None:
    """Replace `path` in one step: after a crash at any instant it holds the old constants or the new ones."""
    temporary = path.with_name(f".{path.name}.new")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(calibration.to_toml())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise CalibrationError(
            f"{path} cannot be written ({error.strerror}): choose a folder that exists and may be written"
        ) from None
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)  # the rename itself must survive a power cut
    finally:
        os.close(folder)


_NUMBER = re.compile(r"-?\d{1,200}(/\d{1,200}|(\.\d{1,200})?([eE][+-]?\d{1,2})?)", re.ASCII)
_DECIMALS = 24


def _number(key: str, text: str) -> Fraction:
    if not _NUMBER.fullmatch(text):
        raise _wrong(key, text)
    try:
        return Fraction(text)
    except ZeroDivisionError:
        raise _wrong(key, text) from None


def _text(number: Fraction) -> str:
    """Exact text of a rational: a decimal if one of at most 24 places will do, else a fraction."""
    for places in range(_DECIMALS + 1):
        if 10**places % number.denominator == 0:
            digits = str(abs(number.numerator) * 10**places // number.denominator).zfill(places + 1)
            cut = len(digits) - places
            return ("-" if number < 0 else "") + digits[:cut] + ("." + digits[cut:] if places else "")
    return f"{number.numerator}/{number.denominator}"


def _is_date(text: str) -> bool:
    try:
        return datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _explain(message: str, tree: dict[str, Any]) -> CalibrationError:
    """msgspec's message with the value, and what would be right, added."""
    complaint, _, where = message.partition(" - at `$.")
    path = where.rstrip("`").split(".") if where else []
    if match := re.fullmatch(r"Object missing required field `(.*)`", complaint):
        key = ".".join([*path, match[1]])
        return CalibrationError(f"{key} is missing, it must be {_RULES[match[1]]}")
    if match := re.fullmatch(r"Object contains unknown field `(.*)`", complaint):
        key = ".".join([*path, match[1]])
        return CalibrationError(f"{key} is unknown, the keys there are {', '.join(_keys(path))}")
    value: Any = tree
    for name in path:
        value = value[name]
    return _wrong(".".join(path), value)


def _keys(path: list[str]) -> tuple[str, ...]:
    if not path:
        return _File.__struct_fields__
    if path == ["channels"]:
        return CHANNELS
    return (_gain_key(path[-1]), "delay_ticks", "offset_codes")
