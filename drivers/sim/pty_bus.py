"""The simulated RS-485 line in real time: a pseudo-terminal for each node, and a thread that joins them.

Programs open the pseudo-terminals as serial ports. The thread carries what each writes to those who hear it, each byte
when the line would have carried it. A node's speed is what its program has set the terminal to.
"""

from __future__ import annotations

import os
import select
import termios
import threading
import time
import tty
from contextlib import suppress

from drivers.sim.serial_bus import FourWireBus, Noise

READ_BYTES = 4096
IDLE_S = 0.2

_SPEEDS = {
    getattr(termios, f"B{baud}"): baud
    for baud in (300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
}  # fmt: skip


class PtyBus:
    """A line of a master and so many nodes; `paths` are their terminals, the master's first. Ends with `close`."""

    def __init__(self, nodes: int, noise: Noise | None = None) -> None:
        self.bus = FourWireBus(nodes, noise)
        self.paths: list[str] = []
        self._ours: list[int] = []
        self._theirs: list[int] = []
        for _ in range(nodes + 1):
            ours, theirs = os.openpty()
            tty.setraw(theirs)
            os.set_blocking(ours, False)
            self._ours.append(ours)
            self._theirs.append(theirs)  # open as long as ours: else a program that leaves would end the line
            self.paths.append(os.ttyname(theirs))
        self._wakes, self._wake = os.pipe()
        self._thread = threading.Thread(target=self._run, name="RS-485 line", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the line; its terminals are gone."""
        os.write(self._wake, b".")
        self._thread.join()
        for descriptor in (*self._ours, *self._theirs, self._wakes, self._wake):
            with suppress(OSError):
                os.close(descriptor)

    def _run(self) -> None:
        nodes = {descriptor: node for node, descriptor in enumerate(self._ours)}
        while True:
            due = self.bus.next_ns
            wait_s = IDLE_S if due is None else max(0.0, (due - time.monotonic_ns()) / 1e9)
            readable, _, _ = select.select([*nodes, self._wakes], [], [], wait_s)
            if self._wakes in readable:
                return
            now_ns = time.monotonic_ns()
            for descriptor in readable:
                node = nodes[descriptor]
                self._set_speed(node)
                with suppress(OSError):
                    self.bus.transmit(node, os.read(descriptor, READ_BYTES), now_ns)
            self._deliver(time.monotonic_ns())

    def _deliver(self, now_ns: int) -> None:
        """Give what has been heard by now, what came together in one write."""
        waiting: dict[int, bytes] = {}
        for listeners, data, baud in self.bus.heard(now_ns):
            for node in listeners:
                self._set_speed(node)
                waiting[node] = waiting.get(node, b"") + self.bus.as_heard_by(node, data, baud)
        for node, data in waiting.items():
            with suppress(OSError):  # nobody reads there, and its buffer is full
                os.write(self._ours[node], data)

    def _set_speed(self, node: int) -> None:
        with suppress(termios.error):
            speed = termios.tcgetattr(self._theirs[node])[5]
            self.bus.bauds[node] = _SPEEDS.get(speed, self.bus.bauds[node])
