"""Portions cut anywhere: parts add up, and none depends on the other cuts."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rig.meter.billing.energy_interval import SQUARES, EnergyInterval

energies = st.tuples(*[st.integers(0, 10**15)] * 4)
portions = st.builds(
    lambda start, span, quadrant, four, squares, others: EnergyInterval(
        start, start + span, quadrant, *four, squares, others
    ),
    st.integers(-(10**18), 2 * 10**18),
    st.integers(1, 10**16),
    st.integers(0, 3),
    energies,
    st.one_of(st.just(()), st.tuples(*[st.integers(0, 10**15)] * SQUARES)),
    st.lists(energies.flatmap(lambda four: st.tuples(st.integers(0, 3), *map(st.just, four))), max_size=2).map(tuple),
)


def amounts(portion: EnergyInterval) -> list[int]:
    return [*portion[3:7], *portion.squares, *(amount for _, *four in portion.others for amount in four)]


@given(portions, st.lists(st.floats(0, 1), max_size=6))
def test_parts_are_differences_of_what_had_flowed(portion, shares):
    whole = portion.end_ns - portion.start_ns
    instants = sorted({portion.start_ns, portion.end_ns, *(portion.start_ns + int(whole * share) for share in shares)})
    parts = [portion.between(*pair) for pair in pairwise(instants)]
    for part, (since, until) in zip(parts, pairwise(instants), strict=True):
        assert part[:3] == (since, until, portion.quadrant)
        assert [q for q, *_ in part.others] == [q for q, *_ in portion.others]
        flowed = [
            amount * (until - portion.start_ns) // whole - amount * (since - portion.start_ns) // whole
            for amount in amounts(portion)
        ]
        assert amounts(part) == flowed
        assert min(flowed) >= 0
    assert [sum(each) for each in zip(*map(amounts, parts), strict=True)] == amounts(portion)


def test_a_second_cut_is_of_the_whole():
    """5 nWh in 7 ns: 1 nWh has flowed after 2 ns, though 0 of the first ns and 5 / 6 of the next round down to none."""
    portion = EnergyInterval(0, 7, 0, 5)
    assert [portion.between(k, k + 1).wh for k in range(7)] == [0, 1, 1, 0, 1, 1, 1]


def test_cut_in_two():
    portion = EnergyInterval(100, 110, 2, 15, 0, 9, 1, (3,) * SQUARES, ((0, 5, 0, 0, 7),))
    before, after = portion.cut(104)
    assert before == EnergyInterval(100, 104, 2, 6, 0, 3, 0, (1,) * SQUARES, ((0, 2, 0, 0, 2),))
    assert after == EnergyInterval(104, 110, 2, 9, 0, 6, 1, (2,) * SQUARES, ((0, 3, 0, 0, 5),))
    assert portion.between(100, 110) is portion


def test_empty():
    assert EnergyInterval(0, 9, 0, 0).empty
    assert EnergyInterval(0, 9, 0, 0, squares=(0,) * SQUARES, others=((3, 0, 0, 0, 0),)).empty
    assert not EnergyInterval(0, 9, 0, 0, vah_td=1).empty
    assert not EnergyInterval(0, 9, 0, 0, squares=(*[0] * 6, 1)).empty
    assert not EnergyInterval(0, 9, 0, 0, others=((3, 0, 0, 1, 0),)).empty
