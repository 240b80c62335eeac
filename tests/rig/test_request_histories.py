"""Random histories of requests through the door of a real meter under load: nothing is done that the table of access
does not allow, and no register changes but by energy, or by what the log says was asked and done (S-1)."""

from __future__ import annotations

import random
from contextlib import suppress
from pathlib import Path

import pytest

from rig.errors import RigError
from rig.hardware.config import Config
from rig.hardware.selection import open_hardware
from rig.meter.access.decision import Asker, Granted
from rig.meter.billing.log import LogEvent
from rig.meter.billing.quantity import PLACES
from rig.meter.billing.source import Source
from rig.program.build import build
from rig.program.schema import DemandTable, EndOfIntervalTable, ProgramFile, PulsesTable, SecurityTable
from rig.service.door import MeterDoor
from rig.service.door_error import DoorError
from rig.service.service import Service
from rig.store.store import Store

SECOND_NS = 10**9
KEYS = {1: "111111", 2: "222222", 3: "333333", 4: "444444"}
CLEARING = {"data cleared", "master reset", "cold start"}
NEEDS = {
    "reset demand": 2, "read self": 2, "set clock": 2, "change season": 2, "enter test": 3, "leave test": 3, "clear": 3,
    "operate relay": 4, "write program": 3, "master reset": 4, "cold start": 4, "read": 0,
}  # fmt: skip
"""The least level of each, written down from docs/access.md, not taken from the code."""
WRITTEN = """[demand]
quantities = ["kW delivered", "kVA td"]
[[outputs]]
name = "KYZ1"
function = "pulses"
kp_wh = "{kp}"
[security]
""" + "".join(f'level_{level} = "{key}"\n' for level, key in KEYS.items())
SEALED_AGAINST = {"clear", "master reset", "cold start"}


def program(seal: bool) -> ProgramFile:
    return ProgramFile(
        demand=DemandTable(quantities=("kW delivered", "kVA td")),
        outputs=(PulsesTable(name="KYZ1"), EndOfIntervalTable(name="KYZ2")),
        security=SecurityTable(seal=seal, level_1=KEYS[1], level_2=KEYS[2], level_3=KEYS[3], level_4=KEYS[4]),
    )


class Account:
    """The meter, what flowed since its registers were last cleared, and the log."""

    def __init__(self, folder: Path, seal: bool) -> None:
        self.hardware = open_hardware(Config(), 20, paced=False)
        configured = build(program(seal))
        self.service = Service(self.hardware, Config(), configured, Store.open(folder))
        self.service.begin()
        self.door = MeterDoor(self.service, configured)
        self.flowed = [0] * PLACES
        self.log: list[LogEvent] = []
        self.service.on_events = self.note

    def note(self, events: object) -> None:
        new = [event for event in events if isinstance(event, LogEvent)]  # type: ignore[attr-defined]
        self.log += new
        if any(event.label in CLEARING for event in new):
            self.flowed = [0] * PLACES

    def run(self, seconds: float) -> None:
        for result in self.service.run(self.hardware.clock.now_ns() + round(seconds * SECOND_NS)):
            if result.window.energies is not None and self.service.meter.billing.test is None:
                result.window.energies.add_to(self.flowed)

    @property
    def energy(self) -> list[int]:
        billing = self.service.meter.billing
        billing.settle()
        return list(billing.registers.state.energy)

    @property
    def resets(self) -> int:
        return self.service.meter.billing.resets


def asked(account: Account, what: str, asker: Asker, chance: random.Random) -> None:
    door = account.door
    match what:
        case "set clock":
            door.set_clock(asker, None)
        case "change season":
            door.change_season(asker, None)
        case "operate relay":
            door.operate_relay(asker, chance.choice(["KYZ2", "KYZ1", "KYZ9"]), True, 0.1)
        case "write program":
            door.write_program(asker, WRITTEN.format(kp=chance.choice(["0.15", "0.3"])))
        case _:
            getattr(door, what.replace(" ", "_"))(asker)


@pytest.mark.parametrize("requests", [400, pytest.param(10_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("seal", [False, True])
def test_nothing_is_done_that_was_not_allowed_and_logged(tmp_path: Path, seal: bool, requests: int) -> None:
    chance = random.Random(requests + seal)
    account = Account(tmp_path / "store", seal)
    account.run(0.3)
    done = refused = 0
    proven: dict[Source, Granted | None] = {}
    sources = [Source.COMMAND_LINE, Source.OPTICAL, Source.PANEL, Source.MODEM, Source.RS485]
    for _ in range(requests):
        source = chance.choice(sources)
        level = proven[source].level if proven.get(source) else 0
        asker = Asker(source, "", proven.get(source))
        if chance.random() < 0.25:
            key = KEYS[chance.choice([1, 2, 3, 4, 4])] if chance.random() < 0.97 else "0BAD00"
            with suppress(DoorError):
                proven[source] = account.door.log_on(asker, key)
            continue
        if chance.random() < 0.1:
            account.run(chance.uniform(0.02, 0.2))
        before = account.energy, account.resets, account.service.meter.billing.test is not None
        logged, digest = len(account.log), account.service.program.digest
        what = chance.choice([*NEEDS, "reset demand", "enter test", "leave test"])
        try:
            asked(account, what, asker, chance)
        except RigError:
            refused += 1
            after = account.energy, account.resets, account.service.meter.billing.test is not None
            assert after == before, f"{what} was refused and changed something"
            assert account.service.program.digest == digest
        else:
            done += 1
            assert level >= NEEDS[what], f"{what} was done at level {level}"
            assert not (seal and what in SEALED_AGAINST), f"{what} was done under the seal"
            assert not (what == "write program" and seal), "metrology was written under the seal"
            names = [event.label for event in account.log[logged:]]
            if account.resets > before[1]:
                assert "demand reset" in names
            if account.energy != before[0]:
                assert CLEARING & set(names)
            if what in SEALED_AGAINST or (what == "read self" and not before[2]):
                assert names, f"{what} left no line in the log"
            for event in account.log[logged:]:
                late = event.label == "self read"  # asked in test mode, it waits for its end
                assert getattr(event, "source", source) is source or late
            if what == "write program" or what == "cold start":
                proven.clear()
        if not account.service.meter.billing.test:
            assert account.energy == account.flowed, f"after {what}"
    assert done > requests // 12
    assert refused > requests // 12
    account.service.finish()
    account.hardware.close()
