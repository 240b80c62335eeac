"""Maxima: which one stays, what coincided, and the peaks found again among all that ever were."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.meter.billing.maxima import PEAKS, Maxima, MaximaState, Maximum


def new(quantities: int = 1, bins: int = 1, subintervals: int = 1) -> Maxima:
    return Maxima(subintervals, MaximaState.new(quantities, bins))


def test_before_the_first_demand_there_is_no_maximum():
    maxima = new(quantities=3, bins=2)
    maxima.look(0, (0, 0, 0), 7)
    maxima.advance(1)
    assert maxima.maximum(2, 1) == maxima.maximum(0, 0) == Maximum(0, None, (0, 0))
    assert maxima.peaks() == ()


def test_each_quantity_has_its_maximum_with_what_coincided():
    maxima = new(quantities=3, bins=2)
    for at, demands in ((1, (5, 1, 3)), (2, (4, 9, 2)), (3, (5, 2, 3))):
        maxima.look(0, demands, at)
        maxima.look(1, tuple(d // 2 for d in demands), at)
        maxima.advance(1)
    assert [maxima.maximum(q, 0) for q in range(3)] == [
        Maximum(5, 1, (1, 3)),
        Maximum(9, 2, (4, 2)),
        Maximum(3, 1, (5, 1)),
    ]
    assert maxima.maximum(1, 1) == Maximum(4, 2, (2, 1))


def test_of_equal_demands_the_first_stays():
    maxima = new()
    for at in range(8):
        maxima.look(0, (5,), at)
        maxima.advance(1)
    assert maxima.maximum(0, 0) == Maximum(5, 0, ())
    assert [peak.at_ns for peak in maxima.peaks()] == [0, 1, 2, 3, 4]


def test_an_interval_is_one_peak_however_often_it_is_looked_at():
    """Thermal demand is looked at as it moves; an interval may be counted before a reset, and short."""
    maxima = new()
    for at, demand in enumerate((3, 7, 7, 5)):
        maxima.look(0, (demand,), at)
        assert [peak.value for peak in maxima.peaks()] == [max(3, demand, maxima.maximum(0, 0).value)]
    maxima.advance(1)
    maxima.look(0, (6,), 9)
    assert maxima.peaks() == (Maximum(7, 1, ()), Maximum(6, 9, ()))


def test_rates_have_no_peaks_of_their_own():
    maxima = new(bins=2)
    maxima.look(1, (8,), 1)
    maxima.advance(1)
    assert maxima.peaks() == ()


demands = st.integers(0, 12)


def greedy(values: list[tuple[int, int]], subintervals: int) -> list[tuple[int, int]]:
    """(Sub-interval's number, demand): the highest, then the highest that overlaps with none before, of all values."""
    chosen: list[tuple[int, int]] = []
    for number, value in sorted(values, key=lambda v: (-v[1], v[0])):
        if value and all(abs(number - other) >= subintervals for other, _ in chosen):
            chosen.append((number, value))
    return chosen[:PEAKS]


@given(st.integers(1, 6), st.lists(demands, min_size=1, max_size=150), st.data())
def test_peaks_are_the_five_highest_of_all_that_do_not_overlap(subintervals, values, data):
    """At every moment, though only as many are kept as can matter; past a cut nothing overlaps."""
    maxima, number, seen = new(subintervals=subintervals), 0, []
    cuts = data.draw(st.sets(st.integers(0, len(values)), max_size=3))
    for n, value in enumerate(values):
        maxima.look(0, (value,), number)
        seen.append((number, value))
        assert [(peak.at_ns, peak.value) for peak in maxima.peaks()] == greedy(seen, subintervals)
        step = subintervals if n in cuts else 1
        maxima.advance(step)
        number += step
        peaks = maxima.peaks()
        assert [(peak.at_ns, peak.value) for peak in peaks] == greedy(seen, subintervals)
        assert peaks[:1] == ((maxima.maximum(0, 0),) if any(values[: n + 1]) else ())
        for one, other in pairwise(sorted(peak.at_ns for peak in peaks if peak.at_ns is not None)):
            assert other - one >= subintervals


@pytest.mark.parametrize("subintervals", [1, 2, 6, 60])
def test_no_more_is_kept_than_peaks_can_need(subintervals):
    """And no less: four peaks may shut out all others between them and the fifth."""
    maxima, far = new(subintervals=subintervals), 1000
    values = {}
    for peak in range(4):
        for near in range(-subintervals + 1, subintervals):
            values[(peak + 1) * far + near] = 100 if near == 0 else 50
    values[10 * far] = 10
    for number in range(10 * far + 1):
        maxima.look(0, (values.get(number, 1),), number)
        maxima.advance(1)
    assert [peak.at_ns for peak in maxima.peaks()] == [far, 2 * far, 3 * far, 4 * far, 10 * far]
    assert len(maxima.state.peaks) == 4 * (2 * subintervals - 1) + 1 == len(values)


looks = st.lists(st.tuples(st.integers(0, 2), st.tuples(demands, demands, demands)), max_size=20)


@given(st.lists(looks, min_size=1, max_size=5))
def test_a_reset_returns_what_it_ends_and_adds_it_up(periods):
    maxima = new(quantities=3, bins=3, subintervals=2)
    sums = [[0] * 3 for _ in range(3)]  # by quantity, then bin
    for at, period in enumerate(periods):
        for bin, seen in period:
            maxima.look(bin, seen, at)
            maxima.advance(1)
        held = tuple(tuple(maxima.maximum(q, bin) for bin in range(3)) for q in range(3))
        peaks = maxima.peaks()
        for q, bin in ((q, bin) for q in range(3) for bin in range(3)):
            sums[q][bin] += max((seen[q] for b, seen in period if b == bin), default=0)
        values = maxima.reset(at)
        assert (values.at_ns, values.maxima, values.peaks) == (at, held, peaks)
        assert values.cumulative == tuple(map(tuple, sums))
        assert maxima.state.cumulative == [list(row) for row in zip(*sums, strict=True)]
        assert maxima.maximum(0, 0) == Maximum(0, None, (0, 0))
        assert maxima.peaks() == ()


@given(looks, looks)
def test_a_stored_state_continues_the_same(before, after):
    one = new(quantities=3, bins=3, subintervals=3)
    for at, (bin, seen) in enumerate(before):
        one.look(bin, seen, at)
        one.advance(1 + at % 3)
    other = Maxima(3, msgspec.json.decode(msgspec.json.encode(one.state), type=MaximaState))
    assert other.state == one.state
    for at, (bin, seen) in enumerate(after):
        for maxima in (one, other):
            maxima.look(bin, seen, 100 + at)
            maxima.advance(1)
        assert other.peaks() == one.peaks()
    assert other.state == one.state
