"""Demand registers: block and sliding demand against closed forms and a model that works each interval out anew; the
table of what each thing does; resets, states, settings. All are integers, compared with equality."""

from __future__ import annotations

import csv
import json
import math
from bisect import bisect_right
from fractions import Fraction
from pathlib import Path

import msgspec
import pytest
from demand_bench import (
    HOUR,
    MINUTE,
    RATES,
    SECOND,
    TWO,
    WINDOW,
    Bench,
    amounts,
    courses,
    disturbances,
    do,
    flows,
    loads,
    of,
    spans,
)
from hypothesis import given
from hypothesis import strategies as st

from rig.meter.billing import demand as demand_module
from rig.meter.billing.demand import DemandKind, DemandRegisters, DemandSettings, DemandState
from rig.meter.billing.maxima import Maximum
from rig.meter.billing.quantity import PLACES, Quantity

# --- what is programmed -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind", "subinterval_s", "subintervals", "interval_s"),
    [
        ("block:30", DemandKind.BLOCK, 1800, 1, 1800),
        ("sliding:5x6", DemandKind.SLIDING, 300, 6, 1800),
        ("sliding:1x60", DemandKind.SLIDING, 60, 60, 3600),
        ("thermal:15", DemandKind.THERMAL, 900, 1, 900),
    ],
)
def test_settings_as_text(text, kind, subinterval_s, subintervals, interval_s):
    settings = DemandSettings.parse(text, TWO)
    assert settings == DemandSettings(kind, subinterval_s, subintervals, TWO)
    assert settings.interval_s == interval_s
    assert settings.text == text


LENGTHS = "give 1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30 or 60 minutes"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("blok:30", "demand 'blok:30': give block:30, sliding:5x6 or thermal:15, with lengths in minutes"),
        ("block:", "demand 'block:': give block:30, sliding:5x6 or thermal:15, with lengths in minutes"),
        ("sliding:15", "demand 'sliding:15': give block:30, sliding:5x6 or thermal:15, with lengths in minutes"),
        ("block:5x6", "demand 'block:5x6': give block:30, sliding:5x6 or thermal:15, with lengths in minutes"),
        ("block:٣", "demand 'block:٣': give block:30, sliding:5x6 or thermal:15, with lengths in minutes"),
        ("block:0", f"block demand of 0 min: {LENGTHS}"),
        ("thermal:45", f"thermal demand of 45 min: {LENGTHS}"),
        ("sliding:7x2", f"sliding demand of 7 min: {LENGTHS}"),
        ("sliding:5x1", "sliding demand of 1 sub-intervals of 5 min: give 2 or more, 60 minutes at most in all"),
        ("sliding:15x5", "sliding demand of 5 sub-intervals of 15 min: give 2 or more, 60 minutes at most in all"),
    ],
)
def test_a_demand_that_cannot_be_is_refused(text, sentence):
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 (the whole sentence is compared)
        DemandSettings.parse(text)
    assert str(refusal.value) == sentence


@pytest.mark.parametrize(
    ("quantities", "sentence"),
    [
        ((), "demand of 0 quantities: give 1 to 3"),
        (tuple(Quantity)[:2] + tuple(Quantity)[4:6], "demand of 4 quantities: give 1 to 3"),
        ((*TWO, TWO[0]), "demand of 'kWh delivered', 'kvarh lagging' and 'kWh delivered': give each quantity once"),
        ((Quantity.KWH_NET,), "demand of 'kWh net': a net quantity can fall and has no demand"),
    ],
)
def test_quantities_that_have_no_demand_are_refused(quantities, sentence):
    with pytest.raises(ValueError) as refusal:  # noqa: PT011
        DemandSettings(DemandKind.BLOCK, 900, quantities=quantities)
    assert str(refusal.value) == sentence


def test_lengths_and_counts_given_as_numbers_are_checked_too():
    with pytest.raises(ValueError, match=r"block demand of 1\.5 min: give 1, 2"):
        DemandSettings(DemandKind.BLOCK, 90)
    with pytest.raises(ValueError, match="thermal demand has 1 sub-interval, not 3"):
        DemandSettings(DemandKind.THERMAL, 900, 3)


# --- closed forms: block and sliding -----------------------------------------------------------------------------

BLOCKS = ["block:15", "sliding:5x3", "block:5", "sliding:1x7"]
WINDOWS = [WINDOW, SECOND, 7 * SECOND, MINUTE, HOUR]


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("text", BLOCKS)
def test_demand_of_a_step(text, window):
    """Off for 4 min, then 7.2 kW (2 nWh each ns): demand is the share of the interval in which it was on."""
    bench = Bench(of(text))
    length = bench.registers.settings.interval_s * SECOND
    full = -(-(4 * MINUTE + length) // bench.length) * bench.length
    bench.outage(4 * MINUTE)
    while bench.now < full:
        span = min(window, full - bench.now)
        bench.flow(span, (2 * span, span))
    for at, demands in bench.ends:
        on = max(0, min(length, at - 4 * MINUTE))
        assert demands == (7_200_000_000_000 * on // length, 3_600_000_000_000 * on // length)
    assert bench.registers.maximum(0) == Maximum(7_200_000_000_000, full, (3_600_000_000_000,))


@pytest.mark.parametrize("window", [WINDOW, SECOND, 7 * SECOND, MINUTE])
@pytest.mark.parametrize("text", BLOCKS)
def test_demand_of_a_ramp(text, window):
    """P = a·t: demand of a full window is its power in the middle, to 1e-9.

    The window across a boundary is cut as if even: a·h²/8 of energy at most, 1e-10 of that of the first full interval
    where h is 17 ms. Longer ones end on boundaries here (7 s ones are cut there), so only whole nWh are between.
    """
    a = Fraction(10**13, 15 * MINUTE)  # nW per ns
    bench, energy = Bench(of(text)), 0
    while bench.now < 20 * MINUTE:
        span = min(window, 20 * MINUTE - bench.now)
        if window > WINDOW:
            span = min(span, bench.boundary() - bench.now)
        upto = math.floor(a * (bench.now + span) ** 2 / 2 / HOUR)
        bench.flow(span, (upto - energy, 0))
        energy = upto
    length = bench.registers.settings.interval_s * SECOND
    whole = [(at, demands[0]) for at, demands in bench.ends if at >= length]
    assert len(whole) >= 20 * MINUTE // bench.length - length // bench.length + 1
    for at, demand in whole:
        assert demand == pytest.approx(float(a * (at - Fraction(length, 2))), rel=1e-9)


def test_sliding_demand_before_its_window_is_full_is_a_lower_bound():
    bench = Bench(of("sliding:5x3"))
    for minutes, demand in ((5, 2), (10, 4), (15, 6), (20, 6)):
        bench.flow(5 * MINUTE, (500_000_000_000, 0))  # 6 kW
        assert bench.ends[-1] == (minutes * MINUTE, (demand * 10**12, 0))
    bench.flow(MINUTE, (100_000_000_000, 0))
    assert bench.registers.present(0) == 4_400_000_000_000  # 10 minutes complete and 1 that runs


@pytest.mark.parametrize("text", ["block:30", "sliding:5x6"])
def test_a_day_of_a_transformer(waveforms: Path, text: str) -> None:
    """Five-minute means of a real transformer against maxima worked out by numpy (its reference.json)."""
    folder = waveforms / "interval_transformer_5min"
    reference = json.loads((folder / "reference.json").read_text())["records"]["123A.csv"]
    record = reference["block30" if text == "block:30" else "rolling30_sub5"]
    kilowatts = 10**12
    with (folder / "123A.csv").open(newline="") as rows:
        powers = [Fraction(row["power"]) * kilowatts for row in csv.DictReader(rows)]
    bench = Bench(of(text))
    for power in powers:
        energy = power / 12
        assert energy.denominator == 1
        bench.flow(5 * MINUTE, (int(energy), 0))
    maximum = bench.registers.maximum(0)
    assert maximum.value == Fraction(str(record["max_kW"])) * kilowatts
    assert maximum.at_ns == (record["at_row"] + 6) * 5 * MINUTE
    assert bench.registers.peaks()[0] == maximum
    assert maximum.value == {"block:30": 21_520_000_000_000, "sliding:5x6": 23_900_000_000_000}[text]


# --- windows split ------------------------------------------------------------------------------------------------


@given(loads, st.sampled_from(["block:2", "sliding:1x5"]), st.data())
def test_splitting_windows_changes_nothing(loads, text, data):
    whole, split = Bench(of(text)), Bench(of(text))
    for span, wh, varh, rate in loads:
        whole.flow(span, (wh, varh), rate)
        split.flow(span, (wh, varh), rate, tuple(sorted(data.draw(st.sets(st.integers(1, span), max_size=5)))))
    assert split.values() == whole.values()
    assert split.registers.state == whole.registers.state


@given(loads, st.data())
def test_sums_of_many_portions_do_for_block_and_sliding_demand(loads, data):
    """What one sub-interval had in one rate may be handed in at once."""
    text = data.draw(st.sampled_from(["block:2", "sliding:1x5"]))
    one, many = of(text), of(text)
    assert not one.continuous
    for n, (span, wh, varh, rate) in enumerate(loads):
        for registers, portions in ((one, 1), (many, 4)):
            for _ in range(4 // portions):
                registers.take(amounts(wh * portions, varh * portions), 0, span, rate)
        assert one.end_subinterval(n, rate) == many.end_subinterval(n, rate)
    assert one.state == many.state


# --- disturbances: the table, then at random ------------------------------------------------------------------------

TABLE = [
    [cell.strip() for cell in line.split("  ") if cell.strip()]
    for line in (demand_module.__doc__ or "").splitlines()
    if line.startswith("    ")
]


@pytest.mark.parametrize("text", ["block:5", "sliding:5x3", "thermal:5"])
@pytest.mark.parametrize("row", TABLE[1:], ids=[row[0] for row in TABLE[1:]])
def test_what_each_thing_does(row: list[str], text: str) -> None:
    """Four sub-intervals, then half of one with twice the load, so that there is something to count."""
    told, window, thermal, maxima, previous, cumulative = row
    bench = Bench(of(text))
    r = bench.registers
    for sub in range(4):
        bench.flow(5 * MINUTE, ((4 + sub) * 10**11, 10**11), 1)
    bench.flow(2 * MINUTE, (16 * 10**11, 10**11), 1)
    is_thermal = r.settings.kind is DemandKind.THERMAL
    at, present, held, ended, gone = bench.now, r.present(0), r.maximum(0), r.previous(0), r.cumulative(0)
    assert held.value > 0
    assert present > held.value or is_thermal
    counted = max(present, held.value)
    values = None
    match told:
        case "take":
            r.take(amounts(10**13), at, at + MINUTE, 1)
        case "idle":
            r.idle(at, at + MINUTE)
        case "end_subinterval" | "cut":
            assert getattr(r, told)(at, 1).demands[0] == present
        case "reset":
            values = r.reset(at)
            assert values.at_ns == at

    after = {
        "-": present,
        "rises": present + 10**13 * 3600 // r.settings.interval_s,
        "oldest leaves": {1: 0, 3: (7 + 16) * 10**11 * 4}[r.settings.subintervals],
        "cleared": 0,
    }
    if not is_thermal:
        assert r.present(0) == after[window]
    elif thermal == "moves":
        assert r.present(0) > present
    elif thermal == "falls":
        assert r.present(0) < present
    else:
        assert (thermal, r.present(0)) == ("-", present)

    match maxima:
        case "-":
            assert r.maximum(0) == held
        case "thermal: counted":
            assert r.maximum(0).value == (r.present(0) if is_thermal else held.value)
        case "counted":
            assert r.maximum(0).value == counted
        case "counted, then begun new":
            assert values is not None
            assert values.maxima[0][0].value == values.peaks[0].value == counted
            if is_thermal:
                assert r.maximum(0) == Maximum(present, at, (r.present(1),))
                assert r.peaks() == (r.maximum(0),)
            else:
                assert r.maximum(0) == Maximum(0, None, (0,))
                assert r.peaks() == ()
        case _:
            pytest.fail(maxima)
    assert r.previous(0) == {"-": ended, "set": present}[previous]
    assert r.cumulative(0) - gone == {"-": 0, "grows": counted}[cumulative]
    assert r.continuous_cumulative(0) == r.cumulative(0) + r.maximum(0).value


def test_the_table_is_whole():
    assert [row[0] for row in TABLE] == ["told of", "take", "idle", "end_subinterval", "cut", "reset"]
    assert all(len(row) == 6 for row in TABLE)


class Model:
    """What registers of energy must show after a course, each interval worked out anew from all that flowed."""

    def __init__(self, text: str, course: list[tuple]) -> None:
        settings = DemandSettings.parse(text, TWO)
        self.n, self.sub, self.length_s = settings.subintervals, settings.subinterval_s * SECOND, settings.interval_s
        self.flowed: list[tuple[int, int, tuple[int, int], int]] = []
        self.candidates: list[tuple[int, int, list[list[int]]]] = []  # number of the sub-interval, instant, demands
        self.cumulative = self.previous = [[0, 0] for _ in range(1 + RATES)]
        self.cleared = self.passed = now = 0
        for step in course:
            k = now // self.sub + 1  # the sub-interval that runs
            match step:
                case ("flow" | "outage", span, *flow):
                    if flow:
                        self.flowed.append((now, now + span, *flow))
                    now += span
                    for ended in range(k, now // self.sub + 1):
                        self.previous = self.count(ended, ended * self.sub)
                case ("reset",):
                    self.count(k, now)
                    self.cumulative = [[self.continuous(q, bin) for q in (0, 1)] for bin in range(1 + RATES)]
                    self.candidates.clear()
                    self.cleared = now
                case ("cut",):
                    self.previous = self.count(k, now)
                    self.cleared = now
                    self.passed += 1000  # so that no interval after it overlaps with one before it
        self.present = self.demands(now // self.sub + 1, now)

    def count(self, k: int, at: int) -> list[list[int]]:
        demands = self.demands(k, at)
        self.candidates.append((self.passed + k, at, demands))
        return demands

    def demands(self, k: int, at: int) -> list[list[int]]:
        """Of the n sub-intervals up to the k-th, from what flowed since averaging was cleared."""
        start = max(self.cleared, (k - self.n) * self.sub)
        sums = [[0, 0] for _ in range(1 + RATES)]
        for begin, end, energies, rate in self.flowed:
            for q, energy in enumerate(energies):
                since, upto = (energy * (min(max(t, begin), end) - begin) // (end - begin) for t in (start, at))
                for bin in (0, 1 + rate):
                    sums[bin][q] += upto - since
        return [[e * 3600 // self.length_s for e in row] for row in sums]

    def maximum(self, q: int, bin: int) -> Maximum:
        """The first of the highest."""
        _, at, demands = max(self.candidates, key=lambda c: c[2][bin][q], default=(0, 0, [[0, 0]] * (1 + RATES)))
        value, other = demands[bin][q], demands[bin][1 - q]
        return Maximum(value, at, (other,)) if value else Maximum(0, None, (0,))

    def continuous(self, q: int, bin: int) -> int:
        return self.cumulative[bin][q] + self.maximum(q, bin).value

    def peaks(self) -> tuple[Maximum, ...]:
        chosen: list[int] = []
        peaks = []
        for number, at, demands in sorted(self.candidates, key=lambda c: -c[2][0][0]):
            if demands[0][0] and all(abs(number - other) >= self.n for other in chosen):
                chosen.append(number)
                peaks.append(Maximum(demands[0][0], at, (demands[0][1],)))
        return tuple(peaks[:5])

    def values(self) -> list[list[tuple[int, int, Maximum, int, int]]]:
        return [
            [
                (
                    self.present[b][q],
                    self.previous[b][q],
                    self.maximum(q, b),
                    self.cumulative[b][q],
                    self.continuous(q, b),
                )
                for q in (0, 1)
            ]
            for b in range(1 + RATES)
        ]


@given(st.sampled_from(["block:1", "block:2", "sliding:1x3", "sliding:1x7"]), courses)
def test_registers_are_those_of_a_model_that_works_everything_out_anew(text, course):
    bench, model = Bench(of(text)), Model(text, course)
    for step in course:
        do(bench, step)
    assert bench.values() == model.values()
    assert bench.registers.peaks() == model.peaks()


@given(courses, st.sampled_from(["block:2", "sliding:1x3"]))
def test_demands_of_rates_add_up_to_the_total(course, text):
    """Exactly, where the length divides an hour."""
    bench = Bench(of(text))
    for step in course:
        do(bench, step)
        for q in (0, 1):
            for read in (bench.registers.present, bench.registers.previous):
                assert sum(read(q, 1 + rate) for rate in range(RATES)) == read(q)


def true_highest(flowed: list[tuple[int, int, int]], length: int) -> Fraction:
    """The highest mean power over any `length` of time, of loads (start, end, energy in nWh), in nW.

    Energy up to t is made of straight lines, so a window's energy is highest with one of its ends on a corner.
    """
    starts = [start for start, _, _ in flowed]
    sums = [0]
    for _, _, energy in flowed:
        sums.append(sums[-1] + energy)

    def upto(t: int) -> Fraction:
        at = bisect_right(starts, t) - 1
        if at < 0:
            return Fraction(0)
        start, end, energy = flowed[at]
        return sums[at] + Fraction(energy * (min(t, end) - start), end - start)

    corners = {t for start, end, _ in flowed for t in (start, end)}
    return max((upto(t + shift + length) - upto(t + shift) for t in corners for shift in (0, -length)), default=0) * (
        Fraction(HOUR, length)
    )


clock_sets = st.tuples(st.just("clock"), st.one_of(spans, spans.map(int.__neg__)))


@given(
    st.sampled_from(["block:1", "block:2", "sliding:1x3"]),
    st.lists(st.one_of(flows, flows, disturbances, clock_sets), min_size=6, max_size=25),
)
def test_no_disturbance_lifts_a_maximum_above_the_highest_true_demand(text, course):
    """Resets, outages, cuts at any instant, the clock set to and fro: against all windows of true time, wherever they
    begin. A cut comes where the clock crosses a boundary or goes back; 1 nWh a window is rounding where it is cut."""
    bench, true, flowed, highest = Bench(of(text)), 0, [], 0
    bench.now = 10 * HOUR
    for step in course:
        if step[0] == "clock":
            if not bench.now <= bench.now + step[1] < bench.boundary():
                bench.registers.cut(bench.now, 0)
            bench.now += step[1]
        else:
            do(bench, step)
        if step[0] in ("flow", "outage"):
            flowed.append((true, true + step[1], step[2][0] if step[0] == "flow" else 0))
            true += step[1]
        highest = max(highest, bench.registers.maximum(0).value)
    length_s = bench.registers.settings.interval_s
    assert highest <= true_highest(flowed, length_s * SECOND) + Fraction(3600, length_s)


# --- resets and state ---------------------------------------------------------------------------------------------


@given(st.sampled_from(["block:1", "sliding:1x3", "thermal:1"]), courses)
def test_cumulative_demand_is_the_sum_of_the_maxima_at_resets(text, course):
    bench = Bench(of(text))
    sums = [[0, 0] for _ in range(1 + RATES)]
    for step in course:
        if step == ("reset",):
            peaks = bench.registers.peaks()
            values = bench.registers.reset(bench.now)
            assert values.at_ns == bench.now
            assert values.peaks == peaks or bench.registers.settings.kind is not DemandKind.THERMAL
            for bin, row in enumerate(sums):
                for q in (0, 1):
                    row[q] += values.maxima[q][bin].value
                    assert values.cumulative[q][bin] == row[q]
        else:
            do(bench, step)
        for bin, row in enumerate(sums):
            for q in (0, 1):
                assert bench.registers.cumulative(q, bin) == row[q]
                assert bench.registers.continuous_cumulative(q, bin) == row[q] + bench.registers.maximum(q, bin).value


@given(st.sampled_from(["block:2", "sliding:1x5", "thermal:2"]), courses, st.data())
def test_a_stored_state_continues_as_if_nothing_had_been(text, course, data):
    whole, broken = Bench(of(text)), Bench(of(text))
    stops = data.draw(st.sets(st.integers(0, len(course)), max_size=3))
    for n, step in enumerate(course):
        if n in stops:
            stored = msgspec.json.encode(broken.registers.state)
            state = msgspec.json.decode(stored, type=DemandState)
            assert state == broken.registers.state
            broken.registers = DemandRegisters(broken.registers.settings, RATES, state)
            assert broken.registers.state is state
        do(whole, step)
        do(broken, step)
    assert broken.values() == whole.values()
    assert broken.registers.peaks() == whole.registers.peaks()
    assert broken.registers.state == whole.registers.state
    assert broken.ends == whole.ends


@pytest.mark.parametrize("text", ["sliding:5x2", "block:5", "thermal:5"])
def test_a_state_of_another_program_is_refused(text):
    state = of("sliding:5x3").state
    with pytest.raises(ValueError) as refusal:  # noqa: PT011
        DemandRegisters(DemandSettings.parse(text, TWO), RATES, state)
    assert str(refusal.value) == (
        "stored demand is sliding:5x3 of kWh delivered and kvarh lagging in 3 rates: "
        f"it does not continue as {text} of kWh delivered and kvarh lagging in 3 rates"
    )
    with pytest.raises(ValueError, match="it does not continue as sliding:5x3 of kWh delivered in 3 rates"):
        DemandRegisters(DemandSettings.parse("sliding:5x3"), RATES, state)
    with pytest.raises(ValueError, match=r"it does not continue as .* in 4 rates"):
        DemandRegisters(DemandSettings.parse("sliding:5x3", TWO), RATES + 1, state)


@pytest.mark.parametrize("text", ["block:5", "sliding:5x2", "thermal:5"])
def test_without_rates_there_is_the_total_alone(text):
    with_rates, without = of(text), of(text, rates=0)
    for n, wh in enumerate((10**11, 3 * 10**11, 2 * 10**11)):
        start, end = n * 5 * MINUTE, (n + 1) * 5 * MINUTE
        for registers in (with_rates, without):
            registers.take(amounts(wh, wh // 2), start, end, n % RATES)
            registers.end_subinterval(end, n % RATES)
    for q in (0, 1):
        assert without.maximum(q) == with_rates.maximum(q)
        assert without.previous(q) == with_rates.previous(q)
    assert without.peaks() == with_rates.peaks()
    assert len(without.state.previous) == 1


def test_every_quantity_that_cannot_fall_has_its_own_demand():
    """Each place holds another power of two, in nWh, so that sums tell which were added: one hour makes them nW."""
    flow = tuple(1 << place for place in range(PLACES))
    for quantity in Quantity:
        if not quantity.net:
            for text in ("block:60", "thermal:60"):
                registers = of(text, (quantity,))
                registers.take(flow, 0, HOUR, 0)
                power = sum(1 << place for place in quantity.adds)
                assert registers.end_subinterval(HOUR, 0).demands == (
                    power if text == "block:60" else round(0.9 * power),
                )
