"""`rig program`: check what a meter's program says, list what one may say, begin a new one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rig.cli.json_output import print_json
from rig.cli.options import FORM, ForceOption, JsonOption, OutOption
from rig.plain_text import print_line, print_lines

if TYPE_CHECKING:
    from rich.table import Table

    from rig.program.build import Program

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The meter's program: check, schema, new.")


@app.command("check", epilog="Example: rig program check meter.toml")
def check_command(
    file: Annotated[Path, typer.Argument(help="A program, as docs/program.md has it.")], json: JsonOption = False
) -> None:
    """Say what a program does: nameplate, tables in words, notes. Exit status 2 with one sentence when it is wrong."""
    from rig.program.build import load_program
    from rig.program.check import notes, summary
    from rig.terminal.console import note, output_console

    program = load_program(file)
    year = datetime.now(program.billing.calendar.zone).year
    if json:
        print_json(_described(file, program, year))
        return
    console = output_console()
    console.print(f"{file}: no errors, program {program.digest}")
    console.print(_lines("nameplate", program.nameplate.rows()))
    console.print(_lines("markings", program.markings.rows()))
    console.print(_lines("program", summary(program, year).items()))
    for sentence in notes(program, year):
        note(console, sentence)


@app.command("schema", epilog="Example: rig program schema --json > program.schema.json")
def schema_command(json: JsonOption = False) -> None:
    """List every table and key with values, default and meaning. As JSON, the JSON Schema."""
    from rig.program import reference
    from rig.terminal.console import output_console
    from rig.terminal.listing import Listing

    if json:
        print_json(reference.json_schema())
        return
    console = output_console()
    for table in reference.tables():
        rows = [(key.name, key.values, key.default or "needed", key.meaning) for key in table.keys]
        plain = [[_plain(cell) for cell in row] for row in rows]
        console.print(Listing(("key", "values", "default", "meaning"), plain, title=_plain(table.heading)))
        console.print(_plain(table.meaning), style="dim italic")
        console.print()


@app.command("new", epilog="Example: rig program new --form 9S --out meter.toml")
def new_command(
    form: Annotated[str, FORM] = "9S",
    model: Annotated[str, typer.Option("--model", help="AXLS4 to RXRS4, or one of their “e” variants.")] = "RXRS4e",
    current_class: Annotated[int, typer.Option("--current-class", help="10, 20, 200 or 320 A.")] = 20,
    out: OutOption = None,
    force: ForceOption = False,
) -> None:
    """Begin a program: a file with every table of the model, explained."""
    from rig.program.new import new_program, write_new

    text = new_program(model, form, current_class)
    if out is None:
        print_lines(text)
        return
    write_new(out, text, force)
    print_line(f"{out}: written; see what it does with rig program check {out}")


def _described(file: Path, program: Program, year: int) -> dict[str, Any]:
    import msgspec

    from rig.program.check import notes, summary

    written = msgspec.to_builtins(program.file)
    written["security"] = {"seal": program.file.security.seal}  # keys are not for showing
    return {
        "file": str(file),
        "digest": program.digest,
        "nameplate": dict(program.nameplate.rows()),
        "markings": msgspec.to_builtins(program.markings),
        "summary": summary(program, year),
        "notes": notes(program, year),
        "program": written,
    }


def _lines(title: str, lines: Iterable[tuple[str, str]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", box=None, show_header=False)
    for _ in range(2):
        table.add_column(overflow="fold")
    for label, text in lines:
        table.add_row(Text(label), Text(_plain(text)))
    return table


def _plain(text: str) -> str:
    """Without the backticks of the documents."""
    return text.replace("`", "")
