"""Items of the display, by name (D-2 to D-4, D-7, P-1, Q-6).

    kWh delivered [A…D] [previous season]                                  energy of any quantity, in total or of a rate
    kW delivered max [date|time] [A…D] [previous season]                   maximum demand, and when
    kW delivered present|previous|cumulative|continuous cumulative [A…D]   the other demand registers
    kVA td coincident [A…D]                                                at the maximum of the first demand quantity
    kW delivered peak 1…5 [date|time]                                      the five highest peaks of the first
    pulse kWh, pulse kM3H                                                  what the test LED then follows
    V A, I A, I N, V angle A, I angle A, THD V A, THD I A, kW, kvar, kVA, PF, Hz    instantaneous values
    all segments, date, time, rate, season, service, rotation, …           and the rest

The table is whole: every name there is, whether a meter has it or not; what it lacks, rig/program/offer.py says.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import product

from rig.meter.billing.maxima import PEAKS
from rig.meter.billing.tariff import Rate
from rig.meter.display.items import (
    DemandItem,
    DemandOf,
    DisplayStatus,
    EnergyItem,
    InstantaneousQuantity,
    InstantItem,
    PeakItem,
    PulseItem,
    StatusItem,
    What,
    When,
)
from rig.program.names import USUAL_PULSES, Names, PulseQuantities


@cache
def items(names: Names, pulses: PulseQuantities = USUAL_PULSES) -> Mapping[str, What]:
    """Every item there is, by name; `pulses`: what the test LED follows while a pulse item is displayed."""
    found: dict[str, What] = {}
    rates: list[tuple[str, Rate | None]] = [("", None), *((f" {rate.name}", rate) for rate in Rate)]
    seasons = (("", False), (" previous season", True))
    for (name, quantity), (of_rate, rate), (of_season, past) in product(names.energies.items(), rates, seasons):
        found[f"{name}{of_rate}{of_season}"] = EnergyItem(quantity, rate, past)
    for name, quantity in names.demands.items():
        for of, (of_rate, rate) in product(DemandOf, rates):
            found[f"{name} {of.value}{of_rate}"] = DemandItem(quantity, of, rate)
        for when, (of_rate, rate), (of_season, past) in product(When, rates, seasons):
            of_when = f" {when.value}" if when.value else ""
            found[f"{name} max{of_when}{of_rate}{of_season}"] = DemandItem(
                quantity, DemandOf.MAXIMUM, rate, past, when
            )  # fmt: skip
        for place, when in product(range(1, PEAKS + 1), When):
            found[f"{name} peak {place} {when.value}".rstrip()] = PeakItem(quantity, place, when)
    found |= {"pulse kWh": PulseItem(pulses.kwh), "pulse kM3H": PulseItem(pulses.km3h)}
    for instant in InstantaneousQuantity:
        match instant:
            case (
                InstantaneousQuantity.WATTS
                | InstantaneousQuantity.VARS
                | InstantaneousQuantity.VOLT_AMPERES
                | InstantaneousQuantity.POWER_FACTOR
                | InstantaneousQuantity.FREQUENCY
            ):
                found[instant.value] = InstantItem(instant)
            case _:
                phases = "abcn" if instant is InstantaneousQuantity.AMPERES else "abc"
                found |= {f"{instant.value} {phase.upper()}": InstantItem(instant, phase) for phase in phases}
    return found | {status.value: StatusItem(status) for status in DisplayStatus}
