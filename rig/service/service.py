"""The service: reads the FPGA's records, advances the meter, drives its contacts, LED and display, keeps what is billed
(C-3, S-3).

One thread, one loop: records and switches in, pulses out at their instants plus a constant latency, nothing else. It
takes its time from the hardware's clock, so that a simulated rig runs the very same code faster than real time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack

from drivers.pulse_inputs import PulseInput
from drivers.spi_link import LinkError
from drivers.switches import RawEdge, Switches
from gateware.registers import TICK_BITS, Capability, Channel, Record, RecordFlag, configuration_digest
from rig.face.face import Face
from rig.hardware.config import Config
from rig.hardware.hardware import Hardware, pulse_source
from rig.meter.billing.billing import MeterEvent
from rig.meter.billing.commands import Action, Command
from rig.meter.billing.quantity import PLACES, Quantity
from rig.meter.contacts.levels import ContactChange
from rig.meter.front.front import FrontRequestKind
from rig.meter.front.switches import Switch
from rig.meter.measuring.measurement import Fault, Measurement
from rig.meter.measuring.oscillator import tracking_step
from rig.meter.meter import Meter, WindowResult
from rig.program.build import Program
from rig.program.displayed_nameplate import displayed_nameplate
from rig.program.parts import levels_of
from rig.service.board_time import BoardTime
from rig.service.front_panel import FrontPanel
from rig.service.input_contacts import InputContacts, name_of
from rig.service.outputs import Outputs
from rig.service.persistence import Persistence
from rig.store.store import Store

POLL_NS = 20_000_000
"""How often the records are read."""

READING_NS = 5_000_000
"""Longer than the reading of one record keeps us busy: twelve frames at 3 MHz are 2 ms on the bus."""

WORK_NS = 2_000_000
"""Longer than any one thing that is done between two edges takes."""

PULSE_LATENCY_NS = 120_000_000
"""From a pulse's instant to its edge: longer than a window, a poll and the reading together ever take."""

BEGIN_NS = 10_000_000_000
"""A board that closes no window in this time is not working, or its bus is too slow for its records."""

RECONFIGURE_NS = 1_000_000_000
"""After the board's settings were written they are given so long to show in its records."""

FINISH_NS = 2_000_000_000
"""Outputs that still owe pulses get this long at the end."""

SETTLING_TICKS = 1 << 15
"""After a change of the bit delays every filter holds only new bits: CIC and FIR span 16 638 ticks."""

_TICKS = 1 << TICK_BITS

_ACTIONS = {
    FrontRequestKind.RESET_BY_SWITCH: Action.RESET_BY_SWITCH,
    FrontRequestKind.TEST_BEGIN: Action.TEST_BEGIN,
    FrontRequestKind.TEST_END: Action.TEST_END,
}
"""What is asked of billing for what hands on the front request."""


class Service:
    """A meter on its hardware, as its program has it. `begin`, then `run` as often as wanted, then `finish`.

    `store` is what it goes on from and is kept in, contacts too; by default nothing outlives the run. It is closed by
    `finish`, and like all pins where an error comes before the meter has begun. `reference` is the
    voltage whose zero crossings make the windows. `on_edge` is told of every raw edge of the switches and inputs, once
    it is known what counted of its burst. `meter` and `front` are there from `begin` on. `polled_ns` is when the
    contacts were last looked at. `watch` is called each time that the front has been attended to, for who looks on.
    """

    meter: Meter
    front: FrontPanel
    polled_ns = 0
    _persistence: Persistence

    def __init__(
        self,
        hardware: Hardware,
        config: Config,
        program: Program,
        store: Store | None = None,
        reference: Channel = Channel.V1,
        on_edge: Callable[[RawEdge], None] | None = None,
    ) -> None:
        self.hardware = hardware
        self.program = program
        self.watch: Callable[[], None] = lambda: None
        self._store = store
        self._held = ExitStack()
        try:
            self._set_up_board(reference)
            self._open_contacts(config, on_edge)
        except BaseException:
            self._give_up()
            raise
        self._time = BoardTime(hardware.link, hardware.clock, hardware.link.identity.tick_hz)

    def _set_up_board(self, reference: Channel) -> None:
        link, calibration = self.hardware.link, self.hardware.calibration
        self._settings = {"REFERENCE": int(reference)} | {
            f"DELAY_{channel.name}": constants.delay_ticks
            for channel, constants in zip(Channel, calibration.channels, strict=True)
        }
        self._configure()
        self.measurement = Measurement(
            equation=self.program.equation,
            calibration=calibration,
            tick_hz=link.identity.tick_hz,
            ticks_per_sample=link.identity.ticks_per_sample,
            config_digest=configuration_digest(link.configuration()),
            quarter=link.identity.quarter,
        )
        self._sample_hz = link.identity.tick_hz / link.identity.ticks_per_sample

    def _configure(self) -> None:
        """Write the board's settings, at the start and when records were measured with others: it was reset."""
        link = self.hardware.link
        for name, value in self._settings.items():
            link.write(name, value)
        has_phasors = Capability.PHASORS in link.identity.capabilities
        self._oscillator_step = link.read("OSCILLATOR_STEP")[0] if has_phasors else None
        self._configured_ns = self.hardware.clock.now_ns()

    def _open_contacts(self, config: Config, on_edge: Callable[[RawEdge], None] | None) -> None:
        hardware, program, wired, held = self.hardware, self.program, config.hardware, self._held
        self._inputs = InputContacts(program.inputs, lambda place: _input(hardware, config, place, on_edge))
        held.callback(self._inputs.close)
        self._switches = Switches(wired.switches, hardware.pins, hardware.clock.now_ns(), on_edge=on_edge)
        held.callback(self._switches.close)
        folder = None if self._store is None else self._store.folder
        self.outputs = Outputs(program.outputs, wired, hardware.pins, folder)
        held.callback(self.outputs.close)  # the first to be let go

    def begin(self, at_tick: int | None = None) -> None:
        """Start metering: once the filters have settled, or at the first sample later than `at_tick`.

        Whatever was summed before is dropped: it was measured with other settings, or before anyone asked.
        """
        try:
            self._await_window(at_tick)
            persistence = Persistence(self._store, self.program, self.hardware.fidelity, self.hardware.clock.utc_ns())
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
        self.outputs.resume({name: output.count for name, output in self.meter.outputs.items()})
        demand = self.program.billing.demand
        self.front = FrontPanel(
            self.program.display,
            demand.quantities if demand else (),
            displayed_nameplate(self.program),
            self._switches,
            self.hardware.clock.now_ns(),
        )
        self._flowed = [0] * PLACES
        self._execute(self._inputs.begin(persistence.billing))

    def _await_window(self, at_tick: int | None) -> None:
        link, clock = self.hardware.link, self.hardware.clock
        deadline = clock.now_ns() + BEGIN_NS
        tick = self._time.begin()
        target = tick + SETTLING_TICKS if at_tick is None else at_tick
        link.close_window_at(target)
        while True:
            for record in link.records():
                if RecordFlag.END_COMMANDED in record.flags:
                    return
                if 0 < (record.tick_end - target) % _TICKS < _TICKS // 2:
                    # The board's memory was full when it was to close, and the window went on: ask again.
                    target = record.tick_end
                    link.close_window_at(target)
                if clock.now_ns() > deadline:
                    raise LinkError(
                        f"no window could be begun in {BEGIN_NS // 10**9} s: the SPI bus is too slow for the records, "
                        "or the FPGA's modulator clock does not run"
                    )
            clock.wait_until(clock.now_ns() + POLL_NS)

    def run(self, until_ns: int) -> Iterator[WindowResult]:
        """Meter until `until_ns` on the hardware's clock; yields each window as it comes."""
        clock = self.hardware.clock
        due = clock.now_ns()
        while due < until_ns:
            yield from self._poll()
            due = min(due + POLL_NS, until_ns)
            self._wait_until(due)
        yield from self._poll()

    def finish(self) -> None:
        """Let the pulses out that are still due, for FINISH_NS at most, let go of the outputs, save the meter."""
        limit = self.hardware.clock.now_ns() + PULSE_LATENCY_NS + FINISH_NS
        while (due := self.outputs.schedule.next_due_ns) is not None and due <= limit:
            self._wait_until(due)
        self._wait_until(self.outputs.whole_ns)
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

    def operate(self, switch: Switch, operated: bool) -> None:
        """A hand moves a switch of a simulated rig, now. On hardware the hands are a person's: nothing happens."""
        if self.hardware.hands is not None:
            move = self.hardware.hands.operate if operated else self.hardware.hands.let_go
            move(switch.value, self.hardware.clock.now_ns())

    @property
    def contacts_closed(self) -> frozenset[str]:
        """The switches and inputs that are operated, or closed, as counted; at `begin`, as they were found."""
        contacts = self._switches.operated() | self._inputs.closed
        return frozenset(name for name, closed in contacts.items() if closed)

    @property
    def face(self) -> Face:
        """What a person sees of the meter now."""
        outputs = self.outputs
        return Face(
            lcd=self.front.lcd(self.meter),
            led_lit=outputs.led.lit,
            contacts=tuple((name.upper(), relay.position) for name, relay in outputs.relays.items()),
            operated=self.front.operated,
        )

    def energy_of_run(self, quantity: Quantity) -> int:
        """What has flowed since `begin`, in nWh (nvarh, nVAh): what was billed, and what test mode registered."""
        return quantity.of(self._flowed)

    @property
    def lost_input_edges(self) -> int:
        """Edges at the pulse inputs that the kernel could not keep."""
        return self._inputs.lost_edges

    @property
    def input_pulses_in_doubt(self) -> int:
        """How many pulses more than counted there may have been at the inputs, because edges were lost."""
        return self._inputs.in_doubt

    @property
    def stored(self) -> bool:
        """Whether what is billed outlives the run."""
        return self._store is not None

    @property
    def trouble(self) -> str | None:
        """What keeps the meter's store from being written, in a sentence."""
        return self._persistence.trouble

    @property
    def late_edges(self) -> int:
        """Edges made more than a millisecond behind their time."""
        return self.outputs.schedule.late

    @property
    def held_edges(self) -> int:
        """Edges that had to wait for the one before to have stood long enough: pulses come too fast."""
        return self.outputs.held

    @property
    def waiting_edges(self) -> int:
        """Edges asked for and not made yet; after finish(), never made."""
        return self.outputs.waiting

    def make_room(self, ns: int = WORK_NS) -> None:
        """Make the edges that fall due in the next `ns` first, but do not wait long; then there is time to work."""
        clock = self.hardware.clock
        limit = clock.now_ns() + 2 * ns
        while (due := self.outputs.schedule.next_due_ns) is not None and due <= min(clock.now_ns() + ns, limit):
            self._wait_until(due)

    def _poll(self) -> Iterator[WindowResult]:
        self._follow_clock()
        for record in self._records():
            self.make_room()
            result = self.meter.advance(record)
            if result.window.energies is not None:
                result.window.energies.add_to(self._flowed)
            for pulse in result.pulses:
                self.outputs.pulse(pulse, self._due_ns(pulse.tick))
            self._take(result.events, result.changes)
            if Fault.CONFIGURATION in result.window.faults:
                self._reconfigure()
            self.outputs.schedule.run_due(self.hardware.clock.now_ns())
            yield result
        self._attend_front()
        self._steer_oscillator()

    def _reconfigure(self) -> None:
        """Once for all the records that the board may still have of before."""
        if self.hardware.clock.now_ns() >= self._configured_ns + RECONFIGURE_NS:
            self.make_room()
            self._configure()

    def _take(self, events: Sequence[MeterEvent], changes: Iterable[ContactChange]) -> None:
        """What came of a record, or of a command: to contacts, front and store."""
        for change in changes:
            self.outputs.change(change, self._due_ns(change.tick))
        self.front.told(events)
        self._persistence.keep(self.meter, events)

    def _attend_front(self) -> None:
        """What hands have done, and other meters' contacts, and what that asks of billing, at its instant."""
        self.make_room()
        self.polled_ns = now_ns = self.hardware.clock.now_ns()
        requests = self.front.poll(now_ns, self.meter.billing.test is not None)
        self._execute([Command(self._utc_ns(request.at_ns), _ACTIONS[request.kind]) for request in requests])
        self._execute(self._inputs.poll(now_ns, self._utc_ns))
        self.meter.follow(self.front.followed)
        self.watch()

    def _execute(self, commands: Iterable[Command]) -> None:
        for command in commands:
            outcome = self.meter.execute(command)
            self._take(outcome.events, outcome.changes)

    def _utc_ns(self, at_ns: int) -> int:
        """The meter's time at an instant of our clock."""
        utc_ns = self.meter.utc_of(self._time.tick_at(at_ns))
        return self.meter.billing.now_ns if utc_ns is None else utc_ns

    def _follow_clock(self) -> None:
        """Keep pulses at a constant latency although the board's crystal and ours differ, and by the time of day the
        meter's clock. Nothing is known of either while the board's count has begun anew, and no record has come since.
        """
        if not self._time.due:
            return
        self.make_room()
        if (compared := self._time.compare()) is None:
            return
        board_tick, now_ns, utc_ns = compared
        if (tick := self.meter.tick_of(board_tick)) is None:
            return
        outcome = self.meter.compare_clock(board_tick, utc_ns)
        self._take(outcome.events, outcome.changes)
        self._time.follow(tick, now_ns, PULSE_LATENCY_NS)

    def _due_ns(self, tick: int) -> int:
        """When what happened at a tick is seen outside."""
        return self._time.instant_ns(tick) + PULSE_LATENCY_NS

    def _records(self) -> Iterator[Record]:
        """The records waiting. Edges that would fall due while one is read are made first, but not for long."""
        records = self.hardware.link.records()
        while True:
            self.make_room(READING_NS)
            record = next(records, None)
            if record is None:
                return
            yield record

    def _steer_oscillator(self) -> None:
        """Let the phasors' oscillator follow the line, from the next record on (docs/decisions/016-oscillator.md)."""
        present, hz = self._oscillator_step, self.measurement.recent_hz
        if present is None or hz is None:
            return
        self._oscillator_step = tracking_step(present, hz, self._sample_hz)
        if self._oscillator_step != present:
            self.hardware.link.write("OSCILLATOR_STEP", self._oscillator_step)

    def _wait_until(self, instant_ns: int) -> None:
        clock = self.hardware.clock
        while (due := self.outputs.schedule.next_due_ns) is not None and due <= instant_ns:
            clock.wait_until(due)
            self.outputs.schedule.run_due(clock.now_ns())
        clock.wait_until(instant_ns)


def _input(
    hardware: Hardware, config: Config, place: int, on_edge: Callable[[RawEdge], None] | None
) -> PulseInput:
    def told(at_ns: int, closed: bool, accepted: bool) -> None:
        if on_edge is not None:
            on_edge(RawEdge(at_ns, name_of(place), closed, accepted))

    return PulseInput(pulse_source(hardware, config, place), hardware.clock.now_ns(), verdict=told)
