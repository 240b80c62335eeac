"""Parts of what can be read of a meter, which the notice grants modules one by one (X-4).

readable                  registers                                              tables of C12.19
kWh delivered, received,  of all rates together                                  ST23
net
kvarh and kVAh            of all rates together                                  ST23
energy by rate            each energy, rates A to D                              ST23
demand                    present, previous, maximum, cumulative, peaks          ST23, ST28
closed periods            closed season, self-reads, values at demand resets     ST24 to ST26
load profile              settings and words of the recorder                     ST61 to ST64
meter information         program in force, clock, rate, resets, outputs, inputs ST0 to ST5, ST11 to ST22, …
service information       service detected, diagnostics, faults                  ST3
event log                                                                        ST71 to ST76
kWh pulses                contact changes of an output that pulses for active energy
other pulses              those of any other output
"""

from __future__ import annotations

from enum import Enum

from rig.meter.billing.quantity import Quantity


class Readable(Enum):
    """A part of the table; its value is its label in logs and sentences."""

    KWH_DELIVERED = "kWh delivered"
    KWH_RECEIVED = "kWh received"
    KWH_NET = "kWh net"
    OTHER_ENERGY = "kvarh and kVAh"
    ENERGY_BY_RATE = "energy by rate"
    DEMAND = "demand"
    CLOSED_PERIODS = "closed periods"
    LOAD_PROFILE = "load profile"
    METER = "meter information"
    SERVICE = "service information"
    LOG = "event log"
    KWH_PULSES = "kWh pulses"
    OTHER_PULSES = "other pulses"

    @property
    def label(self) -> str:
        """Name in logs and sentences."""
        return self.value


PULSES = frozenset({Readable.KWH_PULSES, Readable.OTHER_PULSES})
REGISTERS = frozenset(Readable) - PULSES
IN_STATE = REGISTERS - {Readable.LOG}
"""Parts that the whole reading of a meter has."""


def pulses_of(quantity: Quantity | None) -> Readable:
    """Give the part that an output's pulses are, by its quantity; None: it does not pulse."""
    return Readable.KWH_PULSES if quantity is not None and quantity.unit == "kWh" else Readable.OTHER_PULSES
