"""Options and arguments that several commands have, each defined once; options of one command are defined with it.

A test walks all commands: no two of their modules define an option of the same flag.
"""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from rig.hardware.config import Config


class Speed(StrEnum):
    real = "1"
    most = "max"


class Fidelity(StrEnum):
    exact = "exact"
    rtl = "rtl"


FORM = typer.Option("--form", help="Meter form, such as 9S or 1S.")
"""Of a program to begin it has a default, of a recording it is found out."""

REPORT = typer.Option("--report", help="Write a report to sign: .html or .pdf.")
"""An accuracy test writes several, and .json too."""

METER = typer.Option(
    "--meter", help="Which meter, of a load's record that has several; its program, of an accuracy test."
)
"""Of a record it is a name, of a test a file."""

CHANNEL = typer.Option("--channel", help="A channel, by name or number; plot takes one, others several.")
"""A load profile's."""

OUT = typer.Option("--out", help="File to write; without it standard output, for rig report FILE.html.")
"""A meter's report has several."""

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="rig.toml; without it, ./rig.toml if there, else the simulated rig."),
]
FidelityOption = Annotated[
    Fidelity | None, typer.Option("--fidelity", help="exact: the model. rtl: the gateware's netlist.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead, as docs/json.md has it.")]
FollowOption = Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")]
OutOption = Annotated[Path | None, OUT]
ForceOption = Annotated[bool, typer.Option("--force", help="Overwrite files that exist.")]
ReportOption = Annotated[Path | None, REPORT]
LengthOption = Annotated[str | None, typer.Option("--seconds", help="Length in seconds.", show_default=False)]
VtRatioOption = Annotated[
    str, typer.Option("--vt-ratio", help="Ratio of the voltage transformers: volts are those of their primary side.")
]
CtRatioOption = Annotated[str, typer.Option("--ct-ratio", help="The same of the current transformers, for amperes.")]
SecondsOption = Annotated[
    float | None, typer.Option("--for", min=0.1, max=1e9, help="Seconds of the rig's time; else until Ctrl-C.")
]
SpeedOption = Annotated[Speed, typer.Option("--speed", help="1: real time. max: as fast as a simulated rig can.")]
SocketOption = Annotated[
    Path | None,
    typer.Option("--socket", "--serve", help="Where the meter is found, a Unix socket; else by its configuration."),
]
HandsOption = Annotated[
    Path | None, typer.Option("--hands", help="Simulated rig: move its switches as in this file of rig record.")
]
LoadOption = Annotated[
    str | None,
    typer.Option(
        "--load",
        help='Simulated rig: what the meter is connected to, such as "5 A, pf 0.8 lag" or alarms; see docs/load.md.',
        show_default=False,
    ),
]
RecordingOption = Annotated[
    int | None, typer.Option("--recording", help="Its number; a new one begins with each program. Else the newest.")
]
StoreArgument = Annotated[Path, typer.Argument(help="The folder of the store, as rig.toml has it.")]


def configuration_file(path: Path | None) -> Path | None:
    """Give the file asked for, or the one that is here; None: the default."""
    here = Path("rig.toml")
    return here if path is None and here.exists() else path


def meter_socket(path: Path | None, config: Config, socket: Path | None) -> Path:
    """Give the socket where the meter of a configuration is found: as asked for, as configured, or by the file."""
    from rig.daemon.address import default_socket

    if socket is not None:
        return socket
    if config.daemon.socket is not None:
        return Path(config.daemon.socket)
    return default_socket(configuration_file(path))


def configuration(path: Path | None) -> Config:
    """Read the file asked for, or the one that is here; without either, give the default. Raises ConfigError."""
    from rig.hardware.config import load

    return load(configuration_file(path))


def loaded_configuration(
    path: Path | None, load: str | None, *, board: bool = False, kind: Literal["sim", "pi"] | None = None
) -> Config:
    """Read the configuration as `configuration` does, with the load of an option in place of its own.

    `board`: for the board itself, which may live on. `kind`: the hardware, in place of its own.
    Raises ConfigError for a load that its meter cannot have.
    """
    from msgspec.structs import replace

    from rig.files.strict_toml import ConfigError

    config = configuration(path)
    if kind is not None:
        config = replace(config, hardware=replace(config.hardware, kind=kind))
    if load is None:
        return config
    if config.hardware.kind != "sim":
        raise ConfigError("--load needs the simulated rig: on hardware the load is the real one")
    if config.simulation.board is not None and not board:
        raise ConfigError(
            f"--load is for the board that has the load: give it to the rig simulate of {config.simulation.board}"
        )
    from rig.hardware.selection import metering_point, program_of
    from rig.load.connected import connected
    from rig.load.description import beside_file
    from rig.load.spelling import PLACE, read_load

    described = beside_file(read_load(load), Path.cwd())
    connected(described, metering_point(program_of(config)), PLACE)
    return replace(config, simulation=replace(config.simulation, load=described))


def option_number(flag: str, text: str, *, positive: bool = False) -> Fraction:
    """Read an exact number from an option: 60, 0.5, 69000/115. Raises ConfigError, naming the flag."""
    from rig.files.numbers import LEAST, MOST, number

    least = LEAST if positive else Fraction(0)
    kind = "positive number" if positive else "number from 0"
    rule = f"a {kind} up to {MOST}, such as 60, 0.5 or 69000/115"
    return number(flag, text, rule, least, MOST)
