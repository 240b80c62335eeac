"""The rig under test: the service on its hardware, run for as long as a test says, and what was seen meanwhile.

On a simulated rig time is virtual and passes only while the test lets it; on hardware it is real. The code is the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from drivers.counters import PulseCounters
from drivers.gpio import Position
from drivers.switches import RawEdge
from gateware.registers import Capability
from rig.bench.action_log import ActionLog
from rig.bench.failures import BenchFailure
from rig.bench.history import StateHistory
from rig.hardware.config import Config
from rig.hardware.hardware import Hardware
from rig.meter.billing.quantity import Quantity
from rig.meter.display.lcd import Lcd
from rig.meter.front.front import Mode
from rig.meter.meter import WindowResult
from rig.program.build import Program
from rig.service.service import PULSE_LATENCY_NS, Service
from rig.store.store import Store

SECOND_NS = 10**9

STEP_NS = 40_000_000
"""How long the rig runs between two looks at whether what is awaited has come."""

KEPT_CHANGES = 256


@dataclass(frozen=True, slots=True)
class ShownFrame:
    """The display: the glass, which sequence it is of, and the item's name in the program."""

    lcd: Lcd
    mode: Mode
    item: str


class Rig:
    """A meter from when it starts. `store` is the folder it is kept in, so that it goes on after a cut of power.

    `frames` is the display's history, `contacts` that of each output by its name. `program` and `service` are what
    runs. Before `next_action_ns` nothing is moved: a hand comes from the last movement. `first_closing`: what the
    counters have counted may lack the first closing of each output, that of a new meter.
    """

    def __init__(self, hardware: Hardware, config: Config, program: Program, store: Path) -> None:
        self.hardware, self.config, self.program = hardware, config, program
        self._store = store
        self.has_counters = Capability.PULSE_COUNTERS in hardware.link.identity.capabilities
        self.start()

    def start(self) -> None:
        """Power is there."""
        hardware = self.hardware
        if self.has_counters:
            self.zero_counters()
        self.first_closing = not self._store.exists()
        self.changes: deque[RawEdge] = deque(maxlen=KEPT_CHANGES)
        self.service = Service(hardware, self.config, self.program, Store.open(self._store), on_edge=self._note_edge)
        self.service.begin()
        self.begin_ns = self.next_action_ns = hardware.clock.now_ns()
        self.actions = ActionLog(self.begin_ns)
        self.frames: StateHistory[ShownFrame] = StateHistory()
        self.contacts: dict[str, StateHistory[Position]] = {
            name.upper(): StateHistory() for name in self.service.outputs.relays
        }
        self.advances: list[WindowResult] = []
        self._look()
        self.service.watch = self._look

    def zero_counters(self) -> None:
        """The FPGA's counters begin anew."""
        counters = PulseCounters(self.hardware.link)
        counters.clear()
        counters.open()
        self.first_closing = False

    def begin_again(self) -> None:
        """A new meter, as if nothing had happened."""
        self.stop()
        self._store = self._store.with_name(f"{self._store.name}-again")
        self.start()

    def stop(self) -> None:
        """The service ends: pulses due are let out, what is billed is saved, contacts go to rest."""
        self.service.watch = lambda: None
        self.service.finish()

    def power_off(self, seconds: float) -> None:
        """The meter is without power for so long; then it goes on from its store. It is given the time to save: what a
        crash costs is for tests of the store."""
        self.stop()
        clock = self.hardware.clock
        clock.wait_until(clock.now_ns() + round(seconds * SECOND_NS))
        self.start()

    # --- time -----------------------------------------------------------------------------------------------

    @property
    def now_ns(self) -> int:
        """Of the rig's clock."""
        return self.hardware.clock.now_ns()

    @property
    def seconds(self) -> float:
        """Since the meter started."""
        return (self.now_ns - self.begin_ns) / SECOND_NS

    def run(self, seconds: float) -> None:
        """Let the rig run."""
        self.run_until(self.now_ns + round(seconds * SECOND_NS))

    def run_until(self, until_ns: int) -> None:
        """Let the rig run up to an instant of its clock."""
        self.advances += self.service.run(until_ns)

    def await_that(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Run until something holds, for so long at most; whether it does."""
        limit_ns = self.now_ns + round(seconds * SECOND_NS)
        while not holds():
            if self.now_ns >= limit_ns:
                return False
            self.run_until(min(self.now_ns + STEP_NS, limit_ns))
        return True

    # --- what is known --------------------------------------------------------------------------------------

    def closed(self, contact: str) -> bool:
        """Whether the rig finds a switch or an input operated, bounce taken out."""
        return contact in self.service.contacts_closed

    def changed(self, contact: str, closed: bool, since_ns: int) -> int | None:
        """When it was operated, or let go, after an instant, by the stamp of its first edge; None: not yet."""
        for edge in self.changes:
            if (edge.switch, edge.operated) == (contact, closed) and edge.at_ns >= since_ns:
                return edge.at_ns
        return None

    def flowed(self, quantity: Quantity, from_tick: int, to_tick: int) -> int:
        """What was measured between two ticks of the board, in nWh (nvarh, nVAh); a window cut counts in part."""
        total = 0
        for advance in self.advances:
            window = advance.window
            if window.energies is None:
                continue
            length = window.tick_end - window.flowed_from
            begin, end = max(from_tick, window.flowed_from), min(to_tick, window.tick_end)
            if begin < end:
                total += window.energies.moves(quantity) * (end - begin) // length
        return total

    @property
    def latency_ticks(self) -> int:
        """From a pulse's instant to its edge."""
        return int(PULSE_LATENCY_NS * self.hardware.link.identity.tick_hz / SECOND_NS)

    def failure(self, wanted: str, found: str) -> BenchFailure:
        """A sentence for what was wanted, lines for what there was, and what hands did."""
        return BenchFailure(f"{wanted}\n{found}\nlast acts:\n{self.actions.text}")

    # --- how ------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """At the front, as often as the service attends to it."""
        service, now_ns = self.service, self.now_ns
        front = service.front
        self.frames.note(now_ns, ShownFrame(front.lcd(service.meter), front.front.mode, front.front.item.name))
        for name, relay in service.outputs.relays.items():
            self.contacts[name.upper()].note(now_ns, relay.position)

    def _note_edge(self, edge: RawEdge) -> None:
        if edge.accepted:
            self.changes.append(edge)
