"""What the notice grants each module, typed from it by hand: shares no data and no code with rig/meter/access.

The place is the section of notice AE-0764 under COMMUNICATIONS, or its revision.
"""

from __future__ import annotations

KWH = {"kWh delivered", "kWh received", "kWh net"}
ENERGY = {*KWH, "kvarh and kVAh", "energy by rate"}
ENERGY_AND_DEMAND = {*ENERGY, "demand"}
ANYTHING = {
    *ENERGY_AND_DEMAND, "closed periods", "load profile", "meter information", "service information", "event log",
}  # fmt: skip
"""COMMUNICATIONS: "Legal quantities and other meter and service information can be remote read"."""

MAY_READ: dict[str, set[str]] = {
    # Aclara Power-Line: "The CMT module provides a means of remote reading of electricity usage."
    "TWACS CMT-SE": ENERGY,
    # the same; "… read electricity usage and reset the demand readings of the meter."
    "TWACS CMT-SX": ENERGY_AND_DEMAND,
    # Aclara RF: "capabilities for reading any of the meter's metrology fields and managing any of the … control fields"
    "STAR MTU": ANYTHING,
    # Landis+Gyr EMS: "one-way communication to retrieve meter data via pulse interface … only used to read kW·h"
    "SSMM": {"kWh pulses"},
    # "UtiliNet module allows to remotely read the delivered or net and received consumption active energy (kW·h)."
    "UtiliNet": KWH,
    # "This one-way communication device transmits energy and demand by using values that it reads from the registers"
    "TS1": ENERGY_AND_DEMAND,
    # "approved with a StatSignal iModule … for remote reading"
    "iModule": ANYTHING,
    # "approved with optional power line carrier modules model TS2 and TS2 MU … for remote reading"
    "TS2": ANYTHING,
    "TS2 MU": ANYTHING,
    # Gridstream: "transmits energy and demand by using values that it reads from the registers of meter"
    "Gridstream RF Mesh": ENERGY_AND_DEMAND,
    # METRUM: "approved when equipped with a METRUM AMR module for remote reading"
    "METRUM": ANYTHING,
}

MAY_DO: dict[str, set[str]] = {
    "TWACS CMT-SX": {"demand reset"},  # "… and reset the demand readings of the meter"
    "STAR MTU": {  # "managing any of the meter's control fields"
        "demand reset", "self-read", "set clock", "season change", "enter test mode", "leave test mode",
        "operate relay",
    },  # "prevented from reprogramming the meter without breaking the seal"
    "METRUM": {"write program", "change metrology", "change service type", "change relays"},
}  # fmt: skip
ONLY_UNSEALED = {"METRUM": MAY_DO["METRUM"]}
