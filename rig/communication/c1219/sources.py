"""Data sources of a meter: whatever its tables have a number of, with unit, quadrants and scale (ST12 to ST16; X-1).

Sources are counted from 0: demands of the program, then energies, then the recorder's channels. Energies are all that
the meter registers: the quantities of the notice, and VA-hours by quadrant; without reactive energy four of active.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction

from rig.meter.billing.demand import DemandKind, DemandSettings
from rig.meter.billing.metric import RecorderChannel
from rig.meter.billing.quantity import KINDS, Kind, Quadrant, Quantity
from rig.meter.billing.snapshot import RegisterReading
from rig.meter.models import ModelCapability
from rig.program.build import Program

NANO_PER_KILO = 10**12


class UnitId(IntEnum):
    """Units by ST12's number."""

    WATT = 0
    VAR = 1
    VA_ARITHMETIC = 2
    VA_VECTOR = 3
    VOLT_SQUARED = 10
    AMPERE_SQUARED = 14
    COUNTER = 34


class TimeBase(IntEnum):
    """Time bases by ST12's number."""

    BULK = 0
    SUB_BLOCK_AVERAGE = 3
    BLOCK_AVERAGE = 4
    NET_BULK = 5
    THERMAL = 6


class Multiplier(IntEnum):
    """Powers of ten by ST12's number."""

    ONE = 0
    KILO = 2


class Segmentation(IntEnum):
    """Phases by ST12's number."""

    ALL = 0
    NEUTRAL = 4
    A = 5
    B = 6
    C = 7


@dataclass(frozen=True)
class DataSource:
    """A source. `scale` is the value of one count of a recorder's channel, in its unit; 1 for all others."""

    name: str
    unit: UnitId
    base: TimeBase
    multiplier: Multiplier
    quadrants: frozenset[int] = frozenset()
    net: bool = False
    segmentation: Segmentation = Segmentation.ALL
    demand: bool = False
    scale: Fraction = Fraction(1)

    @property
    def counts(self) -> bool:
        """True if its values are counts."""
        return self.multiplier is Multiplier.ONE


@dataclass(frozen=True)
class EnergyRegister:
    """An energy that registers: a quantity of the notice, or one place, a kind in a quadrant."""

    name: str
    adds: tuple[int, ...]
    subtracts: tuple[int, ...] = ()

    def kilo(self, amounts: tuple[int, ...]) -> Fraction:
        """Give its value of 16 amounts in nWh, in kWh, exactly."""
        nano = sum(amounts[place] for place in self.adds) - sum(amounts[place] for place in self.subtracts)
        return Fraction(nano, NANO_PER_KILO)


_VA = {Kind.VAH_RMS: "kVAh rms", Kind.VAH_TD: "kVAh td"}
_UNITS = {
    Kind.WH: UnitId.WATT,
    Kind.VARH: UnitId.VAR,
    Kind.VAH_RMS: UnitId.VA_ARITHMETIC,
    Kind.VAH_TD: UnitId.VA_VECTOR,
}
_BASES = {
    DemandKind.BLOCK: TimeBase.BLOCK_AVERAGE,
    DemandKind.SLIDING: TimeBase.SUB_BLOCK_AVERAGE,
    DemandKind.THERMAL: TimeBase.THERMAL,
}
_PHASES = {"A": Segmentation.A, "B": Segmentation.B, "C": Segmentation.C, "N": Segmentation.NEUTRAL}


def energy_registers(program: Program) -> tuple[EnergyRegister, ...]:
    """Give the energies that a meter registers, in the order of its sources."""
    reactive = program.metering.has(ModelCapability.REACTIVE)
    found = [EnergyRegister(q.value, q.adds, q.subtracts) for q in Quantity if reactive or not q.reactive]
    if reactive:
        found += [
            EnergyRegister(f"{name} {quadrant.name}", (KINDS * quadrant + kind,))
            for kind, name in _VA.items()
            for quadrant in Quadrant
        ]
    return tuple(found)


def demand_quantities(demand: DemandSettings | None) -> tuple[Quantity, ...]:
    """Give the quantities of demand; none for a meter without."""
    return () if demand is None else demand.quantities


def data_sources(program: Program) -> tuple[DataSource, ...]:
    """Give every source of a meter, in order."""
    demand, recorder = program.billing.demand, program.billing.recorder
    return (
        *(_demand(quantity, demand.kind) for quantity in demand_quantities(demand) if demand is not None),
        *map(_energy, energy_registers(program)),
        *(_channel(channel) for channel in (() if recorder is None else recorder.channels)),
    )


def first_energy(program: Program) -> int:
    """Give the number of the first energy's source."""
    return len(demand_quantities(program.billing.demand))


def first_channel(program: Program) -> int:
    """Give the number of the first channel's source."""
    return first_energy(program) + len(energy_registers(program))


def energies(program: Program, registers: RegisterReading, rate: int | None) -> list[Fraction]:
    """Give the value of each energy register in kWh, in total or of a rate."""
    amounts = registers.energy if rate is None else registers.rates[rate]
    return [register.kilo(amounts) for register in energy_registers(program)]


def _quadrants(places: tuple[int, ...]) -> frozenset[int]:
    return frozenset(place // KINDS + 1 for place in places)


def _demand(quantity: Quantity, kind: DemandKind) -> DataSource:
    return DataSource(
        quantity.demand_name,
        _UNITS[Kind(quantity.adds[0] % KINDS)],
        _BASES[kind],
        Multiplier.KILO,
        _quadrants(quantity.adds + quantity.subtracts),
        net=quantity.net,
        demand=True,
    )


def _energy(register: EnergyRegister) -> DataSource:
    net = bool(register.subtracts)
    return DataSource(
        register.name,
        _UNITS[Kind(register.adds[0] % KINDS)],
        TimeBase.NET_BULK if net else TimeBase.BULK,
        Multiplier.KILO,
        _quadrants(register.adds + register.subtracts),
        net=net,
    )


def _channel(channel: RecorderChannel) -> DataSource:
    metric = channel.metric
    name = f"recorder {metric.value}"
    if metric.quantity is not None:
        quantity = metric.quantity
        return DataSource(
            name,
            _UNITS[Kind(quantity.adds[0] % KINDS)],
            TimeBase.BULK,
            Multiplier.ONE,
            _quadrants(quantity.adds),
            scale=channel.pulse,
        )
    if metric.input is not None:
        return DataSource(name, UnitId.COUNTER, TimeBase.BULK, Multiplier.ONE, scale=channel.pulse)
    unit = UnitId.VOLT_SQUARED if metric.value.startswith("V") else UnitId.AMPERE_SQUARED
    phase = _PHASES[metric.value[-1]]
    return DataSource(name, unit, TimeBase.BULK, Multiplier.ONE, segmentation=phase, scale=channel.pulse)
