"""Meters beside ours, of gas or water, that the daughter board of TS2 MU hears by RF (X-4): simulated.

Nothing of them reaches the meter: the notice has the board receive "information external to the meter" and pass it to
the TS2. A simulated one counts evenly, so at any instant it is its rate times the time since EPOCH_NS.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec

from rig.errors import RigError
from rig.meter.billing.time_units import HOUR_NS

EPOCH_NS = 1_767_225_600 * 10**9
"""2026-01-01, UTC."""

MOST_AN_HOUR = 1_000_000
MOST_METERS = 16
"""As far as a list that is typed goes; the notice gives no number."""

_FORM = re.compile(r"(?P<name>[\w-]{1,20})=(?P<an_hour>\d{1,7})(?!\n)")


class ExternalError(RigError):
    """An external meter that cannot be: one sentence with what would be right."""


class ExternalReading(msgspec.Struct, frozen=True):
    """The count of a meter beside ours; `simulated` is always true here."""

    name: str
    utc_ns: int
    count: int
    simulated: bool = True


@dataclass(frozen=True, slots=True)
class ExternalMeter:
    """A simulated meter that gives so many counts an hour."""

    name: str
    an_hour: int

    @classmethod
    def parse(cls, text: str) -> ExternalMeter:
        """Make one of text such as "water-4711=36". Raises ExternalError."""
        found = _FORM.fullmatch(text)
        if found is None or not 0 <= int(found["an_hour"]) <= MOST_AN_HOUR:
            raise ExternalError(
                f"{text[:40]!r} is no external meter: give its name and counts an hour up to {MOST_AN_HOUR}, such as "
                "water-4711=36"
            )
        return cls(found["name"], int(found["an_hour"]))

    def read(self, utc_ns: int) -> ExternalReading:
        """Give its count at an instant, UTC in ns; before EPOCH_NS it had none."""
        return ExternalReading(self.name, utc_ns, max(0, utc_ns - EPOCH_NS) * self.an_hour // HOUR_NS)


def external_meters(texts: list[str]) -> list[ExternalMeter]:
    """Give the meters of several texts. Raises ExternalError for one named twice, or too many."""
    meters = [ExternalMeter.parse(text) for text in texts]
    names = [meter.name for meter in meters]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ExternalError(f"external meter {twice[0]!r} is given twice: give each its own name")
    if len(meters) > MOST_METERS:
        raise ExternalError(f"{len(meters)} external meters are given: up to {MOST_METERS} can be heard here")
    return meters
