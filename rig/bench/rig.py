"""The rig under test: a running meter, its clock, and what was seen of it, as far back as may be asked for."""

from __future__ import annotations

from collections import deque

from drivers.counters import PulseCounters
from drivers.switches import RawEdge
from gateware.registers import Capability, Channel
from rig.bench.action_log import ActionLog
from rig.bench.clock import RigClock
from rig.bench.energy_ledger import EnergyLedger
from rig.bench.errors import BenchError
from rig.bench.history import KEPT_CHANGES, StateHistory
from rig.bench.in_process import InProcessMeter
from rig.bench.states import ALL_SEGMENTS_TEXT, ContactState, ShownFrame
from rig.hardware.hardware import Hardware
from rig.meter.billing.time_units import SECOND_NS
from rig.meter.contacts.outputs import OutputId
from rig.program.build import Program
from rig.service.service import PULSE_LATENCY_NS, Service

KEPT_EDGES = 256
"""Of switches and inputs: more than any contact bounces while a person moves one."""


class Rig:
    """A meter from when it starts, until `stop`. All that it remembers is bounded, however long it runs: KEPT_WINDOWS,
    KEPT_EDGES, KEPT_ACTIONS, and `kept_changes` of each thing seen after the last action and as many before now.

    `frames` are the states of the display, `items` the names of its items, `contacts` the states of each output's
    contacts, by its name; `energy` is what was measured, `actions` what was done. No contact is moved before
    `next_action_ns`: a hand takes time from one to the next. `ran_to_ns` is the instant up to which the rig was run
    after the last action. `never_closed` are the outputs
    of a new meter whose first closing, which no counter counts, has not come before the counters were zeroed.
    """

    def __init__(self, meter: InProcessMeter, kept_changes: int = KEPT_CHANGES) -> None:
        self._meter, self._kept_changes = meter, kept_changes
        self.clock = RigClock(meter.hardware.clock, self._advance)
        self.energy = EnergyLedger()
        self.has_counters = Capability.PULSE_COUNTERS in self.hardware.link.identity.capabilities
        self.start()

    def start(self) -> None:
        """Give the meter power."""
        self._running = False
        self._clipped = 0
        self.never_closed: frozenset[OutputId] = frozenset()
        self.energy.clear()
        if self.has_counters:
            self.zero_counters()
        self.edges: deque[RawEdge] = deque(maxlen=KEPT_EDGES)
        self._meter.start(self._note_edge)
        if self._meter.new:
            self.never_closed = frozenset(self.service.outputs.relays)
        self.clock.restart()
        self.next_action_ns = self.begin_ns
        self.actions = ActionLog(self.begin_ns)
        self.ran_to_ns = self.begin_ns
        kept = self._kept_changes
        self.frames: StateHistory[ShownFrame] = StateHistory(kept)
        self.items: StateHistory[str] = StateHistory(kept)
        self.contacts: dict[str, StateHistory[ContactState]] = {
            id.label: StateHistory(kept) for id in self.service.outputs.relays
        }
        self._look()
        self.service.watch = self._look
        self._running = True

    def zero_counters(self) -> None:
        """Zero all of the FPGA's counters, and count from now on."""
        counters = PulseCounters(self.hardware.link)
        counters.clear()
        counters.open()
        self.energy.mark(counters.gate().open_tick - self.latency_ticks)
        self._clipped = 0
        self.never_closed = frozenset(id for id in self.never_closed if not self.service.outputs.relays[id].transitions)

    def begin_again(self) -> None:
        """Put a new meter in its place, as if nothing had happened."""
        self.stop()
        self._meter.replace()
        self.start()

    def stop(self) -> None:
        """End the meter: pulses due are let out, registers saved, contacts at rest. A second time, nothing happens."""
        if self._running:
            self._running = False
            self.service.watch = lambda: None
            self._meter.stop()

    def power_off(self, seconds: float) -> None:
        """Leave the meter without power for so long; then it goes on from its store. It is given the time to save: what
        a crash costs is for tests of the store."""
        self.clock.after_ns(seconds)  # refused before anything stops
        self.stop()
        self.hardware.clock.wait_until(self.clock.after_ns(seconds))
        self.start()

    # --- time -----------------------------------------------------------------------------------------------

    @property
    def now_ns(self) -> int:
        """The present, of the rig's clock."""
        return self.clock.now_ns

    @property
    def begin_ns(self) -> int:
        """Instant at which the meter started."""
        return self.clock.begin_ns

    @property
    def seconds(self) -> float:
        """Seconds since the meter started."""
        return self.clock.seconds

    def run(self, seconds: float) -> None:
        """Let the rig run."""
        self.run_on_to(self.clock.after_ns(seconds))

    def run_on_to(self, until_ns: int) -> None:
        """Let the rig run up to an instant because a test wants it, not because an action takes so long."""
        self.ran_to_ns = until_ns
        self.run_until(until_ns)

    def run_until(self, until_ns: int) -> None:
        """Let the rig run up to an instant of its clock."""
        self.clock.run_until(until_ns)

    # --- what is known --------------------------------------------------------------------------------------

    @property
    def hardware(self) -> Hardware:
        """Hardware that the meter runs on."""
        return self._meter.hardware

    @property
    def program(self) -> Program:
        """Program of the meter."""
        return self._meter.program

    @property
    def service(self) -> Service:
        """Service that runs the meter; another one after each power failure."""
        return self._meter.service

    def closed(self, contact: str) -> bool:
        """Return whether the rig finds a switch or an input closed, bounce taken out."""
        return contact in self.service.contacts.closed

    def changed_ns(self, contact: str, closed: bool, since_ns: int) -> int | None:
        """Return when it closed, or opened, after an instant, by the stamp of its first edge; None: not yet."""
        for edge in self.edges:
            if (edge.switch, edge.operated) == (contact, closed) and edge.at_ns >= since_ns:
                return edge.at_ns
        return None

    @property
    def clipped(self) -> tuple[str, ...]:
        """The channels, such as "i2", whose modulators were beyond their range since the counters began: what flowed is
        then not what was measured (review A-14)."""
        return tuple(channel.name.lower() for channel in Channel if self._clipped >> channel & 1)

    @property
    def latency_ticks(self) -> int:
        """From a pulse's instant to its edge."""
        return int(PULSE_LATENCY_NS * self.hardware.link.identity.tick_hz / SECOND_NS)

    # --- what was done --------------------------------------------------------------------------------------

    def note_action(self, at_ns: int, text: str) -> None:
        """Log an action, from which expectations are then measured; states seen before it are forgotten, but for those
        that stood then."""
        self.actions.note(at_ns, text)
        self.ran_to_ns = at_ns
        self.frames.mark(at_ns)
        for contact in self.contacts.values():
            contact.mark(at_ns)

    def explained(self, expected: str, found: str) -> str:
        """A sentence for what was expected, lines for what there was, and what was done last."""
        return f"{expected}\n{found}\nlast acts:\n{self.actions.text}"

    # --- how ------------------------------------------------------------------------------------------------

    def _advance(self, until_ns: int) -> None:
        if not self._running:
            raise BenchError("the meter has stopped, and its bench is closed: use the rig within its `with`")
        for result in self._meter.run(until_ns):
            self.energy.add(result.window)
            self._clipped |= result.window.record.overload

    def _look(self) -> None:
        """At the front and the outputs, as often as the service attends to them."""
        service, now_ns = self.service, self.now_ns
        front = service.front
        frame = ShownFrame(front.lcd(service.meter), front.front.mode, front.front.item.name)
        self.frames.note(now_ns, frame)
        self.items.note(now_ns, ALL_SEGMENTS_TEXT if frame.checks_segments else frame.item)
        for id, relay in service.outputs.relays.items():
            self.contacts[id.label].note(now_ns, ContactState(id.label, relay.position))

    def _note_edge(self, edge: RawEdge) -> None:
        if edge.accepted:
            self.edges.append(edge)
