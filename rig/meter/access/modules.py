"""Communication modules of the notice, each one row of grants (X-4, M-2).

    module              models      way  interface  lv  energy  rates  demand  all  pulses  reset  control  program
    TWACS CMT-SE        S4e         two  registers  0   x       x      .       .    .       .      .        .
    TWACS CMT-SX        S4 and S4e  two  registers  2   x       x      x       .    .       x      .        .
    STAR MTU            S4e         two  registers  2   x       x      x       x    .       x      x        .
    SSMM                S4e         one  pulses     0   .       .      .       .    x       .      .        .
    UtiliNet            S4e         two  registers  0   kWh     .      .       .    .       .      .        .
    TS1                 S4e         one  registers  0   x       x      x       .    .       .      .        .
    iModule             AXS4e       two  registers  0   x       x      x       x    .       .      .        .
    TS2                 S4e         two  registers  0   x       x      x       x    .       .      .        .
    TS2 MU              S4e         two  registers  0   x       x      x       x    .       .      .        .
    Gridstream RF Mesh  S4e         two  registers  0   x       x      x       .    .       .      .        .
    METRUM              S4e         two  registers  0   x       x      x       x    .       .      .        u

Energy: kWh delivered, received and net, kvarh and kVAh; kWh: those of them alone. Rates: energy by rate. All: closed
periods, load profile, meter and service information, event log besides. Pulses: of outputs for kWh. Reset: of demand.
Control: self-read, set clock, season change, enter and leave test mode, operate relay. Program: write program with all
its changes but security's; u only while the meter is not sealed. x granted, . not. Way: one, where nothing comes to it
from its network. lv: the level it has without a key.

What the notice says of each is beside its row in tests/rig/access/module_grants.py; where it says "remote reading" and
no more, its sentence on all of them holds: "legal quantities and other meter and service information can be remote
read". A module sits under the cover, so what the notice grants it outright needs no key: level 2 is that of a demand
reset. For more it proves levels like everybody: STAR MTU for test mode and relays, METRUM for a program.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from rig.meter.access.actions import MeterAction
from rig.meter.access.readable import REGISTERS, Readable


class Interface(Enum):
    """Interface by which a module has what it has of the meter."""

    REGISTERS = "registers"
    PULSES = "pulses"


@dataclass(frozen=True, slots=True)
class ModuleGrant:
    """A row: families or models approved with it, parts that may be read, actions that may be asked, those of them
    only while the meter is not sealed, and the level at start; whether anything comes to it from its network, whether
    the notice shows it with the autotransformer, and whether it receives data external to the meter.
    """

    models: tuple[str, ...] = ("S4e",)
    reads: frozenset[Readable] = REGISTERS
    level: int = 0
    actions: frozenset[MeterAction] = frozenset({MeterAction.READ})
    unsealed_only: frozenset[MeterAction] = frozenset()
    one_way: bool = False
    autotransformer: bool = False
    external: bool = False

    @property
    def interface(self) -> Interface:
        """Interface by which it has what it has of the meter."""
        return Interface.REGISTERS if MeterAction.READ in self.actions else Interface.PULSES


_KWH = frozenset({Readable.KWH_DELIVERED, Readable.KWH_RECEIVED, Readable.KWH_NET})
_ENERGY = _KWH | {Readable.OTHER_ENERGY, Readable.ENERGY_BY_RATE}
_ENERGY_AND_DEMAND = _ENERGY | {Readable.DEMAND}

_READ = frozenset({MeterAction.READ})
_RESET = _READ | {MeterAction.DEMAND_RESET}
_CONTROL = frozenset(
    {
        MeterAction.SELF_READ,
        MeterAction.SET_CLOCK,
        MeterAction.SEASON_CHANGE,
        MeterAction.ENTER_TEST,
        MeterAction.LEAVE_TEST,
        MeterAction.OPERATE_RELAY,
    }
)
_PROGRAM = frozenset(
    {
        MeterAction.WRITE_PROGRAM,
        MeterAction.CHANGE_METROLOGY,
        MeterAction.CHANGE_SERVICE,
        MeterAction.CHANGE_RELAYS,
    }
)

MODULE_GRANTS = {
    "TWACS CMT-SE": ModuleGrant(reads=_ENERGY),
    "TWACS CMT-SX": ModuleGrant(models=("S4", "S4e"), reads=_ENERGY_AND_DEMAND, level=2, actions=_RESET),
    "STAR MTU": ModuleGrant(level=2, actions=_RESET | _CONTROL),
    "SSMM": ModuleGrant(reads=frozenset({Readable.KWH_PULSES}), actions=frozenset(), one_way=True),
    "UtiliNet": ModuleGrant(reads=_KWH),
    "TS1": ModuleGrant(reads=_ENERGY_AND_DEMAND, one_way=True),
    "iModule": ModuleGrant(models=("AXS4e",)),
    "TS2": ModuleGrant(autotransformer=True),
    "TS2 MU": ModuleGrant(autotransformer=True, external=True),
    "Gridstream RF Mesh": ModuleGrant(reads=_ENERGY_AND_DEMAND),
    "METRUM": ModuleGrant(actions=_READ | _PROGRAM, unsealed_only=_PROGRAM),
}
"""By the module's name in the notice."""
