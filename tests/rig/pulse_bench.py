"""A meter with four contacts of P-2 and the lamp, in virtual time, from records to the levels of pins.

The load is steady for a while, then another. What pins do is judged as it comes: after each instant at which one of a
relay changes, exactly one contact is closed, and the other one than before; the state before stood for its dwell; and
the instant is that of the pulse, in its turn.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import cos, radians, sin

from calibration.constants import nominal
from drivers.gpio import FormCRelay, TestLed
from drivers.schedule import OutputSchedule
from drivers.sim.pins import VirtualClock, VirtualClockMockFactory
from gateware.chain import Chain
from gateware.record_words import HEADER_WORDS, PRODUCTS, RECORD_WORDS, WORD_DELAYED, Record, RecordFlag
from gateware.registers import VOLTAGES, Channel
from rig.meter.billing.billing import Billing
from rig.meter.billing.quantity import NANO, Quantity
from rig.meter.contacts.outputs import KYZ_OUTPUTS, OutputId
from rig.meter.contacts.pulses import kyz_output, least_kp, led_output
from rig.meter.installation.installation import Installation
from rig.meter.measuring.elements import ElementEquation
from rig.meter.measuring.measurement import Measurement
from rig.meter.measuring.starting import starting_amperes
from rig.meter.meter import Meter
from rig.program.build import Program
from rig.service.outputs import LED_GAP_NS, LED_WIDTH_NS, RELAY_DWELL_NS

CHAIN = Chain()
SAMPLE_HZ = CHAIN.tick_hz / CHAIN.ticks_per_sample
SECOND = 10**9
T0 = 1_767_225_600 * SECOND
LINE_S = Fraction(1, 60)
"""A window as the board makes them."""

WINDOW_S = Fraction(1)
"""The longest window here."""

LATENCY_NS = int(WINDOW_S * SECOND) + 40_000_000
"""From a pulse to its edge: longer than the longest window and the reading of its record."""

CODES_PER_VOLT, CODES_PER_AMPERE = 1000, 1000
FULL_VOLTS, FULL_AMPERES = Fraction(2**19, CODES_PER_VOLT), Fraction(2**19, CODES_PER_AMPERE)

QUANTITIES = (
    (Quantity.KWH_DELIVERED, Quantity.KWH_RECEIVED, Quantity.KVARH_LAGGING, Quantity.KVARH_LEADING),
    (Quantity.KVAH_TD_LAGGING, Quantity.KVAH_TD_LEADING, Quantity.KVAH_RMS),
)
"""The seven of P-2, for two meters: one has four contacts."""

PULSE_QUANTITIES = [quantity for quantities in QUANTITIES for quantity in quantities]


@dataclass(frozen=True)
class Load:
    """The same on each element for some seconds: volts and amperes r.m.s.; the current lags by 0 to 360°."""

    volts: float
    amperes: float
    lag_deg: float
    seconds: Fraction


def loads(program: Program, each: Fraction) -> Iterator[Load]:
    """From the starting current to 120 % of MAX, lagging and leading, delivered and received."""
    metering = program.metering
    sensed = metering.equation.sensed
    most = float(metering.max_w) / len(sensed) / metering.current_class
    start = float(starting_amperes(metering.current_class))
    for share in (0, start / metering.current_class, 0.01, 0.1, 0.5, 1.0, 1.2):
        for lag in (0, 60, 150, 180, 210, 300):
            yield Load(most, share * metering.current_class, lag, each)


class Records:
    """The board's, one after the other, of a load on the elements of an equation."""

    def __init__(self, equation: ElementEquation) -> None:
        self._channels = [next(k for k, w in enumerate(e.volt_weights) if w > 0) for e in equation.sensed]
        self._number = self._tick = 0

    def of(self, load: Load, seconds: Fraction) -> Record:
        samples = round(seconds * SAMPLE_HZ)
        ticks = samples * CHAIN.ticks_per_sample
        begin, self._tick = self._tick, self._tick + ticks
        self._number += 1
        return Record(
            sequence=self._number - 1,
            windows=1,
            flags=RecordFlag.END_TIMED,
            tick_start=begin,
            tick_end=self._tick,
            samples=samples,
            cycles=0,
            before=0,
            after=0,
            config_digest=0,
            overload=0,
            dead=0,
            oscillator_step=0,
            sums=self._sums(load, samples),
        )

    def _sums(self, load: Load, samples: int) -> tuple[int, ...]:
        sums = [0] * (RECORD_WORDS - HEADER_WORDS)
        volts, amperes = round(load.volts * CODES_PER_VOLT), round(load.amperes * CODES_PER_AMPERE)
        lag = radians(load.lag_deg)
        for channel in self._channels:
            v, i = Channel(channel), Channel(3 + channel)
            sums[PRODUCTS.index((v, v))] = volts**2 * samples
            sums[PRODUCTS.index((i, i))] = amperes**2 * samples
            sums[PRODUCTS.index((v, i))] = round(volts * amperes * cos(lag) * samples)
            sums[WORD_DELAYED - HEADER_WORDS + VOLTAGES * i + v] = round(volts * amperes * sin(lag) * samples)
        return tuple(sums)


class Watch:
    """One relay's contacts, by the edges of their pins. Counts transitions, and what is wrong with any."""

    def __init__(self, pins: VirtualClockMockFactory, y: int, z: int) -> None:
        self._pins = tuple(pins.pin(pin) for pin in (y, z))
        self._levels = [bool(pin.state) for pin in self._pins]
        for pin in self._pins:
            pin.history.clear()
        self._closed = self._levels.index(True) if any(self._levels) else None
        self._last_ns = -SECOND
        self.due: deque[int] = deque()
        self.transitions = 0
        self.wrong: Counter[str] = Counter()

    def look(self) -> None:
        """Take in the edges since the last look."""
        y, z = (pin.history for pin in self._pins)
        while y or z:
            at_ns = min(edges[0].time_ns for edges in (y, z) if edges)
            for place, edges in enumerate((y, z)):
                while edges and edges[0].time_ns == at_ns:
                    self._levels[place] = edges.popleft().high
            self._judge(at_ns)

    def _judge(self, at_ns: int) -> None:
        self.transitions += 1
        if self._levels[0] == self._levels[1]:
            self.wrong["not exactly one closed"] += 1
        else:
            closed = self._levels.index(True)
            self.wrong["not the other one"] += closed == self._closed
            self._closed = closed
        self.wrong["dwell"] += at_ns - self._last_ns < RELAY_DWELL_NS
        self.wrong["not at its instant"] += not self.due or self.due.popleft() != at_ns
        self._last_ns = at_ns


class PulseBench:
    """The meter of a program, its outputs of some quantities all with the least Kp, and what its pins do."""

    def __init__(self, program: Program, quantities: Sequence[Quantity] = QUANTITIES[0]) -> None:
        self.program = program
        metering = program.metering
        measurement = Measurement(
            equation=metering.equation,
            calibration=nominal(FULL_VOLTS, FULL_AMPERES),
            tick_hz=CHAIN.tick_hz,
            ticks_per_sample=CHAIN.ticks_per_sample,
            config_digest=0,
            quarter=CHAIN.quarter,
        )
        installation = Installation(metering.form, metering.current_class, metering.equation, follow=False)
        ks = metering.ks_wh
        outputs = [
            led_output(ks),
            *(kyz_output(id, q, least_kp(ks), ks) for id, q in zip(KYZ_OUTPUTS, quantities, strict=False)),
        ]
        billing, _ = Billing.begin(program.billing, T0)
        self.meter = Meter(measurement, billing, installation, CHAIN.tick_hz, outputs)
        self._clock = VirtualClock()
        self._pins = VirtualClockMockFactory(self._clock)
        self.schedule = OutputSchedule()
        self.led = TestLed("LED", 2, pins=self._pins, schedule=self.schedule, width_ns=LED_WIDTH_NS, gap_ns=LED_GAP_NS)
        self.relays: dict[OutputId, FormCRelay] = {}
        self.watches: dict[OutputId, Watch] = {}
        for k, id in enumerate(KYZ_OUTPUTS[: len(quantities)]):
            y, z = 3 + 2 * k, 4 + 2 * k
            self.relays[id] = FormCRelay(
                id.label, y, z, pins=self._pins, schedule=self.schedule, dwell_ns=RELAY_DWELL_NS
            )
            self.watches[id] = Watch(self._pins, y, z)

    def run(self, loads: Iterable[Load]) -> None:
        """All of them, each for its time: windows of a line's cycle at first, long ones then. Lets all edges out."""
        records = Records(self.program.metering.equation)
        for load in loads:
            left = load.seconds
            while left > 0:
                window = min(left, LINE_S if load.seconds - left < LINE_S * 30 else WINDOW_S)
                left -= window
                self._take(records.of(load, window))
        self._let_out(self._clock.now_ns + 2 * LATENCY_NS)

    def register(self, quantity: Quantity) -> int:
        """In nWh, nvarh or nVAh."""
        self.meter.billing.settle()
        return self.meter.billing.registers.energy(quantity)

    def off_by(self, id: OutputId, counted: int) -> float:
        """How much of a pulse a register is ahead of the pulses that came out: 0 to less than 1."""
        output = self.meter.outputs[id]
        return float(Fraction(self.register(output.quantity)) / NANO / output.constant_wh - counted)

    def _take(self, record: Record) -> None:
        advance = self.meter.advance(record)
        assert not advance.window.faults
        for pulse in advance.pulses:
            due_ns = self._ns(pulse.tick) + LATENCY_NS
            if pulse.output is OutputId.TEST_LED:
                self.led.pulse(due_ns)
            else:
                self.relays[pulse.output].pulse(due_ns)
                self.watches[pulse.output].due.append(due_ns)
        self._let_out(self._ns(advance.window.tick_end))

    def _let_out(self, until_ns: int) -> None:
        clock, schedule = self._clock, self.schedule
        while (due_ns := schedule.next_due_ns) is not None and due_ns <= until_ns:
            clock.advance_to(due_ns)
            schedule.run_due(due_ns)
        clock.advance_to(until_ns)
        for watch in self.watches.values():
            watch.look()

    def _ns(self, tick: int) -> int:
        return tick * SECOND * CHAIN.tick_hz.denominator // CHAIN.tick_hz.numerator
