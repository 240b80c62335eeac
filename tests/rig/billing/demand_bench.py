"""Demand registers fed as billing feeds them, and random courses of what can happen to them."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

from rig.meter.billing.demand import DemandRegisters, DemandSettings
from rig.meter.billing.maxima import Maximum
from rig.meter.billing.quantity import PLACES, Quantity

SECOND = 10**9
MINUTE = 60 * SECOND
HOUR = 3600 * SECOND
WINDOW = 17_000_000
"""About one cycle of the line, in ns."""

TWO = (Quantity.KWH_DELIVERED, Quantity.KVARH_LAGGING)
RATES = 3


def amounts(wh: int, varh: int = 0) -> tuple[int, ...]:
    """In Q1, in nWh and nvarh."""
    return (wh, varh, *[0] * (PLACES - 2))


def of(text: str, quantities: tuple[Quantity, ...] = TWO, rates: int = RATES) -> DemandRegisters:
    return DemandRegisters(DemandSettings.parse(text, quantities), rates)


@dataclass
class Bench:
    """Feeds registers as billing does: portions are cut where sub-intervals end, energy before a cut rounded down."""

    registers: DemandRegisters
    now: int = 0
    ends: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)

    @property
    def length(self) -> int:
        return self.registers.settings.subinterval_s * SECOND

    def boundary(self) -> int:
        return (self.now // self.length + 1) * self.length

    def flow(self, span: int, energies: tuple[int, int], rate: int = 0, cuts: tuple[int, ...] = ()) -> None:
        """Energies that flow evenly for a span of ns, cut at further instants too."""
        start, end, taken = self.now, self.now + span, (0, 0)
        while self.now < end:
            upto = min(end, self.boundary(), *(start + cut for cut in cuts if start + cut > self.now))
            until = tuple(e * (upto - start) // span for e in energies)
            self.registers.take(amounts(*(u - t for u, t in zip(until, taken, strict=True))), self.now, upto, rate)
            taken = until
            self.arrive(upto, rate)

    def outage(self, span: int) -> None:
        end = self.now + span
        while self.now < end:
            upto = min(end, self.boundary())
            self.registers.idle(self.now, upto)
            self.arrive(upto, 0)

    def arrive(self, upto: int, rate: int) -> None:
        ended = upto == self.boundary()
        self.now = upto
        if ended:
            interval = self.registers.end_subinterval(upto, rate)
            assert (interval.at_ns, interval.rate) == (upto, rate)
            self.ends.append((upto, interval.demands))

    def values(self) -> list[list[tuple[int, int, Maximum, int, int]]]:
        """All that registers show, by bin and quantity."""
        r = self.registers
        return [
            [
                (r.present(q, b), r.previous(q, b), r.maximum(q, b), r.cumulative(q, b), r.continuous_cumulative(q, b))
                for q in range(len(r.settings.quantities))
            ]
            for b in range(1 + RATES)
        ]


spans = st.one_of(
    st.integers(1, 16).map((15 * SECOND).__mul__), st.integers(1, 240 * 1000).map((SECOND // 1000).__mul__)
)
"""Up to 4 minutes in ns, often to a boundary. In steps, for of very many numbers hypothesis prefers the small ones."""

energies = st.one_of(st.integers(0, 9).map((10**11).__mul__), st.integers(0, 10**12))
rates = st.integers(0, RATES - 1)

loads = st.lists(
    st.tuples(st.one_of(spans, st.integers(1, MINUTE)), energies, energies, rates), min_size=1, max_size=10
)
"""Spans with energies and a rate."""

flows = st.tuples(st.just("flow"), spans, st.tuples(energies, energies), rates)
disturbances = st.one_of(
    st.tuples(st.just("outage"), spans),
    st.tuples(st.just("reset")),
    st.tuples(st.just("cut")),
)
courses = st.lists(st.one_of(flows, flows, flows, disturbances), min_size=6, max_size=25)
"""Steps for `do`."""


def do(bench: Bench, step: tuple) -> None:
    match step:
        case ("flow", span, energies, rate):
            bench.flow(span, energies, rate)
        case ("outage", span):
            bench.outage(span)
        case ("reset",):
            bench.registers.reset(bench.now)
        case ("cut",):
            bench.registers.cut(bench.now, 0)
