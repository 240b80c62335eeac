"""Parts of the readings that each table of C12.19 holds: what a module must be granted to have the table (X-4).

A table is one piece: a module has it if its row grants every part that the table holds, and otherwise has none of it.
So UtiliNet, which may read kWh alone, has no table: registers of demand are in ST23 as well. ST7, ST8 and MT0 hold no
part; whoever reads registers at all may write a procedure, and the meter's door decides what it does.

    tables                                       parts
    ST0 to ST2, ST4 to ST6, ST10 to ST16, ST20   meter information
    to ST22, ST27, ST30 to ST34, ST40, ST41,
    ST44, ST50 to ST56, ST90 to ST98, MT1, MT2,
    MT6
    ST3                                          meter information, service information
    ST23                                         kWh delivered, received and net, kvarh and kVAh, energy by rate, demand
    ST24 to ST26                                 closed periods
    ST28                                         demand
    ST60 to ST67, MT5                            load profile
    ST70 to ST76, MT4                            event log
    MT3                                          energy by rate, demand, meter information
"""

from __future__ import annotations

from collections.abc import Mapping

from rig.communication.c1219.table import MANUFACTURER
from rig.communication.c1219.tables import TABLES
from rig.meter.access.readable import Readable

Parts = frozenset[Readable]

NONE: Parts = frozenset()
_METER = frozenset({Readable.METER})
_ENERGY = frozenset({Readable.KWH_DELIVERED, Readable.KWH_RECEIVED, Readable.KWH_NET, Readable.OTHER_ENERGY})
_REGISTERS = _ENERGY | {Readable.ENERGY_BY_RATE, Readable.DEMAND}
_CLOSED = frozenset({Readable.CLOSED_PERIODS})
_PROFILE = frozenset({Readable.LOAD_PROFILE})
_LOG = frozenset({Readable.LOG})

_SPECIAL: Mapping[int, Parts] = {
    3: _METER | {Readable.SERVICE},
    7: NONE,
    8: NONE,
    23: _REGISTERS,
    **dict.fromkeys(range(24, 27), _CLOSED),
    28: frozenset({Readable.DEMAND}),
    **dict.fromkeys(range(60, 68), _PROFILE),
    **dict.fromkeys(range(70, 77), _LOG),
    MANUFACTURER + 0: NONE,
    MANUFACTURER + 3: _METER | {Readable.ENERGY_BY_RATE, Readable.DEMAND},
    MANUFACTURER + 4: _LOG,
    MANUFACTURER + 5: _PROFILE,
}

TABLE_PARTS: Mapping[int, Parts] = {number: _SPECIAL.get(number, _METER) for number in TABLES}
"""By the number on the wire, of every table that a meter can have."""

PROCEDURE_PARTS: Mapping[int, Parts] = {
    **dict.fromkeys((4, 5), _CLOSED | _PROFILE | _LOG),
    **dict.fromkeys((7, 8), frozenset({Readable.SERVICE})),
    **dict.fromkeys((13, 15), _METER),
}
"""By the number of a standard procedure that the door is not asked for, or not at first: marks of lists, flags of
status, which program waits. They are for whoever may read what they are of."""
