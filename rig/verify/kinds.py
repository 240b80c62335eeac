"""Tests of a series that compare no pulses with energy: what each measures, its limit, and where that is from.

    kind             measured, of what was observed                         passes
    register         register's share that is missing or too much, %        with its tolerance within ± the limit
    creep            flashes or change-overs, and Wh registered, no load    pulses at most the limit, no energy
    starting load    share of seconds in which energy was registered, %     at least the limit
    demand interval  previous demand against the energy of its interval, %  within ± the limit, in every interval
    eoi              time from one EOI closure to the next, s               within ± the limit of the interval
    kyz ratio        what two outputs say flowed, one against the other, %  with its uncertainty within ± the limit
    kyz dwell        shortest time that a contact was closed, s             at least the limit

All is judged from what was observed and nothing else: pure functions.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import floor, hypot, sqrt

from rig.meter.billing.demand import DemandKind
from rig.meter.billing.quantity import NANO, Quantity
from rig.meter.billing.time_units import HOUR_S
from rig.meter.contacts.outputs import OutputId
from rig.verify.count_uncertainty import EDGE_S, LATE_S
from rig.verify.errors import CountLost
from rig.verify.flow import Flow
from rig.verify.kind import Finding, Kind, Rule
from rig.verify.observing import Changed, Observed

LED = OutputId.TEST_LED.label

STARTED_S = 5
"""A meter that registers from the starting current on has so long to notice it: a span of windows, and a reading."""


def register(seen: Observed, output: OutputId, limit: float) -> Finding:
    """Judge the register of an output's quantity by the output's pulses: what it moved by between two edges."""
    quantity, constant = _pulsing(seen, output)
    first, last = _ends(seen, output)
    flowed = (last.number - first.number) * constant * NANO
    moved = _registered_at(seen, quantity, last.tick) - _registered_at(seen, quantity, first.tick)
    error = float(100 * (moved - flowed) / flowed)
    uncertainty = 100 * 2 * _between(seen, quantity, output, first, last)[1]
    said = (
        f"register of {quantity} moved by {float(moved / NANO):.6f} and {output.label} pulsed for "
        f"{float(flowed / NANO):.6f} Wh: {error:+.4f} %"
    )
    return Finding(error, "%", uncertainty, Rule.WITHIN.holds(error, uncertainty, limit), said)


def creep(seen: Observed, output: OutputId, limit: float) -> Finding:
    """Judge what a meter does without load."""
    pulses = sum(_pulses(edges) for label, edges in seen.edges.items() if label in seen.constants)
    of_output = _pulses(seen.edges.get(output.label, []))
    registered = sum(flow.total_nwh for flow in seen.flows.values())
    said = f"{pulses} pulses of all outputs, {of_output} of {output.label}, in {seen.length_s:.0f} s without load"
    if registered:
        said += f", and {registered / NANO:g} Wh (varh, VAh) were registered: see that nothing is connected"
    return Finding(float(pulses), "pulses", 0.0, Rule.AT_MOST.holds(pulses, 0.0, limit) and not registered, said)


def starting_load(seen: Observed, output: OutputId, limit: float) -> Finding:
    """Judge whether a meter registers at its starting current, all the time."""
    quantity, _ = _pulsing(seen, output)
    begin = _begin(seen)
    read = [
        each.reading.active.registers.energy_nwh(Quantity(quantity))
        for each in seen.seconds
        if each.tick - begin >= STARTED_S * seen.tick_hz
    ]
    if len(read) < 2:
        raise CountLost(f"a starting load takes more than {STARTED_S} s: give it longer")
    moved = sum(b > a for a, b in pairwise(read))
    share = 100 * moved / (len(read) - 1)
    hours = Fraction(seen.seconds[-1].tick - seen.seconds[-len(read)].tick) / seen.tick_hz / HOUR_S
    watts = float((read[-1] - read[0]) / hours / NANO)
    said = f"{quantity} was registered in {moved} of {len(read) - 1} seconds, {watts:.4g} W on average"
    return Finding(share, "%", 0.0, Rule.AT_LEAST.holds(share, 0.0, limit), said)


def demand_interval(seen: Observed, output: OutputId, limit: float) -> Finding:
    """Judge previous demand, of each interval that was whole, against the energy that flowed in it."""
    worst: tuple[float, str] | None = None
    ends = [
        (before, after)
        for before, after in pairwise(seen.seconds)
        if before.reading.interval_ends_ns != after.reading.interval_ends_ns
    ]
    for (_, begun), (_, ended) in pairwise(ends):
        demand, ends_ns = ended.reading.demand, begun.reading.interval_ends_ns
        if ended.reading.test is not None:
            raise CountLost("the meter is in test mode, which has a demand of its own: end it first, or let it end")
        if demand is None or ends_ns is None:
            raise CountLost("the meter's program has no demand: give it one, or leave the test out")
        begins_ns = ends_ns - demand.subinterval_s * NANO
        for place, quantity in enumerate(demand.quantities):
            flow = seen.flows.get(quantity.value)
            if flow is None or demand.kind is not DemandKind.BLOCK:
                continue
            begin, end = (_tick_of(seen, ns) for ns in (begins_ns, ends_ns))
            flowed = _flowed(flow, end) - _flowed(flow, begin)
            expected = flowed * HOUR_S / demand.subinterval_s
            found = ended.reading.registers.demand[place][0].previous
            if not expected:
                continue
            error = float(100 * (found - expected) / expected)
            said = f"{quantity.demand_name} {found / NANO / 1000:.6f} where {float(expected) / NANO / 1000:.6f} flowed"
            if worst is None or abs(error) > abs(worst[0]):
                worst = error, f"{said}: {error:+.4f} %"
    if worst is None:
        raise CountLost(
            "no whole interval of a block demand, of a quantity that is published, was observed: give it longer"
        )
    return Finding(worst[0], "%", 0.0, Rule.WITHIN.holds(worst[0], 0.0, limit), worst[1])


def eoi(seen: Observed, output: OutputId, limit: float) -> Finding:
    """Judge the times between closures of an EOI contact: each closes K–Y and then K–Z again, two change-overs."""
    if output.label in seen.constants:
        raise CountLost(f'{output.label} pulses: give the output that has function = "eoi"')
    edges = seen.edges.get(output.label, [])
    closures = edges[::2]
    demand = next((each.reading.demand for each in seen.seconds if each.reading.demand is not None), None)
    if demand is None:
        raise CountLost("the meter's program has no demand, and so no end of interval")
    if len(closures) < 2:
        raise CountLost(f"{output.label} closed {len(closures)} times in {seen.length_s:.0f} s: give it two intervals")
    off = [
        float((b.tick - a.tick) / seen.tick_hz) - demand.subinterval_s * (round((b.number - a.number) / 2) or 1)
        for a, b in pairwise(closures)
    ]
    worst = max(off, key=abs)
    said = f"{len(closures)} ends of interval by {output.label}, each {demand.subinterval_s} s, {worst:+.4f} s at worst"
    uncertainty = 2 * hypot(EDGE_S, EDGE_S)
    return Finding(worst, "s", uncertainty, Rule.WITHIN.holds(worst, uncertainty, limit), said)


def kyz_ratio(seen: Observed, output: OutputId, limit: float) -> Finding:
    """Judge what an output says of its quantity against what the test LED says of its own, each between two edges."""
    if output.label == LED:
        raise CountLost("the ratio is that of a KYZ output to the test LED: give kyz1 to kyz4")
    said, squares = [], 0.0
    for each in (output, OutputId.TEST_LED):
        quantity, constant = _pulsing(seen, each)
        first, last = _ends(seen, each)
        flowed, uncertain = _between(seen, quantity, each, first, last)
        said.append(float((last.number - first.number) * constant * NANO / flowed))
        squares += uncertain**2
    ratio = 100 * (said[0] / said[1] - 1)
    uncertainty = 2 * 100 * squares**0.5
    text = f"{output.label} registers {100 * said[0]:.4f} %, the test LED {100 * said[1]:.4f} %: {ratio:+.4f} %"
    return Finding(ratio, "%", uncertainty, Rule.WITHIN.holds(ratio, uncertainty, limit), text)


def kyz_dwell(seen: Observed, output: OutputId, limit: float) -> Finding:
    """Judge the shortest time from one change-over to the next, of those that follow each other by number."""
    edges = seen.edges.get(output.label, [])
    times = [float((b.tick - a.tick) / seen.tick_hz) for a, b in pairwise(edges) if b.number == a.number + 1]
    if not times:
        raise CountLost(f"{output.label} did not change over twice running: give it a load, and longer")
    shortest = min(times)
    said = f"{output.label} was closed for {shortest:.6f} s at least, in {len(times)} closures"
    return Finding(shortest, "s", 0.0, Rule.AT_LEAST.holds(shortest, 0.0, limit), said)


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "register",
            "%",
            Rule.WITHIN,
            0.02,
            "IEC 62053-22, class 0.2 S: register and output within a tenth of 0.2 %",
            60.0,
            register,
        ),
        Kind(
            "creep",
            "pulses",
            Rule.AT_MOST,
            1.0,
            "IEC 62053-22: no more than one pulse; ten minutes as ANSI C12.20 has",
            600.0,
            creep,
            more=True,
        ),
        Kind(
            "starting load",
            "%",
            Rule.AT_LEAST,
            100.0,
            "IEC 62053-22: shall start and continue to register",
            60.0,
            starting_load,
        ),
        Kind("demand interval", "%", Rule.WITHIN, 0.2, "the meter's class, 0.2 %", 1900.0, demand_interval),
        Kind("eoi", "s", Rule.WITHIN, 0.1, "this project: P-4 has no figure", 1900.0, eoi),
        Kind(
            "kyz ratio", "%", Rule.WITHIN, 0.03, "this project: both follow the same energy (P-1, P-2)", 60.0, kyz_ratio
        ),
        Kind(
            "kyz dwell",
            "s",
            Rule.AT_LEAST,
            0.007,
            "this project: 8 ms of a relay, less 1 ms that an edge may be late",
            30.0,
            kyz_dwell,
        ),
    )
}
"""Every kind by its name, with defaults. Standards are as docs/decisions/057-starting.md and the facts kept beside it
quote them, not read in the original."""


def _pulsing(seen: Observed, output: OutputId) -> tuple[str, Fraction]:
    found = seen.constants.get(output.label)
    if found is None or not found[1]:
        raise CountLost(f"{output.label} does not pulse in the meter's program: give an output that does")
    return found


def _pulses(edges: list[Changed]) -> int:
    return len(edges) if len(edges) < 2 else edges[-1].number - edges[0].number + 1


def _begin(seen: Observed) -> int:
    flow = next(iter(seen.flows.values()))
    assert flow.begin_tick is not None
    return flow.begin_tick


def _ends(seen: Observed, output: OutputId) -> tuple[Changed, Changed]:
    """The first and the last edge whose energy was observed."""
    flow = next(iter(seen.flows.values()), None)
    edges = (
        []
        if flow is None
        else [
            edge
            for edge in seen.edges.get(output.label, [])
            if flow.begin_tick is not None
            and flow.end_tick is not None
            and flow.begin_tick <= edge.tick - seen.latency <= flow.end_tick
        ]
    )
    if len(edges) < 2:
        raise CountLost(f"{output.label} pulsed {len(edges)} times in {seen.length_s:.0f} s: give it longer, or a load")
    return edges[0], edges[-1]


def _flowed(flow: Flow, tick: int) -> Fraction:
    found = flow.at(tick)
    if found is None:
        raise CountLost("what flowed by the end of the test was not observed: give it longer")
    return found


def _between(seen: Observed, quantity: str, output: OutputId, first: Changed, last: Changed) -> tuple[Fraction, float]:
    """Energy that flowed between two edges, in nWh, and its standard uncertainty as a share of it: by what flows at
    either in the time that it can be late by. Raises CountLost where nothing flowed."""
    flow = seen.flows[quantity]
    instants = [floor(edge.tick - seen.latency) for edge in (first, last)]
    flowed = _flowed(flow, instants[1]) - _flowed(flow, instants[0])
    if flowed <= 0:
        raise CountLost(f"{output.label} pulses, and no {quantity} flows: see to its wiring")
    late, at_edges = int(LATE_S * seen.tick_hz), []
    for instant in instants:
        begin = max(_begin(seen), instant - late)
        power = (_flowed(flow, instant) - _flowed(flow, begin)) / (instant - begin) if begin < instant else Fraction(0)
        at_edges.append(float(power * late))
    return flowed, hypot(*at_edges) / sqrt(3) / float(flowed)


def _registered_at(seen: Observed, quantity: str, tick: int) -> Fraction:
    """The register at the instant that an edge is of: as read next before it, and what flowed from then on by the
    windows in between."""
    instant = floor(tick - seen.latency)
    flow = seen.flows[quantity]
    near = min(seen.seconds, key=lambda each: abs(each.tick - instant), default=None)
    if near is None:
        raise CountLost("no reading of the registers came: give it longer")
    registered = near.reading.active.registers.energy_nwh(Quantity(quantity))
    return registered + _flowed(flow, instant) - _flowed(flow, near.tick)


def _tick_of(seen: Observed, utc_ns: int) -> int:
    """The tick of a time of the meter's clock, by the readings on either side of it."""
    for a, b in pairwise(seen.seconds):
        if a.reading.utc_ns <= utc_ns <= b.reading.utc_ns and b.reading.utc_ns > a.reading.utc_ns:
            share = Fraction(utc_ns - a.reading.utc_ns, b.reading.utc_ns - a.reading.utc_ns)
            return a.tick + int(share * (b.tick - a.tick))
    raise CountLost("an interval's end was not observed: give it longer")
