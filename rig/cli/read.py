"""`rig read`: a meter's tables over a serial port, as one file (docs/reading.md)."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rig.cli.json_output import print_json
from rig.cli.meter_options import (
    AddressOption,
    BaudOption,
    KeyFileOption,
    KeyringOption,
    MostBaudOption,
    PasswordFileOption,
    PromptOption,
    ProtocolOption,
    meter_access,
)
from rig.cli.options import ForceOption, JsonOption, OutOption
from rig.failures import interrupted
from rig.files.strict_toml import ConfigError
from rig.plain_text import print_error, print_line

if TYPE_CHECKING:
    from rig.reader.reading_file import MeterReadout


def read(
    port: Annotated[
        str | None, typer.Argument(help="The serial port, such as /dev/ttyUSB0, or a pty's link.", show_default=False)
    ] = None,
    out: OutOption = None,
    tables: Annotated[
        str | None, typer.Option("--tables", help="Only these, such as ST1,23,60-64,MT2.", show_default=False)
    ] = None,
    load_profile: Annotated[bool, typer.Option("--profile", help="The load profile too, which takes minutes.")] = False,
    show: Annotated[Path | None, typer.Option("--show", help="Show a file that was read; no meter is needed.")] = None,
    protocol: ProtocolOption = "auto",
    address: AddressOption = 0,
    baud: BaudOption = 9600,
    most_baud: MostBaudOption = 115200,
    password_file: PasswordFileOption = None,
    keyring: KeyringOption = None,
    key_file: KeyFileOption = None,
    prompt: PromptOption = False,
    force: ForceOption = False,
    json: JsonOption = False,
) -> None:
    """Read a meter over its optical port or a line, or show what was read; the meter need not be ours (X-2)."""
    if show is not None:
        _show(port, out, show, json)
        return
    if port is None:
        raise ConfigError("no port is given: rig read /dev/ttyUSB0, or rig read --show FILE")
    from rig.files.whole import check_free
    from rig.reader.reading import Extent
    from rig.reader.run import MeterRun, partial_of
    from rig.reader.table_numbers import numbers_of
    from rig.terminal.console import message_console
    from rig.terminal.progress import progress_bar

    extent = Extent(None if tables is None else numbers_of("--tables", tables), load_profile)
    access = meter_access(
        port, protocol, address, baud, most_baud, password_file, keyring, prompt=prompt, key_file=key_file
    )
    if out is not None:
        check_free([out], force)
    run = MeterRun(access, out)
    begun = time.monotonic()
    try:
        with progress_bar(message_console(), port) as share:
            reading = run.read(extent, lambda done, of, what: share(done / max(of, 1)))
    except KeyboardInterrupt:
        kept = "nothing is kept"
        if out is not None and partial_of(out).exists():
            kept = f"what was read is beside {out}: the same command goes on"
        raise typer.Exit(interrupted(f"before all was read; {kept}")) from None
    if json:
        from rig.reader.shown import as_plain

        print_json(as_plain(reading))
    elif out is None:
        _print(reading)
    refused = sum(each.data is None for each in reading.tables) + sum(each.data is None for each in reading.blocks)
    count = len(reading.tables) + len(reading.blocks) - refused
    what = "blocks" if reading.blocks else "tables"
    where = "" if out is None else f" → {out}"
    print_error(f"{count} {what} read, {refused} refused, {time.monotonic() - begun:.1f} s{where}")
    if any("isc" in (each.refused or "") for each in reading.tables) and not reading.password:
        print_error("some need a password: --prompt, --password-file or a keyring (docs/reading.md)")


def _show(port: str | None, out: Path | None, file: Path, json: bool) -> None:
    from rig.reader.reading_file import load_reading
    from rig.reader.shown import as_plain

    if port is not None or out is not None:
        raise ConfigError("--show is of a file: leave the port and --out away")
    reading = load_reading(file)
    if json:
        print_json(as_plain(reading))
    else:
        _print(reading)


def _print(reading: MeterReadout) -> None:
    from rig.reader.shown import lines

    for line in lines(reading):
        print_line(line)
