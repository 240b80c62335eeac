"""Every closure's verdict: which are missing, which came twice, which came on the wrong contact (P-2, P-6).

A pulse comes each time that the constant has flowed, so between two closures that were seen, whole multiples of it
have. How many closures there should be is that number, and how many there were the counter says:

    energy between two closures seen, in pulses    closures counted    verdict
    as many                                        as many             in order
    more                                           fewer               so many missed
    fewer                                          more                so many doubled
    one too many, then one too few                                     the one between was displaced: late
    one too few, then one too many                                     the one between was displaced: early

and the contacts of a form C take turns: after an odd number of pulses it is the other one that closes, after an even
number the same. One that should be the other is swapped.

A constant that is wrong shifts all of it evenly. That is no missing closure, but the error that is measured: so what
counts as a pulse here is the median of what flowed for one, where that is within CONSTANT_SHARE of the constant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from itertools import pairwise
from math import floor

from rig.verify.read_closures import ROUGH, moves

CONSTANT_SHARE = Fraction(1, 4)
"""A constant is wrong by less; a counter that loses every other pulse is wrong by more, and loses pulses."""

HALF = Fraction(1, 2)


class Contact(Enum):
    """The contact of a form C that closed."""

    KY = "K-Y"
    KZ = "K-Z"

    @property
    def other(self) -> Contact:
        """The one that closes next."""
        return Contact.KZ if self is Contact.KY else Contact.KY


class Fault(Enum):
    """Fault of a closure."""

    MISSED = "missed"
    DOUBLED = "doubled"
    SWAPPED = "swapped"
    LATE = "late"
    EARLY = "early"
    BOTH_CLOSED = "both closed"


@dataclass(frozen=True)
class Closure:
    """A closure (or a flash) that was seen: its number by the counter, when, and what had flowed by its instant.
    `half_nwh` is half of what flowed in all the time in which it can have come; 0 where it was stamped.

    Numbers of those seen rise by more than one where the counter counted some that nobody stamped.
    """

    number: int
    at_s: Fraction
    flowed_nwh: Fraction
    contact: Contact | None = None
    half_nwh: Fraction = Fraction(0)


@dataclass(frozen=True)
class ClosureFault:
    """A fault: `count` closures, after number `after` by the counter, between two instants.

    Of one that was swapped, late or early the second instant is its own.
    """

    fault: Fault
    count: int
    after: int
    from_s: Fraction
    to_s: Fraction

    @property
    def sentence(self) -> str:
        """It, for a person."""
        when = f"between {float(self.from_s):.3f} s and {float(self.to_s):.3f} s"
        match self.fault:
            case Fault.MISSED:
                some = "1 closure" if self.count == 1 else f"{self.count} closures"
                return f"{some} missed after number {self.after}, {when}"
            case Fault.DOUBLED:
                some = "1 closure" if self.count == 1 else f"{self.count} closures"
                return f"{some} too many after number {self.after}, {when}: doubled"
            case Fault.SWAPPED:
                at = f"at {float(self.to_s):.3f} s"
                return f"number {self.after + 1} closed the wrong contact, {at}: K–Y and K–Z swapped"
            case Fault.BOTH_CLOSED:
                return f"both contacts closed, or one closed twice running, {self.count} times, {when}"
            case _:
                at = f"at {float(self.to_s):.3f} s"
                return f"number {self.after + 1} came {self.fault.value} by half a pulse or more, {at}"


@dataclass(frozen=True)
class _Gap:
    """Gap between two closures seen."""

    before: Closure
    after: Closure
    due: int

    @property
    def counted(self) -> int:
        return self.after.number - self.before.number

    @property
    def surplus(self) -> int:
        """Number of closures that are missing; negative: too many."""
        return self.due - self.counted

    def fault(self, fault: Fault, count: int = 1) -> ClosureFault:
        return ClosureFault(fault, count, self.before.number, self.before.at_s, self.after.at_s)


def pulse_nwh(closures: Sequence[Closure], constant_nwh: Fraction) -> Fraction:
    """Give what flows for one pulse: the median of the gaps, each as often as it counts; the constant where that is
    too far from it."""
    rates = sorted(
        ((b.flowed_nwh - a.flowed_nwh) / (b.number - a.number), b.number - a.number) for a, b in pairwise(closures)
    )
    half, passed = sum(weight for _, weight in rates) / 2, 0
    for rate, weight in rates:
        passed += weight
        if passed >= half:
            near = abs(rate - constant_nwh) <= CONSTANT_SHARE * constant_nwh
            return rate if near else constant_nwh
    return constant_nwh


def judge(
    closures: Sequence[Closure], constant_nwh: Fraction, end: tuple[Fraction, Fraction] | None = None
) -> list[ClosureFault]:
    """Give what is wrong with closures that were seen, in order of their instants.

    `end` is the instant up to which the counter was watched, and what had flowed by it. Raises ValueError for numbers
    that do not rise.
    """
    if any(b.number <= a.number for a, b in pairwise(closures)):
        raise ValueError("closures are numbered as they come: each number is higher than the one before")
    if not closures:
        return []
    pulse = pulse_nwh(closures, constant_nwh)
    if max(each.half_nwh for each in closures) > ROUGH * pulse:
        return [*_judge_read(closures, constant_nwh), *_stopped(closures[-1], pulse, end)]
    gaps = [_Gap(a, b, floor((b.flowed_nwh - a.flowed_nwh) / pulse + HALF)) for a, b in pairwise(closures)]
    found: list[ClosureFault] = []
    k = 0
    while k < len(gaps):
        gap, following = gaps[k], gaps[k + 1] if k + 1 < len(gaps) else None
        if following is not None and gap.surplus and gap.surplus == -following.surplus and abs(gap.surplus) == 1:
            found.append(gap.fault(Fault.LATE if gap.surplus > 0 else Fault.EARLY))
            k += 2
            continue
        if gap.surplus > 0:
            found.append(gap.fault(Fault.MISSED, gap.surplus))
        elif gap.surplus < 0:
            found.append(gap.fault(Fault.DOUBLED, -gap.surplus))
        if _swapped(gap):
            found.append(gap.fault(Fault.SWAPPED))
            if following is not None and not following.surplus and _swapped(following):
                k += 1  # the next one is where it would have been: one closure was wrong, not two
        k += 1
    return [*found, *_stopped(closures[-1], pulse, end)]


def _judge_read(closures: Sequence[Closure], constant_nwh: Fraction) -> list[ClosureFault]:
    """Judge closures that came between two readings of their counter."""
    found = moves(
        [each.number for each in closures],
        [each.flowed_nwh for each in closures],
        [each.half_nwh for each in closures],
        constant_nwh,
    )
    return [
        ClosureFault(
            Fault.MISSED if each.pulses > 0 else Fault.DOUBLED,
            abs(each.pulses),
            closures[each.before].number,
            closures[each.before].at_s,
            closures[each.after].at_s,
        )
        for each in found
    ]


def _stopped(last: Closure, pulse: Fraction, end: tuple[Fraction, Fraction] | None) -> list[ClosureFault]:
    """Give those that are missing from the last closure to the end."""
    missing = 0 if end is None else floor((end[1] - last.flowed_nwh) / pulse - HALF)
    if end is None or missing <= 0:
        return []
    return [ClosureFault(Fault.MISSED, missing, last.number, last.at_s, end[0])]


def _swapped(gap: _Gap) -> bool:
    """Return whether a closure came on the wrong contact: the pulses that were due say which it should have been."""
    before, after = gap.before.contact, gap.after.contact
    if before is None or after is None or gap.due <= 0:
        return False
    return (after is before.other) != bool(gap.due % 2)
