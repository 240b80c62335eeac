"""The service: reads the FPGA's records, advances the meter, drives its contacts, LED and display, keeps what is billed
(C-3, S-3).

One thread, one loop: records and switches in, pulses out at their instants plus a constant latency, nothing else. It
takes its time from the hardware's clock, so that a simulated rig runs the very same code faster than real time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import islice

import msgspec

from drivers.gpio import Position
from drivers.spi_link import ForeignBoard
from drivers.switches import RawEdge
from gateware.registers import Channel
from rig.face.face import Face
from rig.hardware.config import Config
from rig.hardware.hardware import Hardware
from rig.hardware.provenance import provenance_of
from rig.meter.access.access import Access
from rig.meter.access.decision import Asker, Conditions
from rig.meter.billing.billing import MeterEvent
from rig.meter.billing.commands import Command
from rig.meter.billing.events import ClockSetTo, MasterResetDone
from rig.meter.billing.log import named
from rig.meter.billing.quantity import PLACES, Quantity
from rig.meter.billing.source import Source
from rig.meter.contacts.events import RelayOperated
from rig.meter.contacts.levels import ContactChange
from rig.meter.front.switches import Switch
from rig.meter.measuring.measurement import Fault, Measurement
from rig.meter.meter import Meter, Pulse, WindowResult
from rig.program.build import Program
from rig.program.displayed_nameplate import displayed_nameplate
from rig.program.parts import levels_of
from rig.results.exact import ExactReading
from rig.results.exact_encoding import exact_reading
from rig.service.board import POLL_NS, MeteringBoard
from rig.service.edge_times import FRAME_NS, WORK_NS, EdgeTimes
from rig.service.events import TookOver
from rig.service.front_panel import FrontPanel
from rig.service.host_time import HostTime
from rig.service.meter_contacts import MeterContacts
from rig.service.outputs import LED_WIDTH_NS
from rig.service.persistence import Persistence, Resumed
from rig.service.program_fit import check_fits
from rig.service.running import Running
from rig.service.running_ring import RunningRing
from rig.store.events import StoreDamaged
from rig.store.saved_meter import WrittenProgram, decoded_save
from rig.store.store import Store

PULSE_LATENCY_NS = 120_000_000
"""From a pulse's instant to its edge: longer than a window, a poll and the reading together ever take."""

MOST_RECORDS = 16
"""Of the records that wait so many are read before front and inputs are looked at again."""

FINISH_NS = 2_000_000_000
"""Outputs that still owe pulses get this long at the end."""


class Service:
    """A meter on its hardware, as its program has it. `begin`, then `run` as often as wanted, then `finish`.

    `store` is what it goes on from and is kept in, contacts too; by default nothing outlives the run. It is closed by
    `finish`, and like all pins where an error comes before the meter has begun. `reference` is the
    voltage whose zero crossings make the windows. `on_edge` is told of every raw edge of the switches and inputs, once
    it is known what counted of its burst. `on_events` hears of all that happens to
    what is billed. `meter` and `front` are there from `begin` on. `polled_ns` is when the
    contacts were last looked at. `watch` is called each time that the front has been attended to, for who looks on.
    """

    meter: Meter
    front: FrontPanel
    polled_ns = 0
    _clock_source = Source.SERVICE_CLOCK
    _persistence: Persistence

    def __init__(
        self,
        hardware: Hardware,
        config: Config,
        program: Program,
        store: Store | None = None,
        reference: Channel = Channel.V1,
        on_edge: Callable[[RawEdge], None] | None = None,
        written: WrittenProgram | None = None,
    ) -> None:
        self.hardware = hardware
        self.program = program.with_hashed_keys()
        self._module = program.metering.module
        self.config = config
        self.provenance = provenance_of(hardware, config, program.digest)
        self._written = written
        self.host_time = HostTime(hardware.time_given)
        self.on_events: Callable[[Sequence[MeterEvent]], None] = lambda events: None
        self.watch: Callable[[], None] = lambda: None
        self._store = store
        self._held = ExitStack()
        self._ring: RunningRing | None = None
        self._running = running = None
        try:
            self._board = MeteringBoard(hardware, program.equation, reference)
            if store is not None and hardware.epoch:
                self._ring = RunningRing(hardware, self._board, self.program.digest, store, config.meter.ring)
                self._held.callback(self._ring.close)
                self._running = running = self._ring.found
            self.contacts = MeterContacts(
                hardware,
                config,
                program,
                None if store is None else store.folder,
                on_edge,
                None if running is None else (running.polled_ns, running.dealt),
            )
            self._held.callback(self.contacts.close)  # the first to be let go
            self.outputs = self.contacts.outputs
            self._edge_times = EdgeTimes(hardware.clock, self.outputs.schedule)
            hardware.meanwhile(self._edge_times.make_due)
        except BaseException:
            self._give_up()
            raise

    def begin(self, at_tick: int | None = None) -> None:
        """Start metering: once the filters have settled, or at the first sample later than `at_tick`.

        Whatever was summed before is dropped: it was measured with other settings, or before anyone asked. But where
        the process before has died and the board ran on, all goes on where it was (rig/service/running.py).
        """
        running, clock, restored = self._running, self.hardware.clock, self._store.restored if self._store else None
        try:
            if running is None:
                self._board.await_window(at_tick)
            kept = None if restored is None else (restored.utc_ns, decoded_save(restored).clock_offset_ns)
            persistence = Persistence(
                self._store,
                self.program,
                self.hardware.fidelity,
                self.host_time.at_start(clock.utc_ns(), kept),
                self._written,
                self.provenance,
                None if running is None else Resumed(running.saved, running.items),
            )
        except BaseException:
            self._give_up()
            raise
        self._persistence = persistence
        tick_hz = self.hardware.link.identity.tick_hz
        self.meter = Meter(
            self.measurement,
            persistence.billing,
            persistence.installation,
            tick_hz,
            persistence.outputs,
            levels_of(self.program),
        )
        asked = None if running is None else running.asked
        lost = self.outputs.resume({id: output.count for id, output in self.meter.outputs.items()}, asked)
        self.front = self._front_panel()
        self._flowed = [0] * PLACES
        if running is None:
            self._begin_inputs()
        else:
            self._take_over(running)
        self.log_access()
        now_ns = self.meter.billing.now_ns
        if running is None:
            self.log(*self.host_time.take_events(now_ns))
        else:
            self.host_time.resume(running.host_time)
            gone_ms = (clock.now_ns() - running.polled_ns) // 10**6
            self.log(TookOver(now_ns, gone_ms), *([StoreDamaged(now_ns, lost)] if lost else []))

    @property
    def took_over(self) -> bool:
        """True if it goes on where a process that has died was."""
        return self._running is not None

    def _take_over(self, running: Running) -> None:
        """Go on: first what outputs owe; then what switches and inputs have done meanwhile, each at its instant, before
        the records that have it are registered."""
        levels = self.meter.resume(running.meter)
        self.front.resume(running.panel)
        self.polled_ns = running.polled_ns
        self._board.drop_known(running.last)
        self.outputs.show_owed(running.asked, levels, self.hardware.clock.now_ns())
        self._attend_front()

    def _front_panel(self) -> FrontPanel:
        return FrontPanel(
            self.program.display,
            displayed_nameplate(self.program),
            self.contacts.switches,
            self.hardware.clock.now_ns(),
        )

    def run(self, until_ns: int) -> Iterator[WindowResult]:
        """Meter until `until_ns` on the hardware's clock; yields each window as it comes."""
        clock = self.hardware.clock
        due = clock.now_ns()
        while due < until_ns:
            yield from self._poll()
            due = min(due + POLL_NS, until_ns)
            self._edge_times.wait_until(due)
        yield from self._poll()

    def finish(self) -> None:
        """Let the pulses out that are still due, for FINISH_NS at most, let go of the outputs, save the meter."""
        limit = self.hardware.clock.now_ns() + PULSE_LATENCY_NS + FINISH_NS
        while (due := self.outputs.schedule.next_due_ns) is not None and due <= limit:
            self._edge_times.wait_until(due)
        self._edge_times.wait_until(self.outputs.whole_ns)
        self.close()
        self._persistence.finish(self.meter)

    def close(self) -> None:
        """Open the contacts at once and let all pins go; nothing is saved. For what cannot be finished."""
        self._held.close()

    def _give_up(self) -> None:
        """It did not begin: nothing is held any more."""
        self.close()
        if self._store is not None:
            self._store.close()

    # --- what is asked of it while it runs --------------------------------------------------------------------

    @property
    def access(self) -> Access:
        """The one decision on what is asked of the meter; what it has for the log goes there by `log_access`."""
        return self._persistence.access

    def log_access(self) -> None:
        """Log what the decision has to say, and save it with its counts."""
        self.log(*self.access.take_events())

    def log(self, *events: MeterEvent) -> None:
        """Log what happened, and save it."""
        if events:
            self._take(events, ())

    def set_clock(self, utc_ns: int | None, source: Source) -> None:
        """Set the meter's clock: it shows this time now, and goes on with the host's; None: it shows the host's.

        As always, a difference of a second or less is slewed. `source` is who asks, for the log.
        """
        offset_ns = 0 if utc_ns is None else utc_ns - self.hardware.clock.utc_ns()
        self.host_time.confirm()
        self._persistence.clock_offset_ns = offset_ns
        self._clock_source = source
        self._follow_clock()

    def write_program(
        self, program: Program, configured: Program, source: Source, activates: Callable[[], None] = lambda: None
    ) -> None:
        """Go on as another program has it, at the end of the last record (docs/decisions/044-programs-written.md).

        `configured` is what the configuration names, `source` who writes, for the log. Raises ProgramUnfit, or
        GpioError for pins that cannot be had, and then changes nothing. `activates` is called once nothing can fail any
        more, where the program is one that waited: that it waits no longer is in the save that has it.
        """
        check_fits(program, self.program)
        self.make_room()
        program = program.with_hashed_keys()
        if program.digest == self.program.digest:  # at most its keys are others
            self.program = program
            activates()
            events = self._persistence.write_keys(program, configured, self.meter.billing.now_ns, source)
            self.log(*events, *self.access.take_events())
            return
        self.contacts.reprogram(program)
        self.program = program
        self.provenance = msgspec.structs.replace(self.provenance, program=program.digest)
        self._persistence.provenance = self.provenance
        persistence = self._persistence
        activates()
        events = persistence.write_program(program, configured, self.meter.state, source)
        events += self.access.take_events()
        changes = self.meter.reprogram(
            persistence.billing, persistence.installation, persistence.outputs, levels_of(program)
        )
        self.outputs.resume({id: output.count for id, output in self.meter.outputs.items()})
        self.front = self._front_panel()
        self._take(events, changes)
        self._module = program.metering.module
        self._begin_inputs()

    def test_relay(self, output: str, closed: bool, seconds: float, source: Source) -> None:
        """Close an output to K–Y or K–Z for a test of its wiring. Raises OutputRefused for one that must not."""
        now_ns = self.hardware.clock.now_ns()
        id = self.outputs.test(output, closed, now_ns, now_ns + round(seconds * 1e9), pulsing=self.meter.outputs.keys())
        contact = (Position.KY if closed else Position.KZ).value
        self.log(RelayOperated(self.meter.billing.now_ns, id, contact, round(seconds * 1e3), source))

    def share_light(self, ns: int) -> int:
        """Keep the test LED dark for so long, for the optical port (P-1); give the ns until a lit flash is over."""
        led = self.outputs.led
        led.withhold(self.hardware.clock.now_ns() + ns)
        return LED_WIDTH_NS if led.lit else 0

    def operate(self, switch: Switch, operated: bool) -> None:
        """A hand moves a switch of a simulated rig, now. On hardware the hands are a person's: nothing happens."""
        if self.hardware.hands is not None:
            move = self.hardware.hands.operate if operated else self.hardware.hands.let_go
            move(switch.value, self.hardware.clock.now_ns())

    def make_room(self, ns: int = WORK_NS) -> None:
        """Make the edges that fall due in the next `ns` first, and then have time to work."""
        self._edge_times.make_room(ns)

    # --- what it says of itself -------------------------------------------------------------------------------

    @property
    def conditions(self) -> Conditions:
        """Conditions of the meter now, as far as they matter to a request."""
        return Conditions(
            cover_off=Switch.COVER in self.front.operated,
            test_mode=self.meter.billing.test is not None,
            demand=self.program.billing.demand is not None,
            test_by_communication=self.program.metering.model.family == "S4e",
            module=self.program.metering.module,
        )

    def reading(self) -> ExactReading:
        """Give the exact reading of all that is registered."""
        return exact_reading(self.meter.reading())

    @property
    def ticket(self) -> int:
        """The number of the newest save, for `saved`."""
        return self._persistence.ticket

    def saved(self, ticket: int) -> bool:
        """Say whether that save is on the disk."""
        return self._persistence.saved(ticket)

    @property
    def measurement(self) -> Measurement:
        """The measuring side of the meter."""
        return self._board.measurement

    @property
    def face(self) -> Face:
        """Face of the meter as a person sees it now."""
        outputs = self.outputs
        return Face(
            lcd=self.front.lcd(self.meter),
            led_lit=outputs.led.lit,
            contacts=tuple((id.label, relay.position) for id, relay in outputs.relays.items()),
            operated=self.front.operated,
        )

    def energy_of_run(self, quantity: Quantity) -> int:
        """Return what has flowed since `begin`, in nWh (nvarh, nVAh): what was billed and what test mode registered."""
        return quantity.of(self._flowed)

    @property
    def stored(self) -> bool:
        """True if what is billed outlives the run."""
        return self._store is not None

    @property
    def link_fault(self) -> str | None:
        """Reason why the FPGA is not read at present, in a sentence; it goes on summing."""
        return self._board.fault

    @property
    def trouble(self) -> str | None:
        """Reason why the meter's store cannot be written, in a sentence."""
        found = self._persistence.trouble, self.outputs.trouble, self._ring and self._ring.fault
        return "; ".join(sentence for sentence in found if sentence) or None

    # --- the loop ---------------------------------------------------------------------------------------------

    def _poll(self) -> Iterator[WindowResult]:
        if self._board.time.due:
            self._follow_clock()
        if (power_fail := self.contacts.power_fail) is not None:
            self._persistence.power_fails(power_fail.failing, self.meter)
        try:
            yield from self._take_records()
        except ForeignBoard:
            self._follow_board()
            raise
        self._follow_board()
        self._attend_front()
        self._board.steer_oscillator()

    def _follow_board(self) -> None:
        """Follow link and board: a board that began anew leaves an outage behind it."""
        if (missed := self._board.take_missed()) is not None:
            outcome = self.meter.skip(missed)
            self._take(outcome.events, outcome.changes)
        self.log(*self._board.take_events(lambda: self._utc_ns(self.hardware.clock.now_ns())))

    def _take_records(self) -> Iterator[WindowResult]:
        """Register what the board has, record by record."""
        for record in islice(self._board.records(lambda: self._edge_times.make_room(FRAME_NS)), MOST_RECORDS):
            self.make_room()
            result = self.meter.advance(record, self._board.latest_tick)
            if result.window.energies is not None:
                result.window.energies.add_to(self._flowed)
            self._take(result.events, result.changes, result.pulses)
            if Fault.CONFIGURATION in result.window.faults and self._board.needs_settings:
                self.make_room()
                self._board.write_settings()
            self._edge_times.make_late()
            yield result

    def _take(
        self, events: Sequence[MeterEvent], changes: Iterable[ContactChange], pulses: Sequence[Pulse] = ()
    ) -> None:
        """Pass on the results of a record or of commands: to front and ring of states, then to contacts and store."""
        events = named(events, self._module)
        self._persistence.add(events)
        self.front.note_events(events)
        self.outputs.ask(pulses)
        self.make_room()
        self._save_running()
        for pulse in pulses:
            self.outputs.pulse(pulse, self._due_ns(pulse.tick))
        for change in changes:
            self.outputs.change(change, self._due_ns(change.tick))
        if events:
            self.on_events(events)
        self.make_room()
        self._persistence.keep(self.meter)
        if any(isinstance(event, MasterResetDone) for event in events):
            self._begin_inputs()

    def _begin_inputs(self) -> None:
        """Have the inputs count as they are found, after whatever made billing forget: a closed one forces its rate."""
        self.execute(self.contacts.inputs.begin(self.meter.billing))

    def _attend_front(self) -> None:
        """Attend to hands and to other meters' contacts, and execute what they ask of billing, at its instant."""
        self.make_room()
        self.polled_ns = now_ns = self.hardware.clock.now_ns()
        self.outputs.attend(now_ns)
        self.execute(self.front.poll(now_ns, self.meter.billing.test is not None, self._utc_ns))
        if self.front.take_override():
            front = Asker(Source.FRONT)
            self.access.break_seal(front, replace(self.conditions, override_done=True), self.meter.billing.now_ns)
            self.log_access()
        self.execute(self.contacts.inputs.poll(now_ns, self._utc_ns))
        self.meter.follow(self.front.followed)
        self.watch()

    def execute(self, commands: Iterable[Command]) -> None:
        """Carry commands out, each at its instant: one that has passed, now."""
        if results := [self.meter.execute(command) for command in commands]:
            events = [event for result in results for event in result.events]
            self._take(events, [change for result in results for change in result.changes])

    def _save_running(self) -> None:
        """Bring what has happened to where it outlives this process; nothing of it is seen before."""
        if self._ring is None or (meter := self.meter.running) is None:
            return
        persistence = self._persistence
        running = Running(
            board=self._ring.board_run,
            compared=self._board.time.compared,
            polled_ns=self.polled_ns,
            dealt=self.contacts.dealt,
            asked=self.outputs.asked,
            saved=persistence.saved_meter(self.meter.state),
            meter=meter,
            panel=self.front.state,
            items=persistence.undurable,
            stored=persistence.stored,
            host_time=self.host_time.state,
        )
        self._ring.write(running)

    def _utc_ns(self, at_ns: int) -> int:
        """The meter's time at an instant of our clock."""
        utc_ns = self.meter.utc_of(self._board.time.tick_at(at_ns))
        return self.meter.billing.now_ns if utc_ns is None else utc_ns

    def _follow_clock(self) -> None:
        """Keep pulses at a constant latency although the board's crystal and ours differ, and by the time of day the
        meter's clock. Nothing is known of either while the board's count has begun anew, and no record has come since.
        """
        self.make_room()
        if found := self.outputs.look():
            self.log(StoreDamaged(self.meter.billing.now_ns, found))
        if (compared := self._board.compare()) is None:
            return
        board_tick, now_ns, utc_ns = compared
        if (tick := self.meter.tick_of(board_tick)) is None:
            return
        before_ns = self.meter.billing.now_ns
        shown_ns = utc_ns + self._persistence.clock_offset_ns
        believed = self.host_time.judge(shown_ns, before_ns)
        self.log(*self.host_time.take_events(before_ns))
        outcome = self.meter.compare_clock(board_tick, shown_ns, self._clock_source) if believed else None
        if outcome is not None:
            self.host_time.followed()
            self._clock_source = Source.SERVICE_CLOCK
            if any(isinstance(event, ClockSetTo) for event in outcome.events):
                self.access.move_clock(self.meter.billing.now_ns - before_ns)
            self._take(outcome.events, outcome.changes)
        self._board.time.follow(tick, now_ns, PULSE_LATENCY_NS)

    def _due_ns(self, tick: int) -> int:
        """Return the instant at which an event of a tick is seen outside."""
        return self._board.time.instant_ns(tick) + PULSE_LATENCY_NS
