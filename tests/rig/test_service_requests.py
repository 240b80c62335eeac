"""What a meter in service is asked, on the simulated rig: who asked, and what its contacts still ask for."""

from __future__ import annotations

import tomllib

from rig.files.strict_toml import convert
from rig.hardware.config import Config
from rig.hardware.selection import open_hardware
from rig.meter.billing.billing import MeterEvent
from rig.meter.billing.commands import Action, Command
from rig.meter.billing.events import (
    ClockSetTo,
    ClockSlewed,
    MasterResetDone,
    Programmed,
    RateForced,
    RateReleased,
)
from rig.meter.billing.inputs import InputId
from rig.meter.billing.source import Source
from rig.meter.billing.tariff import Rate
from rig.program import schema
from rig.program.build import Program, build
from rig.service.service import Service

SECOND = 10**9
TEXT = """
[[tou.seasons]]
name = "all year"
begins = "01-01"
weekday = ["00:00 A"]

[[inputs]]
name = "IN1"
function = "force rate"
rate = "C"
"""


def program(text: str = TEXT) -> Program:
    return build(convert(tomllib.loads(text), schema.ProgramFile))


def test_a_meter_in_service_is_asked() -> None:
    """In one session, as it takes a while to begin: a rate input through a master reset, a clock, a program."""
    hardware = open_hardware(Config(), 20, paced=False)
    service = Service(hardware, Config(), program())
    seen: list[MeterEvent] = []
    service.on_events = seen.extend
    service.begin()

    def run(seconds: float) -> None:
        list(service.run(hardware.clock.now_ns() + round(seconds * SECOND)))

    def found(*kinds: type) -> list[tuple[type, Source]]:
        events = [(type(each), each.source) for each in seen if isinstance(each, kinds)]
        seen.clear()
        return events

    rates = RateForced, RateReleased, MasterResetDone
    run(1)
    assert hardware.hands is not None
    hardware.hands.operate(InputId.IN1.value, hardware.clock.now_ns())
    run(1)
    assert found(*rates) == [(RateForced, Source.INPUT)]
    service.execute([Command(service.meter.billing.now_ns, Action.MASTER_RESET, Source.PANEL)])
    assert found(*rates) == [
        (RateReleased, Source.PANEL),
        (MasterResetDone, Source.PANEL),
        (RateForced, Source.INPUT),
    ], "the contact is closed still"
    assert service.meter.billing.rate is Rate.C
    hardware.hands.let_go(InputId.IN1.value, hardware.clock.now_ns())
    run(1)
    assert found(*rates) == [(RateReleased, Source.INPUT)]

    for by_ns, kind in ((3600 * SECOND, ClockSetTo), (3600 * SECOND + SECOND // 2, ClockSlewed), (None, ClockSetTo)):
        utc_ns = None if by_ns is None else hardware.clock.utc_ns() + by_ns
        service.set_clock(utc_ns, Source.OPTICAL)
        run(0.5)
        assert found(ClockSetTo, ClockSlewed) == [(kind, Source.OPTICAL)]
        run(3)
        assert found(ClockSetTo, ClockSlewed) == [], "the service's own comparing is no event"

    service.write_program(program(TEXT.replace('"C"', '"D"')), program(), Source.RS485)
    assert found(Programmed) == [(Programmed, Source.RS485)]
    service.finish()
