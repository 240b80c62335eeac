"""`rig module`: the far end of a communication module of a meter that runs (docs/communication.md, X-4)."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from rig.cli.ask import KeyOption, key_given
from rig.cli.options import ConfigOption, JsonOption, SocketOption, configuration, meter_socket
from rig.cli.result_output import print_result
from rig.errors import RigError

TEST_OUTPUT = "KYZ4"


class TableRefused(RigError):
    """A table that the meter does not give the module: the first of them, and why."""

    status = 1


def module(
    name: Annotated[
        str,
        typer.Argument(help='The module, such as "TS2", as meter.module of the program has it.', show_default=False),
    ],
    read: Annotated[
        list[str] | None,
        typer.Option("--read", help="A part of the readings, such as demand; else all that it may read."),
    ] = None,
    table: Annotated[
        list[str] | None,
        typer.Option("--table", help="A table of C12.19 as the module has it, such as ST23, or 20-28."),
    ] = None,
    ask: Annotated[
        list[str] | None, typer.Option("--ask", help="An action to ask of the meter first, such as demand reset.")
    ] = None,
    pulses: Annotated[
        str | None, typer.Option("--pulse-output", help="An output whose pulses are counted, such as KYZ1.")
    ] = None,
    program: Annotated[Path | None, typer.Option("--program-file", help="The program of --ask write program.")] = None,
    external: Annotated[
        list[str] | None,
        typer.Option("--external", help="TS2 MU: a simulated meter that it hears, name=counts an hour."),
    ] = None,
    config: ConfigOption = None,
    socket: SocketOption = None,
    key_file: KeyOption = None,
    json: JsonOption = False,
) -> None:
    """Read a meter that runs as its communication module does, and ask what you say; exit 1 if the meter refuses."""
    from rig.communication.modules.external import external_meters
    from rig.communication.modules.far_end import grant_of, read_as_module, request_of
    from rig.communication.modules.shown import lines
    from rig.communication.modules.tables import with_tables
    from rig.daemon.client import MeterClient
    from rig.meter.access.actions import MeterAction
    from rig.program.build import load_program
    from rig.reader.table_numbers import numbers_of

    grant_of(name)
    texts = {MeterAction.OPERATE_RELAY.label: TEST_OUTPUT}
    if program is not None:
        load_program(program)  # what is wrong with it is said with the file's name, before anything is asked
        texts[MeterAction.WRITE_PROGRAM.label] = program.read_text(encoding="utf-8-sig")
    asked = [(action, request_of(action, texts.get(action, ""))) for action in ask or []]
    meters = external_meters(external or [])
    numbers = sorted(set().union(*(numbers_of("--table", text) for text in table or [])))
    where = meter_socket(config, configuration(config), socket)
    with MeterClient.connect(where, "module", name) as client:
        found = read_as_module(
            client,
            name,
            parts=[] if numbers and read is None else read,
            output=pulses,
            asked=asked,
            key=key_given(key_file),
            external=meters,
            utc_ns=time.time_ns(),
        )
        if numbers:
            with MeterClient.connect(where, "command line", name) as meter:
                found = with_tables(found, numbers, client, meter)
    print_result(found, lines(found), json=json)
    if refused := [each for each in found.tables if each.data is None]:
        raise TableRefused(f"{refused[0].title}: {refused[0].refused}")
