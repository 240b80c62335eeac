"""The command line, `rig`: assembled from its commands, each of which has a file (rig/cli/ending.py: how it ends)."""

from __future__ import annotations

from typing import Annotated

import typer

from rig.cli import ask, gateware, port, profile, program, publish, report, store
from rig.cli.accuracy import accuracy
from rig.cli.bill import bill
from rig.cli.calibrate import calibrate
from rig.cli.doctor import doctor
from rig.cli.ending import run_to_end
from rig.cli.group import CommandGroup
from rig.cli.meter import meter
from rig.cli.module import module
from rig.cli.poll import poll
from rig.cli.read import read
from rig.cli.replay import replay
from rig.cli.run import attach, lcd, record, run, serve, stop, watch
from rig.cli.scope import scope
from rig.cli.selftest import selftest
from rig.cli.simulate import simulate
from rig.cli.verify import verify
from rig.cli.write import write
from rig.plain_text import print_line

app = typer.Typer(
    cls=CommandGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # the same plain text on a terminal, a dumb one and a pipe, without loading rich
)

app.command(short_help="Meter, simulated or on hardware.", epilog="Example: rig run --for 10 --speed max")(run)
app.command(short_help="Meter, and record what hands do.", epilog="Example: rig record session.csv")(record)
app.command(short_help="Meter as a service does, without showing it.", epilog="Example: rig serve --config rig.toml")(
    serve
)
app.command(short_help="Show a meter that runs.", epilog="Example: rig attach")(attach)
app.command(short_help="Look at a meter that runs.", epilog="Example: rig watch --follow --json")(watch)
app.command(short_help="Write a meter's display on a character display.", epilog="Example: rig lcd")(lcd)
app.command(short_help="End a meter that runs.", epilog="Example: rig stop")(stop)
app.command(short_help="Run the simulated board alone.", epilog="Example: rig simulate --config rig.toml")(simulate)
app.command(
    short_help="Play a recording of waveforms.",
    epilog="Example: rig replay g1.cfg --channels va=VA_G1,ia=IA_G1 --vt-ratio 60 --ct-ratio 500",
)(replay)
app.command(
    short_help="Bill a load's record: months in seconds.",
    epilog="Example: rig bill load.csv --program meter.toml --demand sliding:5x6",
)(bill)
app.command(
    short_help="Capture waveforms around a trigger.",
    epilog="Example: rig scope --trigger v1:rising:0V --cycles 3 --comtrade shot.cfg",
)(scope)
app.command(short_help="Verify a pulse output with a counter.", epilog="Example: rig verify --output kyz1 --json")(
    verify
)
app.command(
    short_help="Test accuracy at the points of a standard.",
    epilog="Example: rig accuracy --standard iec62053-22 --class 0.2S",
)(accuracy)
app.command(short_help="Calibrate a unit on the bench, or a simulated one.", epilog="Example: rig calibrate --dry-run")(
    calibrate
)
app.command(
    short_help="Read a meter over a serial port.", epilog="Example: rig read /dev/ttyUSB0 --out meter.json --prompt"
)(read)
app.command(
    short_help="Write a program to a meter over a port.",
    epilog="Example: rig write /dev/ttyUSB0 meter.toml --prompt",
)(write)
app.command(
    short_help="Have a meter do something over a port.", epilog="Example: rig meter /dev/ttyUSB0 reset --prompt"
)(meter)
app.command(short_help="Read all meters of an RS-485 line.", epilog="Example: rig poll /dev/ttyUSB0 --addresses 1-32")(
    poll
)
app.command(short_help="Be a communication module's far end.", epilog="Example: rig module TS2 --json")(module)
app.command(short_help="Test each part of the rig.", epilog="Example: rig selftest --json")(selftest)
app.command(short_help="Check what this machine has.", epilog="Example: rig doctor --json")(doctor)
app.add_typer(ask.app, name="ask")
app.add_typer(port.app, name="port")
app.add_typer(publish.app, name="publish")
app.add_typer(program.app, name="program")
app.add_typer(store.app, name="store")
app.add_typer(profile.app, name="profile")
app.add_typer(gateware.app, name="gateware")
app.add_typer(report.app, name="report")


def _print_version(wanted: bool) -> None:
    if wanted:
        import platform

        from rig.results.provenance import commit, project_version

        words = [f"rig {project_version()}", *([f"commit {commit()}"] if commit() else [])]
        print_line(", ".join([*words, f"Python {platform.python_version()}"]))
        raise typer.Exit


@app.callback()
def rig(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Hardware-in-the-loop rig for the electricity meter of approval AE-0764, simulated or on a Raspberry Pi."""


def main() -> None:
    """Entry point of the command `rig`."""
    run_to_end(app)
