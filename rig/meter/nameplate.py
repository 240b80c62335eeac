"""Nameplate of a meter, derived from model, form, current class and ratios (M-2, M-5).

Four plates of the notice can be read: form 45S, 4S and 36/6S of class 20, 12S of class 200. On them

    Ks = 240 V · TA · n / 1000,   K = Ks/12,   MAX = V · I · n

n counting 1.5 elements as 1 and 2.5 as 3. I is the current class. V is 480 V; with four wires 277 V, its phase
voltage; with 1.5 elements 240 V, as form 4S has it. Other forms and classes follow the same rules, and say so.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from rig.errors import RigError
from rig.meter.contacts.pulses import least_kp
from rig.meter.measuring.elements import Form, Ks, ks_of
from rig.meter.models import MeterModel, ModelCapability

AE_NUMBER = "0764"
"""Of the notice of approval."""

HERTZ = 60
"""As printed. The rig meters 50 Hz as well (M-2)."""

LEAST_AMPERES: dict[int, Fraction] = {
    10: Fraction(1, 10),
    20: Fraction(1, 5),
    200: Fraction(2),
    320: Fraction(3),
}
"""Where the range of a current class begins (M-2)."""

MOST_VOLTS = 480
_MOST_VOLTS_4W = 277
_HALF_ELEMENT_VOLTS = 240

_REMARKS = {
    "45S": "the plate in the notice prints K=1, a lost decimal point, and 0.1 - 20 A",
    "4S": "the plate in the notice prints MAX 4.8 kW, of 240 V, though 480 V would make 9.6, and 0.1 - 20 A",
    "36S": "the plate in the notice, of 36/6S, prints MAX 166 KW, a lost decimal point",
    "6S": "the plate in the notice, of 36/6S, prints MAX 166 KW, a lost decimal point",
}
"""What the legible plates print otherwise than derived here, by form."""


class NameplateError(RigError):
    """Ratios that no such meter has: one sentence with the value and what would be right."""


@dataclass(frozen=True)
class Ratios:
    """Ratios between service and meter: voltage and current transformers, and the autotransformer for 347–600 V.

    Each is primary over secondary. Registers stay meter-side; these multiply what is read into primary values.
    Raises NameplateError for a ratio that is not positive, or an autotransformer that steps up.
    """

    vt: Fraction = Fraction(1)
    ct: Fraction = Fraction(1)
    autotransformer: Fraction = Fraction(1)

    def __post_init__(self) -> None:
        for name, ratio in (("VT", self.vt), ("CT", self.ct)):
            if ratio <= 0:
                raise NameplateError(f"the {name} ratio is {ratio}: give one above 0, such as 60 or 69000/115")
        if self.autotransformer < 1:
            raise NameplateError(
                f"the autotransformer's ratio is {self.autotransformer}: give one of at least 1, such as 600/480"
            )

    @property
    def volts(self) -> Fraction:
        """Primary volts for each volt at the meter."""
        return self.vt * self.autotransformer

    @property
    def amperes(self) -> Fraction:
        """Primary amperes for each ampere at the meter."""
        return self.ct

    @property
    def multiplier(self) -> Fraction:
        """Primary energy or power for each watt-hour or watt at the meter: VT · CT · autotransformer."""
        return self.volts * self.amperes


@dataclass(frozen=True)
class Nameplate:
    """A nameplate. Constants in watt-hours per pulse, ratings in volts, amperes and kilowatts, all at the meter.

    `elements` may be 1.5 or 2.5. `phases` and `wires` are those of the service programmed, or of the form's usual one.
    `k_wh` is the least Kp, Ks/12. `remark` says where the plate in the notice differs, "" where it does not or there is
    none.
    """

    type: str
    form: str
    elements: Fraction
    phases: int
    wires: int
    volts: str
    amperes: str
    hertz: int
    ks: Ks
    k_wh: Fraction
    max_kw: Fraction
    serial: str
    ratios: Ratios
    ae_number: str = AE_NUMBER
    remark: str = ""

    @property
    def inferred(self) -> bool:
        """True if no legible plate has this form and class, so that Ks, K and MAX come from their rules alone."""
        return not self.ks.on_plate

    def rows(self) -> tuple[tuple[str, str], ...]:
        """Label and text of every line, as a person reads them."""
        mark = " (inferred)" if self.inferred else ""
        lines = (
            ("Type", self.type),
            ("AE", self.ae_number),
            ("Form", f"FM {self.form}"),
            ("Elements", f"{_number(self.elements)} EL"),
            ("Service", f"{self.phases} Ph {self.wires}W"),
            ("Volts", self.volts),
            ("Class", self.amperes),
            ("Frequency", f"{self.hertz} Hz"),
            ("Ks", _number(self.ks.wh) + mark),
            ("K", _number(self.k_wh) + mark),
            ("MAX", f"{float(self.max_kw):.3g} kW{mark}"),
            ("VTR", _ratio(self.ratios.vt)),
            ("CTR", _ratio(self.ratios.ct)),
            ("Autotransformer", _ratio(self.ratios.autotransformer)),
            ("Mult. all rdgs by", _number(self.ratios.multiplier)),
            ("Serial", self.serial),
            ("Remark", self.remark),
        )
        unsaid = {("Autotransformer", "1:1"), ("Serial", ""), ("Remark", "")}
        return tuple(line for line in lines if line not in unsaid)


def nameplate(
    model: MeterModel,
    form: Form,
    current_class: int,
    *,
    ratios: Ratios | None = None,
    serial: str = "",
    ks_wh: Fraction | None = None,
    service: str | None = None,
) -> Nameplate:
    """The nameplate of a meter; `ks_wh` where Ks is programmed to another value than the rule gives; `service` where
    one is programmed, None where the meter detects it.

    Raises FormError for an unknown current class, NameplateError for an autotransformer at a model that has none.
    """
    ratios = ratios or Ratios()
    high = ratios.autotransformer != 1
    if high and model.lacks(ModelCapability.AUTOTRANSFORMER):
        raise NameplateError(
            f"the autotransformer's ratio is {ratios.autotransformer}, but model {model.name} has none: "
            f"give 1, or a model of the S4e family"
        )
    ks = ks_of(form, current_class)
    remark = _REMARKS.get(form.name, "") if ks.on_plate else ""
    if ks_wh is not None and ks_wh != ks.wh:
        remark = f"Ks is programmed; by form and class it would be {_number(ks.wh)}"
        ks = Ks(ks_wh, on_plate=False)
    expected = form.equation(service).service_type
    return Nameplate(
        type=model.name,
        form=form.name,
        elements=form.elements,
        phases=expected.phases,
        wires=expected.wires,
        volts=("347-600 V" if high else f"120-{MOST_VOLTS} V") + _connection(form, service),
        amperes=f"{_number(LEAST_AMPERES[current_class])}-{current_class} A",
        hertz=HERTZ,
        ks=ks,
        k_wh=least_kp(ks.wh),
        max_kw=max_kw(form, current_class),
        serial=serial,
        ratios=ratios,
        remark=remark,
    )


def _connection(form: Form, service: str | None) -> str:
    """Return what follows the volts: Y on the plate of 36/6S and so of 2.5 elements, unless a delta is programmed."""
    if form.elements != Fraction(5, 2):
        return ""
    return " Δ" if service == "4-wire delta" else " Y"


def max_kw(form: Form, current_class: int) -> Fraction:
    """MAX kW at the meter: volts · class · elements, counted and chosen as the legible plates have it."""
    if form.elements == Fraction(3, 2):
        volts, n = _HALF_ELEMENT_VOLTS, Fraction(1)
    elif form.equation().wires == 4:
        volts, n = _MOST_VOLTS_4W, Fraction(3)
    else:
        volts, n = MOST_VOLTS, form.elements
    return volts * current_class * n / 1000


def _number(value: Fraction) -> str:
    return f"{float(value):.10g}"


def _ratio(value: Fraction) -> str:
    return f"{value.numerator}:{value.denominator}"
