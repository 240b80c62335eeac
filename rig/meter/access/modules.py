"""Grants of each communication module of the notice, and the level it has without a key (X-4).

    module               level  read  demand reset  control  program
    TWACS CMT-SE         0      x     .             .        .
    TWACS CMT-SX         2      x     x             .        .
    STAR MTU             2      x     x             x        .
    SSMM                 0      .     .             .        .
    UtiliNet             0      x     .             .        .
    TS1                  0      x     .             .        .
    iModule              0      x     .             .        .
    TS2                  0      x     .             .        .
    TS2 MU               0      x     .             .        .
    Gridstream RF Mesh   0      x     .             .        .
    METRUM               0      x     .             .        u

Control: self-read, set clock, season change, enter and leave test mode, operate relay. Program: write program with all
its changes but security's; u only while the meter is not sealed. x granted, . not.

A module sits under the cover, so what the notice grants it outright needs no key: level 2 is that of a demand reset.
For more it proves levels like everybody: STAR MTU for test mode and relays, METRUM for a program. SSMM counts pulses
and asks nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from rig.meter.access.actions import MeterAction


@dataclass(frozen=True, slots=True)
class ModuleGrant:
    """A row: actions that may be asked, those of them only while the meter is not sealed, and the level at start."""

    level: int = 0
    actions: frozenset[MeterAction] = frozenset({MeterAction.READ})
    unsealed_only: frozenset[MeterAction] = frozenset()


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
    "TWACS CMT-SE": ModuleGrant(),
    "TWACS CMT-SX": ModuleGrant(2, _RESET),
    "STAR MTU": ModuleGrant(2, _RESET | _CONTROL),
    "SSMM": ModuleGrant(0, frozenset()),
    "UtiliNet": ModuleGrant(),
    "TS1": ModuleGrant(),
    "iModule": ModuleGrant(),
    "TS2": ModuleGrant(),
    "TS2 MU": ModuleGrant(),
    "Gridstream RF Mesh": ModuleGrant(),
    "METRUM": ModuleGrant(0, _READ | _PROGRAM, _PROGRAM),
}
"""By the module's name in the notice."""
