"""The command line, `rig`. Exit status: 0 done, 1 ran and failed, 2 could not run."""

from __future__ import annotations

import errno
import os
import sys
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Annotated, NoReturn

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from rig.cli import ask as ask_commands
from rig.cli import gateware as gateware_commands
from rig.cli import profile as profile_commands
from rig.cli import program as program_commands
from rig.cli import run as run_commands
from rig.cli import store as store_commands
from rig.cli.json_output import print_json
from rig.cli.options import ConfigOption, JsonOption, configuration
from rig.failures import refuse
from rig.files.numbers import LEAST, MOST, exact
from rig.files.strict_toml import ConfigError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Hardware-in-the-loop rig for the electricity meter of approval AE-0764, simulated or on a Raspberry Pi.",
)
app.add_typer(ask_commands.app, name="ask")
app.add_typer(gateware_commands.app, name="gateware")
app.add_typer(program_commands.app, name="program")
app.add_typer(profile_commands.app, name="profile")
app.add_typer(store_commands.app, name="store")


class Fidelity(StrEnum):
    exact = "exact"
    rtl = "rtl"


class Stamps(StrEnum):
    begin = "begin"
    end = "end"


app.command(epilog="Example: [bold]rig run --for 10 --speed max[/bold]")(run_commands.run)
app.command(epilog="Example: [bold]rig record session.csv[/bold]")(run_commands.record)
app.command(epilog="Example: [bold]rig watch --follow --json[/bold]")(run_commands.watch)
app.command(epilog="Example: [bold]rig serve --config rig.toml[/bold]")(run_commands.serve)
app.command(epilog="Example: [bold]rig attach[/bold]")(run_commands.attach)
app.command(epilog="Example: [bold]rig lcd --config rig.toml[/bold]")(run_commands.lcd)
app.command(epilog="Example: [bold]rig stop[/bold]")(run_commands.stop)


@app.command(epilog="Example: [bold]rig replay g1.cfg --channels va=VA_G1,ia=IA_G1 --vt-ratio 60 --ct-ratio 500[/bold]")
def replay(
    record: Annotated[
        Path | None,
        typer.Argument(help="A COMTRADE .cfg, or a CSV with columns va ia vb ib vc ic.", show_default=False),
    ] = None,
    channels: Annotated[str | None, typer.Option(help="va=NAME,ia=NAME,… when names are not obvious.")] = None,
    form: Annotated[str | None, typer.Option(help="Meter form; 9S, or 1S for a single phase.")] = None,
    vt_ratio: Annotated[str, typer.Option(help="Divides volts going in, multiplies them coming out.")] = "1",
    ct_ratio: Annotated[str, typer.Option(help="The same for amperes.")] = "1",
    rate: Annotated[str | None, typer.Option(help="Samples a second, where the file does not say.")] = None,
    start: Annotated[str, typer.Option(help="Seconds of the recording to leave out.")] = "0",
    seconds: Annotated[str | None, typer.Option(help="Seconds to play; else to its end.")] = None,
    loop: Annotated[bool, typer.Option("--loop", help="Repeat it, for --seconds.")] = False,
    fidelity: Annotated[Fidelity | None, typer.Option(help="exact: the model. rtl: the gateware's netlist.")] = None,
    intervals: Annotated[
        Path | None, typer.Option(help="Instead: a load's record, a CSV with columns time, kwh_delivered, …")
    ] = None,
    program: Annotated[Path | None, typer.Option(help="--intervals: the meter's program; else a plain one.")] = None,
    interval_minutes: Annotated[str | None, typer.Option(help="--intervals: their length, if not regular.")] = None,
    stamps: Annotated[Stamps, typer.Option(help="--intervals: what their times say.")] = Stamps.end,
    demand: Annotated[
        str | None, typer.Option(help="--intervals: block:30, sliding:5x6 or thermal:15, whatever the program says.")
    ] = None,
    store: Annotated[Path | None, typer.Option(help="--intervals: keep the meter in this new folder.")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Play a recording through the whole chain, or a load's record through the meter's billing.

    A recording goes from its waveform to registers and pulses; with --intervals, months of energies go in seconds to
    registers, demand, rates and load profile.
    """
    if intervals is not None:
        from rig.cli.intervals import replay_intervals

        if record is not None:
            raise ConfigError(f"{record} and --intervals {intervals}: give one of them to replay")
        given = {
            "--channels": channels is not None, "--form": form is not None, "--vt-ratio": vt_ratio != "1",
            "--ct-ratio": ct_ratio != "1", "--rate": rate is not None, "--start": start != "0",
            "--seconds": seconds is not None, "--loop": loop, "--fidelity": fidelity is not None,
            "--config": config is not None,
        }  # fmt: skip
        if odd := [name for name, there in given.items() if there]:
            raise ConfigError(f"{odd[0]} goes with a recording, --intervals has none")
        replay_intervals(
            intervals,
            program=program,
            interval_minutes=interval_minutes,
            stamps=stamps.value,
            demand=demand,
            json=json,
            store=store,
        )
        return
    given = {
        "--program": program is not None, "--interval-minutes": interval_minutes is not None,
        "--stamps": stamps is not Stamps.end, "--demand": demand is not None, "--store": store is not None,
    }  # fmt: skip
    if odd := [name for name, there in given.items() if there]:
        raise ConfigError(f"{odd[0]} goes with --intervals, which is not given")
    if record is None:
        raise ConfigError("nothing to replay: give a recording, or --intervals with a load's record")
    from drivers.sim.channels import assign, parse_spec
    from drivers.sim.reading import read_recording
    from rig.replay.recordings.replay import Playback
    from rig.replay.recordings.replay import replay as play
    from rig.terminal import run_view as view

    chosen = configuration(config)
    if fidelity is not None:
        simulation = msgspec.structs.replace(chosen.simulation, fidelity=fidelity.value)
        chosen = msgspec.structs.replace(chosen, simulation=simulation)
    recording = read_recording(record, None if rate is None else _number("--rate", rate, positive=True))
    playback = Playback(
        recording,
        assign(recording, None if channels is None else parse_spec(channels)),
        form=form,
        vt_ratio=_number("--vt-ratio", vt_ratio, positive=True),
        ct_ratio=_number("--ct-ratio", ct_ratio, positive=True),
        start_s=_number("--start", start),
        seconds=None if seconds is None else _number("--seconds", seconds, positive=True),
        loop=loop,
    )
    messages = Console(stderr=True)
    for note in recording.notes:
        messages.print(f"note: {note}", style="dim", highlight=False)
    columns = (TextColumn(record.name), BarColumn(), TextColumn("{task.percentage:3.0f} %"), TimeRemainingColumn())
    with Progress(*columns, console=messages, disable=not messages.is_terminal, transient=True) as progress:
        task = progress.add_task("", total=1.0)
        try:
            summary = play(playback, chosen, lambda done: progress.update(task, completed=done))
        except KeyboardInterrupt:
            progress.stop()
            refuse("interrupted before the recording's end: no result")
            raise typer.Exit(1) from None
    if playback.seconds is not None and summary.seconds < playback.seconds * Fraction(999, 1000):
        messages.print(f"note: the recording ends after {summary.seconds:g} s", style="dim", highlight=False)
    if json:
        print_json(summary)
    else:
        Console().print(view.report(summary))


def _number(option: str, text: str, positive: bool = False) -> Fraction:
    """An exact number from an option: 60, 0.5, 69000/115."""
    value = exact(text)
    if value is None or (positive and not LEAST <= value):
        wanted = f"a number from {float(LEAST):g}" if positive else "a number from 0"
        raise ConfigError(f'{option} is "{text}", it must be {wanted} to {MOST:g}, such as 60, 0.5 or 69000/115')
    return value


@app.command(epilog="Example: [bold]rig scope --trigger v1:rising:0V --cycles 3 --comtrade shot.cfg[/bold]")
def scope(
    trigger: Annotated[
        str, typer.Option(help="now, v1:rising:0V, i2:falling:-3.5A, event:sag:96V (volts rms), event:overload, …")
    ] = "v1:rising:0V",
    cycles: Annotated[
        float | None, typer.Option(min=0.01, max=1e6, help="Length in cycles of 60 Hz; 4 if nothing is said.")
    ] = None,
    seconds: Annotated[float | None, typer.Option(min=1e-4, max=1e4, help="Length in seconds.")] = None,
    wait: Annotated[float, typer.Option(min=0, max=1e6, help="Seconds to wait for the trigger.")] = 5.0,
    comtrade: Annotated[Path | None, typer.Option(help="Write a COMTRADE .cfg and its .dat.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write a CSV file.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files.")] = False,
    vt_ratio: Annotated[str, typer.Option(help="Multiplies volts, to the transformers' primary side.")] = "1",
    ct_ratio: Annotated[str, typer.Option(help="The same for amperes.")] = "1",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Capture the six waveforms around a trigger and show them. Exit status 1 when the trigger does not come."""
    from rig.files.whole import check_free, write_files
    from rig.hardware.selection import open_hardware, program_of
    from rig.scope import files
    from rig.scope.capture import NOMINAL_HZ, capture, parse_trigger
    from rig.terminal.scope_view import scope_view

    if cycles is not None and seconds is not None:
        raise ConfigError("--cycles and --seconds both say how long: give one of them")
    parse_trigger(trigger)
    vt, ct = _number("--vt-ratio", vt_ratio, positive=True), _number("--ct-ratio", ct_ratio, positive=True)
    check_free([*(files.comtrade_pair(comtrade) if comtrade else ()), *([csv] if csv else ())], force)
    length_s = seconds if seconds is not None else (4 if cycles is None else cycles) / NOMINAL_HZ
    chosen = configuration(config)
    hardware = open_hardware(chosen, program_of(chosen).metering.current_class, paced=False)
    try:
        shot = capture(hardware, trigger, length_s, wait, vt, ct)
    finally:
        hardware.close()
    if shot is None:
        refuse(f"the trigger {trigger} did not come in {wait:g} s: nothing captured; --wait gives it longer")
        raise typer.Exit(1)
    when = datetime.now(UTC) - timedelta(seconds=shot.age_s)
    contents: dict[Path, bytes] = {}
    if comtrade:
        contents |= files.comtrade(shot, comtrade, when, files.PrimaryRatios(float(vt), float(ct)))
    if csv:
        contents |= files.csv(shot, csv, when)
    write_files(contents)
    if json:
        print_json(shot)
    else:
        console = Console()
        console.print(scope_view(shot, console.width))


@app.command(epilog="Example: [bold]rig doctor --json[/bold]")
def doctor(json: JsonOption = False) -> None:
    """Check what this machine has for the simulated rig and for a Raspberry Pi, and say how to mend it.

    Exit status 1 when neither could run.
    """
    from rig.hardware.doctor import able, examine

    checks = examine()
    if json:
        print_json(checks)
    else:
        table = Table(box=None)
        for name in ("for", "", "what", "found", "remedy"):
            table.add_column(name, overflow="fold")
        for check in checks:
            cells = check.part, "✓" if check.holds else "✗", check.name, check.found, check.remedy
            table.add_row(*(escape(cell) for cell in cells))
        Console().print(table)
    if not able(checks):
        raise typer.Exit(1)


def main() -> None:
    """Entry point of the command `rig`."""
    from rig.failures import MENDABLE, unexpected

    try:
        app()
    except (SystemExit, KeyboardInterrupt):
        raise  # the usual ends: what else could have come needs no looking up, which takes long
    except MENDABLE as error:
        refuse(str(error))
        sys.exit(getattr(error, "status", 2))
    except ModuleNotFoundError as error:
        if "RIG_TRACEBACK" in os.environ:
            raise
        sys.exit(refuse(f"this needs {error.name}, which is not installed: install the extras [sim,gateware]"))
    except BrokenPipeError:
        _end_without_output()  # whoever read it has left
    except UnicodeEncodeError as error:
        sign = ascii(error.object[error.start])
        refuse(f"the output takes no {sign} (its encoding is {error.encoding}): set LC_ALL=C.UTF-8")
        _end_without_output()
    except Exception as error:
        if "RIG_TRACEBACK" in os.environ:
            raise
        full = isinstance(error, OSError) and error.errno == errno.ENOSPC and error.filename is None
        refuse("the output cannot be written: no space left there" if full else unexpected(error))
        _end_without_output()


def _end_without_output() -> NoReturn:
    """With status 1, and without Python's own word that what is left could not be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(1)
