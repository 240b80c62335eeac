"""Point of a verification, as asked for by the options of `rig verify`, or in a series."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated

import msgspec

from rig.files.numbers import LEAST, MOST, number
from rig.meter.contacts.outputs import OutputId
from rig.verify.counters import check_counter
from rig.verify.errors import VerifyError
from rig.verify.frequency import FREQUENCY
from rig.verify.plan import LIMIT_PERCENT, Plan

OUTPUTS = "led, kyz1, kyz2, kyz3 or kyz4"
REFERENCES = ("meter", "source")
STANDARD = "standard:"

_RULE = f'a positive number up to {MOST}, as text, such as "0.15" or "69/115"'


class Point(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One verification: `output` is counted by `counter` against `reference`, with a load where one is given.

    `energy_wh` and constants are exact numbers as text. What they may be: docs/verification.md.
    """

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    output: str = "kyz1"
    load: str | None = None
    counter: str = "fpga"
    counter_query: str | None = None
    counter_uncertainty_percent: Annotated[float, msgspec.Meta(ge=0, le=100)] = 0.0
    reference: str = "meter"
    pulses: int | None = None
    seconds: float | None = None
    energy_wh: str | None = None
    uncertainty_percent: float | None = None
    limit_percent: float = LIMIT_PERCENT
    constant_wh: str | None = None
    standard_constant_wh: str | None = None
    standard_query: str | None = None
    standard_uncertainty_percent: Annotated[float, msgspec.Meta(ge=0, le=100)] = 0.0
    repeat: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1

    def check(self) -> None:
        """Raise VerifyError or ConfigError for what cannot be."""
        _ = self.plan, self.output_id, self.constant, self.standard_constant
        check_counter(self.counter)
        for flag, percent in (
            ("--counter-uncertainty", self.counter_uncertainty_percent),
            ("--standard-uncertainty", self.standard_uncertainty_percent),
        ):
            if not 0 <= percent <= 100:
                raise VerifyError(f"{flag} is {percent:g}, it must be 0 to 100 percent")
        if self.counter_uncertainty_percent and not self.counter.startswith(FREQUENCY):
            raise VerifyError(
                f"--counter-uncertainty is for --counter {FREQUENCY}…, whose seconds are its own: leave it out"
            )
        if self.standard:
            if self.load is not None:
                raise VerifyError("--load is for a simulated meter, whose load no standard can measure: leave it out")
            return
        if self.reference not in REFERENCES:
            raise VerifyError(
                f"--reference is {self.reference!r}, it must be {', '.join(REFERENCES)} or {STANDARD} and what it is"
            )
        for flag, given in (
            ("--standard-constant", self.standard_constant_wh),
            ("--standard-query", self.standard_query),
            ("--standard-uncertainty", self.standard_uncertainty_percent),
        ):
            if given:
                raise VerifyError(f"{flag} is for --reference {STANDARD}…: leave it out")

    @property
    def standard(self) -> bool:
        """True if the reference is a standard."""
        return self.reference.startswith(STANDARD)

    @property
    def standard_constant(self) -> Fraction | None:
        """Energy that a pulse of the standard stands for, in Wh; None: not given."""
        if self.standard_constant_wh is None:
            return None
        return number("standard_constant_wh", self.standard_constant_wh, _RULE, LEAST, MOST)

    @property
    def plan(self) -> Plan:
        """Plan of the count, and its limits for passing."""
        return Plan(
            pulses=self.pulses,
            seconds=self.seconds,
            energy_wh=None if self.energy_wh is None else number("energy_wh", self.energy_wh, _RULE, LEAST, MOST),
            uncertainty_percent=self.uncertainty_percent,
            limit_percent=self.limit_percent,
            repeats=self.repeat,
        )

    @property
    def output_id(self) -> OutputId:
        """Output that is verified."""
        for output in OutputId:
            if self.output.lower() == output.label.lower():
                return output
        raise VerifyError(f"--output is {self.output!r}, it must be {OUTPUTS}")

    @property
    def constant(self) -> Fraction | None:
        """Constant that a pulse should stand for, in Wh; None: what the meter is programmed for."""
        return None if self.constant_wh is None else number("constant_wh", self.constant_wh, _RULE, LEAST, MOST)
