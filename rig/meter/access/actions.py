"""Actions that can be requested of a meter: at which level, under which seal, by whom (S-1, S-2, X-4, Q-5, D-5).

    action               level  seal  in test  fr  op  232  485  mo  md  pn  vf  cl  sc  in  ca
    identify             0      -     -        .   x   x    x    x   x   x   x   x   .   .   .
    read                 0      -     -        .   x   x    x    x   x   x   x   x   .   .   .
    demand reset         2      -     -        x   x   x    x    x   x   x   x   x   .   .   x
    self-read            2      -     -        .   x   x    x    x   x   x   .   x   .   .   x
    set clock            2      -     -        .   x   x    x    x   x   x   .   x   x   .   .
    season change        2      -     no       .   x   x    x    x   x   x   .   x   .   .   x
    enter test mode      3      -     no       c   x   x    x    x   x   x   x   x   .   .   .
    leave test mode      3      -     only     x   x   x    x    x   x   x   x   x   .   .   x
    clear data           3      seal  no       .   x   .    .    .   .   .   .   x   .   .   .
    write program        3      -     no       .   x   x    x    x   x   .   .   x   .   .   .
    change metrology     4      seal  no       .   x   x    x    x   x   .   .   x   .   .   .
    change service type  4      seal  no       .   x   x    x    x   x   .   .   x   .   .   .
    change relays        4      -     no       .   x   x    x    x   x   .   .   x   .   .   .
    change security      4      -     no       .   x   .    .    .   .   .   .   x   .   .   .
    operate relay        4      -     -        .   x   x    x    x   x   x   x   x   .   .   .
    calibrate            4      seal  -        .   x   .    .    .   .   .   x   x   .   .   .
    master reset         4      seal  no       .   x   .    .    .   .   .   .   x   .   .   .
    cold start           4      seal  no       .   x   .    .    .   .   .   .   x   .   .   .
    upgrade              4      seal  no       .   x   .    .    .   .   .   .   x   .   .   .
    break the seal       0      -     -        s   .   .    .    .   .   .   .   .   .   .   .

    fr front, op optical port, 232 RS-232, 485 RS-485, mo modem, md module, pn panel, vf verification, cl command line,
    sc service clock, in input, ca calendar

Who may ask: x may; c with the cover off; s by the override sequence with the cover off; a module only what
rig/meter/access/modules.py grants it. Front, service clock, input and calendar have no key and need no level: they are
hands and the meter's own time. All others prove levels by keys. Over RS-232, RS-485 and modem nothing is given below
level 1 but "identify": what the meter is, and the form of its data, without which nobody can ask it anything.

Seal: refused at every level while the meter is sealed. In test: by a key not in test mode, which leaves billing data
as they are, or only there; hands and time do as they always could.

A program write is asked as "write program" and as every "change …" that it makes (rig/program/changes.py). Level 4 has
what the notice puts under write protection, and calibration.
"""

from __future__ import annotations

from enum import Enum

from rig.meter.billing.source import Source

KEYLESS = frozenset({Source.FRONT, Source.SERVICE_CLOCK, Source.INPUT, Source.CALENDAR})
"""Sources that have no key and need no level."""

BY_WIRE = frozenset({Source.RS232, Source.RS485, Source.MODEM})
"""Sources whose askers may be anywhere."""

LEAST_BY_WIRE = 1

MOST_LEVEL = 4


class InTest(Enum):
    """Bearing of test mode on a request that is made with a key."""

    ANY = "-"
    REFUSED = "no"
    ONLY = "only"


_LOCAL = frozenset({Source.OPTICAL, Source.COMMAND_LINE})
_PROGRAMMERS = _LOCAL | BY_WIRE | {Source.MODULE}
_PEOPLE = _PROGRAMMERS | {Source.PANEL}
_READERS = _PEOPLE | {Source.VERIFICATION}


class MeterAction(Enum):
    """An action of the table; its value is its label in logs and sentences."""

    IDENTIFY = "identify", 0, False, InTest.ANY, _READERS
    READ = "read", 0, False, InTest.ANY, _READERS
    DEMAND_RESET = "demand reset", 2, False, InTest.ANY, _READERS | {Source.FRONT, Source.CALENDAR}
    SELF_READ = "self-read", 2, False, InTest.ANY, _PEOPLE | {Source.CALENDAR}
    SET_CLOCK = "set clock", 2, False, InTest.ANY, _PEOPLE | {Source.SERVICE_CLOCK}
    SEASON_CHANGE = "season change", 2, False, InTest.REFUSED, _PEOPLE | {Source.CALENDAR}
    ENTER_TEST = "enter test mode", 3, False, InTest.REFUSED, _READERS | {Source.FRONT}
    LEAVE_TEST = "leave test mode", 3, False, InTest.ONLY, _READERS | {Source.FRONT, Source.CALENDAR}
    CLEAR = "clear data", 3, True, InTest.REFUSED, _LOCAL
    WRITE_PROGRAM = "write program", 3, False, InTest.REFUSED, _PROGRAMMERS
    CHANGE_METROLOGY = "change metrology", 4, True, InTest.REFUSED, _PROGRAMMERS
    CHANGE_SERVICE = "change service type", 4, True, InTest.REFUSED, _PROGRAMMERS
    CHANGE_RELAYS = "change relays", 4, False, InTest.REFUSED, _PROGRAMMERS
    CHANGE_SECURITY = "change security", 4, False, InTest.REFUSED, _LOCAL
    OPERATE_RELAY = "operate relay", 4, False, InTest.ANY, _READERS
    CALIBRATE = "calibrate", 4, True, InTest.ANY, _LOCAL | {Source.VERIFICATION}
    MASTER_RESET = "master reset", 4, True, InTest.REFUSED, _LOCAL
    COLD_START = "cold start", 4, True, InTest.REFUSED, _LOCAL
    UPGRADE = "upgrade", 4, True, InTest.REFUSED, _LOCAL
    BREAK_SEAL = "break the seal", 0, False, InTest.ANY, frozenset({Source.FRONT})

    level: int
    metrological: bool
    in_test: InTest
    sources: frozenset[Source]

    def __new__(
        cls, label: str, level: int, metrological: bool, in_test: InTest, sources: frozenset[Source]
    ) -> MeterAction:
        """Take a row: the label is the value, so that logs and states hold text."""
        action = object.__new__(cls)
        action._value_ = label
        action.level, action.metrological, action.in_test, action.sources = level, metrological, in_test, sources
        return action

    @property
    def label(self) -> str:
        """Name in logs and sentences."""
        return str(self.value)

    def least_level(self, source: Source) -> int:
        """Level that a source must have proven; 0 for those that have no key."""
        if source in KEYLESS:
            return 0
        by_wire = source in BY_WIRE and self is not MeterAction.IDENTIFY
        return max(self.level, LEAST_BY_WIRE) if by_wire else self.level
