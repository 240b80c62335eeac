"""The load of a meter that is killed: what flows and what is asked is a function of the meter's clock alone.

Account adds up what flowed, and knows nothing of the meter's code.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from zoneinfo import ZoneInfo

from gateware.record_words import HEADER_WORDS, PRODUCTS, RECORD_WORDS, WORD_DELAYED, Record, RecordFlag
from gateware.registers import VOLTAGES, Channel
from rig.meter.billing.commands import Action, Command
from rig.meter.billing.source import Source
from rig.meter.billing.state import BillingState
from rig.meter.billing.tariff import Rate

SECOND = 10**9
MINUTE, HOUR = 60 * SECOND, 3600 * SECOND

ZONE = ZoneInfo("America/Winnipeg")
"""Of the program industrial-9s.toml, which has it by rule."""

SAMPLE_HZ = 10
"""A board of ten samples a second: its clock has whole nanoseconds, and its windows are as long as wanted."""

VOLTS = 120_000
"""In codes of 1 mV; those of the currents are 0.1 mA. So a product of 360 codes² is a nWh, and nothing is rounded."""


@dataclass(frozen=True)
class Flow:
    """What flows in the window that begins at an instant: watts, vars and volt-amperes are as 3, 4 and 5, or 4, 3 and 5
    of either sign. `wh`, `varh`, `vah` in nWh, `squares` in 10⁻⁹ V²h and A²h, `pulses` at input 1."""

    amperes: int
    samples: int
    p: int
    q: int
    pulses: int

    @classmethod
    def at(cls, ns: int, window_s: int) -> Flow:
        rng = Random(ns)
        p, q = rng.choice([(3, 4), (4, 3), (4, -3), (-4, 3), (-3, -4)])
        return cls(60 * rng.randrange(1, 2000), SAMPLE_HZ * window_s, p, q, rng.randrange(4))

    @property
    def quadrant(self) -> int:
        return {(True, True): 0, (False, True): 1, (False, False): 2, (True, False): 3}[self.p > 0, self.q > 0]

    @property
    def magnitudes(self) -> tuple[int, int, int, int]:
        fifth = VOLTS * self.amperes * self.samples // 5 // 360
        return abs(self.p) * fifth, abs(self.q) * fifth, 5 * fifth, 5 * fifth

    @property
    def squares(self) -> tuple[int, ...]:
        volts, amperes = VOLTS**2 * self.samples // 36, self.amperes**2 * self.samples // 3600
        return volts, volts, volts, amperes, 0, 0, amperes

    def record(self, number: int) -> Record:
        """As the FPGA has it: current on phase A, voltage on all, no zero crossings."""
        sums = [0] * (RECORD_WORDS - HEADER_WORDS)
        fifth = VOLTS * self.amperes * self.samples // 5
        sums[PRODUCTS.index((Channel.V1, Channel.I1))] = self.p * fifth
        sums[WORD_DELAYED - HEADER_WORDS + VOLTAGES * Channel.I1 + Channel.V1] = self.q * fifth
        sums[PRODUCTS.index((Channel.I1, Channel.I1))] = self.amperes**2 * self.samples
        for channel in (Channel.V1, Channel.V2, Channel.V3):
            sums[PRODUCTS.index((channel, channel))] = VOLTS**2 * self.samples
        return Record(
            sequence=number,
            windows=1,
            flags=RecordFlag.END_TIMED,
            tick_start=number * self.samples,
            tick_end=(number + 1) * self.samples,
            samples=self.samples,
            cycles=0,
            before=0,
            after=0,
            config_digest=0,
            overload=0,
            dead=0,
            oscillator_step=0,
            sums=tuple(sums),
        )


def forced(ns: int) -> bool:
    """Whether input 2 forces rate D in the window that begins then."""
    return ns // (7 * MINUTE) % 5 == 0


def tested(ns: int) -> bool:
    """Whether the test switch is open."""
    return ns // (4 * MINUTE) % 11 == 0


def commands(state: BillingState, ns: int, flow: Flow) -> Iterator[Command]:
    """What is asked of a meter where the window begins; it may be just back from a loss of power."""
    if forced(ns) and state.forced_rate is None:
        yield Command(ns, Action.FORCE_RATE, Source.COMMAND_LINE, Rate.D)
    if not forced(ns) and state.forced_rate is not None:
        yield Command(ns, Action.RELEASE_RATE, Source.COMMAND_LINE)
    if tested(ns) != (state.test is not None):
        yield Command(ns, Action.TEST_BEGIN if tested(ns) else Action.TEST_END, Source.COMMAND_LINE)
    if flow.pulses:
        yield Command(ns, Action.INPUT_PULSES, Source.COMMAND_LINE, 0, flow.pulses)
    if Random(~ns).random() < 0.02:
        yield Command(ns, Action.RESET, Source.COMMAND_LINE)


@dataclass
class Account:
    """What flowed, added up without a meter: by places, 4 · quadrant + (Wh, varh, VAh rms, VAh td)."""

    energy: list[int] = field(default_factory=lambda: [0] * 16)
    rates: list[list[int]] = field(default_factory=lambda: [[0] * 16 for _ in range(4)])
    squares: list[int] = field(default_factory=lambda: [0] * 7)
    pulsed: list[int] = field(default_factory=lambda: [0] * 16)
    inputs: int = 0

    def add(self, ns: int, window_s: int) -> None:
        flow, end_ns = Flow.at(ns, window_s), ns + window_s * SECOND
        self.inputs += flow.pulses
        for kind, amount in enumerate(flow.magnitudes):
            self.pulsed[4 * flow.quadrant + kind] += amount
        if tested(ns):
            return
        self.squares = [a + b for a, b in zip(self.squares, flow.squares, strict=True)]
        cut_ns = min((ns // HOUR + 1) * HOUR, end_ns)  # rates change on the hour
        for kind, amount in enumerate(flow.magnitudes):
            place = 4 * flow.quadrant + kind
            first = amount * (cut_ns - ns) // (end_ns - ns)
            self.energy[place] += amount
            self.rates[rate_at(ns)][place] += first
            self.rates[rate_at(ns, cut_ns)][place] += amount - first

    def of(self, places: tuple[int, ...]) -> int:
        return sum(self.energy[place] for place in places)


def rate_at(begun_ns: int, ns: int | None = None) -> int:
    """The rate at an instant in the window that began at another; of the program's [tou]."""
    local = datetime.fromtimestamp((begun_ns if ns is None else ns) // SECOND, ZONE)
    if forced(begun_ns):
        return 3
    return 0 if local.weekday() < 5 and 8 <= local.hour < 20 else 1
