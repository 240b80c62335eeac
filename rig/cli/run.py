"""`rig run`, `rig record`, `rig watch`: the meter, shown on a terminal, as lines, or as JSON."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.live import Live
from rich.text import Text

from rig.cli.json_output import print_json
from rig.cli.options import (
    ConfigOption,
    HandsOption,
    JsonOption,
    SecondsOption,
    ServeOption,
    Speed,
    SpeedOption,
    configuration,
)
from rig.failures import refuse
from rig.files.strict_toml import ConfigError
from rig.hardware.hands_file import HandsWriter

HOLD, SHOW = "\x1b[?2026h", "\x1b[?2026l"
"""Around a picture: a terminal that knows them shows it as one, without a flicker; others pass over them."""


def run(
    config: ConfigOption = None,
    seconds: SecondsOption = None,
    speed: SpeedOption = Speed.real,
    hands: HandsOption = None,
    serve: ServeOption = None,
    json: JsonOption = False,
) -> None:
    """Run the meter on the hardware that the configuration names, by default the simulated rig.

    On a terminal the simulated rig's switches are keys: m magnet, s SCROLL, r demand reset, t TEST, c cover. A button
    is held by pressing its key twice at once, and let go by pressing it again.
    """
    raise typer.Exit(_run(config, seconds, speed, hands, serve, json, None))


def record(
    file: Annotated[Path, typer.Argument(help="Where to write: a CSV, for rig run --hands.", show_default=False)],
    config: ConfigOption = None,
    seconds: SecondsOption = None,
    speed: SpeedOption = Speed.real,
    hands: HandsOption = None,
    serve: ServeOption = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    json: JsonOption = False,
) -> None:
    """Run the meter as rig run does, and write down what hands do: every raw edge of its switches and inputs."""
    with HandsWriter(file, force=force) as writer:
        status = _run(config, seconds, speed, hands, serve, json, writer)
    print(f"{file}: {writer.edges} edges", file=sys.stderr)
    raise typer.Exit(status)


def _run(
    config: Path | None,
    seconds: float | None,
    speed: Speed,
    hands: Path | None,
    serve: Path | None,
    json: bool,
    writer: HandsWriter | None,
) -> int:
    """The exit status: 0, or 1 where a failure ended it."""
    from rig.terminal import run_view as view
    from rig.terminal import show as live

    chosen = configuration(config)
    paced, simulated = speed is Speed.real, chosen.hardware.kind == "sim"
    for option, given in (("--speed max", not paced), ("--hands", hands is not None)):
        if given and not simulated:
            raise ConfigError(f"{option} needs the simulated rig: on hardware time passes, and hands move, as they do")
    console = Console()
    audience = live.Audience(
        lambda moment: console.print(view.panel(moment, trouble=moment.lcd_trouble)), serve=serve, record=writer
    )
    if json:
        audience = replace(audience, moment=lambda moment: print_json(live.state(moment)))
        ended = live.run(chosen, seconds, paced=paced, audience=audience, hands=hands)
        print_json({"type": "summary"} | msgspec.to_builtins(ended.summary))
    elif console.is_terminal:
        keys = sys.stdin if sys.stdin.isatty() and simulated and paced and hands is None else None
        with Live(Text("the meter starts", style="dim"), console=console, auto_refresh=False) as screen:

            def show(moment: live.Moment) -> None:
                panel = view.panel(moment, keys=keys is not None, trouble=moment.lcd_trouble)
                console.file.write(HOLD)
                screen.update(panel, refresh=True)
                console.file.write(SHOW)
                console.file.flush()

            audience = replace(audience, moment=show, face=show, keys=keys)
            ended = live.run(chosen, seconds, paced=paced, audience=audience, hands=hands)
        console.print(view.report(ended.summary))
    else:
        ended = live.run(chosen, seconds, paced=paced, audience=audience, hands=hands)
        console.print(view.report(ended.summary))
    if ended.failure:
        refuse(ended.failure)
        return 1
    return 0


def watch(
    socket: Annotated[Path, typer.Argument(help="Where rig run --serve gives the state.", show_default=False)],
    json: JsonOption = False,
) -> None:
    """Look once at a meter that runs: what it shows, what it has registered, its outputs."""
    from rig.daemon.state_server import read_state
    from rig.terminal import run_view as view
    from rig.terminal import show as live

    line = read_state(socket)
    if json:
        sys.stdout.write(line.decode())
    else:
        moment = live.moment_of(line)
        Console().print(view.panel(moment, trouble=moment.lcd_trouble))
