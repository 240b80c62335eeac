"""The verdict on closures: faults planted in a train of pulses of any load, found by number and kind, and no others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.verify.closures import Closure, Contact, Fault, judge, pulse_nwh

PULSE = Fraction(150_000_000)
"""0.15 Wh."""


def train(count: int, seed: int, pulse: Fraction = PULSE, jitter: float = 0.1) -> list[Closure]:
    """What an output does that loses nothing: contacts take turns; edges are off by `jitter` pulses at most."""
    chance, at = Random(seed), Fraction(0)
    made = []
    for k in range(count):
        at += Fraction(chance.randint(20, 2000), 1000)
        off = Fraction(chance.uniform(-jitter, jitter))
        made.append(Closure(k, at, (k + off) * pulse, (Contact.KY, Contact.KZ)[k % 2]))
    return made


def numbered(closures: list[Closure]) -> list[Closure]:
    """As a counter numbers what it sees."""
    return [replace(each, number=k) for k, each in enumerate(closures)]


@dataclass(frozen=True)
class Planted:
    place: int
    fault: Fault


@given(seed=st.integers(0, 10**6), wrong=st.fractions(Fraction(-1, 5), Fraction(1, 5)), count=st.integers(2, 60))
def test_a_clean_train_has_no_fault_however_wrong_the_constant(seed: int, wrong: Fraction, count: int) -> None:
    closures = train(count, seed)
    assert judge(closures, PULSE * (1 + wrong)) == []


@settings(max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    places=st.lists(st.integers(1, 9), min_size=1, max_size=6, unique=True),
    data=st.data(),
)
def test_what_is_planted_is_found_and_nothing_else(seed: int, places: list[int], data: st.DataObject) -> None:
    closures = train(110, seed, jitter=0.05)
    kinds = (Fault.MISSED, Fault.DOUBLED, Fault.SWAPPED, Fault.LATE, Fault.EARLY)
    planted = [Planted(10 * place, data.draw(st.sampled_from(kinds))) for place in sorted(places)]
    for each in reversed(planted):  # from the last, so that places stay what they are
        it = closures[each.place]
        match each.fault:
            case Fault.MISSED:
                del closures[each.place]
            case Fault.DOUBLED:
                again = replace(it, at_s=it.at_s + Fraction(1, 200), flowed_nwh=it.flowed_nwh + PULSE / 50)
                closures.insert(each.place + 1, again)
            case Fault.SWAPPED:
                closures[each.place] = replace(it, contact=it.contact.other if it.contact else None)
            case Fault.LATE | Fault.EARLY:
                off = PULSE * 7 / 10 * (1 if each.fault is Fault.LATE else -1)
                closures[each.place] = replace(it, flowed_nwh=it.flowed_nwh + off)
    shift, expected = 0, []
    for each in planted:
        at = each.place + shift
        expected.append((each.fault, 1, at if each.fault is Fault.DOUBLED else at - 1))
        shift += {Fault.MISSED: -1, Fault.DOUBLED: 1}.get(each.fault, 0)
    found = judge(numbered(closures), PULSE)
    assert [(each.fault, each.count, each.after) for each in found] == expected
    for each in found:
        assert each.from_s < each.to_s


def test_closures_that_nobody_stamped_are_no_fault_where_the_counter_has_them() -> None:
    """A counter that is looked at now and then: numbers rise by more than one."""
    seen = [each for each in train(100, 3) if each.number % 3 != 1]
    assert judge(seen, PULSE) == []
    lost = [replace(each, number=each.number - (each.number > 50)) for each in seen if each.number != 50]
    (fault,) = judge(lost, PULSE)
    assert (fault.fault, fault.count, fault.after) == (Fault.MISSED, 1, 48)


def test_a_counter_that_loses_every_other_pulse_is_no_wrong_constant() -> None:
    closures = numbered(train(40, 4, jitter=0)[::2])
    found = judge(closures, PULSE)
    assert len(found) == 19
    assert {each.fault for each in found} == {Fault.MISSED}
    assert pulse_nwh(closures, PULSE) == PULSE


def test_closures_that_stop_coming_are_missed_up_to_the_end() -> None:
    closures = train(10, 5, jitter=0)
    assert judge(closures, PULSE, end=(Fraction(60), PULSE * Fraction(103, 10))) == []
    (fault,) = judge(closures, PULSE, end=(Fraction(60), PULSE * 20))
    assert (fault.fault, fault.count, fault.after, fault.to_s) == (Fault.MISSED, 10, 9, 60)


def test_contacts_that_change_places_for_good_are_one_fault() -> None:
    closures = train(20, 6)
    turned = [replace(c, contact=c.contact.other) if c.contact and c.number >= 7 else c for c in closures]
    (fault,) = judge(turned, PULSE)
    assert (fault.fault, fault.after) == (Fault.SWAPPED, 6)
    assert "number 7 closed the wrong contact" in fault.sentence


@pytest.mark.parametrize(
    ("closures", "words"),
    [
        ([0, 1, 2, 4, 5], "1 closure missed after number 2, between"),
        ([0, 1, 2, 2, 3], "1 closure too many after number 2, between"),
        ([0, 1, 2, 6, 7], "3 closures missed after number 2, between"),
    ],
)
def test_it_is_told_with_number_and_time(closures: list[int], words: str) -> None:
    seen = [Closure(k, Fraction(2 * k), pulse * PULSE) for k, pulse in enumerate(closures)]
    (fault,) = judge(seen, PULSE)
    assert fault.sentence.startswith(words)
    assert "4.000 s and 6.000 s" in fault.sentence


def test_of_nothing_nothing_is_said() -> None:
    assert judge([], PULSE) == []
    assert judge(train(1, 1), PULSE) == []


def test_numbers_that_do_not_rise_are_no_count() -> None:
    with pytest.raises(ValueError, match="each number is higher"):
        judge([Closure(1, Fraction(0), PULSE), Closure(1, Fraction(1), 2 * PULSE)], PULSE)


@pytest.mark.parametrize(
    ("factor", "found"),
    [(Fraction(101, 100), Fraction(101, 100)), (Fraction(5, 4), Fraction(5, 4)), (Fraction(13, 10), 1), (2, 1)],
)
def test_a_pulse_is_what_flows_for_most_of_them_unless_that_is_far_from_the_constant(
    factor: Fraction, found: Fraction
) -> None:
    """Six pulses, and a seventh after a gap of two: what flowed is `factor` of the constant."""
    at = [0, 1, 2, 3, 4, 5, 7]
    closures = [Closure(k, Fraction(k), a * factor * PULSE) for k, a in enumerate(at)]
    assert pulse_nwh(closures, PULSE) == found * PULSE
