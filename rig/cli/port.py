"""`rig port`: a serial port of a running meter, and what went over its line (docs/communication.md)."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rig.cli.group import CommandGroup
from rig.cli.options import ConfigOption, FollowOption, SocketOption, configuration, meter_socket
from rig.errors import RigError
from rig.plain_text import print_error, print_line

if TYPE_CHECKING:
    from rig.hardware.config import Config, PortConfig

app = typer.Typer(
    cls=CommandGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="A serial port of a meter: serve it, see what goes over it.",
)

LOOK_S = 0.1
"""A trace that grows is looked at so often."""

NamedPort = Annotated[
    str | None, typer.Argument(help="The port's name in rig.toml; left out where there is one.", show_default=False)
]


class PortRefused(RigError):
    """A port that is not there, or a trace: one sentence."""


@app.command("serve", epilog="Example: rig port serve optical --config rig.toml")
def serve(name: NamedPort = None, config: ConfigOption = None, socket: SocketOption = None) -> None:
    """Serve a port of a meter that runs, or will, until Ctrl-C or SIGTERM. rig run does it by itself."""
    from rig.communication.port.serving import Serving
    from rig.results.provenance import project_version

    chosen = configuration(config)
    port = _named(chosen, name)
    serving = Serving(port, meter_socket(config, chosen, socket), project_version(), print_error)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: setattr(serving, "stopped", True))
    signal.signal(signal.SIGUSR1, lambda number, frame: serving.call())
    print_error(f"port {port.name}: {serving.where}")
    serving.run()


@app.command("trace", epilog="Example: rig port trace optical.trace --follow")
def trace(
    file: Annotated[Path, typer.Argument(help="What ports.trace in rig.toml names.", show_default=False)],
    follow: FollowOption = False,
) -> None:
    """Print what went over a port's line in words, packet by packet; passwords are left out."""
    from rig.communication.port.trace import TraceWords, lines_of

    words = TraceWords()
    for now_ns, way, data in lines_of(_lines(file, follow), str(file)):
        for sentence in words.of(now_ns, way, data):
            print_line(sentence)


def _named(config: Config, name: str | None) -> PortConfig:
    names = [port.name for port in config.ports]
    if not names:
        raise PortRefused("no port is configured: add [[ports]] to rig.toml, as docs/communication.md has it")
    if name is None and len(names) == 1:
        return config.ports[0]
    for port in config.ports:
        if port.name == name:
            return port
    given = "several ports are configured" if name is None else f"{name!r} is no port of the configuration"
    raise PortRefused(f"{given}: give {' or '.join(names)}")


def _lines(file: Path, follow: bool) -> Iterator[str]:
    """Give the whole lines of a file, and with `follow` those that are added."""
    try:
        with file.open(encoding="ascii", errors="replace") as opened:
            line = ""
            while True:
                line += opened.readline()
                if line.endswith("\n"):
                    yield line
                    line = ""
                elif follow:
                    time.sleep(LOOK_S)
                else:
                    if line:
                        yield line
                    return
    except OSError as error:
        raise PortRefused(f"{file} cannot be read ({error.strerror}): give the file that ports.trace names") from None
