"""Metering on a simulated board that runs in a process of its own: spidev's face, the pins of gpiozero, and a clock.

Nothing of the simulation is loaded here. (drivers/sim/board_server.py is the other end.)
"""

from __future__ import annotations

import os
import select
import socket
import struct
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

import msgspec
from gpiozero.pins import PinInfo

from drivers.clock import Meanwhile, meet, sleep_until
from drivers.errors import DriverError
from drivers.sim.board_messages import (
    MOST_BYTES,
    BoardRefused,
    Claimed,
    ClaimInput,
    ClaimOutput,
    Counts,
    Drive,
    Edges,
    FromBoard,
    Join,
    Late,
    Move,
    ReadCounts,
    Release,
    Welcome,
)
from drivers.sim.pins import VirtualClock, VirtualClockMockFactory, VirtualPin

ANSWER_S = 300
"""A board that is compiled first, on a busy machine, takes so long to answer at most."""

Message = TypeVar("Message", bound=msgspec.Struct)


class BoardGone(DriverError):
    """The simulated board does not answer, or refuses: one sentence."""


def connected(path: str) -> socket.socket:
    """Give a connection to the board at `path`. Raises BoardGone."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        connection.connect(path)
    except OSError as error:
        connection.close()
        raise BoardGone(
            f"no simulated board answers at {path} ({error.strerror}): start one with rig simulate, "
            "or leave simulation.board out of rig.toml"
        ) from None
    return connection


class BoardConnection:
    """One connection, joined; what comes and is not waited for goes to `on_message`."""

    def __init__(self, connection: socket.socket, kind: str) -> None:
        self._socket = connection
        self._decoder: msgspec.msgpack.Decoder[FromBoard] = msgspec.msgpack.Decoder(FromBoard)
        self.on_message: Callable[[FromBoard], None] = lambda message: None
        self._poll = select.poll()
        self._poll.register(connection, select.POLLIN)
        connection.setblocking(True)  # no timeout of Python's: with one even MSG_DONTWAIT waits
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", ANSWER_S, 0))
        try:
            self.send(Join(kind, os.getpid()))
            self.welcome = self.answer(Welcome)
        except BaseException:
            connection.close()
            raise

    def send(self, message: msgspec.Struct) -> None:
        """Send it; what was sent is done, even where this process dies at once."""
        try:
            self._socket.send(msgspec.msgpack.encode(message), socket.MSG_NOSIGNAL)
        except OSError as error:
            raise _gone(error) from None

    def answer(self, kind: type[Message]) -> Message:
        """Wait for a message of this kind."""
        while True:
            message = self._receive(0)
            if isinstance(message, kind):
                return message
            if isinstance(message, BoardRefused):
                raise BoardGone(message.sentence)
            if message is not None:
                self.on_message(message)

    def poll(self) -> None:
        """Take in what has come."""
        while (message := self._receive(socket.MSG_DONTWAIT)) is not None:
            self.on_message(message)

    def exchange(self, data: bytes, meanwhile: Meanwhile) -> bytes:
        """Send bytes, wait for as many; what falls due `meanwhile` is done."""
        try:
            self._socket.send(data, socket.MSG_NOSIGNAL)
            limit_ns = time.monotonic_ns() + ANSWER_S * 10**9
            while not self._poll.poll(ANSWER_S * 1e3 if (left_ns := meanwhile()) is None else left_ns / 1e6):
                if time.monotonic_ns() > limit_ns:
                    raise _gone(None)
            if reply := self._socket.recv(MOST_BYTES):
                return reply
        except OSError as error:
            raise _gone(error) from None
        raise _gone(None)

    def _receive(self, flags: int) -> FromBoard | None:
        try:
            data = self._socket.recv(MOST_BYTES, flags)
        except BlockingIOError as error:
            if flags:
                return None
            raise _gone(error) from None
        except OSError as error:
            raise _gone(error) from None
        if not data:
            raise _gone(None)
        return self._decoder.decode(data)

    def close(self) -> None:
        self._socket.close()


def _gone(error: OSError | None) -> BoardGone:
    why = f" ({error.strerror or 'no answer'})" if error is not None else ""
    return BoardGone(f"the process of the simulated board has ended{why}: start the meter, or rig simulate, again")


class RemoteSpi:
    """spidev's face of the board. Made from a connection that has not joined. Raises BoardGone.

    An FPGA answers a frame in its own time on the wire, and a simulated board when its process comes to it: what falls
    due in between is done by `meanwhile`.
    """

    def __init__(self, connection: socket.socket) -> None:
        self.meanwhile: Meanwhile = lambda: None
        self._connection = BoardConnection(connection, "spi")

    def xfer2(self, data: list[int]) -> list[int]:
        """Send one frame; the reply."""
        return list(self._connection.exchange(bytes(data), self.meanwhile))

    def close(self) -> None:
        self._connection.close()


class RemotePin(VirtualPin):
    """A GPIO of the board, and what is known of its level here. Made by RemotePins.pin()."""

    factory: RemotePins

    def __init__(self, factory: RemotePins, info: PinInfo) -> None:
        self._number = int(info.name.removeprefix("GPIO"))
        self._claimed = ""
        self.edge_number: int | None = None
        """Of an input the number of the last edge taken in; None before it is claimed."""
        super().__init__(factory, info)

    def take(self, number: int, high: bool) -> None:
        """An edge has come, at the instant of the factory's clock."""
        self.edge_number = number
        if self._claimed == "input":
            if high:
                self.drive_high()
            else:
                self.drive_low()

    def _set_function(self, value: str) -> None:
        if value == "output" and self._claimed != "output":
            self._state = self.factory.claim_output(self._number)
            self._claimed = "output"
        elif value == "input" and self._claimed:
            self.factory.release(self._number)
            self._claimed, self._pull = "", "floating"
        super()._set_function(value)

    def _set_pull(self, value: str) -> None:
        if value == "up" and self._claimed != "input":
            claimed = self.factory.claim_input(self._number)
            self._state, self.edge_number = claimed.high, claimed.number
            self._pull, self._claimed = value, "input"
        elif self._claimed != "input":
            super()._set_pull(value)

    def _change_state(self, value: bool) -> bool:
        if self._claimed == "output" and self._state != value:
            self.factory.drive(self._number, value)
        changed: bool = super()._change_state(value)
        return changed


class RemotePins(VirtualClockMockFactory):
    """The header of the board, over a connection that has not joined. Raises BoardGone.

    `resume` has, by GPIO, the number of the last edge that was dealt with before: an input claimed goes on after it.
    """

    keep_levels = True  # as drivers.pins.keep_levels asks

    def __init__(self, connection: socket.socket) -> None:
        self._connection = BoardConnection(connection, "pins")
        self.welcome = self._connection.welcome
        self.begun_ns = self.welcome.begun_ns
        self.resume: dict[int, int] = {}
        self._waiting: deque[tuple[int, int, int, bool]] = deque()
        self._connection.on_message = self._take
        super().__init__(VirtualClock())
        self.pin_class = RemotePin

    def collect(self) -> None:
        """Take in what inputs have done."""
        self._connection.poll()
        while self._waiting:
            number, edge, at_ns, high = self._waiting.popleft()
            self.clock.now_ns = at_ns
            self.pin(number).take(edge, high)

    def claim_input(self, number: int) -> Claimed:
        self._connection.send(ClaimInput(number, self.resume.get(number)))
        return self._connection.answer(Claimed)

    def claim_output(self, number: int) -> bool:
        self._connection.send(ClaimOutput(number))
        return self._connection.answer(Claimed).high

    def drive(self, number: int, high: bool) -> None:
        self._connection.send(Drive(number, high))

    def release(self, number: int) -> None:
        with suppress(BoardGone):  # nothing is left to be released then
            self._connection.send(Release(number))

    def move(self, switch: str, at_ns: int, closed: bool, bouncing: bool) -> None:
        """Have a hand move a contact at an instant of the board's time."""
        self._connection.send(Move(switch, at_ns, closed, bouncing))

    def counts(self) -> Counts:
        """Return what the board has counted of each GPIO's edges."""
        self._connection.send(ReadCounts())
        return self._connection.answer(Counts)

    def close(self) -> None:
        """Release every pin, and the board."""
        super().close()
        self._connection.close()

    def _take(self, message: Any) -> None:
        match message:
            case Edges(edges):
                self._waiting.extend(edges)
            case Late(begun_ns):
                self.begun_ns = begun_ns


class RemoteClock:
    """The board's time as the service's clock: real time, as the board keeps it. `now_ns` takes in edges too."""

    def __init__(self, pins: RemotePins) -> None:
        self._pins = pins
        self._last_ns = 0

    def now_ns(self) -> int:
        self._pins.collect()
        self._last_ns = max(self._last_ns, time.monotonic_ns() - self._pins.begun_ns)
        return self._last_ns

    def utc_ns(self) -> int:
        return self._pins.welcome.utc_ns + self.now_ns()

    def wait_until(self, instant_ns: int) -> None:
        self._pins.collect()
        sleep_until(self._pins.begun_ns + instant_ns)

    def meet(self, instant_ns: int) -> None:
        self._pins.collect()
        meet(self._pins.begun_ns + instant_ns)


class RemoteHands:
    """Hands at the switches of the board (drivers/sim/hands.py), named in `wired`. Other names raise KeyError."""

    def __init__(self, pins: RemotePins, wired: Mapping[str, int]) -> None:
        self._pins, self._wired = pins, wired

    def operate(self, switch: str, at_ns: int) -> None:
        """Close the contact, bouncing from `at_ns` on."""
        self._move(switch, at_ns, True, True)

    def let_go(self, switch: str, at_ns: int) -> None:
        """Open the contact, bouncing from `at_ns` on."""
        self._move(switch, at_ns, False, True)

    def level(self, switch: str, at_ns: int, closed: bool) -> None:
        """One edge, without bounce."""
        self._move(switch, at_ns, closed, False)

    def _move(self, switch: str, at_ns: int, closed: bool, bouncing: bool) -> None:
        self._wired[switch]  # refused here, before it is sent
        self._pins.move(switch, at_ns, closed, bouncing)
