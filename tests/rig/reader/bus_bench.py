"""A line of real ports on simulated meters in virtual time, joined by the simulated RS-485 wires (X-3).

Each meter is one in service, with a serial number of its own; each port is the product's own, so is the door that it
asks. The master is a line as the reader wants one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace

from served_port import POLL_NS, ServedMeter
from served_tables import ServedTables

from drivers.sim.serial_bus import MASTER, FourWireBus, Noise
from rig.communication.c1218.settings import REMOTE
from rig.communication.port.port import Port
from rig.daemon.protocol import LogOff

S = 10**9
PASSWORD = b"111111"
PROGRAM = """
[meter]
serial = "{serial}"
[demand]
quantities = ["kW delivered"]
[security]
level_1 = "111111"
"""


class LineMeter(ServedTables):
    """A meter in service that is asked over RS-485."""

    source = "RS-485"

    def log_off(self) -> None:
        """Be as at the start: no level, whatever a test before left."""
        self.ask(LogOff())


class Node:
    """A port of a meter on the line; `dead`: it hears nothing. Each request takes its meter a poll."""

    def __init__(self, tables: LineMeter, address: int, *, keyed: bool = False, baud: int = 9600) -> None:
        self.meter = ServedMeter(tables)
        settings = replace(REMOTE, address=address, shared_line=True, authenticates=keyed, baud=baud)
        self.port = Port(settings, self.meter, "0.9.1", shares_light=False)
        self.dead = False
        self._ready_ns = 0

    @property
    def next_ns(self) -> int | None:
        due = self.port.next_ns
        if self.port.session.pending is not None and not self.port.speaks:
            due = self._ready_ns
        return None if self.dead or due is None else max(due, self._ready_ns)

    def step(self, now_ns: int, heard: bytes) -> bytes:
        """What it sends now, having heard this."""
        if self.dead:
            return b""
        if heard:
            self.port.feed(heard, now_ns)
        if now_ns < self._ready_ns:
            return b""
        if not heard:
            self.port.tick(now_ns)
        sent = self.port.output(now_ns)
        before = len(self.meter.asked)
        if not sent and not self.port.speaks and self.port.carry_out(now_ns):
            self._ready_ns = now_ns + (len(self.meter.asked) - before) * POLL_NS
        return sent


class SlowNode(Node):
    """A node that sends `late_ns` later than its port would: a meter of other make, or a slow converter."""

    def __init__(self, tables: LineMeter, address: int, late_ns: int) -> None:
        super().__init__(tables, address)
        self._late_ns = late_ns
        self._held: deque[tuple[int, bytes]] = deque()

    @property
    def next_ns(self) -> int | None:
        instants = [super().next_ns, self._held[0][0] if self._held else None]
        return min((each for each in instants if each is not None), default=None)

    def step(self, now_ns: int, heard: bytes) -> bytes:
        if sent := super().step(now_ns, heard):
            self._held.append((now_ns + self._late_ns, sent))
        return self._held.popleft()[1] if self._held and self._held[0][0] <= now_ns else b""


class BusLine:
    """The master's end of a line with these nodes, as the reader uses one; time goes by in `read` and `write`."""

    def __init__(self, nodes: list[Node], noise: Noise | None = None) -> None:
        self.bus = FourWireBus(len(nodes), noise)
        self.nodes = nodes
        self.now = S
        self.coming = bytearray()
        self.babble: Callable[[int], bytes] = lambda now_ns: b""
        """What a node that is broken sends at an instant, each 10 ms."""
        self.babbles = False
        self._babble_ns = S

    def now_ns(self) -> int:
        return self.now

    def write(self, data: bytes) -> None:
        self._until(self.bus.transmit(MASTER, data, self.now), stops=False)

    def read(self, until_ns: int) -> bytes:
        self._until(until_ns, stops=True)
        data, self.coming = bytes(self.coming), bytearray()
        return data

    def set_baud(self, baud: int) -> None:
        self.bus.bauds[MASTER] = baud

    def clear(self) -> None:
        self.coming.clear()

    def _until(self, until_ns: int, *, stops: bool) -> None:
        while not (stops and self.coming):
            due = [node.next_ns for node in self.nodes] + [self.bus.next_ns]
            if self.babbles:
                due.append(self._babble_ns)
            at_ns = max(self.now, min((each for each in due if each is not None), default=until_ns))
            if at_ns > until_ns:
                break
            self.now = at_ns
            self._step()
            if self.now == at_ns and all(each is None or each <= at_ns for each in due) and at_ns >= until_ns:
                break
        self.now = max(self.now, until_ns) if not (stops and self.coming) else self.now

    def _step(self) -> None:
        bus, now = self.bus, self.now
        heard = [b""] * (len(self.nodes) + 1)
        for listeners, data, baud in bus.heard(now):
            for node in listeners:
                heard[node] += bus.as_heard_by(node, data, baud)
        self.coming += heard[MASTER]
        for number, node in enumerate(self.nodes, 1):
            due = node.next_ns
            if heard[number] or (due is not None and due <= now):
                if sent := node.step(now, heard[number]):
                    bus.transmit(number, sent, now)
                bus.bauds[number] = node.port.baud
        if self.babbles and now >= self._babble_ns:
            self._babble_ns = now + 10_000_000
            bus.transmit(len(self.nodes), self.babble(now), now)
