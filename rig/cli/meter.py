"""`rig meter`: something done by a meter at a serial port, or its menu on a terminal (docs/reading.md)."""

from __future__ import annotations

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
from rig.plain_text import print_line


def meter(
    port: PortArgument,
    action: Annotated[
        str | None,
        typer.Argument(
            help="status, clock, reset, self-read, season, test, mark-read, clear-status, clear, cold-start, "
            "master-reset, relay; without one, a menu.",
            show_default=False,
        ),
    ] = None,
    value: Annotated[
        str | None,
        typer.Argument(help="clock: host or local time. season: 1 to 4. test: on, off.", show_default=False),
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
    """Have a meter do something over a serial port, such as a demand reset; without an action, by a menu."""
    from rig.reader.actions import act, action_of

    if action is None:
        from rig.cli.meter_menu import show_menu

        show_menu(
            meter_access(
                port, protocol, address, baud, most_baud, password_file, keyring, prompt=prompt, key_file=key_file
            )
        )
        return
    chosen = action_of(action, value)
    access = meter_access(
        port, protocol, address, baud, most_baud, password_file, keyring, prompt=prompt, key_file=key_file
    )
    needs_password = chosen.needs_password and not (chosen.optional and value is None)
    with access.session(needs_password=needs_password) as session:
        said = act(session, action, value)
    if json:
        print_json({"type": "meter_action", "action": action, "value": value, "sentence": said})
    else:
        print_line(said)
