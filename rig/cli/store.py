"""`rig store`: look a meter's store over, show what is in it."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from rig.cli.json_output import print_json
from rig.meter.billing.quantity import NANO_PER_KILO
from rig.results.summary import REGISTERS
from rig.store.check import check
from rig.store.errors import StoreError
from rig.store.reading import HistoryReader, StoredEvent, StoredSnapshot
from rig.store.saved_meter import BOARD, SavedMeter, decode_saved, last_saved

app = typer.Typer(no_args_is_help=True, help="A meter's store: check, show.")

FolderArgument = Annotated[Path, typer.Argument(help="The folder of the store, as rig.toml has it.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON (docs/json.md) instead.")]


class StoreContents(msgspec.Struct, frozen=True):
    """What a store holds: the registers of the last save, the newest events, and the snapshots."""

    simulated: bool
    fidelity: str
    saved: str
    sequence: int
    program: str
    registers: dict[str, float]
    resets: int
    events: list[dict[str, Any]]
    snapshots: list[dict[str, Any]]


@app.command("check", epilog="Example: [bold]rig store check meter-store[/bold]")
def check_command(folder: FolderArgument, json: JsonOption = False) -> None:
    """Look over both copies of the journal, the state in it, and the history. Reads only, also while a meter runs.

    Exit status 1 when something does not hold.
    """
    if not folder.is_dir():
        raise StoreError(f"{folder} is no store of a meter: give the folder that rig.toml has as store")
    findings = check(folder, decode_saved)
    if json:
        print_json(findings)
    else:
        table = Table(box=None)
        for name in ("", "what", "found"):
            table.add_column(name, overflow="fold")
        for finding in findings:
            table.add_row("✓" if finding.holds else "✗", finding.part, escape(finding.found))
        Console().print(table)
    if not all(finding.holds for finding in findings):
        raise typer.Exit(1)


@app.command("show", epilog="Example: [bold]rig store show meter-store --events 50[/bold]")
def show_command(
    folder: FolderArgument,
    events: Annotated[int, typer.Option(min=0, max=100_000, help="How many events, the newest.")] = 20,
    json: JsonOption = False,
) -> None:
    """Show the registers of the last save, the newest events, and the demand resets, self-reads and seasons kept."""
    shown = _shown(folder, events)
    if json:
        print_json(shown)
        return
    console = Console(highlight=False)
    if shown.simulated:
        console.print(f"SIMULATED ({shown.fidelity})", style="bold yellow")
    console.print(f"saved {shown.saved}, save {shown.sequence}, program {shown.program}, demand resets: {shown.resets}")
    for name, value in shown.registers.items():
        console.print(f"  {name:15} {value:16.6f}")
    for title, rows, key in (("events", shown.events, "event"), ("snapshots", shown.snapshots, "cause")):
        table = Table(title=title, title_justify="left", box=None, show_header=False)
        for row in rows:
            rest = "   ".join(f"{k} {v}" for k, v in row["details"].items())
            table.add_row(row["time"], row[key], escape(rest))
        console.print(table)


def _shown(folder: Path, events: int) -> StoreContents:
    saved, kept = last_saved(folder)
    try:
        with HistoryReader(folder) as history:
            log = [_event(event) for event in history.events(last=events)]
            snapshots = [_snapshot(snapshot) for snapshot in history.snapshots()]
    except (sqlite3.Error, msgspec.DecodeError, LookupError, TypeError) as error:
        raise StoreError(f"the history in {folder} is damaged ({error}): rig store check says more") from None
    return StoreContents(
        simulated=kept.fidelity != BOARD,
        fidelity=kept.fidelity,
        saved=_utc(saved.utc_ns),
        sequence=saved.sequence,
        program=kept.program,
        registers=_registers(kept),
        resets=kept.meter.billing.resets,
        events=log,
        snapshots=snapshots,
    )


def _registers(kept: SavedMeter) -> dict[str, float]:
    registers = kept.meter.billing.registers
    amounts = registers.energy if registers else [0] * 16
    return {q.value.lower().replace(" ", "_"): q.of(amounts) / NANO_PER_KILO for q in REGISTERS}


def _event(event: StoredEvent) -> dict[str, Any]:
    return {"time": _utc(event.utc_ns), "event": event.name, "details": msgspec.json.decode(event.details)}


def _snapshot(snapshot: StoredSnapshot) -> dict[str, Any]:
    """Its energies; the whole of it is in the history."""
    whole = msgspec.json.decode(snapshot.registers)
    amounts = whole.get("energy") or whole["meter"]["billing"]["registers"]["energy"]
    energies = {q.value: q.of(amounts) / NANO_PER_KILO for q in REGISTERS[:2]}
    return {"time": _utc(snapshot.utc_ns), "cause": snapshot.kind, "details": energies}


def _utc(utc_ns: int) -> str:
    return datetime.fromtimestamp(utc_ns // 10**9, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
