"""Observation of a meter that runs, for tests of a series: its edges, its readings and what flowed, on one timeline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

from rig.daemon.client import MeterClient
from rig.daemon.protocol import Ended, EnergyFlowed, PulsesCounted, State, Topic
from rig.meter.billing.quantity import NANO
from rig.meter.contacts.outputs import OutputId
from rig.meter.reading.meter_reading import MeterReading
from rig.results.exact_decoding import reading_of
from rig.verify.errors import CountLost
from rig.verify.flow import Flow
from rig.verify.listening import INTERVALS_PART, heard

MOST_WINDOWS = 1 << 20
"""Hours of cycles: of a demand interval all are needed."""


@dataclass(frozen=True)
class Changed:
    """A change-over of an output, or a flash: its number by the FPGA's counter, and its tick."""

    number: int
    tick: int


@dataclass(frozen=True)
class Second:
    """A reading, and the tick up to which it holds all that flowed."""

    tick: int
    reading: MeterReading


@dataclass
class Observed:
    """Observations so far. `flows` by quantity, `edges` by output from the first window on, `constants` in Wh of those
    that pulse. Ticks are the meter's timeline; an edge comes `latency` ticks after what it is of."""

    tick_hz: Fraction = Fraction(0)
    latency: int = 0
    flows: dict[str, Flow] = field(default_factory=dict)
    edges: dict[str, list[Changed]] = field(default_factory=dict)
    constants: dict[str, tuple[str, Fraction]] = field(default_factory=dict)
    seconds: list[Second] = field(default_factory=list)

    @property
    def length_s(self) -> float:
        """Length of the observation."""
        flow = next(iter(self.flows.values()), None)
        if flow is None or flow.begin_tick is None or flow.end_tick is None:
            return 0.0
        return float((flow.end_tick - flow.begin_tick) / self.tick_hz)


class Observing:
    """Observes the meter behind `client` until `over` says so. `begin` is called when all is ready, `progress` now and
    then with the seconds so far."""

    def __init__(
        self,
        client: MeterClient,
        over: Callable[[Observed], bool],
        *,
        progress: Callable[[float], None] = lambda seconds: None,
        begin: Callable[[], None] = lambda: None,
    ) -> None:
        self._client, self._over, self._progress, self._begin = client, over, progress, begin
        self._counts: dict[str, tuple[int, int]] = {}
        self.observed = Observed()

    def observe(self) -> Observed:
        """Observe to the end. Raises CountLost where the meter ends, or is silent."""
        client = self._client
        topics = [Topic.EVENTS, Topic.ENERGY, Topic.STATE, *map(Topic.pulses_of, OutputId)]
        client.subscribe(*topics, lossless=not client.welcome.paced)
        self._begin()
        for message in heard(client, lambda: self._over(self.observed), "the test", broken_by=INTERVALS_PART):
            self._take(message)
        return self.observed

    def _take(self, message: object) -> None:
        seen = self.observed
        match message:
            case EnergyFlowed():
                self._energy(message)
            case PulsesCounted():
                self._pulses(message)
            case State(reading=exact, tick=int(tick)) if seen.flows:
                seen.seconds.append(Second(tick, reading_of(exact)))
            case Ended():
                raise CountLost("the meter has ended in mid-test: start it, and begin again")

    def _energy(self, message: EnergyFlowed) -> None:
        seen = self.observed
        for window in message.windows:
            if not seen.flows:
                seen.tick_hz = Fraction(message.tick_hz)
                seen.latency = int(message.latency_ns * seen.tick_hz / NANO)
                seen.flows = {name: Flow(MOST_WINDOWS) for name in window.nano}
            if window.nano.keys() != seen.flows.keys():
                raise CountLost("another program was written to the meter in mid-test: begin again")
            for name, nwh in window.nano.items():
                seen.flows[name].add(window.begin_tick, window.end_tick, nwh)
        self._progress(seen.length_s)

    def _pulses(self, message: PulsesCounted) -> None:
        seen, label = self.observed, message.output
        if message.fault is not None:
            raise CountLost(f"{label} cannot be counted: {message.fault}")
        if message.constant_wh is not None and message.quantity is not None:
            seen.constants[label] = message.quantity, Fraction(message.constant_wh)
        run, pulses = self._counts.get(label, (message.run, message.pulses))
        if message.run != run:
            raise CountLost("the FPGA's counters began anew, as after a reset of the board: begin again")
        if message.pulses > pulses and message.last_tick is not None and seen.flows:
            seen.edges.setdefault(label, []).append(Changed(message.pulses, message.last_tick))
        self._counts[label] = message.run, message.pulses
