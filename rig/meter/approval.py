"""The configurations that the notice approves: elements, service and current classes (M-8).

    elements   service          classes            where
    1          1-phase 2-wire   10, 20, 200        Rev. 10
    1.5        1-phase 3-wire   20, 200            Rev. 10
    2          3-wire network   200                Rev. 10
    2          3-wire delta     20                 Rev. 10
    2.5        4-wire wye       20                 Rev. 10
    2.5        4-wire delta     20                 Rev. 10
    2          1-phase 3-wire   10, 20, 200, 320   ratings
    3          4-wire wye       10, 20, 200, 320   ratings
    3          4-wire delta     10, 20, 200, 320   ratings

The ratings list classes, and elements with their services, apart; Rev. 10 names pairs. Where it names any for a number
of elements on a service, those are taken; else all classes of the ratings.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from rig.meter.measuring.elements import Form

_EVERY_CLASS = frozenset({10, 20, 200, 320})


@dataclass(frozen=True)
class ApprovedConfiguration:
    """A row: `where` the notice has it."""

    elements: Fraction
    service: str
    classes: frozenset[int]
    where: str


APPROVED_CONFIGURATIONS = (
    ApprovedConfiguration(Fraction(1), "1-phase 2-wire", frozenset({10, 20, 200}), "Rev. 10"),
    ApprovedConfiguration(Fraction(3, 2), "1-phase 3-wire", frozenset({20, 200}), "Rev. 10"),
    ApprovedConfiguration(Fraction(2), "3-wire network", frozenset({200}), "Rev. 10"),
    ApprovedConfiguration(Fraction(2), "3-wire delta", frozenset({20}), "Rev. 10"),
    ApprovedConfiguration(Fraction(5, 2), "4-wire wye", frozenset({20}), "Rev. 10"),
    ApprovedConfiguration(Fraction(5, 2), "4-wire delta", frozenset({20}), "Rev. 10"),
    ApprovedConfiguration(Fraction(2), "1-phase 3-wire", _EVERY_CLASS, "ratings"),
    ApprovedConfiguration(Fraction(3), "4-wire wye", _EVERY_CLASS, "ratings"),
    ApprovedConfiguration(Fraction(3), "4-wire delta", _EVERY_CLASS, "ratings"),
)


def approved(elements: Fraction, service: str, current_class: int) -> bool:
    """Return whether a row of the notice has this combination of elements, service and current class."""
    return any(
        (row.elements, row.service) == (elements, service) and current_class in row.classes
        for row in APPROVED_CONFIGURATIONS
    )


def unapproved_services(form: Form, current_class: int, service: str | None) -> tuple[str, ...]:
    """The services that a form of a class can be on, or the one that is programmed, which the notice does not name."""
    services = form.services if service is None else (service,)
    return tuple(name for name in services if not approved(form.elements, name, current_class))
