"""Services of C12.18 and C12.21 as typed requests, read from a message's bytes, and response codes (X-1).

20 identify  21 terminate  22 disconnect  30 full read  31-39 index read  3E default read  3F offset read
40 full write  41-49 index write  4F offset write  50 log on  51 security  52 log off  53 authenticate
60-6B negotiate  70 wait  71 timing setup
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

USER_BYTES, PASSWORD_BYTES = 10, 20


class Code(IntEnum):
    """Response codes, by the standard's names."""

    OK = 0x00
    ERR = 0x01
    SNS = 0x02
    ISC = 0x03
    ONP = 0x04
    IAR = 0x05
    BSY = 0x06
    DNR = 0x07
    DLK = 0x08
    RNO = 0x09
    ISSS = 0x0A

    @property
    def words(self) -> str:
        """The standard's name of it in words."""
        return _WORDS[self]


_WORDS = {
    Code.OK: "ok",
    Code.ERR: "error",
    Code.SNS: "service not supported",
    Code.ISC: "insufficient security clearance",
    Code.ONP: "operation not possible",
    Code.IAR: "inappropriate action requested",
    Code.BSY: "device busy",
    Code.DNR: "data not ready",
    Code.DLK: "data locked",
    Code.RNO: "renegotiate",
    Code.ISSS: "invalid service sequence state",
}


class ServiceError(Exception):
    """A message that asks for nothing that can be carried out: the code to answer."""

    def __init__(self, code: Code) -> None:
        super().__init__(code.words)
        self.code = code


@dataclass(frozen=True, slots=True)
class Identify:
    """Ask for protocol, version and features."""


@dataclass(frozen=True, slots=True)
class Terminate:
    """End at once: the base state."""


@dataclass(frozen=True, slots=True)
class Disconnect:
    """End at once and hang up (C12.21)."""


@dataclass(frozen=True, slots=True)
class ReadTable:
    """Read a table: whole, `count` bytes from `offset`, or `count` elements from `indices`; `default` is our choice."""

    table: int
    offset: int | None = None
    count: int | None = None
    indices: tuple[int, ...] = ()
    default: bool = False


@dataclass(frozen=True, slots=True)
class WriteTable:
    """Write data into a table: whole, from `offset` on, or at `indices`."""

    table: int
    data: bytes
    offset: int | None = None
    indices: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class LogOnUser:
    """Begin a session on behalf of a user, who proves nothing by it."""

    user_id: int
    user: bytes


@dataclass(frozen=True, slots=True)
class GivePassword:
    """Prove a level; no password is in its repr."""

    password: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class LogOffUser:
    """End the session, and its level."""


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Prove a key by what it makes of the ticket (C12.21)."""

    key_id: int
    token: bytes


@dataclass(frozen=True, slots=True)
class Negotiate:
    """Packets of up to `size` bytes, `packets` of them in a message, at one of the bauds, by their codes."""

    size: int
    packets: int
    bauds: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """Have the traffic time-out wait, once, for so many seconds."""

    seconds: int


@dataclass(frozen=True, slots=True)
class TimingSetup:
    """Time-outs in seconds, and retries, from now on (C12.21)."""

    traffic_s: int
    inter_character_s: int
    response_s: int
    retries: int


Service = (
    Identify | Terminate | Disconnect | ReadTable | WriteTable | LogOnUser | GivePassword | LogOffUser | Authenticate
    | Negotiate | Wait | TimingSetup
)  # fmt: skip

MOST_INDICES = 9
_BAUDS = 11


def checksum(data: bytes) -> int:
    """Return the checksum of table data: their sum and it are 0 modulo 256."""
    return -sum(data) & 0xFF


def table_data(data: bytes) -> bytes:
    """Return the answer to a read after its code: count, data, checksum."""
    return len(data).to_bytes(2, "big") + data + bytes((checksum(data),))


def parse(message: bytes) -> Service:
    """Read a message. Raises ServiceError with `sns` for a service that is none, `err` for one that is not whole."""
    if not message:
        raise ServiceError(Code.ERR)
    code, body = message[0], _Body(message[1:])
    service = _service(code, body)
    body.end()
    return service


class _Body:
    """Bytes of a message after its code, taken from the front."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, count: int) -> bytes:
        if len(self._data) - self._at < count:
            raise ServiceError(Code.ERR)
        self._at += count
        return self._data[self._at - count : self._at]

    def rest(self) -> bytes:
        return self.take(len(self._data) - self._at)

    def number(self, count: int) -> int:
        return int.from_bytes(self.take(count), "big")

    def end(self) -> None:
        if self._at != len(self._data):
            raise ServiceError(Code.ERR)

    def written(self) -> bytes:
        """Take count, data and checksum of a write."""
        data = self.take(self.number(2))
        if self.number(1) != checksum(data):
            raise ServiceError(Code.ERR)
        return data


def _service(code: int, body: _Body) -> Service:
    match code:
        case 0x20:
            return Identify()
        case 0x21:
            return Terminate()
        case 0x22:
            return Disconnect()
        case 0x30:
            return ReadTable(body.number(2))
        case 0x3E:
            return ReadTable(0, default=True)
        case 0x3F:
            return ReadTable(body.number(2), offset=body.number(3), count=body.number(2))
        case _ if 0x31 <= code <= 0x30 + MOST_INDICES:
            table, indices = body.number(2), _indices(code, body)
            return ReadTable(table, count=body.number(2), indices=indices)
        case 0x40:
            return WriteTable(body.number(2), body.written())
        case 0x4F:
            table, offset = body.number(2), body.number(3)
            return WriteTable(table, body.written(), offset=offset)
        case _ if 0x41 <= code <= 0x40 + MOST_INDICES:
            table, indices = body.number(2), _indices(code, body)
            return WriteTable(table, body.written(), indices=indices)
        case 0x50:
            return LogOnUser(body.number(2), body.take(USER_BYTES))
        case 0x51:
            return GivePassword(body.take(PASSWORD_BYTES))
        case 0x52:
            return LogOffUser()
        case 0x53:
            token = _Body(body.take(body.number(1)))
            return Authenticate(token.number(1), token.rest())
        case _ if 0x60 <= code <= 0x60 + _BAUDS:
            size, packets = body.number(2), body.number(1)
            return Negotiate(size, packets, tuple(body.take(code & 0x0F)))
        case 0x70:
            return Wait(body.number(1))
        case 0x71:
            return TimingSetup(body.number(1), body.number(1), body.number(1), body.number(1))
        case _:
            raise ServiceError(Code.SNS)


def _indices(code: int, body: _Body) -> tuple[int, ...]:
    return tuple(body.number(2) for _ in range(code & 0x0F))
