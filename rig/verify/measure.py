"""Verifying an output of a running meter: what the meter publishes, and what a counter counts, into one run (P-6)."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from calibration.budget import Component, K
from rig.daemon.client import MeterClient
from rig.daemon.protocol import Ended, EnergyFlowed, FlowedWindow, PulsesCounted, Topic
from rig.meter.billing.quantity import Quantity
from rig.meter.contacts.outputs import OutputId
from rig.verify.errors import CountLost, VerifyError
from rig.verify.frequency import FrequencyCounter, FrequencyRun
from rig.verify.frequency_result import frequency_verification
from rig.verify.listening import heard
from rig.verify.observed import Counted, PulseCounterInstrument, TimelineClock
from rig.verify.plan import Plan
from rig.verify.result import Verification, verification
from rig.verify.run import Output, Progress, Run, Timeline
from rig.verify.source import KnownSource
from rig.verify.standard import ReferenceStandard
from rig.verify.standard_flow import StandardFlow

FPGA = "fpga"


class OutputVerification:
    """An output being verified on a meter that runs. `measure` counts to the end; `run` is there once it has begun.

    `counter` is one beside the FPGA's; None: the FPGA's, looped back. `counter_percent` is the expanded uncertainty
    (k = 2) of one whose seconds are its own. `constant_wh` is what the output should have, None: what the meter is
    programmed for. `source` is a load whose power is known, `standard` a better meter on the same load with an expanded
    uncertainty of `certified_percent`; without either the reference is the energy that the meter registers. `begin` is
    called when all is ready, `progress` now and then.
    """

    run: Run | FrequencyRun

    def __init__(
        self,
        client: MeterClient,
        output: OutputId,
        plan: Plan,
        *,
        counter: PulseCounterInstrument | FrequencyCounter | None = None,
        constant_wh: Fraction | None = None,
        source: KnownSource | None = None,
        standard: ReferenceStandard | None = None,
        certified_percent: float = 0.0,
        counter_percent: float = 0.0,
        progress: Callable[[Progress], None] = lambda progress: None,
        begin: Callable[[], None] = lambda: None,
    ) -> None:
        if counter is not None and not client.welcome.paced:
            raise VerifyError(
                f"the counter {counter.name} counts in real time, and the meter does not run in it: use the FPGA's"
            )
        if standard is not None and not client.welcome.paced:
            raise VerifyError(
                f"{standard.name} measures in real time, and the meter does not run in it: use --reference source"
            )
        self._client, self._output, self._plan, self._counter = client, output, plan, counter
        self._constant_wh, self._source = constant_wh, source
        self._standard = None if standard is None else StandardFlow(standard, certified_percent)
        self._certificates: tuple[Component, ...] = ()
        if counter_percent:
            self._certificates = (Component("certificate of the counter", counter_percent / K),)
        self._progress, self._begin = progress, begin
        self._clock: TimelineClock | None = None
        self._early: list[Any] = []
        self._first: PulsesCounted | None = None
        self._begun = False

    def measure(self) -> Verification:
        """Count until there is a result. Raises VerifyError for an output that cannot be verified, and CountLost
        where the count breaks off: then there is no result."""
        client = self._client
        client.subscribe(Topic.EVENTS, Topic.ENERGY, Topic.pulses_of(self._output), lossless=not client.welcome.paced)
        self._begin()
        for message in heard(client, lambda: self._begun and self.run.over, "the count", self._read_instruments):
            self._take(message)
        self._progress(self.run.progress)
        name = FPGA if self._counter is None else self._counter.name
        reference = "meter" if self._source is None else "source"
        if self._standard is not None:
            reference = self._standard.name
        if isinstance(self.run, FrequencyRun):
            return frequency_verification(self.run, name, reference, client.welcome.provenance)
        return verification(self.run, name, reference, client.welcome.provenance)

    def _read_instruments(self) -> None:
        if self._counter is not None:
            self._take_counts(self._counter.poll())
        if self._standard is not None:
            self._standard.poll()
            self._take_readings()

    def _take(self, message: object) -> None:
        match message:
            case PulsesCounted():
                self._pulses(message)
            case EnergyFlowed():
                self._energy(message)
            case Ended():
                raise CountLost("the meter has ended in mid-count: start it, and begin again")

    def _pulses(self, message: PulsesCounted) -> None:
        label = self._output.label
        if message.fault is not None and self._counter is None:
            raise CountLost(f"{label} cannot be counted: {message.fault}")
        if message.constant_wh is None or message.quantity is None:
            raise VerifyError(
                f"{label} does not pulse in the meter's program: give an output that does, or write a program in which "
                'it has function = "pulses"'
            )
        if not Fraction(message.constant_wh):
            raise VerifyError(f"{label} has Kp 0, which disables it: write a program with the Kp that it should have")
        first = self._first
        if first is None:
            self._first = message
        elif message.run != first.run:
            raise CountLost("the FPGA's counters began anew in mid-count, as after a reset of the board: begin again")
        elif (message.quantity, message.constant_wh) != (first.quantity, first.constant_wh):
            raise CountLost(
                f"{label} pulsed for {first.quantity} with {first.constant_wh} Wh, and now does for {message.quantity} "
                f"with {message.constant_wh} Wh: leave program, test mode and display alone while it is counted"
            )
        if self._begun:
            self._count(message)

    def _count(self, message: PulsesCounted) -> None:
        assert self._first is not None
        if isinstance(self.run, Run) and self._counter is None:
            tick = message.last_tick or 0
            self.run.illegal = message.illegal - self._first.illegal
            self.run.counted(Counted(message.pulses, tick, tick))
        if message.read_tick is not None:
            assert self._clock is not None
            self._clock.compare(message.read_tick, message.read_from_ns, message.read_to_ns)
            self._take_counts([])
            self._take_readings()

    def _energy(self, message: EnergyFlowed) -> None:
        first = self._first
        if first is None:
            return  # the counter is read at the next poll
        assert first.quantity is not None
        assert first.constant_wh is not None
        if not self._begun:
            self._tick_hz = tick_hz = Fraction(message.tick_hz)
            self._clock = TimelineClock(tick_hz)
            constant_wh = Fraction(first.constant_wh) if self._constant_wh is None else self._constant_wh
            output = Output(self._output.label, first.quantity, constant_wh)
            latency = int(message.latency_ns * tick_hz / 10**9)
            lasting = self._certificates if self._standard is None else (*self._certificates, *self._standard.lasting)
            kind = FrequencyRun if isinstance(self._counter, FrequencyCounter) else Run
            self.run = kind(output, self._plan, Timeline(tick_hz, latency), lasting=lasting)
            self._begun = True
            self._count(first)
        for window in message.windows:
            if self._standard is not None:
                self._standard.registered(window.nano.get(first.quantity, 0), window.end_tick, tick_hz=self._tick_hz)
                continue
            self.run.add_window(window.begin_tick, window.end_tick, self._reference_nwh(window))
        self._progress(self.run.progress)

    def _reference_nwh(self, window: FlowedWindow) -> int:
        assert self._first is not None
        assert self._first.quantity is not None
        if self._source is None:
            return window.nano.get(self._first.quantity, 0)
        return self._source.nwh(Quantity(self._first.quantity), window.end_tick - window.begin_tick, self._tick_hz)

    def _take_readings(self) -> None:
        """Windows of the standard: they wait until its clock has been compared with the meter's."""
        standard, clock = self._standard, self._clock
        if standard is None or clock is None or not clock.known or not self._begun:
            return
        for begin_tick, end_tick, nwh, half_ticks in standard.windows(clock):
            self.run.reference_half_wh, self.run.reference_scatter = standard.half_wh, standard.scatter
            self.run.add_window(begin_tick, end_tick, nwh, half_ticks)

    def _take_counts(self, counts: list[Any]) -> None:
        """Counts of a counter that is not the FPGA's: they wait until its clock has been compared with the meter's."""
        self._early += counts
        clock = self._clock
        if clock is None or not clock.known:
            return
        for count in self._early:
            self.run.take(count, clock)
        self._early.clear()
