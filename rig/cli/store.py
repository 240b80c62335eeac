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
from rig.meter.billing.recorder import RecorderError, RecorderSettings
from rig.meter.billing.snapshot import RegisterReading
from rig.meter.reading.figures import kilo
from rig.profile.settings import settings_of
from rig.results.exact import ExactReading
from rig.results.exact_encoding import exact_reading
from rig.results.registered import demand_text, energy_registers, energy_text, total_demands
from rig.results.summary import REGISTERS, EnergyRegisters
from rig.store.check import check
from rig.store.errors import StoreError
from rig.store.reading import HistoryReader, StoredEvent, StoredSnapshot
from rig.store.saved_meter import BOARD, SavedMeter, decode_saved, last_saved
from rig.store.saved_reading import saved_reading

app = typer.Typer(no_args_is_help=True, help="A meter's store: check, show.")

FolderArgument = Annotated[Path, typer.Argument(help="The folder of the store, as rig.toml has it.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON (docs/json.md) instead.")]


class StoreContents(msgspec.Struct, frozen=True):
    """What a store holds: the registers of the last save, exactly all of it, the newest events, and the snapshots."""

    simulated: bool
    fidelity: str
    saved: str
    sequence: int
    program: str
    registers: EnergyRegisters
    resets: int
    exact: ExactReading
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
    looked = _Looked(folder, events)
    shown = looked.contents()
    if json:
        print_json(shown)
        return
    console = Console(highlight=False)
    if shown.simulated:
        console.print(f"SIMULATED ({shown.fidelity})", style="bold yellow")
    console.print(f"saved {shown.saved}, save {shown.sequence}, program {shown.program}, demand resets: {shown.resets}")
    for key, quantity in zip(EnergyRegisters.__struct_fields__, REGISTERS, strict=True):
        console.print(f"  {key:15} {energy_text(looked.reading.registers, quantity):>16}")
    for quantity, demand in total_demands(looked.reading):
        at_ns = demand.maximum.at_ns
        text = demand_text(demand, None if at_ns is None else _utc(at_ns))
        console.print(f"  {quantity.demand_name:15} {text}", soft_wrap=True)
    if looked.saved.settings is None:
        console.print("  demand and outputs: not told by this save, which is of an older version")
    lines = [(row["time"], row["event"], row["details"]) for row in shown.events]
    kept = [
        (_utc(stored.utc_ns), stored.kind, {q.value: energy_text(energies, q) for q in REGISTERS[:2]})
        for stored, energies in looked.snapshots
    ]
    for title, rows in (("events", lines), ("snapshots", kept)):
        table = Table(title=title, title_justify="left", box=None, show_header=False)
        for time, what, details in rows:
            table.add_row(time, what, escape("   ".join(f"{key} {value}" for key, value in details.items())))
        console.print(table)


class _Looked:
    """A store, looked into once: the reading of its last save, events, and the registers of each snapshot."""

    def __init__(self, folder: Path, events: int) -> None:
        self.restored, self.saved = last_saved(folder)
        try:
            with HistoryReader(folder) as history:
                self.events = [_event(event) for event in history.events(last=events)]
                self.snapshots = [(stored, _energies(stored)) for stored in history.snapshots()]
                recorder = _recorder(self.saved, history)
        except (sqlite3.Error, msgspec.DecodeError, LookupError, TypeError, ValueError, RecorderError) as error:
            raise StoreError(f"the history in {folder} is damaged ({error}): rig store check says more") from None
        try:
            self.reading = saved_reading(self.saved, recorder)
        except (ArithmeticError, ValueError) as error:
            raise StoreError(f"save {self.restored.sequence} in {folder} does not fit together: {error}") from None

    def contents(self) -> StoreContents:
        """As `--json` prints it."""
        return StoreContents(
            simulated=self.saved.fidelity != BOARD,
            fidelity=self.saved.fidelity,
            saved=_utc(self.restored.utc_ns),
            sequence=self.restored.sequence,
            program=self.saved.program,
            registers=energy_registers(self.reading.registers),
            resets=self.reading.resets,
            exact=exact_reading(self.reading),
            events=self.events,
            snapshots=[
                {
                    "time": _utc(stored.utc_ns),
                    "cause": stored.kind,
                    "details": {q.value: kilo(energies.energy_nwh(q)) for q in REGISTERS[:2]},
                }
                for stored, energies in self.snapshots
            ],
        )


def _recorder(saved: SavedMeter, history: HistoryReader) -> RecorderSettings | None:
    """What the load profile of a save is by; None where it has none."""
    found = [recording for recording in history.recordings() if recording.id == saved.recording]
    return settings_of(found[0].settings) if found else None


def _energies(stored: StoredSnapshot) -> RegisterReading:
    """Those of a snapshot; that of a new program is the whole state it found. The whole of it is in the history."""
    whole = msgspec.json.decode(stored.registers)
    amounts = whole.get("energy") or whole["meter"]["billing"]["registers"]["energy"]
    return RegisterReading(tuple(amounts), ())


def _event(event: StoredEvent) -> dict[str, Any]:
    return {"time": _utc(event.utc_ns), "event": event.name, "details": msgspec.json.decode(event.details)}


def _utc(utc_ns: int) -> str:
    return datetime.fromtimestamp(utc_ns // 10**9, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
