"""The simulated modem over TCP, in real time: a socket for the meter's port, one for each end of the telephone (X-3).

The meter's port connects to `port_address`, as to a modem behind a serial server. Who connects to `caller_address`
calls the meter: its modem rings. Who connects to `called_address` waits to be called: the next call of the meter that
is answered reaches him. Both carry the call's bytes; closing them is putting down.
"""

from __future__ import annotations

import selectors
import socket
import threading
import time
from contextlib import suppress

from drivers.sim.hayes_modem import HayesModem, LineFaults, ModemIs

READ_BYTES = 4096
IDLE_S = 0.05


class ModemServer:
    """A modem that a meter's port can reach; it ends with `close`. `modem` may be looked at, and its `faults` set."""

    def __init__(self, faults: LineFaults | None = None) -> None:
        self.modem = HayesModem(faults, self._answered)
        self._listeners = [_listener() for _ in range(3)]
        self.port_address, self.caller_address, self.called_address = (each.getsockname() for each in self._listeners)
        self._port: socket.socket | None = None
        self._phone: socket.socket | None = None
        self._waiting: socket.socket | None = None
        self._ends = False
        self._thread = threading.Thread(target=self._run, name="modem", daemon=True)
        self._thread.start()

    @property
    def device(self) -> str:
        """Device of the meter's port, as its configuration has it."""
        return f"socket://{self.port_address[0]}:{self.port_address[1]}"

    def close(self) -> None:
        """End it."""
        self._ends = True
        self._thread.join()
        for each in (*self._listeners, self._port, self._phone, self._waiting):
            if each is not None:
                each.close()

    def _answered(self, number: str) -> None:
        """A call out has been answered: by who waits for it; nobody: by silence."""
        self._phone, self._waiting = self._waiting, None

    def _run(self) -> None:
        port, caller, called = self._listeners
        while not self._ends:
            self._select()
            now_ns = time.monotonic_ns()
            if (accepted := _accepted(port)) is not None:
                if self._port is not None:
                    self._port.close()
                self._port = accepted
                self.modem.drop_dtr(now_ns)
            if self._phone is None and (accepted := _accepted(caller)) is not None:
                self._phone = accepted
                self.modem.ring(now_ns)
            if self._waiting is None and (accepted := _accepted(called)) is not None:
                self._waiting = accepted
            self._carry(now_ns)

    def _select(self) -> None:
        due = self.modem.next_ns
        wait_s = IDLE_S if due is None else min(IDLE_S, max(0.0, (due - time.monotonic_ns()) / 1e9))
        with selectors.DefaultSelector() as selector:
            for each in (*self._listeners, self._port, self._phone):
                if each is not None:
                    selector.register(each, selectors.EVENT_READ)
            selector.select(wait_s)

    def _carry(self, now_ns: int) -> None:
        modem = self.modem
        if (data := _read(self._port)) is not None:
            modem.feed(data, now_ns)
        elif self._port is not None:
            self._port.close()
            self._port = None
            modem.drop_dtr(now_ns)
        if self._phone is not None and (data := _read(self._phone)) is None:
            self._phone.close()
            self._phone = None
            modem.give_up()
            modem.cut(now_ns)
        elif self._phone is not None and data:
            modem.line_sends(data)
        modem.tick(now_ns)
        _write(self._phone, modem.line_hears())
        _write(self._port, modem.output())
        if modem.state is ModemIs.ON_HOOK and self._phone is not None:
            self._phone.close()  # the meter has put down
            self._phone = None


def _listener() -> socket.socket:
    made = socket.create_server(("127.0.0.1", 0))
    made.setblocking(False)
    return made


def _accepted(listener: socket.socket) -> socket.socket | None:
    with suppress(BlockingIOError):
        found, _ = listener.accept()
        found.setblocking(False)
        return found
    return None


def _read(connection: socket.socket | None) -> bytes | None:
    """Give what has come; None: it is closed, or is not there."""
    if connection is None:
        return None
    try:
        return connection.recv(READ_BYTES) or None
    except BlockingIOError:
        return b""
    except OSError:
        return None


def _write(connection: socket.socket | None, data: bytes) -> None:
    if connection is not None and data:
        with suppress(OSError):
            connection.sendall(data)
