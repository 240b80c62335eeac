"""Packets in words: what a client asked, and what the meter answered (X-1). Passwords are left out."""

from __future__ import annotations

from rig.communication.c1218.packets import Packet
from rig.communication.c1218.services import (
    Authenticate,
    Code,
    GivePassword,
    Identify,
    LogOnUser,
    Negotiate,
    ReadTable,
    ServiceError,
    TimingSetup,
    Wait,
    WriteTable,
    parse,
)
from rig.communication.c1218.settings import BAUDS

STANDARDS = {0x00: "C12.18", 0x02: "C12.21", 0x03: "C12.22"}

MOST_BYTES = 64
"""Bytes of data that are shown."""

_NAMES = {0x21: "terminate", 0x22: "disconnect", 0x52: "log off"}


class Explainer:
    """Packets of both directions in order; an answer is explained by what was asked last."""

    def __init__(self) -> None:
        self._parts = {True: b"", False: b""}
        self._asked = b""

    def words(self, packet: Packet, *, to_meter: bool) -> str:
        """Give what a packet says; of a message in several packets, with the last of them."""
        which = "".join(
            (
                f"to {packet.identity}: " if packet.identity else "",
                f"packet with {packet.follow} to follow, {len(packet.data)} bytes" if packet.follow else "",
            )
        )
        whole = (b"" if packet.first or not packet.multi else self._parts[to_meter]) + packet.data
        self._parts[to_meter] = whole if packet.follow else b""
        if packet.follow:
            return which
        if to_meter:
            self._asked = whole
            return which + request_in_words(whole)
        return which + answer_in_words(whole, self._asked)


def request_in_words(message: bytes) -> str:
    """Say what a message asks for."""
    try:
        service = parse(message)
    except ServiceError as error:
        return f"{shown(message)}: {error.code.words}"
    match service:
        case Identify():
            return "identify"
        case ReadTable(default=True):
            return "read the default table"
        case ReadTable(table, offset, count, indices):
            return f"read {table_name(table)}{_part(offset, count, indices)}"
        case WriteTable(table, data, offset, indices):
            return f"write {table_name(table)}{_part(offset, len(data), indices)}: {shown(data)}"
        case LogOnUser(user_id, user):
            return f"log on, user {user_id} {user.decode('latin-1').rstrip(chr(0) + ' ')!r}"
        case GivePassword():
            return "security, with a password"
        case Authenticate(key_id):
            return f"authenticate, with key {key_id}"
        case Negotiate(size, packets, bauds):
            speeds = ", ".join(str(BAUDS.get(code, f"code {code:02X}")) for code in bauds)
            return f"negotiate {packets} packets of {size} bytes{', baud ' + speeds if bauds else ''}"
        case Wait(seconds):
            return f"wait {seconds} s"
        case TimingSetup(traffic, character, response, retries):
            return f"timing: traffic {traffic} s, characters {character} s, response {response} s, {retries} retries"
        case _:
            return _NAMES[message[0]]


def answer_in_words(message: bytes, asked: bytes) -> str:
    """Say what a message answers to what was asked."""
    if not message:
        return "an empty answer"
    try:
        code = Code(message[0])
    except ValueError:
        return f"an answer that is none: {shown(message)}"
    data = message[1:]
    if code is not Code.OK or not data:
        return code.words
    service = asked[0] if asked else None
    if service == 0x20 and len(data) >= 3:
        offered = "a ticket to authenticate by" if data[3:4] == b"\x02" else f"features {shown(data[3:])}"
        return f"ok: {STANDARDS.get(data[0], f'standard {data[0]}')} {data[1]}.{data[2]}, {offered}"
    if service == 0x53 and len(data) >= 2:
        return f"ok: has the key {data[1]}, too"
    if service is not None and 0x60 <= service <= 0x6F and len(data) >= 3:
        baud = f", baud {BAUDS.get(data[3], f'code {data[3]:02X}')}" if len(data) > 3 else ""
        return f"ok: {data[2]} packets of {int.from_bytes(data[:2], 'big')} bytes{baud}"
    if service is not None and 0x30 <= service <= 0x3F and len(data) >= 3:
        return f"ok: {int.from_bytes(data[:2], 'big')} bytes {shown(data[2:-1])}"
    return f"ok: {shown(data)}"


def table_name(table: int) -> str:
    """Name a table as the standard does: ST or MT and its number, "pending" before those."""
    pending, number = divmod(table, 4096)
    name = f"MT{number - 2048}" if number >= 2048 else f"ST{number}"
    return f"pending {name}" if pending else name


def shown(data: bytes) -> str:
    """Write bytes in hexadecimal, of many the first."""
    more = f" … ({len(data)} bytes)" if len(data) > MOST_BYTES else ""
    return data[:MOST_BYTES].hex(" ") + more


def _part(offset: int | None, count: int | None, indices: tuple[int, ...]) -> str:
    if indices:
        return f" at index {'.'.join(map(str, indices))}, {count} elements"
    return "" if offset is None else f", {count} bytes from {offset}"
