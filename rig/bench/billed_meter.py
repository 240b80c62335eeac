"""Registers of the meter, in the units of its display (Q-2, Q-4, Q-5, T-1, D-5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rig.bench.errors import NoSuchRegister
from rig.bench.rig import Rig
from rig.meter.billing.billing import Billing
from rig.meter.billing.registers import Registers
from rig.meter.billing.tariff import Rate
from rig.meter.billing.time_units import SECOND_NS
from rig.meter.reading.figures import kilo
from rig.program.names import Names

DEMANDS = ("max", "present", "previous", "cumulative")


class BilledMeter:
    """The meter's registers and states. They are as of the last record, a fraction of a second ago."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig

    @property
    def registers(self) -> Mapping[str, float]:
        """The billing registers by name: "kWh delivered", "kWh delivered B", "kW delivered max"."""
        return NamedRegisters(self._names, self._billing.registers)

    @property
    def test_registers(self) -> Mapping[str, float]:
        """Those of test mode. Raises NoSuchRegister outside it."""
        test = self._billing.test
        if test is None:
            raise NoSuchRegister("the meter is not in test mode: it has no test registers")
        return NamedRegisters(self._names, test)

    @property
    def test_mode(self) -> bool:
        """True while it is in test mode."""
        return self._billing.test is not None

    @property
    def resets(self) -> int:
        """Demand resets so far."""
        return self._billing.resets

    @property
    def rate(self) -> str:
        """The rate in force, "A" to "D"."""
        return self._billing.rate.name

    @property
    def inputs(self) -> tuple[int, ...]:
        """Pulses counted at each input."""
        return self._billing.inputs

    @property
    def interval_left(self) -> float:
        """Seconds until the demand interval ends. Raises NoSuchRegister for a meter without demand."""
        ends_ns = self._billing.interval_ends_ns
        if ends_ns is None:
            raise NoSuchRegister("this meter has no demand: no interval ends")
        return (ends_ns - self._billing.now_ns) / SECOND_NS

    @property
    def _billing(self) -> Billing:
        billing = self._rig.service.meter.billing
        billing.settle()
        return billing

    @property
    def _names(self) -> Names:
        return self._rig.program.metering.names


class NamedRegisters(Mapping[str, float]):
    """Registers by name, in kWh, kvarh, kVAh, kW and so on. NoSuchRegister is raised for any other name."""

    def __init__(self, names: Names, registers: Registers) -> None:
        self._registers, self._energies = registers, names.energies
        self._rates = [rate.name for rate in Rate] if registers.state.rates else []
        self._demand = registers.demand
        quantities = registers.demand.settings.quantities if registers.demand else ()
        self._demands = {name: quantities.index(q) for name, q in names.demands.items() if q in quantities}

    def __getitem__(self, name: str) -> float:
        return kilo(self.nano(name))

    def nano(self, name: str) -> int:
        """A register exactly: nWh of kWh, nW of kW, and so on."""
        words = name.split()
        if words and words[-1] in self._rates and " ".join(words[:-1]) in self._energies:
            quantity = self._energies[" ".join(words[:-1])]
            return self._registers.energy(quantity, Rate[words[-1]])
        if name in self._energies:
            return self._registers.energy(self._energies[name])
        stem, _, kind = name.rpartition(" ")
        demand = self._demand
        if demand is not None and stem in self._demands:
            place = self._demands[stem]
            match kind:
                case "max":
                    return demand.maximum(place).value
                case "present":
                    return demand.present(place)
                case "previous":
                    return demand.previous(place)
                case "cumulative":
                    return demand.cumulative(place)
        raise NoSuchRegister(f"{name!r} is not a register of this meter: it has {', '.join(self)}")

    def __iter__(self) -> Iterator[str]:
        yield from self._energies
        yield from (f"{name} {rate}" for name in self._energies for rate in self._rates)
        yield from (f"{name} {kind}" for name in self._demands for kind in DEMANDS)

    def __len__(self) -> int:
        return sum(1 for _ in self)
