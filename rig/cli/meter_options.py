"""Arguments and options of the commands that speak with a meter over a serial port: read, write, meter."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rig.files.secret import open_to_others
from rig.files.strict_toml import ConfigError
from rig.plain_text import print_error

if TYPE_CHECKING:
    from rig.reader.connecting import Approach
    from rig.reader.meter import MeterAccess
    from rig.reader.passwords import Passwords

PortArgument = Annotated[
    str, typer.Argument(help="The serial port, such as /dev/ttyUSB0, or a pty's link.", show_default=False)
]
ProtocolOption = Annotated[str, typer.Option("--protocol", help="c12.18, c12.21 or dgcom; auto finds it out.")]
AddressOption = Annotated[
    int, typer.Option("--address", min=0, max=255, help="The meter's address on a line with several; 0: the only one.")
]
BaudOption = Annotated[int, typer.Option("--baud", help="Speed at which a session begins.")]
MostBaudOption = Annotated[int, typer.Option("--most-baud", help="Fastest speed to agree on.")]
PasswordFileOption = Annotated[
    Path | None, typer.Option("--password-file", help="A file with the password; else it is looked for in a keyring.")
]
KeyringOption = Annotated[
    Path | None, typer.Option("--keyring", help="Passwords by serial number; else ~/.config/ae0764-rig/keyring.toml.")
]
KeyFileOption = Annotated[
    Path | None, typer.Option("--port-key-file", help="A file with the port's DES key; else a keyring's [keys].")
]
PromptOption = Annotated[bool, typer.Option("--prompt", help="Ask for the password at the terminal.")]


def approach_of(protocol: str, address: int, baud: int, most_baud: int) -> Approach:
    """Make the way to a meter of its options. Raises ConfigError."""
    from rig.communication.c1218.settings import BAUD_CODES
    from rig.reader.connecting import Approach, Protocol

    known = [each.value for each in Protocol]
    if protocol.lower() not in known:
        raise ConfigError(f"--protocol is {protocol!r}, it must be one of {', '.join(known)}")
    for flag, value in (("--baud", baud), ("--most-baud", most_baud)):
        if value not in BAUD_CODES:
            raise ConfigError(f"{flag} is {value}, it must be one of {', '.join(map(str, BAUD_CODES))}")
    return Approach(Protocol(protocol.lower()), address, baud, max(baud, most_baud))


def passwords_of(file: Path | None, keyring: Path | None, *, prompt: bool, key_file: Path | None = None) -> Passwords:
    """Make the source of passwords of its options; with `prompt` somebody at the terminal is asked. Raises ConfigError,
    PasswordError, KeyFileError."""
    from rig.reader.passwords import Passwords

    if prompt and file is None and not sys.stdin.isatty():
        raise ConfigError("--prompt needs a terminal: give the password by --password-file or a keyring")
    found = Passwords(file, keyring, ask_for_password if prompt else None, key_file)
    if file is not None and (said := open_to_others(file, file.stat().st_mode)):
        print_error(f"note: {said}")
    return found


def meter_access(
    port: str,
    protocol: str,
    address: int,
    baud: int,
    most_baud: int,
    password_file: Path | None,
    keyring: Path | None,
    *,
    prompt: bool,
    key_file: Path | None = None,
) -> MeterAccess:
    """Make the access to a meter of the options. Raises ConfigError, PasswordError, KeyFileError."""
    from rig.reader.meter import MeterAccess

    approach = approach_of(protocol, address, baud, most_baud)
    return MeterAccess(port, approach, passwords_of(password_file, keyring, prompt=prompt, key_file=key_file))


def ask_for_password(what: str) -> str:
    """Ask for a password: at a terminal, where it is not shown, or of a pipe, which shows nothing."""
    hidden = sys.stdin.isatty()
    answer: str = typer.prompt(what, hide_input=hidden, err=True, default="", show_default=False)
    return answer
