"""`rig gateware`: make a board's bitstream, write it into the board, compare what it takes with what was kept."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rig.cli.json_output import print_json
from rig.cli.options import ConfigOption, JsonOption, configuration
from rig.failures import interrupted, refuse
from rig.plain_text import print_line

if TYPE_CHECKING:
    from rich.console import RenderableType

    from gateware.bitstream.build import Build
    from gateware.bitstream.figures import Figures
    from gateware.boards import Board

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Bitstreams for the FPGA boards: build, flash, report."
)

_BOARD = typer.Option("--board", help="icebreaker or ulx3s.", show_default=False)
BoardOption = Annotated[str, _BOARD]
DeviceOption = Annotated[
    str | None, typer.Option("--device", help="FPGA on the board: for ulx3s 25F (usual), 45F or 85F.")
]

SelfTestOption = Annotated[
    bool, typer.Option("--self-test", help="The build for rig selftest, where the usual one has no phantom load.")
]

START_S = 3.0
"""An FPGA loads itself from its flash memory within a tenth of this."""


@app.command("build", epilog="Example: rig gateware build --board ulx3s --device 85F")
def build_command(
    board_name: BoardOption,
    device: DeviceOption = None,
    swap: Annotated[
        bool, typer.Option("--swap-halves", help="Modulators with I while their clock is high, V while it is low.")
    ] = False,
    self_test: SelfTestOption = False,
    json: JsonOption = False,
) -> None:
    """Make the board's bitstream.

    It comes to build/gateware, and is not made again where nothing has changed since the last time. A limit that it
    breaks (1.5 times the clock, 85 % of the logic cells, 90 % for --self-test) is printed; `rig gateware report` fails
    on it.
    """
    from gateware.bitstream import figures
    from gateware.bitstream.build import build
    from gateware.boards import board
    from rig.terminal.console import output_console
    from rig.terminal.steps import Steps

    target = board(board_name, device, self_test=self_test)
    target = replace(target, chain=replace(target.chain, swapped=swap))
    began = time.monotonic()
    try:
        with Steps() as steps:
            made, fresh = build(target, progress=steps.begin)
    except KeyboardInterrupt:
        raise typer.Exit(interrupted("before its end: nothing was built")) from None
    if json:
        print_json(_described(target, made) | {"fresh": fresh})
    else:
        took = f"built in {time.monotonic() - began:.0f} s" if fresh else "nothing changed since it was built"
        console = output_console()
        console.print(f"{made.bitstream}: {took}, BUILD {made.identity:#010x}")
        console.print(_table(target, made.figures))
    _complain(figures.broken_limits(made.figures, target))


@app.command("flash", epilog="Example: rig gateware flash --board icebreaker")
def flash_command(
    board_name: BoardOption,
    device: DeviceOption = None,
    port: Annotated[
        str | None, typer.Option("--port", help="Serial number of the board's USB chip, if there are several.")
    ] = None,
    self_test: SelfTestOption = False,
    config: ConfigOption = None,
) -> None:
    """Write the bitstream that was built into the board.

    Then it is checked over SPI that the FPGA runs it. Exit status 1 when another design answers. Where there is no SPI
    it says that nothing was verified.
    """
    from gateware.bitstream import flash
    from gateware.boards import board

    hardware = configuration(config).hardware
    target = board(board_name, device, self_test=self_test)
    made = _built(target)
    flash.flash(target, made.bitstream, port)
    if not Path(hardware.spi_path).exists():
        print_line(f"loaded, not verified: there is no {hardware.spi_path} here, so the FPGA cannot be asked")
        return
    runs = _running(hardware.spi_path, hardware.spi_hz)
    if runs != made.identity:
        _end([f"{target.key}: the FPGA's BUILD reads {runs:#010x}, the bitstream has {made.identity:#010x}"])
    print_line(f"loaded and verified: BUILD {runs:#010x}")


@app.command("report", epilog="Example: rig gateware report --board icebreaker --keep")
def report_command(
    board_name: Annotated[str | None, _BOARD] = None,
    device: DeviceOption = None,
    self_test: SelfTestOption = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep these figures in gateware/boards/figures.json.")] = False,
    json: JsonOption = False,
) -> None:
    """Compare the last builds' figures with the kept ones.

    They are the cells that the builds take, and how fast they may run; of all boards, or of one. Exit status 1 on a
    regression beyond 5 %, or a broken limit.
    """
    from gateware.bitstream import figures
    from gateware.bitstream.tools import BitstreamError
    from gateware.boards import NAMES, board
    from rig.terminal.console import output_console

    names = NAMES if board_name is None else (board_name,)
    if device is not None and board_name is None:
        raise BitstreamError("--device needs --board")
    if self_test and board_name is None:
        raise BitstreamError("--self-test needs --board")
    targets = [board(name, device, self_test=self_test) for name in names]
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
            output_console().print(_table(target, made.figures, before.get(target.key)))
    _end(found)


def _built(target: Board) -> Build:
    from gateware.bitstream.build import ROOT, latest
    from gateware.bitstream.tools import BitstreamError

    made = latest(target)
    if made is None:
        option = "" if target.key == target.name else f" --device {target.device}"
        option = " --self-test" if target.key.endswith("-selftest") else option
        raise BitstreamError(
            f"there is no whole build in {ROOT / target.key}: rig gateware build --board {target.name}{option}"
        )
    return made


def _running(path: str, hz: int) -> int:
    """Read the FPGA's BUILD register, once it has started. LinkError when nothing of ours answers."""
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


def _table(target: Board, now: Figures, before: Figures | None = None) -> RenderableType:
    from rig.terminal.listing import Listing

    rows = []
    for name, (used, there) in now.resources.items():
        kept = (str(before.resources.get(name, ("–",))[0]),) if before else ()
        rows.append((name, str(used), str(there), f"{used / there:.0%}", *kept))
    kept = (f"{before.fmax_mhz:.1f}",) if before else ()
    rows.append(("fastest clock, MHz", f"{now.fmax_mhz:.1f}", f"{now.clock_mhz:.3f}", f"× {now.slack:.2f}", *kept))
    headings = ("", "used", "of", "", *(("kept",) if before else ()))
    return Listing(headings, rows, title=f"{target.name} {target.device}", right=frozenset(range(1, len(headings))))


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


def _complain(sentences: list[str]) -> None:
    for sentence in sentences:
        refuse(sentence)


def _end(sentences: list[str]) -> None:
    """Say what is wrong and end with status 1; nothing when nothing is."""
    _complain(sentences)
    if sentences:
        raise typer.Exit(1)
