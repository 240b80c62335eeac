"""Meter forms and their element equations, as one table.

The rig senses the three phases against one common point, x = (v1 v2 v3 i1 i2 i3) = (va vb vc ia ib ic). What
a meter of some form would register on a service is a sum over its elements of

    scale · (combination of phase voltages) · (combination of phase currents)

so a form is a few signs. Requirements M-3 and M-5; equations from facts/meter-domain.md §3.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

PHASES = "abc"
Weights = tuple[Fraction, Fraction, Fraction]


class FormError(ValueError):
    """An unknown form, service or current class: one sentence that lists the known ones."""


@dataclass(frozen=True)
class Element:
    """One product: `volts` and `amperes` are signed sums of phases, such as "a", "a-b" or "-a-c"."""

    volts: str
    amperes: str
    scale: Fraction = Fraction(1)

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
    """What a form registers on one service. Real power is the sum over `elements`.

    `exact_when` is the condition under which that sum is the true power; "" where Blondel's theorem makes it
    so.
    """

    service: str
    wires: int
    elements: tuple[Element, ...]
    exact_when: str = ""


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
        raise FormError(
            f'form {self.name} does not meter the service "{service}": choose {_or(self.services)}'
        )


_HALF = Fraction(1, 2)

_TWO_WIRE = ElementEquation("1-phase 2-wire", 2, (Element("a", "a"),))
_TWO_WIRES_OF_NETWORK = (Element("a", "a"), Element("b", "b"))
_DELTA_3W = ElementEquation("3-wire delta", 3, (Element("a-b", "a"), Element("c-b", "c")))
_NETWORK = ElementEquation("3-wire network", 3, _TWO_WIRES_OF_NETWORK)
_SINGLE_PHASE_3W = ElementEquation("1-phase 3-wire", 3, _TWO_WIRES_OF_NETWORK)
_HALF_ELEMENT = ElementEquation(
    # The coil in the second line is wound the other way, so the currents of both lines add.
    "1-phase 3-wire",
    3,
    (Element("a-b", "a-b", _HALF),),
    exact_when="Va = -Vb",
)
_WYE_TWO_ELEMENTS = ElementEquation(
    "4-wire wye", 4, (Element("a", "a-b"), Element("c", "c-b")), exact_when="Va + Vb + Vc = 0"
)
_DELTA_TWO_ELEMENTS = ElementEquation(
    "4-wire delta", 4, (Element("a-c", "a-c", _HALF), Element("b", "b")), exact_when="Va = -Vc"
)
_WYE_TWO_AND_A_HALF = ElementEquation(
    "4-wire wye",
    4,
    (Element("a", "a"), Element("-a-c", "b"), Element("c", "c")),
    exact_when="Va + Vb + Vc = 0",
)
_THREE_ELEMENTS = (Element("a", "a"), Element("b", "b"), Element("c", "c"))
_WYE = ElementEquation("4-wire wye", 4, _THREE_ELEMENTS)
_DELTA = ElementEquation("4-wire delta", 4, _THREE_ELEMENTS)

_TWO_ELEMENTS = (_DELTA_3W, _NETWORK, _SINGLE_PHASE_3W)
_TWO_ELEMENTS_NETWORK = (_NETWORK, _SINGLE_PHASE_3W, _DELTA_3W)

FORMS: dict[str, Form] = {
    form.name: form
    for form in (
        Form("1S", Fraction(1), (_TWO_WIRE,)),
        Form("3S", Fraction(1), (_TWO_WIRE,)),
        Form("2S", Fraction(3, 2), (_HALF_ELEMENT,)),
        Form("4S", Fraction(3, 2), (_HALF_ELEMENT,)),
        Form("5S", Fraction(2), (*_TWO_ELEMENTS, _WYE_TWO_ELEMENTS, _DELTA_TWO_ELEMENTS)),
        Form("45S", Fraction(2), (*_TWO_ELEMENTS, _WYE_TWO_ELEMENTS, _DELTA_TWO_ELEMENTS)),
        Form("12S", Fraction(2), _TWO_ELEMENTS_NETWORK),
        Form("25S", Fraction(2), _TWO_ELEMENTS_NETWORK),
        Form("6S", Fraction(5, 2), (_WYE_TWO_AND_A_HALF,)),
        Form("14S", Fraction(5, 2), (_WYE_TWO_AND_A_HALF,)),
        Form("36S", Fraction(5, 2), (_WYE_TWO_AND_A_HALF,)),
        Form("46S", Fraction(5, 2), (_WYE_TWO_AND_A_HALF,)),
        Form("8S", Fraction(3), (_DELTA,)),
        Form("15S", Fraction(3), (_DELTA,)),
        Form("9S", Fraction(3), (_WYE, _DELTA)),
        Form("16S", Fraction(3), (_WYE, _DELTA)),
    )
}
"""Every form whose element equation is known."""


def form_named(name: str) -> Form:
    """A form by its name in either case, such as "9S". Raises FormError."""
    try:
        return FORMS[name.upper()]
    except KeyError:
        raise FormError(f'form "{name}" is not known: choose {_or(tuple(FORMS))}') from None


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
