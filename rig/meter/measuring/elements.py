"""Meter forms, the services they meter and their element equations, as two tables.

The rig senses the three phases against one common point, x = (v1 v2 v3 i1 i2 i3) = (va vb vc ia ib ic). What
a meter of some form would register on a service is a sum over its elements of

    scale · (combination of phase voltages) · (combination of phase currents)

so a form is a few signs, and a service is the voltages and currents to expect. The common point is the service's
neutral; on a 3-wire delta, which has none, it is phase B, as in a meter of two elements. A new form or service is a
row. Requirements M-3, M-4 and M-5.
"""

from __future__ import annotations

import re
from cmath import rect
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from functools import cached_property
from math import radians, sqrt

from rig.errors import RigError

PHASES = "abc"
Weights = tuple[Fraction, Fraction, Fraction]


class FormError(RigError):
    """An unknown form, service or current class: one sentence that lists the known ones."""


# --- services -------------------------------------------------------------------------------------------


class Rotation(Enum):
    """The order in which the phases pass through zero. Lags are given for ABC; for CBA they are the negative."""

    ABC = 1
    CBA = -1


Phasor = tuple[float, float]
"""Size in units of phase A's voltage, and by how many degrees it lags that voltage in rotation ABC."""


@dataclass(frozen=True)
class ServiceType:
    """A service, and what to expect of it where it is as it should be.

    `label` is its name on the display, `phases` (1 or 3) and `wires` are those of a nameplate. `volts` are the
    voltages it comes in: r.m.s. of phase A against the common point. `voltages` are those of phases a b c, None where
    there is none to sense. `current_lags` are the degrees by which the line currents of a balanced load of unity power
    factor lag phase A's voltage; a single-phase load on a delta shifts them by up to `spread_deg`.
    """

    name: str
    label: str
    phases: int
    wires: int
    volts: tuple[int, ...]
    voltages: tuple[Phasor | None, ...]
    current_lags: tuple[float | None, ...]
    spread_deg: float = 0.0

    @property
    def elements(self) -> int:
        """Elements needed to meter it exactly, whatever its voltages and currents: one less than wires (Blondel)."""
        return self.wires - 1

    @property
    def rotates(self) -> bool:
        """True if its phases have an order: not where they all lie along one line."""
        return any(phasor is not None and phasor[1] % 180 for phasor in self.voltages)

    def phasors(self, rotation: Rotation | None) -> tuple[complex, ...]:
        """The expected voltages of a b c in units of phase A's, which is at angle 0; 0 where there is none."""
        turn = -(rotation or Rotation.ABC).value
        return tuple(rect(p[0], turn * radians(p[1])) if p else 0j for p in self.voltages)


_ALONG = (1.0, 0.0)

SERVICES: dict[str, ServiceType] = {
    service.name: service
    for service in (
        ServiceType(
            "4-wire wye", "4WY", 3, 4, (120, 240, 277), (_ALONG, (1.0, 120.0), (1.0, 240.0)), (0.0, 120.0, 240.0)
        ),
        ServiceType(
            # The common point is the middle of A–C, so B is the high leg: 208 V where A and C have 120 V.
            "4-wire delta", "4WD", 3, 4, (120, 240), (_ALONG, (sqrt(3), 90.0), (1.0, 180.0)), (330.0, 90.0, 210.0), 30.0
        ),
        ServiceType("3-wire network", "NET", 3, 3, (120,), (_ALONG, (1.0, 120.0), None), (0.0, 120.0, None)),
        ServiceType("1-phase 3-wire", "1P3W", 1, 3, (120, 240), (_ALONG, (1.0, 180.0), None), (0.0, 180.0, None)),
        ServiceType(
            # Voltages of A and C against B.
            "3-wire delta", "3WD", 3, 3, (120, 240, 480), (_ALONG, None, (1.0, 300.0)), (30.0, 150.0, 270.0), 30.0
        ),
        ServiceType("1-phase 2-wire", "1P2W", 1, 2, (120, 240, 277, 480), (_ALONG, None, None), (0.0, None, None)),
    )
}  # fmt: skip
"""Every service, in the order in which detection prefers one to another that fits as well (M-4): those whose neutral is
the common point before those that have none there, and more wires before fewer."""


# --- element equations ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Element:
    """One product: `volts` and `amperes` are signed sums of phases, such as "a", "a-b" or "-a-c".

    `sensed` is false where no coil senses that voltage, and the meter makes it of the others.
    """

    volts: str
    amperes: str
    scale: Fraction = Fraction(1)
    sensed: bool = True

    @property
    def volt_weights(self) -> Weights:
        """The weights of v1 v2 v3 in the element's voltage."""
        return _weights(self.volts)

    @property
    def ampere_weights(self) -> Weights:
        """The weights of i1 i2 i3 in the element's current."""
        return _weights(self.amperes)


def _weights(text: str) -> Weights:
    signs = {phase: Fraction(-1 if sign == "-" else 1) for sign, phase in re.findall(r"([+-]?)([abc])", text)}
    a, b, c = (signs.get(phase, Fraction(0)) for phase in PHASES)
    return a, b, c


@dataclass(frozen=True)
class ElementEquation:
    """Equation by which a form registers one service. Real power is the sum over `elements`.

    `exact_when` is the condition under which that sum is the true power; "" where Blondel's theorem makes it
    so.
    """

    service: str
    elements: tuple[Element, ...]
    exact_when: str = ""

    @property
    def service_type(self) -> ServiceType:
        """The service's row of the table."""
        return SERVICES[self.service]

    @property
    def wires(self) -> int:
        """Number of wires of the service."""
        return self.service_type.wires

    @property
    def sensed(self) -> tuple[Element, ...]:
        """The elements whose voltage a coil senses: detection and diagnostics know no others (M-4)."""
        return tuple(e for e in self.elements if e.sensed)

    @cached_property
    def sensed_phases(self) -> str:
        """The phases that come to a coil that senses, alone or against another, such as "abc" of a 3-wire delta."""
        weights = [e.volt_weights for e in self.sensed]
        return "".join(phase for k, phase in enumerate(PHASES) if any(w[k] for w in weights))

    @property
    def volt_phases(self) -> str:
        """The phases whose voltages the service has and a coil senses, alone or against another, such as "ac"."""
        weights = zip(*(e.volt_weights for e in self.sensed), strict=True)
        there = zip(PHASES, self.service_type.voltages, weights, strict=True)
        return "".join(phase for phase, phasor, senses in there if phasor is not None and any(senses))

    @property
    def nominal_volts(self) -> frozenset[float]:
        """The voltages of its service, r.m.s. at the coils that sense them, in all that it comes in."""
        service = self.service_type
        sensed = [phasor[0] for phase, phasor in zip(PHASES, service.voltages, strict=True)
                  if phasor is not None and phase in self.volt_phases]  # fmt: skip
        return frozenset(volts * share for volts in service.volts for share in sensed)

    @property
    def phases(self) -> str:
        """The phases whose currents are measured, such as "ac"."""
        weights = [e.ampere_weights for e in self.elements]
        return "".join(phase for k, phase in enumerate(PHASES) if any(w[k] for w in weights))


@dataclass(frozen=True)
class Form:
    """A meter form: its number of elements (1.5 and 2.5 included) and its equation for each service."""

    name: str
    elements: Fraction
    equations: tuple[ElementEquation, ...]

    @property
    def services(self) -> tuple[str, ...]:
        """The services the form can meter, the usual one first."""
        return tuple(e.service for e in self.equations)

    def equation(self, service: str | None = None) -> ElementEquation:
        """The equation for a service, by default the form's usual one. Raises FormError."""
        if service is None:
            return self.equations[0]
        for equation in self.equations:
            if equation.service == service:
                return equation
        raise FormError(f'form {self.name} does not meter the service "{service}": choose {_or(self.services)}')

    def on(self, service: str) -> Form:
        """The same form where it can be on that service only, as it was programmed. Raises FormError."""
        return Form(self.name, self.elements, (self.equation(service),))


_HALF = Fraction(1, 2)

_TWO_WIRE = ElementEquation("1-phase 2-wire", (Element("a", "a"),))
_TWO_WIRES_OF_NETWORK = (Element("a", "a"), Element("b", "b"))
_DELTA_3W = ElementEquation("3-wire delta", (Element("a-b", "a"), Element("c-b", "c")))
_NETWORK = ElementEquation("3-wire network", _TWO_WIRES_OF_NETWORK)
_SINGLE_PHASE_3W = ElementEquation("1-phase 3-wire", _TWO_WIRES_OF_NETWORK)
_HALF_ELEMENT = ElementEquation(
    # The coil in the second line is wound the other way, so the currents of both lines add.
    "1-phase 3-wire",
    (Element("a-b", "a-b", _HALF),),
    exact_when="Va = -Vb",
)
_WYE_TWO_ELEMENTS = ElementEquation(
    "4-wire wye", (Element("a", "a-b"), Element("c", "c-b")), exact_when="Va + Vb + Vc = 0"
)
_DELTA_TWO_COILS = ElementEquation(
    # The lighting lines as in 1.5 elements, one coil across A-C and half of each current, and one element for the high
    # leg: two voltage coils, and so "2.5 elements" of the notice where three currents come to them (decision 065).
    "4-wire delta",
    (Element("a-c", "a-c", _HALF), Element("b", "b")),
    exact_when="Va = -Vc",
)
_WYE_TWO_AND_A_HALF = ElementEquation(
    "4-wire wye",
    (Element("a", "a"), Element("-a-c", "b", sensed=False), Element("c", "c")),
    exact_when="Va + Vb + Vc = 0",
)
_THREE_ELEMENTS = (Element("a", "a"), Element("b", "b"), Element("c", "c"))
_WYE = ElementEquation("4-wire wye", _THREE_ELEMENTS)
_DELTA = ElementEquation("4-wire delta", _THREE_ELEMENTS)

_TWO_ELEMENTS = (_DELTA_3W, _NETWORK, _SINGLE_PHASE_3W)
_TWO_ELEMENTS_NETWORK = (_NETWORK, _SINGLE_PHASE_3W, _DELTA_3W)
_TWO_AND_A_HALF_ELEMENTS = (_WYE_TWO_AND_A_HALF, _DELTA_TWO_COILS)

FORMS: dict[str, Form] = {
    form.name: form
    for form in (
        Form("1S", Fraction(1), (_TWO_WIRE,)),
        Form("3S", Fraction(1), (_TWO_WIRE,)),
        Form("2S", Fraction(3, 2), (_HALF_ELEMENT,)),
        Form("4S", Fraction(3, 2), (_HALF_ELEMENT,)),
        Form("5S", Fraction(2), (*_TWO_ELEMENTS, _WYE_TWO_ELEMENTS, _DELTA_TWO_COILS)),
        Form("45S", Fraction(2), (*_TWO_ELEMENTS, _WYE_TWO_ELEMENTS, _DELTA_TWO_COILS)),
        Form("12S", Fraction(2), _TWO_ELEMENTS_NETWORK),
        Form("25S", Fraction(2), _TWO_ELEMENTS_NETWORK),
        Form("6S", Fraction(5, 2), _TWO_AND_A_HALF_ELEMENTS),
        Form("14S", Fraction(5, 2), _TWO_AND_A_HALF_ELEMENTS),
        Form("36S", Fraction(5, 2), _TWO_AND_A_HALF_ELEMENTS),
        Form("46S", Fraction(5, 2), _TWO_AND_A_HALF_ELEMENTS),
        Form("8S", Fraction(3), (_DELTA,)),
        Form("15S", Fraction(3), (_DELTA,)),
        Form("9S", Fraction(3), (_WYE, _DELTA)),
        Form("16S", Fraction(3), (_WYE, _DELTA)),
    )
}
"""Every form whose element equation is known."""

UNPUBLISHED = ("17S",)
"""Forms that the requirement lists (M-3) and whose element equation no source gives."""


def form_named(name: str) -> Form:
    """A form by its name in either case, such as "9S". Raises FormError."""
    try:
        return FORMS[name.upper()]
    except KeyError:
        known = name.upper() not in UNPUBLISHED
        why = "is not known" if known else "cannot be metered, its element equation is not published"
        raise FormError(f'form "{name}" {why}: choose {_or(tuple(FORMS))}') from None


# --- test constant --------------------------------------------------------------------------------------

TEST_AMPERES: dict[int, Fraction] = {
    10: Fraction(5, 4),
    20: Fraction(5, 2),
    200: Fraction(30),
    320: Fraction(50),
}
"""Test current TA by current class (M-5)."""

_KS_ELEMENTS = {Fraction(3, 2): Fraction(1), Fraction(5, 2): Fraction(3)}
_LEGIBLE_PLATES = frozenset({("45S", 20), ("4S", 20), ("12S", 200), ("36S", 20), ("6S", 20)})
"""Forms and classes whose nameplate can be read in the approval notice."""


@dataclass(frozen=True)
class Ks:
    """The test constant, watt-hours per pulse. `on_plate` is false where the rule of M-5 infers it."""

    wh: Fraction
    on_plate: bool


def ks_of(form: Form, current_class: int) -> Ks:
    """Ks = 240 V · TA · n / 1000 (M-5), n counting 1.5 elements as 1 and 2.5 as 3. Raises FormError."""
    try:
        amperes = TEST_AMPERES[current_class]
    except KeyError:
        classes = tuple(str(c) for c in TEST_AMPERES)
        raise FormError(f"current class {current_class} is not known: choose {_or(classes)}") from None
    n = _KS_ELEMENTS.get(form.elements, form.elements)
    return Ks(240 * amperes * n / 1000, (form.name, current_class) in _LEGIBLE_PLATES)


def _or(names: tuple[str, ...]) -> str:
    return " or ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]
