"""The simulated board in a process of its own, in real time: it lives on as an FPGA does when a metering process dies.

One thread. Between messages the board runs in slices of SLICE_NS; before a message acts it is brought up to the
present, so that a frame meets the board of its instant and a contact's change is stamped with its own. Whoever dies
without a word leaves outputs as they are, and what it sent before is still done; edges of inputs go on being stamped,
and kept.
"""

from __future__ import annotations

import os
import selectors
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec

from drivers.sim.board import SimulatedBoard
from drivers.sim.board_messages import (
    MOST_BYTES,
    MOST_EDGES,
    BoardRefused,
    Claimed,
    ClaimInput,
    ClaimOutput,
    Counts,
    Drive,
    Edges,
    FromClient,
    Join,
    Late,
    Move,
    ReadCounts,
    Release,
    Watch,
    Welcome,
)
from drivers.sim.hands import Hands
from drivers.sim.pins import VirtualClockMockFactory, VirtualPin
from gateware.frames import Op

SLICE_NS = 2_000_000
"""How far the board is behind at most when a frame comes: 2 ms are simulated in some 0.1 ms."""

AHEAD_TICKS = 1 << 16
"""Of what the modulators send, 20 ms are made before they are needed: a frame would have to wait for them."""

PREPARED_TICKS = 12_000
"""So many of them at a time, on another core: more than a slice uses, so that what was held up is made up for."""

CATCH_UP_NS = 20_000_000
"""A board that was held up makes up for it in steps of so much, and looks at its messages in between."""

LOST_NS = 500_000_000
"""More is not made up for, but lost, so that nobody sees a hurried meter: the computer slept, or was busy."""

_TIMELESS = (Op.RECORD, Op.POP)
"""To these it is all one when they come: before them the board is not brought up to the present."""

WARM_UP_TICKS = 1 << 17
"""What is compiled at its first use is compiled before real time begins."""


@dataclass
class _Watched:
    """A GPIO that someone watches: the output it is wired to, that one's edges when it began, and those sent."""

    pin: VirtualPin
    begun: int
    sent: int


class BoardServer:
    """A board, its pins and the hands at them, for the connections of one `listener` or those that are `given`.

    `wired` are the GPIO of switches and inputs, `wires` those of counters, each with the GPIO of the output whose
    contact pulls it low. `about` goes to each client. With given connections, `run` ends when the last of them has
    closed; with a listener, when `stop` is set.
    """

    def __init__(
        self,
        board: SimulatedBoard,
        pins: VirtualClockMockFactory,
        hands: Hands,
        wired: Mapping[str, int],
        about: bytes,
        *,
        listener: socket.socket | None = None,
        given: tuple[socket.socket, ...] = (),
        utc_ns: int | None = None,
        wires: Mapping[int, int] | None = None,
    ) -> None:
        self.stop = False
        self._wires = wires or {}
        self._watched: dict[socket.socket, dict[int, _Watched]] = {}
        self._board, self._pins, self._hands, self._about = board, pins, hands, about
        self._epoch = f"{os.getpid()}-{os.urandom(8).hex()}"
        self._rate = board.chain.tick_hz
        self._inputs: dict[int, VirtualPin] = {}
        for number in wired.values():
            pin = pins.pin(number)
            pin.function, pin.pull = "input", "up"
            pin.clear_states()
            self._inputs[number] = pin
        board.advance(WARM_UP_TICKS)
        self._begun_ns = time.monotonic_ns() - self._now_ns()
        self._utc_ns = time.time_ns() - self._now_ns() if utc_ns is None else utc_ns
        self._listener = listener
        self._owner: socket.socket | None = None
        self._owner_process = 0
        self._sent: dict[int, int] = {}  # by input, the number of the last edge that its owner has
        self._decoder: msgspec.msgpack.Decoder[FromClient] = msgspec.msgpack.Decoder(FromClient)
        self._selector = selectors.DefaultSelector()
        self._connections: dict[socket.socket, str] = {}
        if listener is not None:
            listener.setblocking(False)
            self._selector.register(listener, selectors.EVENT_READ)
        for connection in given:
            self._accept(connection)

    def run(self) -> None:
        """Run in real time until it is to end."""
        while not self.stop and (self._listener is not None or self._connections):
            behind = self._catch_up()
            for key, _ in self._selector.select(0 if behind else SLICE_NS / 1e9):
                if key.fileobj is self._listener:
                    assert self._listener is not None
                    with suppress(OSError):
                        self._accept(self._listener.accept()[0])
                else:
                    assert isinstance(key.fileobj, socket.socket)
                    self._attend(key.fileobj)
            self._push()
            self._board.prepare(AHEAD_TICKS, PREPARED_TICKS)

    def close(self) -> None:
        """Let all connections go."""
        for connection in self._connections:
            connection.close()
        self._connections.clear()
        self._selector.close()

    # --- time -------------------------------------------------------------------------------------------------

    def _now_ns(self) -> int:
        """The board's time, as its ticks have it."""
        return self._board.ticks * 1_000_000_000 * self._rate.denominator // self._rate.numerator

    def _catch_up(self, most_ns: int = CATCH_UP_NS) -> bool:
        """Bring the board up to the present, by `most_ns` at most; whether it still is behind by more than a slice."""
        present_ns, now_ns = time.monotonic_ns() - self._begun_ns, self._now_ns()
        if (late_ns := present_ns - now_ns) > LOST_NS:
            self._begun_ns += late_ns
            self._tell(Late(self._begun_ns))
            present_ns = now_ns
        until_ns = min(present_ns, now_ns + most_ns)
        ticks = until_ns * self._rate.numerator // (1_000_000_000 * self._rate.denominator)
        self._board.advance(ticks - self._board.ticks)
        now_ns = self._now_ns()
        self._hands.run_due(now_ns)
        self._pins.clock.advance_to(max(now_ns, self._pins.clock.now_ns))
        return present_ns - now_ns > SLICE_NS

    # --- connections ------------------------------------------------------------------------------------------

    def _accept(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._connections[connection] = ""
        self._selector.register(connection, selectors.EVENT_READ)

    def _drop(self, connection: socket.socket) -> None:
        """The other end is gone: pins stay as they are."""
        self._selector.unregister(connection)
        del self._connections[connection]
        self._watched.pop(connection, None)
        connection.close()
        if connection is self._owner:
            self._owner = None
            self._sent.clear()

    def _attend(self, connection: socket.socket) -> None:
        """Do all that waits on a connection, in order."""
        while connection in self._connections:
            try:
                data = connection.recv(MOST_BYTES)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._drop(connection)
                return
            spi = self._connections[connection] == "spi"
            if not spi or data[0] >> 4 not in _TIMELESS:
                while self._catch_up():
                    pass
            if spi:
                self._send(connection, bytes(self._board.xfer2(list(data))))
                return  # others have their turn before the next frame
            try:
                message = self._decoder.decode(data)
            except msgspec.MsgspecError:
                self._drop(connection)
                return
            self._do(connection, message)

    def _do(self, connection: socket.socket, message: FromClient) -> None:
        match message:
            case Join(kind, process):
                self._join(connection, kind, process)
            case Watch(number) if self._connections[connection] == "edges":
                self._watch(connection, number)
            case ClaimInput(pin, after) if connection is self._owner and pin in self._inputs:
                self._claim_input(connection, pin, after)
            case ClaimOutput(number) if connection is self._owner:
                pin = self._pins.pin(number)
                high = bool(pin.state)
                pin.function = "output"
                pin.state = high
                self._answer(connection, Claimed(number, high, pin.edge_count))
            case Drive(number, high) if connection is self._owner and self._pins.pin(number).function == "output":
                self._pins.pin(number).state = high
            case Release(number) if connection is self._owner:
                self._sent.pop(number, None)
                if number not in self._inputs:
                    self._pins.pin(number).function = "input"
            case Move(switch, at_ns, closed, bouncing) if connection is self._owner:
                with suppress(KeyError):
                    if not bouncing:
                        self._hands.level(switch, at_ns, closed)
                    elif closed:
                        self._hands.operate(switch, at_ns)
                    else:
                        self._hands.let_go(switch, at_ns)
            case ReadCounts():
                edges = {int(pin.info.name.removeprefix("GPIO")): pin.edge_count for pin in self._pins.pins.values()}
                self._answer(connection, Counts(self._now_ns(), edges))
            case _:  # not its pin, or before it has joined
                self._drop(connection)

    def _join(self, connection: socket.socket, kind: str, process: int) -> None:
        if kind == "pins":
            if self._owner is not None:
                self._attend(self._owner)  # one that has died is not there any more once this is through
            if self._owner is not None:
                self._answer(
                    connection,
                    BoardRefused(f"process {self._owner_process} meters on the simulated board: end it first"),
                )
                self._drop(connection)
                return
            self._owner, self._owner_process = connection, process
        self._connections[connection] = kind
        self._answer(connection, Welcome(self._epoch, self._begun_ns, self._utc_ns, self._about))

    def _claim_input(self, connection: socket.socket, number: int, after: int | None) -> None:
        pin = self._inputs[number]
        oldest = pin.edge_count - len(pin.history)
        if after is None or not oldest <= after <= pin.edge_count:
            after = pin.edge_count
        high = bool(pin.state) if after == pin.edge_count else not pin.history[after - oldest].high
        self._sent[number] = after
        self._answer(connection, Claimed(number, high, after))

    def _watch(self, connection: socket.socket, number: int) -> None:
        if number not in self._wires:
            self._answer(connection, BoardRefused(f"GPIO {number} of the simulated board is wired to nothing"))
            return
        pin = self._pins.pin(self._wires[number])
        self._watched.setdefault(connection, {})[number] = _Watched(pin, pin.edge_count, pin.edge_count)
        self._answer(connection, Claimed(number, not pin.state, 0))

    # --- sending ----------------------------------------------------------------------------------------------

    def _push(self) -> None:
        """Send the edges that the owner of the pins, and who watches, do not have yet, as far as they read them."""
        for connection, pins in self._watched.items():
            self._push_watched(connection, pins)
        found: list[tuple[int, int, int, bool]] = []
        for number, sent in self._sent.items():
            pin = self._inputs[number]
            if pin.edge_count > sent:
                new = list(pin.history)[sent - pin.edge_count :]
                found += [(number, sent + 1 + k, edge.time_ns, edge.high) for k, edge in enumerate(new)]
        found.sort(key=lambda edge: (edge[2], edge[1]))
        for at in range(0, len(found), MOST_EDGES):
            part = found[at : at + MOST_EDGES]
            if self._owner is None or not self._answer(self._owner, Edges(part)):
                return
            for number, edge, _, _ in part:
                self._sent[number] = edge

    def _push_watched(self, connection: socket.socket, pins: dict[int, _Watched]) -> None:
        """Send what is in the pins' histories: as of a kernel's buffer, what has fallen out shows in the numbers."""
        found = []
        for number, watched in pins.items():
            count = watched.pin.edge_count
            if count > watched.sent:
                new = list(watched.pin.history)[watched.sent - count :]
                first = count - len(new) + 1 - watched.begun
                found += [(number, first + k, edge.time_ns, not edge.high) for k, edge in enumerate(new)]
        found.sort(key=lambda edge: (edge[2], edge[1]))
        for at in range(0, len(found), MOST_EDGES):
            if not self._answer(connection, Edges(found[at : at + MOST_EDGES])):
                return
            for number, edge, _, _ in found[at : at + MOST_EDGES]:
                pins[number].sent = pins[number].begun + edge

    def _tell(self, message: msgspec.Struct) -> None:
        for connection in self._watched:
            self._answer(connection, message)
        if self._owner is not None:
            self._answer(self._owner, message)

    def _answer(self, connection: socket.socket, message: msgspec.Struct) -> bool:
        return self._send(connection, msgspec.msgpack.encode(message))

    def _send(self, connection: socket.socket, data: bytes) -> bool:
        """Send data; return whether there was room. What a dead one sent last is still read before it is dropped."""
        try:
            connection.send(data, socket.MSG_NOSIGNAL)
        except OSError:
            return False
        return True


def listening(path: str) -> Any:
    """Give a socket at a path for a server to listen on. Raises OSError."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    mask = os.umask(0o177)
    try:
        listener.bind(path)
        listener.listen(8)
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(mask)
    return listener
