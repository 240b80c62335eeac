"""`rig run`, `serve`, `attach`, `record`, `watch`, `stop`: a meter that runs, and who looks on."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rig.cli.json_output import print_json
from rig.cli.options import (
    ConfigOption,
    FollowOption,
    ForceOption,
    HandsOption,
    JsonOption,
    LoadOption,
    SecondsOption,
    SocketOption,
    Speed,
    SpeedOption,
    configuration,
    loaded_configuration,
    meter_socket,
)
from rig.errors import RigError
from rig.failures import refuse
from rig.plain_text import print_error, print_line

if TYPE_CHECKING:
    import subprocess

    from rich.live import Live

    from rig.daemon.client import MeterClient
    from rig.daemon.protocol import Ended, Reading
    from rig.hardware.config import Config
    from rig.hardware.hands_file import HandsWriter
    from rig.terminal.console import CommandConsole
    from rig.terminal.show import Audience

HOLD, SHOW = "\x1b[?2026h", "\x1b[?2026l"
"""Around a picture: a terminal that knows them shows it as one, without a flicker; others pass over them."""


UNPACED_LINE_S = 10
"""With --speed max a line of text comes each ten seconds of the meter's time, else each second."""


class RunRefused(RigError):
    """A run that cannot be as its options have it: one sentence."""


def run(
    config: ConfigOption = None,
    load: LoadOption = None,
    seconds: SecondsOption = None,
    speed: SpeedOption = Speed.real,
    hands: HandsOption = None,
    socket: SocketOption = None,
    json: JsonOption = False,
) -> None:
    """Run the meter on the hardware that the configuration names, by default the simulated rig, and show it.

    The meter is a process of its own: Ctrl-C here ends it in good order, anything else that happens here does not.
    If one runs already it is shown, and goes on after Ctrl-C.

    On a terminal the simulated rig's switches are keys: m magnet, s SCROLL, r demand reset, t TEST, c cover. A button
    is held by pressing its key twice at once, and let go by pressing it again.
    """
    raise typer.Exit(_run(config, load, seconds, speed, hands, socket, json, None))


def record(
    file: Annotated[Path, typer.Argument(help="Where to write: a CSV, for rig run --hands.", show_default=False)],
    config: ConfigOption = None,
    load: LoadOption = None,
    seconds: SecondsOption = None,
    speed: SpeedOption = Speed.real,
    hands: HandsOption = None,
    socket: SocketOption = None,
    force: ForceOption = False,
    json: JsonOption = False,
) -> None:
    """Run the meter as rig run does, and write down what hands do: every raw edge of its switches and inputs."""
    from rig.hardware.hands_file import HandsWriter

    with HandsWriter(file, force=force) as writer:
        status = _run(config, load, seconds, speed, hands, socket, json, writer)
    print_error(f"{file}: {writer.edges} edges")
    raise typer.Exit(status)


def attach(config: ConfigOption = None, socket: SocketOption = None, json: JsonOption = False) -> None:
    """Show a meter that runs, as rig run shows it. Ctrl-C leaves it; the meter goes on."""
    chosen = configuration(config)
    with _connected(meter_socket(config, chosen, socket), "rig attach") as client:
        raise typer.Exit(_show(client, json))


def serve(
    config: ConfigOption = None,
    load: LoadOption = None,
    seconds: SecondsOption = None,
    socket: SocketOption = None,
) -> None:
    """Run the meter without showing it, as a service does, until SIGTERM or Ctrl-C (docs/hardware.md has the unit)."""
    import msgspec

    from rig.daemon.startup import Start
    from rig.hardware.realtime import favour_start

    favour_start()
    chosen = loaded_configuration(config, load)
    where = meter_socket(config, chosen, socket)
    start = Start(chosen, str(where), seconds)
    if "NOTIFY_SOCKET" not in os.environ:  # a unit of its own has the network, which the meter's has not
        _start_publishers(chosen, where)
    reads, writes = os.pipe()
    os.write(writes, msgspec.msgpack.encode(start))
    os.close(writes)
    os.set_inheritable(reads, True)
    warnings = [f"-W{option}" for option in sys.warnoptions]
    # A process that has loaded nothing that metering does not need; it keeps its number, which systemd knows.
    os.execv(sys.executable, [sys.executable, *warnings, "-m", "rig.daemon.service", str(reads)])


def watch(
    path: Annotated[Path | None, typer.Argument(help="The meter's socket, as --socket.", show_default=False)] = None,
    config: ConfigOption = None,
    socket: SocketOption = None,
    follow: FollowOption = False,
    json: JsonOption = False,
) -> None:
    """Look at a meter that runs: its display, its registers, its outputs. Once, or with --follow one each second."""
    from rig.daemon.protocol import Reading, Topic

    chosen = configuration(config)
    with _connected(path or meter_socket(config, chosen, socket), "rig watch") as client:
        if follow:
            raise typer.Exit(_show(client, json, keys=False))
        client.subscribe(Topic.READINGS)
        _print(client.await_message(Reading), json)


def lcd(config: ConfigOption = None, socket: SocketOption = None) -> None:
    """Write what a meter that runs displays on the character display of the configuration, until Ctrl-C."""
    from rig.terminal.show import Audience, show

    chosen = configuration(config)
    if chosen.display.size is None:
        raise RunRefused('display.lcd is "none", it must be "20x4" or "16x2" for rig lcd: set it in rig.toml')
    with _connected(meter_socket(config, chosen, socket), "rig lcd") as client:
        show(client, Audience(lambda reading: None, lcd=chosen.display), ours=False)


def stop(config: ConfigOption = None, socket: SocketOption = None) -> None:
    """End a meter that runs, in good order: pulses that are due are let out, and it is saved."""
    from rig.daemon.protocol import Ended, Stop

    chosen = configuration(config)
    with _connected(meter_socket(config, chosen, socket), "rig stop") as client:
        client.ask(Stop())
        ended = client.await_message(Ended)
        if ended.failure:
            refuse(ended.failure)
            raise typer.Exit(ended.status)


def _run(
    config: Path | None,
    load: str | None,
    seconds: float | None,
    speed: Speed,
    hands: Path | None,
    socket: Path | None,
    json: bool,
    writer: HandsWriter | None,
) -> int:
    """The exit status: 0, or 1 where a failure ended it."""
    from rig.daemon.client import ClientError
    from rig.terminal.start import own_socket, start_and_show

    chosen = loaded_configuration(config, load)
    paced = speed is Speed.real
    for option, given in (("--speed max", not paced), ("--hands", hands is not None)):
        if given and chosen.hardware.kind != "sim":
            raise RunRefused(f"{option} needs the simulated rig: on hardware time and switches are real")
    path = own_socket() if socket is None and not paced else meter_socket(config, chosen, socket)
    try:
        there = _connected(path, "rig run")
    except ClientError:
        pass
    else:
        with there:
            process = there.welcome.process
            for option, given in (
                ("--load", load is not None),
                ("--hands", hands is not None),
                ("--speed max", not paced),
            ):
                if given:
                    raise RunRefused(
                        f"a meter runs already (process {process}), and {option} is for a new one: stop it with "
                        "rig stop, or give another --socket"
                    )
            print_error(f"rig: a meter runs already (process {process}): this shows it; rig stop ends it")
            return _show(there, json, writer, seconds)
    ports = chosen.ports if paced else ()
    if ports:
        from rig.communication.port.launch import deaths_of, reports_of, where_ports_are

        for sentence in where_ports_are(ports, path):
            print_error(f"rig: {sentence}")
    keys = hands is None and chosen.hardware.kind == "sim" and paced
    started: list[subprocess.Popen[bytes]] = []
    with _audience(json, writer, keys=keys, line_s=1 if paced else UNPACED_LINE_S) as (audience, finish):
        audience = replace(audience, lcd=chosen.display)
        ended = start_and_show(
            chosen,
            seconds,
            paced=paced,
            audience=audience,
            hands=hands,
            socket=path,
            listening=lambda socket: started.extend(_start_clients(chosen, socket, paced)),
        )
    status = finish(ended)
    if ports:
        for report in (*(deaths_of(ports, started) if started else ()), *reports_of(ports, path)):
            print_error(f"rig: {report}")
    return status


def _start_clients(config: Config, socket: Path, paced: bool) -> list[subprocess.Popen[bytes]]:
    """Start the ports and publishers that are configured, each a process that ends with the meter; at full speed there
    are none. Return the ports."""
    started = []
    if paced and config.ports:
        from rig.communication.port.launch import launch_ports

        started = launch_ports(config.ports, socket)
    if paced:
        _start_publishers(config, socket)
    return started


def _start_publishers(config: Config, socket: Path) -> None:
    if config.mqtt.enabled or config.prometheus.enabled:
        from rig.publishing.launch import launch_publishers

        launch_publishers(config, socket)


def _connected(path: Path, name: str) -> MeterClient:
    from rig.daemon.client import MeterClient

    return MeterClient.connect(path, "command line", name)


def _show(
    client: MeterClient,
    json: bool,
    writer: HandsWriter | None = None,
    seconds: float | None = None,
    *,
    keys: bool = True,
) -> int:
    """Show a meter that is not ours; the exit status."""
    from rig.terminal.show import show

    moves = keys and client.welcome.provenance.simulated and client.welcome.paced
    with _audience(json, writer, keys=moves) as (audience, finish):
        ended = show(client, audience, ours=False, seconds=seconds)
    if ended is None:
        print_error(f"rig: the meter goes on (process {client.welcome.process}): rig stop ends it")
        return 0
    return finish(ended)


@contextmanager
def _audience(
    json: bool, writer: HandsWriter | None, *, keys: bool, line_s: int = 1
) -> Iterator[tuple[Audience, Callable[[Ended], int]]]:
    """Give the audience that is shown a meter here, and the function that prints its end and gives the exit status.

    `line_s`: of its time between lines of text where no picture can be drawn.
    """
    import msgspec

    from rig.terminal.console import output_console
    from rig.terminal.run_view import report
    from rig.terminal.show import Audience

    console = output_console()

    def finish(ended: Ended) -> int:
        if ended.summary is not None:
            if json:
                print_json({"type": "summary"} | msgspec.to_builtins(ended.summary))
            else:
                console.print(report(ended.summary))
        if ended.failure:
            refuse(ended.failure)
        return ended.status

    if json or not console.redraws:

        def write(reading: Reading) -> None:
            if json or round(reading.summary.seconds) % line_s == 0:
                _print(reading, json, brief=True)

        yield Audience(write, record=writer), finish
        return
    from rich.live import Live
    from rich.text import Text

    with Live(Text("the meter starts", style="dim"), console=console, auto_refresh=False) as live:
        yield replace(_on_terminal(console, live, keys and sys.stdin.isatty()), record=writer), finish


def _on_terminal(console: CommandConsole, live: Live, moves: bool) -> Audience:
    """A picture that stays in its place; `moves`: keys move the switches."""
    from rig.terminal.run_view import panel
    from rig.terminal.show import Audience

    def draw(reading: Reading) -> None:
        view = panel(reading, keys=moves, trouble=reading.lcd_trouble)
        console.file.write(HOLD)
        live.update(view, refresh=True)
        console.file.write(SHOW)
        console.file.flush()

    return Audience(draw, front=draw, keys=sys.stdin if moves else None)


def _print(reading: Reading, json: bool, brief: bool = False) -> None:
    from rig.terminal.console import output_console
    from rig.terminal.run_view import line, panel
    from rig.terminal.show import reading_json

    if json:
        print_json(reading_json(reading))
    elif brief:
        print_line(line(reading))
    else:
        output_console().print(panel(reading, trouble=reading.lcd_trouble))
