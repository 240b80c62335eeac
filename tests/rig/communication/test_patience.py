"""The table of rig/communication/c1218/patience.py, row by row, and a peer that grows slow and quick again (X-3)."""

from __future__ import annotations

import pytest

from rig.communication.c1218.patience import Patience
from rig.communication.c1218.settings import MS, OPTICAL, REMOTE, SECOND, Timing

WIRES = Timing(30 * SECOND, 100 * MS, 300 * MS, later_ns=1200 * MS, quick_ns=100 * MS)


def waits(patience: Patience, timing: Timing = WIRES) -> list[int]:
    """Milliseconds waited for what is sent for the first, second, third and ninth time."""
    return [patience.wait_ns(timing, tries) // MS for tries in (0, 1, 2, 8)]


def measured(*reactions_ms: int) -> Patience:
    patience = Patience()
    for each in reactions_ms:
        patience.reacted(each * MS, repeated=False)
    return patience


def test_unmeasured() -> None:
    assert waits(Patience()) == [300, 300, 1200, 1200]


@pytest.mark.parametrize(
    ("reactions_ms", "first_ms"),
    [((0,), 100), ((20,), 100), ((25,), 100), ((26,), 104), ((70, 3, 9), 280), ((290,), 1160), ((900,), 1200)],
)
def test_measured(reactions_ms: tuple[int, ...], first_ms: int) -> None:
    assert waits(measured(*reactions_ms)) == [first_ms, first_ms, 1200, 1200]


def test_perhaps_slow_until_the_next_measure() -> None:
    """Unmeasured: any reaction to what was repeated may be to the first, 300 ms before."""
    patience = Patience()
    patience.reacted(5 * MS, repeated=True)
    assert waits(patience) == [1200] * 4
    patience.reacted(305 * MS, repeated=False)
    assert waits(patience) == [1200, 1200, 1200, 1200], "four times 305 ms are more than is ever waited"


@pytest.mark.parametrize(
    ("after_ms", "slow"), [(-1, True), (0, False), (7, False), (20, False), (21, True), (99, True)]
)
def test_a_quick_peer_whose_reaction_was_lost_stays_quick(after_ms: int, slow: bool) -> None:
    """20 ms at most: as soon after the repetition means that the first was lost; sooner or later, that it is slow."""
    patience = measured(20)
    patience.reacted(after_ms * MS, repeated=True)
    assert waits(patience) == ([1200] * 4 if slow else [100, 100, 1200, 1200])
    patience.reacted(20 * MS, repeated=True)
    assert waits(patience)[0] == (1200 if slow else 100), "no measure"
    patience.reacted(20 * MS, repeated=False)
    assert waits(patience) == [100, 100, 1200, 1200]


@pytest.mark.parametrize(("timing", "ms"), [(OPTICAL.timing, 2000), (REMOTE.timing, 4000)])
def test_the_standards_own_time_outs_are_as_they_are(timing: Timing, ms: int) -> None:
    """C12.18 and C12.21 (facts: c12.md §1.2): whatever the peer does."""
    patience = Patience()
    for repeated in (False, True, False):
        assert waits(patience, timing) == [ms] * 4
        patience.reacted(MS, repeated=repeated)
    assert waits(patience, timing) == [ms] * 4
