"""`rig store`: look a meter's store over, show what is in it."""

from __future__ import annotations

from typing import Annotated

import typer

from rig.cli.json_output import print_json
from rig.cli.options import JsonOption, StoreArgument

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="A meter's store: check, show.")


@app.command("check", epilog="Example: rig store check meter-store")
def check_command(folder: StoreArgument, json: JsonOption = False) -> None:
    """Look over both copies of the journal, the state, and the history.

    Reads only, also while a meter runs. Exit status 1 when something does not hold.
    """
    from rig.store.check import check
    from rig.store.errors import StoreError
    from rig.store.saved_meter import decode_saved
    from rig.terminal.console import output_console
    from rig.terminal.listing import Listing

    if not folder.is_dir():
        raise StoreError(f"{folder} is no store of a meter: give the folder that rig.toml has as store")
    findings = check(folder, decode_saved)
    if json:
        print_json(findings)
    else:
        rows = [("✓" if finding.holds else "✗", finding.part, finding.found) for finding in findings]
        output_console().print(Listing(("", "what", "found"), rows))
    if not all(finding.holds for finding in findings):
        raise typer.Exit(1)


@app.command("show", epilog="Example: rig store show meter-store --events 50")
def show_command(
    folder: StoreArgument,
    events: Annotated[int, typer.Option("--events", min=0, max=100_000, help="How many events, the newest.")] = 20,
    json: JsonOption = False,
) -> None:
    """Show the registers of the last save, events and snapshots.

    Events are the newest; snapshots are those of demand resets, self-reads and seasons.
    """
    from rig.results.event_text import details_text
    from rig.store.contents import store_contents
    from rig.terminal.console import output_console
    from rig.terminal.listing import Listing

    shown = store_contents(folder, events)
    if json:
        print_json(shown)
        return
    console = output_console()
    if shown.simulated:
        console.print(f"SIMULATED ({shown.fidelity})", style="bold yellow")
    console.print(f"saved {shown.saved}, save {shown.sequence}, program {shown.program}, demand resets: {shown.resets}")
    for name, value in shown.registers.items():
        console.print(f"  {name:15} {value:16.6f}")
    for title, lines, key in (("events", shown.events, "event"), ("snapshots", shown.snapshots, "cause")):
        rows = [(line["time"], line[key], details_text(line[key], line["details"])) for line in lines]
        console.print(Listing(("", "", ""), rows, title=title))
