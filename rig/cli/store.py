"""`rig store`: look a meter's store over, show what is in it, hand it over to another meter."""

from __future__ import annotations

from typing import Annotated

import typer

from rig.cli.json_output import print_json
from rig.cli.options import ConfigOption, JsonOption, StoreArgument, configuration

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="A meter's store: check, show, adopt, clear its FRAM."
)


@app.command("check", short_help="Look over journal, state and history.", epilog="Example: rig store check meter-store")
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
        raise StoreError(f"{folder} is not a meter's store: give the folder that rig.toml has as store")
    findings = check(folder, decode_saved)
    if json:
        print_json(findings)
    else:
        rows = [("✓" if finding.holds else "✗", finding.part, finding.found) for finding in findings]
        output_console().print(Listing(("", "what", "found"), rows))
    if not all(finding.holds for finding in findings):
        raise typer.Exit(1)


@app.command(
    "clear-fram",
    short_help="Empty the FRAM that another meter has used.",
    epilog="Example: rig store clear-fram --config rig.toml --yes",
)
def clear_fram_command(
    config: ConfigOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it: what another meter saved last is in it.")] = False,
) -> None:
    """Empty the FRAM that rig.toml names, which another meter has used: its last saves are lost for ever.

    Only while no meter runs on it.
    """
    from rig.files.strict_toml import ConfigError
    from rig.hardware.memory import fram_slots
    from rig.plain_text import print_line

    slots = fram_slots(configuration(config))
    if slots is None:
        raise ConfigError('hardware.fram is "none" in the configuration: name the FRAM there first')
    if not yes:
        raise ConfigError(f"{slots.name} is emptied only with --yes: the last saves of the meter it was in are in it")
    slots.clear()
    slots.close()
    print_line(f"{slots.name} is empty")


@app.command("show", epilog="Example: rig store show meter-store --events 50")
def show_command(
    folder: StoreArgument,
    events: Annotated[int, typer.Option("--events", min=0, max=100_000, help="How many events, the newest.")] = 20,
    json: JsonOption = False,
) -> None:
    """Show the registers of the last save, events and snapshots.

    Events are the newest; snapshots are those of demand resets, self-reads and seasons.
    """
    from rich.padding import Padding
    from rich.text import Text

    from rig.results.event_text import details_text
    from rig.results.registered import demand_text, energy_text, total_demands
    from rig.results.summary import REGISTERS, EnergyRegisters
    from rig.store.contents import StoreLook, utc_text
    from rig.terminal.console import note, output_console
    from rig.terminal.listing import Listing

    look = StoreLook(folder, events)
    shown = look.contents()
    if json:
        print_json(shown)
        return
    console = output_console()
    if shown.provenance.mark:
        console.print(shown.provenance.mark, style="bold yellow")
    console.print(f"saved {shown.saved}, save {shown.sequence}, program {shown.program}, demand resets: {shown.resets}")
    for key, quantity in zip(EnergyRegisters.__struct_fields__, REGISTERS, strict=True):
        console.print(f"  {key:15} {energy_text(look.reading.registers, quantity):>16}")
    for quantity, demand in total_demands(look.reading):
        at_ns = demand.maximum.at_ns
        text = demand_text(demand, None if at_ns is None else utc_text(at_ns))
        console.print(Padding(Text(f"{quantity.demand_name:15} {text}"), (0, 0, 0, 2)))
    if look.saved.settings is None:
        console.print("  demand and outputs: not told by this save, which is of an older version")
    for row in shown.damaged:
        console.print(f"  {row} is not as it was written, and left out: rig store check says more", style="bold red")
    if not look.digested:
        note(console, "the history is of an older version and has no digests: the meter's next start gives it some")
    events_shown = [
        (line["time"], line["event"], details_text(line["event"], line["details"])) for line in shown.events
    ]
    snapshots = [
        (utc_text(stored.utc_ns), stored.kind, ", ".join(f"{q.value} {energy_text(kept, q)}" for q in REGISTERS[:2]))
        for stored, kept in look.snapshots
    ]
    for title, rows in (("events", events_shown), ("snapshots", snapshots)):
        console.print(Listing(("", "", ""), rows, title=title))


@app.command("adopt", epilog="Example: rig store adopt meter-store --config rig.toml")
def adopt_command(folder: StoreArgument, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Hand a store over to a configuration's meter.

    What another meter registered goes on as this one's, with a line in its log; a history of another store is moved
    aside. Only where no meter runs on it.
    """
    import time

    from rig.hardware.memory import fram_slots
    from rig.hardware.selection import program_of
    from rig.store.adopt import adopt
    from rig.store.owner import owner_of
    from rig.terminal.console import message_console, note

    settings = configuration(config)
    meter = owner_of(program_of(settings).nameplate)
    done = adopt(folder, meter, time.time_ns(), fast=fram_slots(settings))
    if json:
        print_json({"store": str(folder), "owner": meter, "done": done})
        return
    for sentence in done or [f"the store {folder} is of {meter.text} already: nothing was done"]:
        note(message_console(), sentence)
