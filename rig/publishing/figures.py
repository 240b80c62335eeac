"""Figures that are published of a meter, a row each: one list for MQTT and Prometheus, of one reading (X-4).

A meter has the figures that its model has (M-1): without reactive energy no kvarh, kVAh, var and VA, without demand no
demand and no resets, without time of use no rates.

Energy and demand are exact: integers of nano-units, which each side writes in its own unit. What is measured at the
moment, such as volts, is the float of the reading. All of it is of the meter itself: no VT or CT ratio is in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Context, Decimal
from enum import Enum

from rig.daemon.protocol import Reading
from rig.meter.billing.quantity import NANO, NANO_PER_KILO, Quantity
from rig.meter.billing.snapshot import DemandReading, RegisterReading
from rig.meter.billing.tariff import Rate
from rig.meter.contacts.outputs import OutputId
from rig.meter.measuring.elements import PHASES
from rig.meter.models import MeterModel, ModelCapability
from rig.meter.reading.meter_reading import MeterReading
from rig.results.exact_decoding import reading_of
from rig.results.summary import Phase


class Kind(Enum):
    """Kind of a figure: how it goes over time."""

    COUNTER = "counter"
    """Only grows, but for a clearing of the meter: also over restarts, as the meter's registers do."""
    NET = "net"
    """A register that can fall."""
    GAUGE = "gauge"
    """Any value at any time."""


@dataclass(frozen=True)
class Measure:
    """Kind of figure, of which there may be several.

    `metric` is Prometheus's name of it, without the prefix of all, in the unit without a prefix; `unit` and
    `device_class` are Home Assistant's (None: it has no such class); `kilo`: with the unit's prefix, a thousandth.
    """

    metric: str
    help: str
    kind: Kind
    unit: str | None = None
    device_class: str | None = None
    kilo: bool = False


@dataclass(frozen=True)
class Figure:
    """A figure: `key` is its name in MQTT, `name` that for people; `nano` where it is exact, else `value`.

    `value` None: not known at present.
    """

    measure: Measure
    key: str
    name: str
    nano: int | None = None
    value: float | int | None = None
    labels: dict[str, str] = field(default_factory=dict)

    @property
    def number(self) -> float | int | None:
        """The figure in the unit without a prefix, an exact one as its nearest float."""
        return self.value if self.nano is None else self.nano / NANO

    @property
    def text(self) -> str | None:
        """An exact figure as text of all its digits, in kWh and so on; None for any other."""
        if self.nano is None:
            return None
        digits = len(str(NANO_PER_KILO if self.measure.kilo else NANO)) - 1
        return f"{Decimal(self.nano).scaleb(-digits, Context(prec=len(str(self.nano)) + digits)):f}"


def _energy(metric: str, help: str, unit: str, device_class: str | None, kind: Kind = Kind.COUNTER) -> Measure:
    return Measure(metric, help, kind, unit, device_class, kilo=True)


ACTIVE = _energy("active_energy_watthours", "Active energy registered.", "kWh", "energy")
REACTIVE = _energy("reactive_energy_varhours", "Reactive energy registered.", "kvarh", "reactive_energy")
APPARENT = _energy("apparent_energy_vahours", "Apparent energy registered.", "kVAh", None)
NET_ACTIVE = _energy("net_active_energy_watthours", "Active energy delivered less received.", "kWh", "energy", Kind.NET)
NET_REACTIVE = _energy(
    "net_reactive_energy_varhours", "Reactive energy, net as programmed.", "kvarh", "reactive_energy", Kind.NET
)
RATE_ACTIVE = _energy("rate_active_energy_watthours", "Active energy registered at a rate.", "kWh", "energy")

_REGISTERS: tuple[tuple[Quantity, Measure, dict[str, str]], ...] = (
    (Quantity.KWH_DELIVERED, ACTIVE, {"direction": "delivered"}),
    (Quantity.KWH_RECEIVED, ACTIVE, {"direction": "received"}),
    (Quantity.KWH_NET, NET_ACTIVE, {}),
    (Quantity.KVARH_LAGGING, REACTIVE, {"sense": "lagging"}),
    (Quantity.KVARH_LEADING, REACTIVE, {"sense": "leading"}),
    (Quantity.KVARH_NET, NET_REACTIVE, {}),
    (Quantity.KVAH_RMS, APPARENT, {"method": "rms"}),
    (Quantity.KVAH_TD, APPARENT, {"method": "td"}),
)
_OF_RATES = _REGISTERS[:2]

_DEMANDS = {
    "kW": ("watts", "power", "Active"),
    "kvar": ("vars", "reactive_power", "Reactive"),
    "kVA": ("voltamperes", "apparent_power", "Apparent"),
}
_DEMAND_REGISTERS = ("present", "previous", "maximum", "cumulative")

DEMANDS = {
    (unit, register): Measure(
        f"demand_{register}_{base}", f"{name} demand, {register}.", Kind.GAUGE, unit, device_class, kilo=True
    )
    for unit, (base, device_class, name) in _DEMANDS.items()
    for register in _DEMAND_REGISTERS
}

_PHASE = (
    ("v_rms", "volts", "voltage", Measure("voltage_volts", "R.m.s. voltage.", Kind.GAUGE, "V", "voltage")),
    ("i_rms", "amperes", "current", Measure("current_amperes", "R.m.s. current.", Kind.GAUGE, "A", "current")),
    ("p_w", "watts", "active power", Measure(
        "active_power_watts", "Active power; negative: received.", Kind.GAUGE, "W", "power")),
    ("q_var", "vars", "reactive power", Measure(
        "reactive_power_vars", "Reactive power; positive: the current lags.", Kind.GAUGE, "var", "reactive_power")),
    ("s_va", "voltamperes", "apparent power", Measure(
        "apparent_power_voltamperes", "Apparent power.", Kind.GAUGE, "VA", "apparent_power")),
    ("pf", "power_factor", "power factor", Measure(
        "power_factor_ratio", "Power factor; negative: received.", Kind.GAUGE, None, "power_factor")),
)  # fmt: skip
_REACTIVE_PHASE = frozenset({"q_var", "s_va"})

FREQUENCY = Measure("frequency_hertz", "Line frequency.", Kind.GAUGE, "Hz", "frequency")
NEUTRAL = Measure("neutral_current_amperes", "R.m.s. of the sum of the three currents.", Kind.GAUGE, "A", "current")
OUTPUT_PULSES = Measure("output_pulses", "Pulses of the test LED and of each output.", Kind.COUNTER)
INPUT_PULSES = Measure("input_pulses", "Pulses of each pulse input.", Kind.COUNTER)
RESETS = Measure("demand_resets", "Demand resets.", Kind.COUNTER)
RATE_IN_FORCE = Measure("rate_in_force", "1 at the rate in force.", Kind.GAUGE)
DIAGNOSTIC = Measure("diagnostic_on", "1 while a diagnostic is on.", Kind.GAUGE)
READ_AT = Measure("reading_timestamp_seconds", "Unix time of the reading, by the meter's clock.", Kind.GAUGE)
TROUBLES = Measure("trouble", "1 while the store, the link to the FPGA or the clock is in trouble.", Kind.GAUGE)

MEASURES = (
    ACTIVE, REACTIVE, APPARENT, NET_ACTIVE, NET_REACTIVE, RATE_ACTIVE, *DEMANDS.values(), *(row[3] for row in _PHASE),
    FREQUENCY, NEUTRAL, OUTPUT_PULSES, INPUT_PULSES, RESETS, RATE_IN_FORCE, DIAGNOSTIC, READ_AT, TROUBLES,
)  # fmt: skip
"""All that can be published."""


def figures_of(reading: Reading, model: MeterModel) -> list[Figure]:
    """Give the figures of a reading of a meter of a model. Raises ReadingError for one that names what is not known
    here."""
    summary = reading.summary
    exact = reading_of(summary.exact)
    reactive, has_rates = (not model.lacks(each) for each in (ModelCapability.REACTIVE, ModelCapability.TIME_OF_USE))
    return [
        *_energies(exact.registers, reactive),
        *(_rates(exact) if has_rates else ()),
        *_demands(exact),
        *_phases(reading.recent, reactive),
        Figure(FREQUENCY, "hertz", "frequency", value=summary.frequency_hz),
        Figure(NEUTRAL, "amperes_neutral", "neutral current", value=summary.neutral_a),
        *(
            Figure(OUTPUT_PULSES, f"pulses_{o.id.value}", f"pulses {o.id.label}", value=o.count,
                   labels={"output": o.id.label})
            for o in exact.outputs
        ),
        *(
            Figure(INPUT_PULSES, f"pulses_in{k}", f"pulses IN{k}", value=count, labels={"input": f"IN{k}"})
            for k, count in enumerate(exact.inputs, 1)
        ),
        *(
            Figure(DIAGNOSTIC, f"diagnostic_{_word(d.diagnostic.label)}", f"diagnostic {d.diagnostic.label}",
                   value=int(d.on), labels={"diagnostic": d.diagnostic.label})
            for d in exact.installation.diagnostics
        ),
        *(
            Figure(TROUBLES, f"trouble_{of}", f"trouble of {of}", value=int(sentence is not None), labels={"of": of})
            for of, sentence in (
                ("store", summary.trouble), ("link", summary.link_fault), ("clock", summary.clock_fault)
            )
        ),
        Figure(READ_AT, "utc_seconds", "time of the reading", value=exact.utc_ns / NANO),
    ]  # fmt: skip


def possible_keys() -> frozenset[str]:
    """Give the keys of all figures that some meter has and another, or the same by another program, has not."""
    demands = [f"{_word(q.demand_name)}_{register}" for q in Quantity for register in _DEMAND_REGISTERS]
    rates = [f"{_word(quantity.value)}_rate_{rate.name.lower()}" for rate in Rate for quantity, *_ in _OF_RATES]
    return frozenset({
        *(_word(quantity.value) for quantity, *_ in _REGISTERS), *demands, *rates, "demand_resets",
        *(f"rate_{rate.name.lower()}_in_force" for rate in Rate),
        *(f"{key}_{phase}" for _, key, *_ in _PHASE for phase in PHASES),
        *(f"pulses_{output.value}" for output in OutputId),
    })  # fmt: skip


def _energies(registers: RegisterReading, reactive: bool) -> Iterator[Figure]:
    for quantity, measure, labels in _REGISTERS:
        if reactive or not quantity.reactive:
            nano = registers.energy_nwh(quantity)
            yield Figure(measure, _word(quantity.value), quantity.value, nano, labels=labels)


def _rates(exact: MeterReading) -> Iterator[Figure]:
    for rate, amounts in zip(Rate, exact.registers.rates, strict=False):
        for quantity, _, labels in _OF_RATES:
            yield Figure(
                RATE_ACTIVE,
                f"{_word(quantity.value)}_rate_{rate.name.lower()}",
                f"{quantity.value} rate {rate.name}",
                quantity.of(amounts),
                labels={"rate": rate.name, **labels},
            )
    for rate in Rate:
        yield Figure(
            RATE_IN_FORCE,
            f"rate_{rate.name.lower()}_in_force",
            f"rate {rate.name} in force",
            value=int(rate is exact.rate),
            labels={"rate": rate.name},
        )


def _demands(exact: MeterReading) -> Iterator[Figure]:
    if exact.demand is None:
        return
    for quantity, bins in zip(exact.demand.quantities, exact.registers.demand, strict=True):
        name = quantity.demand_name
        for register in _DEMAND_REGISTERS:
            yield Figure(
                DEMANDS[quantity.demand_unit, register],
                f"{_word(name)}_{register}",
                f"{name}, {register}",
                _demand(bins[0], register),
                labels={"quantity": name},
            )
    yield Figure(RESETS, "demand_resets", "demand resets", value=exact.resets)


def _demand(bin: DemandReading, register: str) -> int:
    found = getattr(bin, register)
    return int(found.value if register == "maximum" else found)


def _phases(phases: dict[str, Phase], reactive: bool) -> Iterator[Figure]:
    for phase, found in phases.items():
        for field_name, key, name, measure in _PHASE:
            if field_name in _REACTIVE_PHASE and not reactive:
                continue
            yield Figure(measure, f"{key}_{phase}", f"{name} {phase.upper()}", value=getattr(found, field_name),
                         labels={"phase": phase})  # fmt: skip


def _word(name: str) -> str:
    """Give a name as one word of small letters: "kWh delivered" is "kwh_delivered"."""
    return "_".join("".join(c if c.isalnum() else " " for c in name.lower()).split())
