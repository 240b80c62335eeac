"""What was measured between two ticks: against the windows themselves, all kept and cut with fractions."""

from __future__ import annotations

import tracemalloc
from fractions import Fraction
from math import floor

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateware.record_words import Record
from rig.bench import energy_ledger
from rig.bench.energy_ledger import EnergyLedger
from rig.bench.errors import NoLongerKept
from rig.meter.billing.quantity import Quantity
from rig.meter.measuring.measurement import Window
from rig.meter.measuring.quantities import Sums
from rig.meter.measuring.registration import Energies

RING = 1 << 48
KEPT = 4

MOVED = {
    Quantity.KWH_DELIVERED: lambda e: e.wh if e.quadrant in (0, 3) else 0,
    Quantity.KVARH_LEADING: lambda e: e.varh if e.quadrant in (1, 3) else 0,
    Quantity.KWH_NET: lambda e: e.wh,
    Quantity.KVAH_RMS: lambda e: e.vah_rms,
}
"""By how much a window moves a register, by the quadrants of the notice: Q1, Q2, Q3, Q4 are 0 to 3."""


def window(begin: int, end: int, energies: Energies | None) -> Window:
    record = Record(sequence=0, tick_start=begin % RING, tick_end=end % RING, **dict.fromkeys(OTHER_FIELDS, 0))
    return Window(record, begin, end, energies, begin, Sums(), None, ())


OTHER_FIELDS = Record.__dataclass_fields__.keys() - {"sequence", "tick_start", "tick_end"}

ENERGIES = st.builds(
    lambda quadrant, wh, varh, rms: Energies(quadrant, wh, varh, rms, rms, (0,) * 7),
    st.integers(0, 3),
    *[st.integers(0, 10**6)] * 3,
)


def flowed(windows, quantity: Quantity, tick: int) -> Fraction:
    """Up to a tick, each window in proportion; below one nWh, cut off."""
    total = Fraction(0)
    for begin, end, energies in windows:
        if energies is not None:
            share = min(max(Fraction(tick - begin, end - begin), Fraction(0)), Fraction(1))
            total += floor(share * MOVED[quantity](energies))
    return total


@given(
    st.integers(0, 2 * RING),
    st.lists(st.tuples(st.integers(1, 1000), st.none() | ENERGIES), min_size=1, max_size=30),
    st.integers(0, 30),
    st.integers(-1500, 500),
    st.integers(-1500, 1500),
    st.sampled_from(list(MOVED)),
)
def test_it_tells_the_same_as_all_the_windows(begin, lengths, marked_after, before, until, quantity) -> None:
    """`marked_after`: how many windows the mark follows, by some ticks or `before` it; `until`: where is asked."""
    ledger = EnergyLedger(KEPT)
    windows, tick, mark = [], begin, None
    for k, (length, energies) in enumerate(lengths):
        if k == marked_after:
            mark = tick + before
            try:
                ledger.mark(mark % RING if k else mark)
            except NoLongerKept:
                assume(False)
        windows.append((tick, tick + length, energies))
        ledger.add(window(tick, tick + length, energies))
        tick += length
        assert len(ledger._windows) <= KEPT
    asked = tick + until
    right = flowed(windows, quantity, asked) - (flowed(windows, quantity, mark) if mark is not None else 0)
    if mark is not None and mark > tick:
        right = Fraction(0)  # the window of the mark has not come yet
    try:
        found = ledger.since_mark(quantity, asked % RING)
    except NoLongerKept:
        registering = [w for w in windows if w[2] is not None]
        assert asked < registering[-KEPT][0]
    else:
        assert found == max(right, 0)


def test_a_tick_before_the_windows_kept_is_refused() -> None:
    ledger = EnergyLedger(2)
    for k in range(5):
        ledger.add(window(100 * k, 100 * k + 100, Energies(0, 10, 0, 10, 10, (0,) * 7)))
    assert ledger.since_mark(Quantity.KWH_DELIVERED, 350) == 35
    sentence = "what had flowed up to tick 250 is no longer known: kept are the last 2 windows, from tick 300 on"
    with pytest.raises(NoLongerKept, match=sentence):
        ledger.since_mark(Quantity.KWH_DELIVERED, 250)
    with pytest.raises(NoLongerKept, match=sentence):
        ledger.mark(250)


def test_after_an_hour_of_windows_nothing_more_is_held() -> None:
    """216 000 windows, and 10 000 more, of which those are left that are kept."""
    ledger = EnergyLedger()
    energies = Energies(0, 2_000_003, 7, 2_000_011, 2_000_005, (0,) * 7)
    ledger.mark(1000)
    one = window(0, 55_555, energies)

    def add(first: int, windows: int) -> None:
        for k in range(first, first + windows):
            ledger.add(Window(one.record, k * 55_555, (k + 1) * 55_555, energies, k * 55_555, one.sums, None, ()))

    add(0, 216_000)
    tracemalloc.start(1)
    try:
        add(216_000, 10_000)
        held = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, energy_ledger.__file__)])
    finally:
        tracemalloc.stop()
    assert sum(trace.size for trace in held.traces) < 256 * 256
    assert len(ledger._windows) == 256
    total = ledger.since_mark(Quantity.KWH_DELIVERED, 226_000 * 55_555)
    assert total == 226_000 * 2_000_003 - 2_000_003 * 1000 // 55_555
