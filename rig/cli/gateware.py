"""`rig gateware`: make a board's bitstream, write it into the board, compare what it takes with what was kept."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from gateware.bitstream import figures, flash
from gateware.bitstream.build import ROOT, Build, build, latest
from gateware.bitstream.tools import BitstreamError
from gateware.boards import NAMES, Board, board
from rig.cli.json_output import print_json

app = typer.Typer(no_args_is_help=True, help="Bitstreams for the FPGA boards: build, flash, report.")

BoardOption = Annotated[str, typer.Option("--board", help=f"{' or '.join(NAMES)}.", show_default=False)]
DeviceOption = Annotated[
    str | None, typer.Option("--device", help="FPGA on the board: for ulx3s 25F (usual), 45F or 85F.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON (docs/json.md) instead.")]

START_S = 3.0
"""An FPGA loads itself from its flash memory within a tenth of this."""


@app.command("build", epilog="Example: [bold]rig gateware build --board ulx3s --device 85F[/bold]")
def build_command(board_name: BoardOption, device: DeviceOption = None, json: JsonOption = False) -> None:
    """Make the board's bitstream in build/gateware, unless nothing has changed since the last time.

    A limit that it breaks (1.5 times the clock, 85 % of the logic cells) is said; `rig gateware report` fails on it.
    """
    target = board(board_name, device)
    began = time.monotonic()
    with _Steps() as steps:
        try:
            made, fresh = build(target, progress=steps.begin)
        except KeyboardInterrupt:
            steps.stop()
            print("rig: interrupted: nothing was built", file=sys.stderr)
            raise typer.Exit(1) from None
    if json:
        print_json(_described(target, made) | {"fresh": fresh})
    else:
        took = f"built in {time.monotonic() - began:.0f} s" if fresh else "nothing changed since it was built"
        console = Console(highlight=False)
        console.print(f"{made.bitstream}: {took}, BUILD {made.identity:#010x}")
        console.print(_table(target, made.figures))
    _say(figures.broken_limits(made.figures, target))


@app.command("flash", epilog="Example: [bold]rig gateware flash --board icebreaker[/bold]")
def flash_command(
    board_name: BoardOption,
    device: DeviceOption = None,
    port: Annotated[
        str | None, typer.Option(help="Serial number of the board's USB chip, if there are several.")
    ] = None,
    config: Annotated[Path | None, typer.Option("--config", "-c", help="rig.toml with spi_path and spi_hz.")] = None,
) -> None:
    """Write the bitstream that was built into the board, then check over SPI that the FPGA runs it.

    Exit status 1 when another design answers. Where there is no SPI it says that nothing was verified.
    """
    from rig.hardware.config import load

    hardware = load(config if config is not None or not Path("rig.toml").exists() else Path("rig.toml")).hardware
    target = board(board_name, device)
    made = _built(target)
    flash.flash(target, made.bitstream, port)
    if not Path(hardware.spi_path).exists():
        print(f"loaded, not verified: there is no {hardware.spi_path} here, so the FPGA cannot be asked")
        return
    runs = _running(hardware.spi_path, hardware.spi_hz)
    if runs != made.identity:
        _end([f"{target.key}: the FPGA's BUILD reads {runs:#010x}, the bitstream has {made.identity:#010x}"])
    print(f"loaded and verified: BUILD {runs:#010x}")


@app.command("report", epilog="Example: [bold]rig gateware report --board icebreaker --keep[/bold]")
def report_command(
    board_name: Annotated[str | None, typer.Option("--board", help="One board; without it, all.")] = None,
    device: DeviceOption = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep these figures in gateware/boards/figures.json.")] = False,
    json: JsonOption = False,
) -> None:
    """Compare what the last builds take, and how fast they may run, with the kept figures.

    Exit status 1 on a regression beyond 5 %, or a broken limit.
    """
    names = NAMES if board_name is None else (board_name,)
    if device is not None and board_name is None:
        raise BitstreamError("--device needs --board")
    targets = [board(name, device) for name in names]
    builds = [_built(target) for target in targets]
    before = figures.kept()
    found = []
    for target, made in zip(targets, builds, strict=True):
        if keep:
            figures.keep(target.key, made.figures)
        elif target.key not in before:
            found.append(f"{target.key}: no figures are kept; --keep keeps these")
        else:
            found += figures.regressions(made.figures, before[target.key], target)
        found += figures.broken_limits(made.figures, target)
    if json:
        print_json([_described(t, b) | {"kept": before.get(t.key)} for t, b in zip(targets, builds, strict=True)])
    else:
        for target, made in zip(targets, builds, strict=True):
            Console(highlight=False).print(_table(target, made.figures, before.get(target.key)))
    _end(found)


class _Steps:
    """Live line on a terminal with the step at work and its time; a line for each step that is done."""

    def __init__(self) -> None:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        console = Console(stderr=True, highlight=False)
        self._progress = Progress(*columns, console=console, disable=not console.is_terminal, transient=True)
        self._task = self._progress.add_task("")
        self._step = ""
        self._began = time.monotonic()

    def __enter__(self) -> _Steps:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def begin(self, step: str) -> None:
        self._done()
        self._step, self._began = step, time.monotonic()
        self._progress.reset(self._task, description=step)

    def stop(self) -> None:
        self._progress.stop()
        if sys.exc_info()[0] is None:
            self._done()

    def _done(self) -> None:
        if self._step:
            self._progress.console.print(f"{self._step} {time.monotonic() - self._began:.1f} s", style="dim")
        self._step = ""


def _built(target: Board) -> Build:
    made = latest(target)
    if made is None:
        option = "" if target.key == target.name else f" --device {target.device}"
        raise BitstreamError(
            f"there is no whole build in {ROOT / target.key}: rig gateware build --board {target.name}{option}"
        )
    return made


def _running(path: str, hz: int) -> int:
    """What the FPGA's BUILD register reads, once it has started. LinkError when nothing of ours answers."""
    from drivers.spi_link import LinkError, SpiLink, open_spidev

    until = time.monotonic() + START_S
    while True:
        bus = open_spidev(path, hz)
        try:
            return SpiLink(bus).identity.build
        except LinkError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
        finally:
            bus.close()


def _table(target: Board, now: figures.Figures, before: figures.Figures | None = None) -> Table:
    table = Table(title=f"{target.name} {target.device}", title_justify="left", box=None)
    for name in ("", "used", "of", "", *(("kept",) if before else ())):
        table.add_column(name, justify="left" if not name else "right")
    for name, (used, there) in now.resources.items():
        kept = (str(before.resources.get(name, ("–",))[0]),) if before else ()
        table.add_row(name, str(used), str(there), f"{used / there:.0%}", *kept)
    kept = (f"{before.fmax_mhz:.1f}",) if before else ()
    table.add_row("fastest clock, MHz", f"{now.fmax_mhz:.1f}", f"{now.clock_mhz:.3f}", f"× {now.slack:.2f}", *kept)
    return table


def _described(target: Board, made: Build) -> dict[str, Any]:
    return {
        "board": target.name,
        "device": target.device,
        "build": made.identity,
        "bitstream": str(made.bitstream),
        "sha256": made.sha256,
        "tools": made.tools,
        "figures": made.figures.to_json() | {"slack": made.figures.slack},
    }


def _say(sentences: list[str]) -> None:
    for sentence in sentences:
        print(f"rig: {sentence}", file=sys.stderr)


def _end(sentences: list[str]) -> None:
    """Say what is wrong and end with status 1; nothing when nothing is."""
    _say(sentences)
    if sentences:
        raise typer.Exit(1)
