"""Sources of truth on a bench: a reference standard read by hand, over a bus, or by its pulses (P-6).

    --truth                what is asked                                                what it gives
    hand                   a person, for volts, amperes and watts of each phase         each phase
    visa:RESOURCE          the instrument: QUERIES for each phase 1, 2, 3               each phase
    pulses:gpio:PIN        a person for volts and amperes; the pulses for watts         watts of all phases together

A standard of three phases says which phase is off; one that counts pulses of all three cannot, so each phase has its
share of the watts.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction
from math import isfinite, sqrt
from typing import Protocol

from calibration.observation import PhaseReading, PointPlan, Readings
from drivers.visa_instrument import VisaInstrument
from rig.calibrate.errors import CalibrateError
from rig.files.numbers import LEAST, MOST, number
from rig.hardware.edge_sources import kernel_edges
from rig.meter.billing.time_units import HOUR_NS
from rig.verify.point import STANDARD
from rig.verify.standard import ReferenceStandard, standard_named

HAND, BUS, PULSES = "hand", "visa:", "pulses:"
KINDS = "hand, visa: and a resource, or pulses: and gpio:PIN or visa: and a resource"

QUERIES = ("MEAS:VOLT{phase}?", "MEAS:CURR{phase}?", "MEAS:POW{phase}?")
"""Volts, amperes and watts of a phase, as SCPI instruments of several channels are asked."""

_CONSTANT_RULE = f'a positive number of Wh up to {MOST}, as text, such as "0.001"'

Ask = Callable[[str], str]
"""Asks a person for a line of text."""


class TruthSource(Protocol):
    """A source of truth. `begin` and `end` are around the time in which the meter is read."""

    def begin(self, plan: PointPlan) -> None: ...

    def end(self, plan: PointPlan) -> Readings: ...

    def close(self) -> None: ...


def reading(volts: float, amperes: float, watts: float, lag_deg: float) -> PhaseReading:
    """A phase from what a standard says of it: vars are what volts, amperes and watts leave, with the sign of the lag
    that was asked for. Raises CalibrateError for watts beyond volt-amperes."""
    apparent = volts * amperes
    if not all(map(isfinite, (volts, amperes, watts))):
        raise CalibrateError("the reference gave no number: see that it is on, and in range")
    if abs(watts) > apparent * 1.001:
        raise CalibrateError(
            f"{watts:g} W are more than {volts:g} V times {amperes:g} A: see the units, and the standard's constant"
        )
    vars_ = sqrt(max(apparent**2 - watts**2, 0.0))
    return PhaseReading(volts, amperes, watts, -vars_ if lag_deg < 0 else vars_)


def truth_named(name: str, constant: str | None, queries: str | None, chip: str, ask: Ask) -> TruthSource:
    """Give the source of truth of --truth. Raises CalibrateError for another name, DriverError for one that cannot be
    had."""
    own = name.removeprefix(PULSES)
    if name != own:
        if constant is None:
            raise CalibrateError(f"{name} gives pulses: say with --truth-constant how many Wh each is")
        wh = number("--truth-constant", constant, _CONSTANT_RULE, LEAST, MOST)
        standard = standard_named(f"{STANDARD}{own}", constant_wh=wh, sources=lambda pins: kernel_edges(chip, pins))
        return Pulses(standard, ask)
    if constant is not None:
        raise CalibrateError(f"--truth-constant is for pulses: leave it out for {name}")
    if name == HAND:
        return Hand(ask)
    if name.startswith(BUS) and name != BUS:
        asked = tuple(queries.split(",")) if queries is not None else QUERIES
        if len(asked) != 3 or not all("{phase}" in query for query in asked):
            raise CalibrateError(
                f"--queries is {queries!r}, it must be three questions with {{phase}}, by commas, such as "
                f"{','.join(QUERIES)}"
            )
        return Bus(name.removeprefix(BUS), (asked[0], asked[1], asked[2]), ask)
    raise CalibrateError(f"--truth is {name!r}, it must be waveform, {KINDS}")


class Hand:
    """A person reads the standard, phase by phase."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def begin(self, plan: PointPlan) -> None:
        """Ask for the load."""
        shares = "" if plan.shares == (1.0, 1.0, 1.0) else f", phases {' : '.join(f'{s:g}' for s in plan.shares)}"
        self._ask(
            f"apply {plan.volts:g} V, {plan.amperes:.4g} A, {plan.lag_deg:g}° lagging, {plan.hz:g} Hz{shares}; Enter "
            "when it is steady"
        )

    def end(self, plan: PointPlan) -> Readings:
        """Ask for what the standard reads."""
        found = [self._phase(k, plan) for k in range(3)]
        return found[0], found[1], found[2]

    def _phase(self, k: int, plan: PointPlan) -> PhaseReading:
        while True:
            words = self._ask(f"phase {'ABC'[k]}: volts, amperes, watts").replace(",", " ").split()
            try:
                volts, amperes, watts = map(float, words)
                return reading(volts, amperes, watts, plan.lag_deg)
            except ValueError:
                self._ask(f"{' '.join(words)!r} is not three numbers, such as 120.01 5.0003 300.05; Enter to try again")
            except CalibrateError as error:
                self._ask(f"{error}; Enter to try again")

    def close(self) -> None:
        """Nothing is held."""


class Bus:
    """An instrument on a bus that says volts, amperes and watts of each phase. The load is a person's."""

    def __init__(self, resource: str, queries: tuple[str, str, str], ask: Ask) -> None:
        self._instrument, self._queries, self._hand = VisaInstrument(resource), queries, Hand(ask)

    def begin(self, plan: PointPlan) -> None:
        """Ask for the load."""
        self._hand.begin(plan)

    def end(self, plan: PointPlan) -> Readings:
        """Read the instrument."""
        found = [self._phase(phase, plan) for phase in (1, 2, 3)]
        return found[0], found[1], found[2]

    def _phase(self, phase: int, plan: PointPlan) -> PhaseReading:
        volts, amperes, watts = (
            self._instrument.number(query.format(phase=phase), "reading", "see --queries") for query in self._queries
        )
        return reading(volts, amperes, watts, plan.lag_deg)

    def close(self) -> None:
        """Let the instrument go."""
        self._instrument.close()


class Pulses:
    """A standard by its pulses: watts between two of its readings; volts and amperes by hand."""

    def __init__(self, standard: ReferenceStandard, ask: Ask, sleep: Callable[[float], None] = time.sleep) -> None:
        self._standard, self._ask, self._hand, self._sleep = standard, ask, Hand(ask), sleep

    def begin(self, plan: PointPlan) -> None:
        """Ask for the load, then take the count."""
        self._hand.begin(plan)
        self._standard.poll()
        self._first = self._next()

    def end(self, plan: PointPlan) -> Readings:
        """Take the count again, and ask for volts and amperes."""
        wh, ns = self._next()
        watts = float((wh - self._first[0]) * HOUR_NS / (ns - self._first[1]))
        while True:
            words = self._ask("volts, and amperes of phase A").replace(",", " ").split()
            try:
                volts, amperes = map(float, words)
                a, b, c = (
                    reading(volts, amperes * share, watts * share / sum(plan.shares), plan.lag_deg)
                    for share in (each / plan.shares[0] for each in plan.shares)
                )
                return a, b, c
            except ValueError:
                self._ask(f"{' '.join(words)!r} is not two numbers, such as 120.01 5.0003; Enter to try again")

    def _next(self) -> tuple[Fraction, int]:
        """The next reading that comes, within a minute."""
        for _ in range(600):
            if readings := self._standard.poll():
                return readings[-1].wh, readings[-1].at_ns
            self._sleep(0.1)
        raise CalibrateError(f"{self._standard.name} gave no pulse for a minute: see its wire, and its constant")

    def close(self) -> None:
        """Let the standard go."""
        self._standard.close()
