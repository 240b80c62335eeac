"""`rig module`: the far end of a communication module of a meter that runs (docs/communication.md, X-4)."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rig.cli.ask import KeyOption, key_given
from rig.cli.json_output import print_json
from rig.cli.options import ConfigOption, JsonOption, SocketOption, configuration, meter_socket
from rig.plain_text import json_text, print_line

if TYPE_CHECKING:
    from rig.communication.modules.far_end import ModuleReading

TEST_OUTPUT = "KYZ4"


def module(
    name: Annotated[
        str,
        typer.Argument(help='The module, such as "TS2", as meter.module of the program has it.', show_default=False),
    ],
    read: Annotated[
        list[str] | None,
        typer.Option("--read", help="A part of the readings, such as demand; else all that it may read."),
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
    from rig.daemon.client import MeterClient
    from rig.meter.access.actions import MeterAction
    from rig.program.build import load_program

    grant_of(name)
    texts = {MeterAction.OPERATE_RELAY.label: TEST_OUTPUT}
    if program is not None:
        load_program(program)  # what is wrong with it is said with the file's name, before anything is asked
        texts[MeterAction.WRITE_PROGRAM.label] = program.read_text(encoding="utf-8-sig")
    asked = [(action, request_of(action, texts.get(action, ""))) for action in ask or []]
    meters = external_meters(external or [])
    with MeterClient.connect(meter_socket(config, configuration(config), socket), "module", name) as client:
        found = read_as_module(
            client,
            name,
            parts=read,
            output=pulses,
            asked=asked,
            key=key_given(key_file),
            external=meters,
            utc_ns=time.time_ns(),
        )
    if json:
        print_json(found)
    else:
        _print(found)


def _print(found: ModuleReading) -> None:
    print_line(f"{found.provenance.mark}  module {found.module}, by {found.interface}".strip())
    for action in found.done:
        print_line(f"{action:20} done")
    for part, values in found.parts.items():
        for key, value in values.items():
            print_line(f"{part:20} {key} {_plain(value)}")
    if found.pulses is not None:
        print_line(f"{'pulses':20} " + ", ".join(f"{key} {_plain(value)}" for key, value in found.pulses.items()))
    for meter in found.external:
        print_line(f"{'external':20} {meter.name} count {meter.count}, simulated")


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json_text(value)
