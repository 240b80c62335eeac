"""A client of C12.18 for tests, written from the standard's side, and a line for it in virtual time.

Nothing of the product is used to make or read packets: the CRC is bit by bit, most significant first, on reversed bits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

S = 1_000_000_000


class LineSilent(Exception):
    """Nothing came in time."""


class NotAcknowledged(Exception):
    """Three times no ACK."""


class Answer(Exception):
    """A response code that is not ok."""

    def __init__(self, code: int) -> None:
        super().__init__(f"{code:#04x}")
        self.code = code


def _reversed(value: int, bits: int) -> int:
    return int(f"{value:0{bits}b}"[::-1], 2)


def x25(data: bytes) -> bytes:
    """CRC-16/X-25 as it goes out: the annex's polynomial division, a bit at a time."""
    register = 0xFFFF
    for byte in data:
        register ^= _reversed(byte, 8) << 8
        for _ in range(8):
            register = (register << 1 ^ (0x1021 if register & 0x8000 else 0)) & 0xFFFF
    return (_reversed(register, 16) ^ 0xFFFF).to_bytes(2, "little")


def packet(data: bytes, control: int = 0, follow: int = 0, identity: int = 0) -> bytes:
    """A packet's bytes."""
    head = bytes((0xEE, identity, control, follow)) + len(data).to_bytes(2, "big") + data
    return head + x25(head)


class Line(Protocol):
    """What a client talks over."""

    def write(self, data: bytes) -> None: ...

    def read(self, count: int, seconds: float) -> bytes:
        """Give up to `count` bytes that come within so many seconds."""
        ...


class PsemClient:
    """A client: `ask` sends a message and gives the data of its answer, or raises Answer."""

    def __init__(self, line: Line, identity: int = 0, size: int = 64, packets: int = 1) -> None:
        self.line, self.identity, self.size, self.packets = line, identity, size, packets
        self.toggle = 0
        self.seen: tuple[int, bytes] | None = None
        self.resent = self.repeated = 0

    def ask(self, message: bytes) -> bytes:
        """Send, retry, receive, acknowledge; the answer's data after its code."""
        self.send(message)
        answer = self.receive()
        if answer[0]:
            raise Answer(answer[0])
        return answer[1:]

    def send(self, message: bytes) -> None:
        room = self.size - 8
        parts = [message[at : at + room] for at in range(0, len(message), room)] or [b""]
        for number, part in enumerate(parts):
            control = self.toggle
            if len(parts) > 1:
                control |= 0x80 | (0x40 if number == 0 else 0)
            self.toggle ^= 0x20
            self._put(packet(part, control, len(parts) - 1 - number, self.identity))

    def _put(self, data: bytes) -> None:
        for _ in range(4):
            self.line.write(data)
            byte = self.line.read(1, 2.0)
            if byte == b"\x06":
                return
            self.resent += 1
            if byte != b"\x15":
                self._drain()
        raise NotAcknowledged

    def _drain(self) -> None:
        while self.line.read(64, 0.5):
            pass

    def receive(self) -> bytes:
        """A whole message, each of its packets acknowledged, repeated ones left out."""
        message, expected = b"", None
        tries = 0
        while True:
            head = self._head()
            body = self.line.read(int.from_bytes(head[4:6], "big") + 2, 10.0) if len(head) == 6 else b""
            if len(head) != 6 or head[4:6] > (8191).to_bytes(2, "big") or x25((head + body)[:-2]) != body[-2:]:
                tries += 1
                if tries > 3:
                    raise LineSilent
                self._drain()
                self.line.write(b"\x15")
                continue
            self.line.write(b"\x06")
            here = head[2] & 0x20, body[-2:]
            if here == self.seen:
                self.repeated += 1
                continue
            assert self.seen is None or here[0] != self.seen[0], "the meter's toggle stands still"
            self.seen = here
            multi, first, follow = head[2] & 0x80, head[2] & 0x40, head[3]
            assert len(head) + len(body) <= self.size, "a packet is larger than was agreed"
            if multi:
                assert bool(first) == (expected is None)
                assert expected is None or follow == expected - 1
            message, expected = message + body[:-2], follow
            if not follow:
                return message

    def _head(self) -> bytes:
        for _ in range(200):
            byte = self.line.read(1, 10.0)
            if not byte:
                raise LineSilent
            if byte == b"\xee":
                return byte + self.line.read(5, 1.0)
        raise LineSilent

    # --- services ---------------------------------------------------------------------------------------------

    def identify(self) -> bytes:
        return self.ask(b"\x20")

    def negotiate(self, size: int, packets: int, *codes: int) -> bytes:
        answer = self.ask(bytes((0x60 + len(codes),)) + size.to_bytes(2, "big") + bytes((packets, *codes)))
        self.size, self.packets = int.from_bytes(answer[:2], "big"), answer[2]
        return answer

    def log_on(self, user_id: int = 0, user: bytes = b"tester    ") -> None:
        self.ask(b"\x50" + user_id.to_bytes(2, "big") + user)

    def password(self, password: bytes) -> None:
        self.ask(b"\x51" + password.ljust(20, b"\x00"))

    def log_off(self) -> None:
        self.ask(b"\x52")

    def terminate(self) -> None:
        self.ask(b"\x21")
        self.restart()

    def restart(self) -> None:
        """Begin as a client that has just been started."""
        self.size, self.packets, self.toggle, self.seen = 64, 1, 0, None

    def read(self, table: int) -> bytes:
        return self._data(self.ask(b"\x30" + table.to_bytes(2, "big")))

    def read_part(self, table: int, offset: int, count: int) -> bytes:
        where = table.to_bytes(2, "big") + offset.to_bytes(3, "big") + count.to_bytes(2, "big")
        return self._data(self.ask(b"\x3f" + where))

    def write(self, table: int, data: bytes, offset: int | None = None) -> None:
        head = b"\x40" if offset is None else b"\x4f"
        where = b"" if offset is None else offset.to_bytes(3, "big")
        body = len(data).to_bytes(2, "big") + data + bytes((-sum(data) & 0xFF,))
        self.ask(head + table.to_bytes(2, "big") + where + body)

    @staticmethod
    def _data(answer: bytes) -> bytes:
        count, data = int.from_bytes(answer[:2], "big"), answer[2:-1]
        assert count == len(data)
        assert not (sum(data) + answer[-1]) & 0xFF
        return data


class Device(Protocol):
    """The side of a port that a virtual line is plugged into: rig.communication.c1218.session.Session, and more."""

    baud: int

    @property
    def next_ns(self) -> int | None: ...

    def feed(self, data: bytes, now_ns: int) -> None: ...

    def tick(self, now_ns: int) -> None: ...

    def output(self, now_ns: int) -> bytes: ...


class VirtualLine:
    """A line between a client and a device, in virtual time, each byte as long as its ten bits.

    `serve` is called after each feed, with the time: it answers what is asked. `to_device` and `to_client` may change
    what goes over the line. `pieces` says how many bytes the device gets at once.
    """

    def __init__(
        self,
        device: Device,
        serve: Callable[[int], None] = lambda now_ns: None,
        to_device: Callable[[bytes], bytes] = lambda data: data,
        to_client: Callable[[bytes], bytes] = lambda data: data,
        pieces: Callable[[], int] = lambda: 1 << 16,
    ) -> None:
        self.device, self.serve = device, serve
        self.to_device, self.to_client, self.pieces = to_device, to_client, pieces
        self.now_ns = S
        self.quiet_ns = 0
        """How long nothing was on the line, all in all."""
        self._coming: deque[tuple[int, int]] = deque()

    @property
    def byte_ns(self) -> int:
        return 10 * S // self.device.baud

    def write(self, data: bytes) -> None:
        data = self.to_device(data)
        while data:
            piece, data = data[: (size := max(1, self.pieces()))], data[size:]
            self._pass(self.now_ns + len(piece) * self.byte_ns)
            self.device.feed(piece, self.now_ns)
            self.serve(self.now_ns)
            self._take()

    def read(self, count: int, seconds: float) -> bytes:
        limit, got = self.now_ns + round(seconds * S), bytearray()
        while len(got) < count:
            self._take()
            if self._coming and self._coming[0][0] <= limit:
                at_ns, byte = self._coming.popleft()
                self.now_ns = max(self.now_ns, at_ns)
                got.append(byte)
                limit = max(limit, self.now_ns + S // 2) if len(got) < count else limit
                continue
            due = self.device.next_ns
            if due is None or due > limit:
                self._pass(limit)
                break
            self._pass(max(due, self.now_ns))
        return bytes(got)

    def wait(self, seconds: float) -> None:
        """Let time go by, as the device sees it."""
        limit = self.now_ns + round(seconds * S)
        while (due := self.device.next_ns) is not None and due <= limit:
            self._pass(max(due, self.now_ns))
            self._take()
        self._pass(limit)

    def _pass(self, until_ns: int) -> None:
        self.now_ns = max(self.now_ns, until_ns)
        self.device.tick(self.now_ns)
        self.serve(self.now_ns)

    def _take(self) -> None:
        baud = self.device.baud
        if data := self.to_client(self.device.output(self.now_ns)):
            at_ns = max(self.now_ns, self._coming[-1][0] if self._coming else 0)
            for byte in data:
                at_ns += 10 * S // baud
                self._coming.append((at_ns, byte))
            self.serve(self.now_ns)
