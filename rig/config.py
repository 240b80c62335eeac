"""The rig's configuration file, rig.toml: which hardware, which meter. Strict: an unknown key is an error.

A file with everything at its default:

    [hardware]
    kind = "sim"                    # "sim", or "pi" for a Raspberry Pi with the FPGA board
    spi_path = "/dev/spidev0.0"
    spi_hz = 3000000
    led_pin = 17                    # GPIO numbers
    kyz1_y_pin = 22
    kyz1_z_pin = 23

    [simulation]                    # kind = "sim" only
    fidelity = "exact"              # "exact", or "rtl" for the compiled netlist
    sensors = "typical"             # "typical", or "ideal"
    seed = 1

    [meter]
    form = "9S"
    current_class = 20
    ks_wh = "1.8"                   # test LED constant; left out, Ks of the form and class
    kp1_wh = "0.15"                 # KYZ 1, at least Ks/12, 0 disables; left out, Ks/12
    calibration = "constants.toml"  # beside this file; left out: nominal on a Pi (UNCALIBRATED), exact if simulated
"""

from __future__ import annotations

import difflib
import re
import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec


class ConfigError(ValueError):
    """A configuration that cannot be used: one sentence naming file, key, value and what would be right."""


_Gpio = Annotated[int, msgspec.Meta(ge=0, le=27)]


class Hardware(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    kind: Literal["sim", "pi"] = "sim"
    spi_path: str = "/dev/spidev0.0"
    spi_hz: Annotated[int, msgspec.Meta(ge=100_000, le=3_300_000)] = 3_000_000
    led_pin: _Gpio = 17
    kyz1_y_pin: _Gpio = 22
    kyz1_z_pin: _Gpio = 23


class Simulation(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    fidelity: Literal["exact", "rtl"] = "exact"
    sensors: Literal["typical", "ideal"] = "typical"
    seed: Annotated[int, msgspec.Meta(ge=0)] = 1


class MeterProgram(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    form: str = "9S"
    current_class: Literal[10, 20, 200, 320] = 20
    ks_wh: str | None = None
    kp1_wh: str | None = None
    calibration: str | None = None


class Config(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A whole rig.toml; every key may be left out."""

    hardware: Hardware = Hardware()
    simulation: Simulation = Simulation()
    meter: MeterProgram = MeterProgram()


_TABLES: dict[str, Any] = {"hardware": Hardware, "simulation": Simulation, "meter": MeterProgram}


def load(path: Path | None) -> Config:
    """Read rig.toml; None is the default configuration. Raises ConfigError."""
    if path is None:
        return Config()
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist: give an existing file, or none for the simulated rig") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}") from None
    try:
        config = msgspec.convert(data, Config)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {_sentence(str(error), data)}") from None
    if config.meter.calibration is None:
        return config
    beside = str(path.parent / config.meter.calibration)
    return msgspec.structs.replace(config, meter=msgspec.structs.replace(config.meter, calibration=beside))


LEAST = Fraction(1, 10**9)
MOST = 10**9
_NUMBER = re.compile(r"\d{1,20}(\.\d{0,20})?(e[+-]?\d{1,2})?|\d{1,20}/\d{1,20}", re.ASCII | re.IGNORECASE)


def exact(text: str) -> Fraction | None:
    """A number of at most MOST from its text, decimal or numerator/denominator, exactly; None for anything else."""
    if not _NUMBER.fullmatch(text.strip()):
        return None
    try:
        value = Fraction(text.strip())
    except ZeroDivisionError:
        return None
    return value if value <= MOST else None


def constant_wh(text: str, key: str) -> Fraction:
    """A pulse constant from its text, exactly; 0, or at least LEAST. Raises ConfigError."""
    value = exact(text)
    if value is None or 0 < value < LEAST:
        raise ConfigError(f'{key} is "{text}", it must be watt-hours in quotes, such as "1.8" or "3/20"')
    return value


def _sentence(message: str, data: dict[str, Any]) -> str:
    """msgspec's message as one that names key, value and what would be right."""
    unknown = re.match(r"Object contains unknown field `(.+?)`(?: - at `\$\.?(.*)`)?$", message)
    if unknown:
        key, table = unknown[1], unknown[2] or ""
        known = list(_TABLES[table].__struct_fields__) if table else list(_TABLES)
        where = f"[{table}]" if table else "the file"
        close = difflib.get_close_matches(key, known, 1)
        hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
        return f"unknown key {key} in {where}; {hint}"
    table, _, key = message.partition(" - at `$.")[2].rstrip("`").partition(".")
    if not key:
        return f"{table} is {data[table]!r}, it must be a table: [{table}] and its keys below"
    return f"{table}.{key} is {data[table][key]!r}, it must be {_rule(table, key)}"


def _rule(table: str, key: str) -> str:
    """What a key's value may be, from its type."""
    (field,) = (f for f in msgspec.inspect.type_info(_TABLES[table]).fields if f.name == key)  # type: ignore[attr-defined]
    kind = field.type
    if isinstance(kind, msgspec.inspect.LiteralType):
        return " or ".join(repr(v) for v in kind.values)
    if isinstance(kind, msgspec.inspect.IntType):
        return f"a whole number from {kind.ge}" + (f" to {kind.le}" if kind.le is not None else " on")
    return "text in quotes"
