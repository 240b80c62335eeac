"""`rig poll`: the meters of an RS-485 line, one after the other, and who failed (docs/line.md, X-3)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rig.cli.json_output import print_json
from rig.cli.meter_options import (
    BaudOption,
    KeyFileOption,
    KeyringOption,
    MostBaudOption,
    PasswordFileOption,
    PromptOption,
    meter_access,
)
from rig.cli.options import ForceOption, JsonOption
from rig.errors import RigError
from rig.failures import interrupted
from rig.plain_text import print_error, print_line

if TYPE_CHECKING:
    from rig.reader.line_poll import LinePoll, PolledMeter


class SomeFailed(RigError):
    """Meters of a line that were not read: one sentence that names them."""

    status = 1


def poll(
    line: Annotated[str, typer.Argument(help="The line's serial port, such as /dev/ttyUSB0.", show_default=False)],
    addresses: Annotated[
        str, typer.Option("--addresses", help="Meters to poll, such as 1-32 or 1,5,9-12.", show_default=False)
    ],
    folder: Annotated[
        Path | None,
        typer.Option(
            "--folder", help="Where each meter's reading is written, as meter-12.json; made if it is not there."
        ),
    ] = None,
    only: Annotated[
        str | None, typer.Option("--only", help="Only these tables, such as ST1,23.", show_default=False)
    ] = None,
    rounds: Annotated[int, typer.Option("--rounds", min=1, max=20, help="How often a meter that fails is asked.")] = 3,
    baud: BaudOption = 9600,
    most_baud: MostBaudOption = 9600,
    password_file: PasswordFileOption = None,
    keyring: KeyringOption = None,
    key_file: KeyFileOption = None,
    prompt: PromptOption = False,
    force: ForceOption = False,
    json: JsonOption = False,
) -> None:
    """Read all meters of an RS-485 line by C12.21; exit 1, and name them, if some cannot be read (X-3)."""
    from msgspec.structs import replace

    from rig.files.whole import check_free, make_folder
    from rig.reader.line import SerialPort
    from rig.reader.line_poll import LinePoll, addresses_of
    from rig.reader.reading import Extent
    from rig.reader.table_numbers import numbers_of

    numbers = addresses_of(addresses)
    extent = Extent(None if only is None else numbers_of("--only", only))
    access = meter_access(line, "c12.21", 0, baud, most_baud, password_file, keyring, prompt=prompt, key_file=key_file)
    approach, passwords = access.approach, access.passwords
    files = {} if folder is None else {number: folder / f"meter-{number}.json" for number in numbers}
    if folder is not None:
        make_folder(folder)
    check_free(list(files.values()), force)
    filed: list[int] = []
    port = SerialPort(line, approach.baud)
    try:
        polled = LinePoll(
            port,
            numbers,
            lambda address: passwords.of(f"address {address}", line),
            extent,
            key=lambda address: passwords.key_of(f"address {address}", line),
            rounds=rounds,
            baud=approach.baud,
            most_baud=approach.most_baud,
        )
        meters = polled.run(
            lambda address, round, what: print_error(f"address {address}, round {round}"),
            lambda address: filed.extend(_file(address, polled, files, line, port.simulated)),
        )
        meters = [replace(each, file=str(files[each.address])) if each.address in filed else each for each in meters]
    except KeyboardInterrupt:
        said = f"{len(filed)} of {len(numbers)} readings are in {folder}" if folder else "nothing is kept"
        raise typer.Exit(interrupted(f"before all meters were asked; {said}")) from None
    finally:
        port.close()
    _report(meters, json)


def _file(address: int, polled: LinePoll, files: dict[int, Path], line: str, simulated: bool) -> list[int]:
    """Write the reading of a meter that was read, if a folder was given; its address, if it was."""
    from rig.files.whole import write_files
    from rig.reader.reading_file import encoded

    if address not in files:
        return []
    write_files({files[address]: encoded(polled.readout(address, line, simulated=simulated))})
    return [address]


def _report(meters: list[PolledMeter], json: bool) -> None:
    """Print what came of each. Raises SomeFailed."""
    from rig.reader.line_poll import Came

    failed = [meter for meter in meters if meter.came != Came.READ.value]
    if json:
        print_json(meters)
    else:
        for meter in meters:
            print_line(
                f"{meter.address:4}  {meter.came:15} {_counted(meter.tables, 'table'):10}  "
                f"{_counted(meter.rounds, 'round'):8} {meter.seconds:8.1f} s  {meter.file or meter.why}".rstrip()
            )
    if failed:
        names = ", ".join(str(meter.address) for meter in failed)
        were = "was" if len(failed) == 1 else "were"
        address = "address" if len(failed) == 1 else "addresses"
        raise SomeFailed(
            f"{len(failed)} of {_counted(len(meters), 'meter')} {were} not read: {address} {names}; the list says why"
        )


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")
