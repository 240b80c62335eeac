"""The meter: pure, advanced only by records and events (C-3, Q-2, P-1 to P-4).

A record is measured, its energy made into pulses by tick and into a portion of billing by UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from gateware.record_words import Record
from gateware.registers import TICK_BITS
from rig.meter.billing.billing import Billing, BillingState, MeterEvent
from rig.meter.billing.commands import Command
from rig.meter.billing.energy_interval import EnergyInterval
from rig.meter.billing.events import MasterResetDone
from rig.meter.billing.log import LogEvent
from rig.meter.billing.quantity import Quantity
from rig.meter.billing.source import Source
from rig.meter.billing.time_units import SECOND_NS
from rig.meter.clock import ClockState, MeterClock, Point, tick_at
from rig.meter.contacts.alert_inputs import AlertInputs
from rig.meter.contacts.functions import LevelEvent, LevelOutput
from rig.meter.contacts.levels import ContactChange, LevelOutputs, LevelState
from rig.meter.contacts.outputs import OutputId
from rig.meter.contacts.pulses import PulseOutput, PulseState
from rig.meter.installation.installation import Installation, InstallationState
from rig.meter.measuring.events import EnergyMissing, MeasurementError, WindowsMerged
from rig.meter.measuring.measurement import Fault, Measurement, MeasurementState, Window
from rig.meter.measuring.quantities import Sums
from rig.meter.measuring.registration import Energies
from rig.meter.reading.build import installation_reading, reading_of_state
from rig.meter.reading.instantaneous import Instantaneous
from rig.meter.reading.meter_reading import MeterReading

RECENT_S = 10
"""For so long after a record the board's count tells the meter's time; then it may have begun anew."""

MISSING_S = 60
"""Missing energy is told once it is over, or each time that it has come to so much."""

FAULTS_S = 10
"""For so long a fault of a record is one that a person should see."""

MERGED_S = 1
"""Of merged records in a row those are logged that are so long, and the first: a host that is too slow fills no log."""

_TICKS = 1 << TICK_BITS


@dataclass(frozen=True)
class Pulse:
    """One pulse of an output, at an instant in modulator ticks on the meter's timeline."""

    tick: int
    output: OutputId


@dataclass(frozen=True)
class WindowResult:
    """Result of one record: its window, the events of billing; and in order of time each, the pulses that
    contacts and lamp show, and the changes of the contacts that do not pulse.

    What happened to contacts at an instant of UTC is at the first whole tick by which that has come.
    """

    window: Window
    pulses: tuple[Pulse, ...]
    events: tuple[MeterEvent, ...]
    changes: tuple[ContactChange, ...] = ()


@dataclass(frozen=True)
class CommandResult:
    """Result of a command between records: it takes effect at the end of the last one."""

    events: tuple[MeterEvent, ...] = ()
    changes: tuple[ContactChange, ...] = ()


@dataclass(frozen=True, slots=True)
class _Last:
    """The last record: where it ended, as the board counts and on the meter's timeline, and what was wrong with it."""

    board_tick: int
    tick: int
    faults: tuple[Fault, ...]


@dataclass
class MeterState:
    """Everything that must outlive a power failure."""

    billing: BillingState
    outputs: dict[OutputId, PulseState]
    installation: InstallationState


@dataclass
class RunningState:
    """State from which a meter continues, besides its MeterState, when its process has died and the board has not.

    `faults` are those of the last record. `followed` is the quantity that the test LED shows, and what it carries.
    """

    measurement: MeasurementState
    clock: ClockState
    levels: LevelState
    faults: tuple[Fault, ...]
    followed: tuple[Quantity, PulseState] | None


class Meter:
    """One meter on a board of `tick_hz`: measurement, billing, outputs, and what it finds of its installation.

    The first record begins at billing's time, and with it the state of each of the `levels`, outputs that do not pulse,
    is told once. `outputs` need distinct identities. `instant` is None until the first second.
    """

    def __init__(
        self,
        measurement: Measurement,
        billing: Billing,
        installation: Installation,
        tick_hz: Fraction,
        outputs: Sequence[PulseOutput] = (),
        levels: Sequence[LevelOutput] = (),
    ) -> None:
        self.measurement = measurement
        self.billing = billing
        self.installation = installation
        measurement.use(installation.equation)  # of the service found before power failed
        measurement.start_at(installation.limits, installation.state.live)
        self.instant: Instantaneous | None = None
        self._recent = Sums()
        self._tick_hz = tick_hz
        self._clock: MeterClock | None = None
        self._last: _Last | None = None
        self._faulty: dict[Fault, int] = {}  # where the last record with it ended
        self._emitted: tuple[Fault, ...] = ()
        self._missing_ticks = 0
        self.outputs = {output.id: output for output in outputs}
        if len(self.outputs) != len(outputs):
            raise ValueError(f"outputs need distinct identities, got {', '.join(o.id.label for o in outputs)}")
        self._levels = LevelOutputs(levels, tick_hz)
        self._followed: PulseOutput | None = None

    @property
    def state(self) -> MeterState:
        """State to store: live objects, so encode them before the meter goes on."""
        outputs = {id: output.state for id, output in self.outputs.items()}
        return MeterState(self.billing.state, outputs, self.installation.state)

    @property
    def running(self) -> RunningState | None:
        """State to continue from where the board lives on; None before the first energy."""
        measurement, followed = self.measurement.state, self._followed
        if measurement is None or self._clock is None or self._last is None:
            return None
        return RunningState(
            measurement,
            self._clock.state,
            self._levels.state,
            self._last.faults,
            None if followed is None else (followed.quantity, followed.state),
        )

    def resume(self, state: RunningState) -> dict[OutputId, bool]:
        """Go on from there, before the first record; which outputs that do not pulse are closed."""
        self.measurement.resume(state.measurement)
        self._clock = MeterClock.resume(self._tick_hz, state.clock)
        self._levels.resume(state.levels)
        words = state.measurement.last
        self._last = _Last(Record.from_words(words).tick_end, state.measurement.tick, state.faults)
        if state.followed is not None:
            quantity, pulses = state.followed
            self._followed = PulseOutput(
                OutputId.TEST_LED, quantity, self.outputs[OutputId.TEST_LED].constant_wh, pulses
            )
        return dict(self._levels.closed)

    def reading(self) -> MeterReading:
        """All that it has registered, up to the end of the last record."""
        billing, installation = self.billing, self.installation
        return reading_of_state(
            billing.state,
            billing.registers,
            billing.test,
            billing.settings.recorder,
            self.outputs.values(),
            installation_reading(installation.state.diagnostics, installation.found),
            billing.interval_ends_ns,
            self.faults,
        )

    def advance(self, record: Record, latest_tick: int | None = None) -> WindowResult:
        """Take in the next record. `latest_tick` is the tick of the timeline that it is now at most; None: not known.

        A record that ends later is a fault of it, and moves nothing (H-8).
        """
        window = self.measurement.advance(record, latest_tick)
        if not {Fault.TIME, Fault.IMPLAUSIBLE} & set(window.faults):
            self._last = _Last(window.record.tick_end, window.tick_end, window.faults)
        self.installation.state.live = self.measurement.live
        self._faulty |= dict.fromkeys(window.faults, window.tick_end)
        self._recent += window.sums
        events: list[MeterEvent] = [*self._new_faults(window), *self._missing(window)]
        energies = window.energies
        if energies is None:
            return WindowResult(window, (), tuple(events))
        instant = self.instant
        events += self._look(window)
        pulses = self._pulses(energies, window.flowed_from, window.tick_end)
        changes: list[ContactChange] = []
        if self._clock is None:
            self._clock = MeterClock(self._tick_hz, window.flowed_from, self.billing.now_ns)
            changes += self._levels.begin(window.flowed_from, self.billing.rate, self.billing.test is not None)
        last = Point(self._clock.tick, self.billing.now_ns)
        start = Point(window.flowed_from, self._clock.advance(window.flowed_from))
        end = Point(window.tick_end, self._clock.advance(window.tick_end))
        happened = self.billing.advance(EnergyInterval(start.utc_ns, end.utc_ns, *energies))
        self._reset_installation(happened)
        points = last, start, end
        told = [each for each in happened if isinstance(each, LevelEvent)]
        changes += self._levels.advance([(tick_at(points, each.utc_ns), each) for each in told], end.tick)
        if self.instant is not None and self.instant is not instant:
            changes += self._judge(self.instant, end.tick)
        return WindowResult(window, tuple(pulses), (*events, *happened), tuple(changes))

    def skip(self, ticks: int) -> CommandResult:
        """Go on so many ticks after the end of the last record, with records of a count that began anew: the board was
        reset, or is another. What flowed meanwhile is not known, and is an outage of that length."""
        self.measurement.skip(ticks)
        self._last = None
        if self._clock is None or self.measurement.tick is None:
            return CommandResult()
        up_ns = self._clock.advance(self.measurement.tick)
        return self._between(self.billing.outage(max(up_ns, self.billing.now_ns)))

    def _pulses(self, energies: Energies, begin: int, end: int) -> list[Pulse]:
        """Return the energy of a window as pulses of every output; of the test LED only those of what it follows."""
        found = [
            Pulse(tick, output.id)
            for output in self.outputs.values()
            for tick in output.advance(energies.of(output.quantity), begin, end - begin)
            if self._followed is None or output.id is not OutputId.TEST_LED
        ]
        if self._followed is not None:
            moved = energies.moves(self._followed.quantity)
            found += [Pulse(tick, OutputId.TEST_LED) for tick in self._followed.advance(moved, begin, end - begin)]
        found.sort(key=lambda pulse: pulse.tick)
        return found

    def _judge(self, instant: Instantaneous, tick: int) -> list[ContactChange]:
        """Alerts, by the second that is over."""
        billing = self.billing
        billing.settle()
        demand = (billing.test or billing.registers).demand
        installation = self.installation
        seen = AlertInputs(instant.phases, instant.elements, installation.expected, demand, installation.active)
        return self._levels.judge(tick, seen)

    def reprogram(
        self,
        billing: Billing,
        installation: Installation,
        outputs: Sequence[PulseOutput],
        levels: Sequence[LevelOutput],
    ) -> list[ContactChange]:
        """Go on at the end of the last record as another program has it; the state of each level output.

        Energy that flowed since, and what of the last window waits for its vars, registers by the new program.
        """
        self.billing, self.installation = billing, installation
        self.measurement.use(installation.equation)
        self.measurement.start_at(installation.limits, self.measurement.live)
        self.outputs = {output.id: output for output in outputs}
        self._levels = LevelOutputs(levels, self._tick_hz)
        self._followed = None
        if self._clock is None:
            return []
        return self._levels.begin(self._clock.tick, billing.rate, billing.test is not None)

    def follow(self, quantity: Quantity | None) -> None:
        """From the next record on the test LED shows a quantity, from none on; None: Wh either way, which is counted
        all the time. The same again changes nothing. (rig/meter/front/lamp.py)"""
        if quantity is None:
            self._followed = None
        elif self._followed is None or self._followed.quantity is not quantity:
            self._followed = PulseOutput(OutputId.TEST_LED, quantity, self.outputs[OutputId.TEST_LED].constant_wh)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Faults of the records of the last FAULTS_S."""
        if self._last is None:
            return ()
        since = self._last.tick - FAULTS_S * self._tick_hz
        return tuple(fault for fault, tick in self._faulty.items() if tick > since)

    def _new_faults(self, window: Window) -> list[LogEvent]:
        """The faults of a window, once while they stay the same; of merged windows, how many, and from where."""
        said, self._emitted = self._emitted, window.faults
        events: list[LogEvent] = []
        faults = tuple(fault for fault in window.faults if fault is not Fault.MERGED)
        if faults and faults != tuple(fault for fault in said if fault is not Fault.MERGED):
            events.append(MeasurementError(self.billing.now_ns, faults))
        length = window.tick_end - window.tick_start
        if Fault.MERGED in window.faults and (Fault.MERGED not in said or length >= MERGED_S * self._tick_hz):
            length_ms = round(1000 * length / self._tick_hz)
            events.append(WindowsMerged(self.billing.now_ns, window.record.windows, window.tick_start, length_ms))
        return events

    def _missing(self, window: Window) -> list[LogEvent]:
        """Tell for how long nothing was registered: once it is over, or has come to MISSING_S more."""
        self._missing_ticks += window.missing_ticks
        over = self._missing_ticks and not window.missing_ticks
        if not over and self._missing_ticks < MISSING_S * self._tick_hz:
            return []
        ticks, self._missing_ticks = self._missing_ticks, 0
        return [EnergyMissing(self.billing.now_ns, ceil(1000 * ticks / self._tick_hz))]

    def _look(self, window: Window) -> list[LogEvent]:
        """At the installation, if it is time: by the phases, whatever the form.

        Not before there are vars: a window that waits for them has no phasors either, and would be no service.
        """
        at_ns = window.tick_end * SECOND_NS * self._tick_hz.denominator // self._tick_hz.numerator
        if not self._recent.samples or not self.installation.due(at_ns):
            return []
        recent, self._recent = self._recent, Sums()
        measurement, installation = self.measurement, self.installation
        phases, elements = measurement.phases(recent), measurement.readings(recent)
        events = installation.advance(phases, at_ns, self.billing.now_ns)
        equation = installation.equation
        measurement.use(equation)
        self.instant = Instantaneous(
            phases,
            elements,
            measurement.recent_hz,
            equation.sensed_phases,
            equation.phases,
            installation.starting_a,
        )
        return events

    def tick_of(self, board_tick: int) -> int | None:
        """The board's count now, as it is or unwrapped, on the meter's timeline: that of windows and pulses.

        None while there is no record of the last RECENT_S, or none since the board began to count anew.
        """
        if self._last is None:
            return None
        since = (board_tick - self._last.board_tick) % _TICKS
        return self._last.tick + since if since <= RECENT_S * self._tick_hz else None

    def utc_of(self, tick: int) -> int | None:
        """The meter's time at a tick of its timeline near the end of the last record; None before the first.

        It falls between the same two records as the tick does, and is off by less than one part in SLEW of a window.
        """
        return None if self._clock is None else self._clock.peek(tick)

    def execute(self, command: Command) -> CommandResult:
        """Do something at its instant: where that is past, now, at the end of the last record; else, what comes of it
        comes with the record that has the instant."""
        return self._between(self.billing.command(command))

    def _reset_installation(self, happened: Sequence[MeterEvent]) -> None:
        """After a master reset the service and what is wrong are found anew, from the next record on."""
        if any(isinstance(each, MasterResetDone) for each in happened):
            self.installation.begin_anew()
            self.measurement.use(self.installation.equation)

    def _between(self, happened: Sequence[MeterEvent]) -> CommandResult:
        self._reset_installation(happened)
        if self._clock is None:  # contacts begin with the first record, as things are then
            return CommandResult(tuple(happened))
        tick = self._clock.tick
        timed = [(tick, each) for each in happened if isinstance(each, LevelEvent)]
        return CommandResult(tuple(happened), tuple(self._levels.advance(timed, tick)))

    def compare_clock(
        self, board_tick: int, utc_ns: int, source: Source = Source.SERVICE_CLOCK
    ) -> CommandResult | None:
        """Keep the meter's clock by another, which shows `utc_ns` when the board's count is `board_tick`: slewed, or
        where it is off by more than a second, set; what was asked for up to that count happens before. `source` is who
        asks; but for the service's own clock, which is compared all the time, to be slewed is in the log too.

        None: nothing was done, as the count tells nothing (`tick_of`).
        """
        tick = self.tick_of(board_tick)
        if self._clock is None or tick is None:
            return None
        set_to = self._clock.compare(tick, utc_ns)
        if set_to is None:
            if source is Source.SERVICE_CLOCK:
                return CommandResult()
            return self._between(self.billing.slew_clock(self._clock.owed_ns, source))
        asked = self.billing.flush_pending(self._clock.peek(tick))
        self._clock.set(set_to)
        return self._between([*asked, *self.billing.set_clock(set_to, source)])
