"""What the door should say, written by source and by least level: shares no data and no code with rig/meter/access."""

from __future__ import annotations

from dataclasses import dataclass

AT_THE_METER = {
    "identify": 0,
    "read": 0,
    "demand reset": 2,
    "self-read": 2,
    "set clock": 2,
    "season change": 2,
    "enter test mode": 3,
    "leave test mode": 3,
    "clear data": 3,
    "write program": 3,
    "change metrology": 4,
    "change service type": 4,
    "change relays": 4,
    "change security": 4,
    "operate relay": 4,
    "calibrate": 4,
    "master reset": 4,
    "cold start": 4,
    "upgrade": 4,
}
"""Optical port and command line: least level of everything but breaking the seal."""

ERASES_OR_REKEYS = {"clear data", "calibrate", "master reset", "cold start", "upgrade", "change security"}
FROM_AFAR = {what: max(level, 1) for what, level in AT_THE_METER.items() if what not in ERASES_OR_REKEYS}
FROM_AFAR["identify"] = 0
PROGRAMS = {"write program", "change metrology", "change service type", "change relays"}

BY_SOURCE: dict[str, dict[str, int]] = {
    "front": dict.fromkeys(["demand reset", "enter test mode", "leave test mode", "break the seal"], 0),
    "optical port": AT_THE_METER,
    "RS-232": FROM_AFAR,
    "RS-485": FROM_AFAR,
    "modem": FROM_AFAR,
    "panel": {what: AT_THE_METER[what] for what in FROM_AFAR if what not in PROGRAMS},
    "verification": {
        "identify": 0,
        "read": 0,
        "demand reset": 2,
        "enter test mode": 3,
        "leave test mode": 3,
        "operate relay": 4,
        "calibrate": 4,
    },
    "command line": AT_THE_METER,
    "service clock": {"set clock": 0},
    "input": {},
    "calendar": dict.fromkeys(["demand reset", "self-read", "season change", "leave test mode"], 0),
}
BY_MODULE: dict[str, dict[str, int]] = {
    "TWACS CMT-SE": {"read": 0},
    "TWACS CMT-SX": {"read": 0, "demand reset": 0},
    "STAR MTU": {
        **dict.fromkeys(["read", "demand reset", "self-read", "set clock", "season change"], 0),
        "enter test mode": 3,
        "leave test mode": 3,
        "operate relay": 4,
    },
    "SSMM": {},
    "UtiliNet": {"read": 0},
    "TS1": {"read": 0},
    "iModule": {"read": 0},
    "TS2": {"read": 0},
    "TS2 MU": {"read": 0},
    "Gridstream RF Mesh": {"read": 0},
    "METRUM": {"read": 0, **{what: AT_THE_METER[what] for what in PROGRAMS}},
    "GyrBus 9": {},
}
"""The last one is no module of the notice."""

UNDER_SEAL = {
    "clear data", "change metrology", "change service type", "calibrate", "master reset", "cold start", "upgrade",
}  # fmt: skip
TOUCHES_BILLING = UNDER_SEAL - {"calibrate"} | PROGRAMS | {"season change", "change security"}


@dataclass(frozen=True)
class Cell:
    """One question to the door, in plain words."""

    action: str
    source: str
    module: str
    level: int
    sealed: bool
    cover_off: bool
    test_mode: bool
    override_done: bool = False
    demand: bool = True
    s4e: bool = True


def refusal(cell: Cell) -> str | None:
    """Why a request is refused, None: it is allowed."""
    module = cell.source == "module"
    least = (BY_MODULE[cell.module] if module else BY_SOURCE[cell.source]).get(cell.action)
    if least is None:
        for_others = module and any(cell.action in granted for granted in (*BY_MODULE.values(), FROM_AFAR))
        return "not granted to the module" if for_others else "not from there"
    if cell.sealed and (cell.action in UNDER_SEAL or (cell.module == "METRUM" and cell.action in PROGRAMS)):
        return "sealed"
    if cell.level < least:
        return "level too low"
    if cell.action == "demand reset" and not cell.demand:
        return "no demand"
    if cell.source == "front":
        if not cell.cover_off and cell.action in ("enter test mode", "break the seal"):
            return "cover on"
        if cell.action == "break the seal":
            return "not sealed" if not cell.sealed else None if cell.override_done else "no override sequence"
        return None
    if cell.source in ("calendar", "service clock", "input"):
        return None
    if cell.action == "enter test mode" and not cell.s4e:
        return "no test mode by communication"
    if cell.test_mode and (cell.action in TOUCHES_BILLING or cell.action == "enter test mode"):
        return "test mode"
    if not cell.test_mode and cell.action == "leave test mode":
        return "not in test mode"
    return None
