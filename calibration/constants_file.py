"""The file of a calibration's constants: TOML, one table a channel, with a CRC over what it says.

    version = 2
    crc32 = "9b2f01aa"
    identity = "rig 3, front end 17"
    date = "2026-03-14"
    calibrated = true
    source = "three-phase standard, 0.02 %, 23 °C"
    board = "front end 17"
    valid_until = "2027-03-14"
    current_class = 20

    [channels.v1]
    volts_per_code = "0.00137"
    delay_ticks = 3
    offset_codes = "-12.5"
    turn = "0.0000125"

and so on for v2 and v3, and with `amperes_per_code` for i1, i2 and i3, which may have a curve. Numbers are texts,
decimal or "numerator/denominator", because they stay exact rationals from here to the registers. A file without
`version` is one written by hand, and needs no CRC.
"""

from __future__ import annotations

import os
import re
import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec

from calibration.constants import (
    CHANNELS,
    REFERENCE_C,
    RULES,
    VERSION,
    Calibration,
    ChannelConstants,
    CurveConstants,
    gain_key,
    wrong,
)
from calibration.errors import CalibrationError

MOST_CHARACTERS = 1 << 16
"""Of a calibration file: six channels are 1 kB, with long curves 20. What may come is bounded before it is parsed."""


class _CurveTable(msgspec.Struct, forbid_unknown_fields=True):
    amperes: str
    ratio: str
    turn: str


class _Table(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    delay_ticks: int
    offset_codes: str
    turn: str = "0"
    ppm_per_k: str = "0"


class _VoltageTable(_Table, forbid_unknown_fields=True, kw_only=True):
    volts_per_code: str


class _CurrentTable(_Table, forbid_unknown_fields=True, kw_only=True):
    amperes_per_code: str
    curve: list[_CurveTable] = []


class _Channels(msgspec.Struct, forbid_unknown_fields=True):
    v1: _VoltageTable
    v2: _VoltageTable
    v3: _VoltageTable
    i1: _CurrentTable
    i2: _CurrentTable
    i3: _CurrentTable


class _File(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    version: int = 1
    crc32: str = ""
    identity: str
    date: str
    calibrated: bool
    source: str
    board: str = ""
    valid_until: str = ""
    current_class: int = 0
    temperature_c: str = str(REFERENCE_C)
    channels: _Channels


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
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, or a number of thousands of digits
        raise CalibrationError(f"not TOML: {error}") from None
    if (version := tree.get("version", 1)) not in (1, VERSION) or ("version" in tree and "crc32" not in tree):
        raise (
            wrong("version", version)
            if version != VERSION
            else CalibrationError(f"crc32 is missing, it must be {RULES['crc32']}")
        )
    try:
        file = msgspec.convert(tree, _File)
    except msgspec.ValidationError as error:
        raise _explain(str(error), tree) from None
    calibration = Calibration(
        tuple(_channel(name, getattr(file.channels, name)) for name in CHANNELS),
        file.identity,
        file.date,
        file.calibrated,
        file.source,
        file.board,
        file.valid_until,
        file.current_class,
        _number("temperature_c", file.temperature_c),
    )
    if file.crc32 and file.crc32 != calibration.crc32:
        raise CalibrationError(
            f'crc32 is "{file.crc32}", and that of these constants is "{calibration.crc32}": the file was changed or '
            "damaged since rig calibrate wrote it, so take a copy of it or calibrate again"
        )
    return calibration


def _channel(name: str, table: _VoltageTable | _CurrentTable) -> ChannelConstants:
    place = f"channels.{name}"
    curve = table.curve if isinstance(table, _CurrentTable) else []
    return ChannelConstants(
        gain=_number(f"{place}.{gain_key(name)}", getattr(table, gain_key(name))),
        delay_ticks=table.delay_ticks,
        offset_codes=_number(f"{place}.offset_codes", table.offset_codes),
        turn=_number(f"{place}.turn", table.turn),
        ppm_per_k=_number(f"{place}.ppm_per_k", table.ppm_per_k),
        curve=tuple(
            CurveConstants(
                *(_number(f"{place}.curve.{n}.{key}", getattr(point, key)) for key in ("amperes", "ratio", "turn"))
            )
            for n, point in enumerate(curve)
        ),
    )


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


def _number(key: str, text: str) -> Fraction:
    if not _NUMBER.fullmatch(text):
        raise wrong(key, text)
    try:
        return Fraction(text)
    except ZeroDivisionError:
        raise wrong(key, text) from None


def _explain(message: str, tree: dict[str, Any]) -> CalibrationError:
    """msgspec's message with the value, and what would be right, added."""
    complaint, _, where = message.partition(" - at `$.")
    path = where.rstrip("`").replace("[", ".").replace("]", "").split(".") if where else []
    if match := re.fullmatch(r"Object missing required field `(.*)`", complaint):
        key = ".".join([*path, match[1]])
        return CalibrationError(f"{key} is missing, it must be {RULES[match[1]]}")
    if match := re.fullmatch(r"Object contains unknown field `(.*)`", complaint):
        key = ".".join([*path, match[1]])
        return CalibrationError(f"{key} is unknown, the keys there are {', '.join(_keys(path))}")
    value: Any = tree
    for name in path:
        value = value[int(name)] if isinstance(value, list) else value[name]
    return wrong(".".join(path), value)


def _keys(path: list[str]) -> tuple[str, ...]:
    if not path:
        return _File.__struct_fields__
    if path == ["channels"]:
        return CHANNELS
    if "curve" in path:
        return _CurveTable.__struct_fields__
    return (gain_key(path[-1]), *_Table.__struct_fields__, *(["curve"] if path[-1].startswith("i") else []))
