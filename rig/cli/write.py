"""`rig write`: a program into a meter over a serial port, whole or not at all (docs/reading.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rig.cli.json_output import print_json
from rig.cli.meter_options import (
    AddressOption,
    BaudOption,
    KeyFileOption,
    KeyringOption,
    MostBaudOption,
    PasswordFileOption,
    PortArgument,
    PromptOption,
    ProtocolOption,
    meter_access,
)
from rig.cli.options import JsonOption
from rig.failures import interrupted
from rig.plain_text import print_line


def write(
    port: PortArgument,
    program: Annotated[Path, typer.Argument(help="A program, as docs/program.md has it.", show_default=False)],
    check: Annotated[bool, typer.Option("--check", help="Write nothing: say whether the meter has it.")] = False,
    at: Annotated[
        str | None,
        typer.Option(
            help="Have it wait until this local time, such as 2027-01-01T00:00, or until it is asked for: asked."
        ),
    ] = None,
    protocol: ProtocolOption = "auto",
    address: AddressOption = 0,
    baud: BaudOption = 9600,
    most_baud: MostBaudOption = 115200,
    password_file: PasswordFileOption = None,
    keyring: KeyringOption = None,
    key_file: KeyFileOption = None,
    prompt: PromptOption = False,
    json: JsonOption = False,
) -> None:
    """Write a program to a meter and read it back; wherever it breaks off, the meter has the old one or the new."""
    from rig.program.build import program_to_write
    from rig.reader.meter_program import ProgramError
    from rig.reader.pending import event_at, write_pending
    from rig.reader.programming import check_program, write_program
    from rig.terminal.console import message_console
    from rig.terminal.progress import progress_bar

    # What is wrong with it is said with the file's name, before anything is asked.
    loaded, written = program_to_write(program)
    text = written.encode()
    event = None if at is None else event_at(at)
    if check and event is not None:
        raise ProgramError("--check writes nothing, so there is nothing to wait: leave out --at")
    access = meter_access(
        port, protocol, address, baud, most_baud, password_file, keyring, prompt=prompt, key_file=key_file
    )
    if check:
        said = check_program(access, loaded)
    else:
        staged = False
        try:
            with progress_bar(message_console(), port) as share:

                def progress(part: int, of: int) -> None:
                    nonlocal staged
                    staged = part == of
                    share(part / of)

                if event is None:
                    said = write_program(access, loaded, text, progress)
                else:
                    said = write_pending(access, loaded, text, event, progress)
        except KeyboardInterrupt:
            if not staged:
                has = "before the meter took it: it has the program that it had before"
            elif event is None:
                has = "while the meter took it: --check says which program it has"
            else:
                has = "while the meter took it: rig meter PORT pending says what waits"
            raise typer.Exit(interrupted(has)) from None
    if json:
        print_json({"type": "program_written", "digest": loaded.digest, "sentence": said})
    else:
        print_line(said)
