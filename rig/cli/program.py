"""`rig program`: check what a meter's program says, list what one may say, begin a new one."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from rig.cli.json_output import print_json
from rig.program import reference
from rig.program.build import Program, load_program
from rig.program.check import notes, summary
from rig.program.new import new_program, write_new

app = typer.Typer(no_args_is_help=True, help="The meter's program: check, schema, new.")

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON (docs/program.md) instead.")]


@app.command("check", epilog="Example: [bold]rig program check meter.toml[/bold]")
def check_command(
    file: Annotated[Path, typer.Argument(help="A program, as docs/program.md has it.")], json: JsonOption = False
) -> None:
    """Say what a program does: nameplate, tables in words, notes. Exit status 2 with one sentence when it is wrong."""
    program = load_program(file)
    year = datetime.now(program.billing.calendar.zone).year
    if json:
        print_json(_described(file, program, year))
        return
    console = Console(highlight=False)
    console.print(f"{file}: right, program {program.digest}")
    console.print(_lines("nameplate", dict(program.nameplate.rows())))
    console.print(_lines("program", summary(program, year)))
    for note in notes(program, year):
        console.print(f"note: {note}", style="dim")


@app.command("schema", epilog="Example: [bold]rig program schema --json > program.schema.json[/bold]")
def schema_command(
    json: Annotated[bool, typer.Option("--json", help="Print the JSON Schema instead.")] = False,
) -> None:
    """List every table and key with values, default and meaning."""
    if json:
        print_json(reference.json_schema())
        return
    console = Console(highlight=False)
    for reference_table in reference.tables():
        table = Table(title=_plain(reference_table.heading), caption=_plain(reference_table.meaning), box=None)
        table.title_justify = table.caption_justify = "left"
        for name in ("key", "values", "default", "meaning"):
            table.add_column(name, overflow="fold")
        for key in reference_table.keys:
            cells = (key.name, key.values, key.default or "needed", key.meaning)
            table.add_row(*(_plain(cell) for cell in cells))
        console.print(table)
        console.print()


@app.command("new", epilog="Example: [bold]rig program new --form 9S --out meter.toml[/bold]")
def new_command(
    form: Annotated[str, typer.Option(help="Meter form.")] = "9S",
    model: Annotated[str, typer.Option(help="AXLS4 to RXRS4, or one of their “e” variants.")] = "RXRS4e",
    current_class: Annotated[int, typer.Option(help="10, 20, 200 or 320 A.")] = 20,
    out: Annotated[Path | None, typer.Option(help="Write this file; else to standard output.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> None:
    """Begin a program: a file with every table that the model has, explained."""
    text = new_program(model, form, current_class)
    if out is None:
        sys.stdout.write(text)
        return
    write_new(out, text, force)
    print(f"{out}: written; see what it does with rig program check {out}")


def _described(file: Path, program: Program, year: int) -> dict[str, Any]:
    written = msgspec.to_builtins(program.file)
    written["security"] = {"seal": program.security.seal}  # keys are not for showing
    return {
        "file": str(file),
        "digest": program.digest,
        "nameplate": dict(program.nameplate.rows()),
        "summary": summary(program, year),
        "notes": notes(program, year),
        "program": written,
    }


def _lines(title: str, lines: dict[str, str]) -> Table:
    table = Table(title=title, title_justify="left", box=None, show_header=False)
    for _ in range(2):
        table.add_column(overflow="fold")
    for label, text in lines.items():
        table.add_row(label, _plain(text))
    return table


def _plain(text: str) -> str:
    """Without the backticks of the documents, and nothing in brackets taken for markup."""
    return text.replace("`", "").replace("[", r"\[")
