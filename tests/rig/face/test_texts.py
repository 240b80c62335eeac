"""Whatever the meter itself puts on the display has segments of its own: none of it is shown as a question mark."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rig.face.segments import patterns
from rig.hardware.config import Config
from rig.hardware.selection import open_hardware
from rig.meter.billing.commands import Action, Command
from rig.meter.billing.source import Source
from rig.meter.display.items import DemandItem, DisplayItem, EnergyItem, PeakItem
from rig.meter.display.lcd import Lcd
from rig.meter.display.readout import DisplayedNameplate, Readout
from rig.program.build import default_program
from rig.program.display_items import items
from rig.program.names import Names
from rig.service.service import Service

PLATE = DisplayedNameplate("0.1.0", "0123abcd", "40 123 456", "1.8", "2400", default_program().billing.calendar)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    program = default_program()
    hardware = open_hardware(Config(), program.metering.current_class, paced=False)
    service = Service(hardware, Config(), program)
    service.begin()
    yield service
    service.finish()
    hardware.close()


def shown(service: Service) -> set[str]:
    """The characters of every item there is."""
    readout, found = Readout(PLATE), characters(Readout(PLATE).wait(59))
    for name, what in items(Names()).items():
        register = isinstance(what, EnergyItem | DemandItem | PeakItem)
        item = DisplayItem(name, what, *((5, 2) if register else (0, 0)), ident="01")
        found |= characters(readout.show(item, service.meter.reading(), service.meter.instant))
    return found


def characters(lcd: Lcd) -> set[str]:
    return {*lcd.ident, *lcd.text, *lcd.unit}


def test_before_and_after_the_first_second_and_in_test_mode(service: Service) -> None:
    found = shown(service)
    for seconds in (3, 3):
        for _ in service.run(service.hardware.clock.now_ns() + seconds * 10**9):
            pass
        found |= shown(service)
        service.meter.execute(Command(service.hardware.clock.utc_ns(), Action.TEST_BEGIN, Source.FRONT))
    assert service.meter.billing.test is not None
    assert len(found) > 40
    assert found <= patterns().keys()
