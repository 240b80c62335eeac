"""`rig ask`: ask something of a meter that runs, at the level that a key proves (docs/access.md)."""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rig.cli.json_output import print_json
from rig.cli.options import ConfigOption, JsonOption, SocketOption, configuration, meter_socket
from rig.errors import RigError
from rig.files.secret import SecretFileError, open_to_others, secret_line
from rig.plain_text import print_error, print_line

if TYPE_CHECKING:
    from rig.daemon.protocol import Asked

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Ask something of a meter that runs: reset, clock, program, …",
)

KEY_VARIABLE = "RIG_KEY"

_FACTORY = "the factory key is 000000"

MOVEMENT_S = 0.4
"""Between two movements: the sequence takes none that follows within 0.25 s (rig/meter/front/override.py)."""

SEEN_S = 3.0
"""So long after the last one the meter has logged what it was."""

KeyOption = Annotated[
    Path | None,
    typer.Option(
        "--key-file", help=f"A file with the key that proves your level; else ${KEY_VARIABLE}, or you are asked for it."
    ),
]


class AskError(RigError):
    """Error of a request that cannot be made like this: one sentence."""


def _ask(asked: Asked, config: Path | None, socket: Path | None, key_file: Path | None, json: bool) -> Any:
    """Ask, proving the level with a key if one is given, or if without one it is refused and somebody can type it."""
    from rig.daemon.client import MeterClient, RequestRefusedError
    from rig.daemon.protocol import LogOn

    path = meter_socket(config, configuration(config), socket)
    key = key_given(key_file)
    with MeterClient.connect(path, "command line", "rig ask") as client:
        if key is not None:
            client.ask(LogOn(key))
        try:
            result = client.ask(asked)
        except RequestRefusedError as error:
            if key is not None or not error.needs_key:
                raise
            if not sys.stdin.isatty():
                raise RequestRefusedError(f"{error}, by --key-file or ${KEY_VARIABLE} ({_FACTORY})", True) from None
            client.ask(LogOn(typer.prompt(f"key ({_FACTORY})", hide_input=True, err=True)))
            result = client.ask(asked)
    if json:
        print_json({"type": "done", "result": result})
    elif result is None:
        print_error("done")
    return result


def key_given(key_file: Path | None) -> str | None:
    """Read the key of a file, or take that of the environment; None: neither is there. Raises AskError."""
    if key_file is None:
        return os.environ.get(KEY_VARIABLE)
    try:
        key = secret_line(key_file).strip()
    except SecretFileError as error:
        raise AskError(f"{key_file} {error}: give a file with a key of up to six hexadecimal digits") from None
    if said := open_to_others(key_file, key_file.stat().st_mode):
        print_error(f"note: {said}")
    return key


@app.command("state", epilog="Example: rig ask state --json")
def state(config: ConfigOption = None, socket: SocketOption = None, json: JsonOption = False) -> None:
    """Print the exact reading of all that is registered, as JSON either way."""
    from rig.daemon.client import MeterClient
    from rig.daemon.protocol import ReadState

    path = meter_socket(config, configuration(config), socket)
    with MeterClient.connect(path, "command line", "rig ask") as client:
        print_json(client.ask(ReadState()))


@app.command("pending", epilog="Example: rig ask pending")
def pending(config: ConfigOption = None, socket: SocketOption = None, json: JsonOption = False) -> None:
    """Print which program waits, until when in the meter's local time, and who wrote it; no key is needed."""
    from rig.daemon.client import MeterClient
    from rig.daemon.protocol import ReadPending, ReadProgram
    from rig.program.written import program_of_tables
    from rig.terminal.pending_view import pending_lines

    path = meter_socket(config, configuration(config), socket)
    with MeterClient.connect(path, "command line", "rig ask") as client:
        found = client.ask(ReadPending())
        if json:
            print_json({"type": "done", "result": found})
            return
        calendar = program_of_tables(client.ask(ReadProgram())["file"]).billing.calendar
    for line in pending_lines(found, calendar):
        print_line(line)


@app.command("demand-reset", epilog="Example: RIG_KEY=000000 rig ask demand-reset")
def demand_reset(
    config: ConfigOption = None, socket: SocketOption = None, key_file: KeyOption = None, json: JsonOption = False
) -> None:
    """Reset demand, as the switch does, without its lockout (Q-5)."""
    from rig.daemon.protocol import ResetDemand

    _ask(ResetDemand(), config, socket, key_file, json)


@app.command("self-read", epilog="Example: rig ask self-read")
def self_read(
    config: ConfigOption = None, socket: SocketOption = None, key_file: KeyOption = None, json: JsonOption = False
) -> None:
    """Keep a self-read now (T-3)."""
    from rig.daemon.protocol import ReadSelf

    _ask(ReadSelf(), config, socket, key_file, json)


@app.command("set-clock", epilog="Example: rig ask set-clock 2026-12-01T08:00:00+00:00")
def set_clock(
    time: Annotated[
        str, typer.Argument(help="ISO 8601 with an offset from UTC; host: the computer's own time.")
    ] = "host",
    config: ConfigOption = None,
    socket: SocketOption = None,
    key_file: KeyOption = None,
    json: JsonOption = False,
) -> None:
    """Set the meter's clock; from then on it goes with the computer's, as far off as it was set."""
    from rig.daemon.protocol import SetClock

    _ask(SetClock(_utc_ns(time)), config, socket, key_file, json)


@app.command("test-mode", epilog="Example: rig ask test-mode on")
def enter_or_leave_test_mode(
    switch: Annotated[str, typer.Argument(help="on or off.")],
    config: ConfigOption = None,
    socket: SocketOption = None,
    key_file: KeyOption = None,
    json: JsonOption = False,
) -> None:
    """Enter or leave test mode (D-5)."""
    from rig.daemon.protocol import EnterTest, LeaveTest

    choices: dict[str, Asked] = {"on": EnterTest(), "off": LeaveTest()}
    asked = choices.get(switch)
    if asked is None:
        raise AskError(f"test-mode is {switch!r}, it must be on or off")
    _ask(asked, config, socket, key_file, json)


@app.command("season-change", epilog="Example: rig ask season-change --to 2")
def season_change(
    to: Annotated[int | None, typer.Option(min=1, max=4, help="The season that begins, from 1; else the next.")] = None,
    config: ConfigOption = None,
    socket: SocketOption = None,
    key_file: KeyOption = None,
    json: JsonOption = False,
) -> None:
    """Close the season now, and keep its registers (T-3)."""
    from rig.daemon.protocol import ChangeSeason

    _ask(ChangeSeason(None if to is None else to - 1), config, socket, key_file, json)


@app.command("clear", epilog="Example: rig ask clear --key-file level-4.key")
def clear(
    config: ConfigOption = None, socket: SocketOption = None, key_file: KeyOption = None, json: JsonOption = False
) -> None:
    """Clear registers, demand and load profile; program, clock and log stay."""
    from rig.daemon.protocol import Clear

    _ask(Clear(), config, socket, key_file, json)


@app.command("relay", epilog="Example: rig ask relay KYZ2 closed --hold 5")
def relay(
    output: Annotated[str, typer.Argument(help="KYZ1 to KYZ4.")],
    contact: Annotated[str, typer.Argument(help="closed: K–Y closes; open: K–Z does.")],
    seconds: Annotated[float, typer.Option("--hold", min=0.1, max=60, help="Seconds.")] = 5.0,
    config: ConfigOption = None,
    socket: SocketOption = None,
    key_file: KeyOption = None,
    json: JsonOption = False,
) -> None:
    """Operate an output that does not pulse, for a test of its wiring."""
    from rig.daemon.protocol import OperateRelay

    if contact not in ("closed", "open"):
        raise AskError(f"the contact is {contact!r}, it must be closed or open")
    _ask(OperateRelay(output, contact == "closed", seconds), config, socket, key_file, json)


@app.command("write-program", epilog="Example: rig ask write-program meter.toml")
def write_program(
    file: Annotated[Path, typer.Argument(help="A program, as docs/program.md has it.")],
    config: ConfigOption = None,
    socket: SocketOption = None,
    key_file: KeyOption = None,
    json: JsonOption = False,
) -> None:
    """Write a program to the meter, whole or not at all; it stays until the configured file is changed."""
    from rig.daemon.protocol import WriteProgram
    from rig.program.build import program_to_write

    _, text = program_to_write(file)  # what is wrong with it is said with the file's name, before anything is asked
    _ask(WriteProgram(text), config, socket, key_file, json)


@app.command("master-reset", epilog="Example: rig ask master-reset --key-file level-4.key")
def master_reset(
    config: ConfigOption = None, socket: SocketOption = None, key_file: KeyOption = None, json: JsonOption = False
) -> None:
    """Clear all that was registered and found; the program stays (S-1)."""
    from rig.daemon.protocol import MasterReset

    _ask(MasterReset(), config, socket, key_file, json)


@app.command("cold-start", epilog="Example: rig ask cold-start --key-file level-4.key")
def cold_start(
    config: ConfigOption = None, socket: SocketOption = None, key_file: KeyOption = None, json: JsonOption = False
) -> None:
    """Begin as a new meter, with the program of the configuration (S-1, S-2)."""
    from rig.daemon.protocol import ColdStart

    _ask(ColdStart(), config, socket, key_file, json)


@app.command("break-seal", epilog="Example: rig ask break-seal")
def break_seal(
    config: ConfigOption = None, socket: SocketOption = None, key_file: KeyOption = None, json: JsonOption = False
) -> None:
    """Break the seal: hands do, at the front with the cover off; those of a simulated rig are moved here."""
    from rig.daemon.client import MeterClient
    from rig.daemon.protocol import BreakSeal, EventsLogged, MoveSwitch, ReadContacts, ReadProgram, Topic
    from rig.meter.front.switches import Switch

    path = meter_socket(config, configuration(config), socket)
    with MeterClient.connect(path, "command line", "rig ask") as client:
        if not client.welcome.provenance.simulated:
            client.ask(BreakSeal())  # refused, with how it is done
        if not client.ask(ReadProgram())["sealed"]:
            raise AskError("the meter is not sealed: there is no seal to break")
        cover_was_off = Switch.COVER.value in client.ask(ReadContacts())["closed"]
        client.subscribe(Topic.EVENTS)
        magnet = [(Switch.MAGNET, there) for there in (True, False) * 3]
        for switch, pressed in ((Switch.COVER, True), (Switch.SCROLL, True), *magnet, (Switch.SCROLL, False)):
            client.ask(MoveSwitch(switch, pressed))
            time.sleep(MOVEMENT_S)
        deadline = time.monotonic() + SEEN_S
        while time.monotonic() < deadline:
            message = client.poll()
            if isinstance(message, EventsLogged) and any(event.name == "seal broken" for event in message.events):
                if json:
                    print_json({"type": "done", "result": None})
                else:
                    print_error("done: the seal is broken, the cover is off")
                return
            time.sleep(0 if message is not None else 0.02)
        client.ask(MoveSwitch(Switch.COVER, cover_was_off))
        raise AskError("the seal was not broken: a switch was not as at rest, or moved in between; see the panel")


def _utc_ns(text: str) -> int | None:
    from rig.service.host_time import EARLIEST_UTC_NS, LATEST_UTC_NS

    if text == "host":
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise AskError(f"the time is {text!r}, it must be host, or such as 2026-12-01T08:00:00-05:00, with its offset")
    utc_ns = (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000
    if not EARLIEST_UTC_NS <= utc_ns < LATEST_UTC_NS:
        raise AskError(f"the time is {text!r}, which no meter takes: give one from 2000 to 2099")
    return utc_ns
