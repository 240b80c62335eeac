"""Options that several commands have."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from rig.hardware.config import Config, load


class Speed(StrEnum):
    real = "1"
    most = "max"


ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="rig.toml; without it, ./rig.toml if there, else the simulated rig."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON (docs/json.md) instead.")]
SecondsOption = Annotated[
    float | None, typer.Option("--for", min=0.1, max=1e9, help="Seconds of the rig's time; else until Ctrl-C.")
]
SpeedOption = Annotated[Speed, typer.Option(help="1: real time. max: as fast as a simulated rig can.")]
SocketOption = Annotated[
    Path | None,
    typer.Option("--socket", "--serve", help="Where the meter is found, a Unix socket; else by its configuration."),
]
HandsOption = Annotated[
    Path | None, typer.Option(help="Simulated rig: move its switches as in this file of rig record.")
]


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
    """Read the file asked for, or the one that is here, or take the default."""
    return load(configuration_file(path))
