"""A metering process with a fault: `python -m tests.rig.verify.faulty_meter DESCRIPTOR`. FAULT says which:

broken      pulse number FAULT_AT of KYZ1 opens both contacts instead of closing the next one, as a broken wire does
bounced     it closes the next one, the last one again for 5 ms, and the next one again
constant    KYZ1 pulses each 0.1515 Wh and says that it does each 0.15 Wh
register    registers that are read are those of three readings ago
display     the register on display is looked at only once, for each item
recorder    the recorder takes in 49 of 50 portions
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import msgspec

from drivers.gpio import FormCRelay, Position
from rig.daemon import metering
from rig.meter.billing.quantity import NANO, Quantity
from rig.meter.billing.recorder import Recorder
from rig.meter.contacts.outputs import OutputId
from rig.meter.contacts.pulses import PulseOutput, PulseState
from rig.meter.display.lcd import Lcd
from rig.meter.meter import Meter
from rig.results.exact import ExactReading, ExactRegisters
from rig.service.front_panel import FrontPanel
from rig.service.service import Service

FAULT_AT = 8
BOUNCE_NS = 5_000_000
LONG = Fraction(101, 100)
LAG = 3
"""Readings, one each second."""
LOST_PORTION = 50


def at_contacts(fault: str) -> None:
    right = FormCRelay.transition

    def transition(self: FormCRelay) -> None:
        if self.transitions + 1 != FAULT_AT:
            right(self)
        elif fault == "broken":
            self._move(Position.OPEN, 1)
            self.last = Position.KY if FAULT_AT % 2 else Position.KZ  # what it believes to have closed
        else:
            right(self)
            for position in (self.last.opposite, self.last):
                self.edges.add(0, lambda now_ns, position=position: self._move(position), BOUNCE_NS)

    FormCRelay.transition = transition  # type: ignore[method-assign]


def constant() -> None:
    right = PulseOutput.__init__

    def made(
        self: PulseOutput, id: OutputId, quantity: Quantity, constant_wh: Fraction, state: PulseState | None = None
    ) -> None:
        right(self, id, quantity, constant_wh, state)
        if id is OutputId.KYZ1:
            self._constant, self._unit = (constant_wh * LONG * NANO).as_integer_ratio()

    PulseOutput.__init__ = made  # type: ignore[method-assign]


def register() -> None:
    right, read = Service.reading, deque[ExactRegisters](maxlen=LAG + 1)

    def reading(self: Service) -> ExactReading:
        now = right(self)
        read.append(now.registers)
        return msgspec.structs.replace(now, registers=read[0])

    Service.reading = reading  # type: ignore[method-assign]


def display() -> None:
    right = FrontPanel.lcd
    seen: dict[tuple[str, str], Lcd] = {}

    def lcd(self: FrontPanel, meter: Meter) -> Lcd:
        now = right(self, meter)
        first = seen.setdefault((now.ident, now.unit), now)
        return replace(now, text=first.text) if now.unit == "kWh" else now

    FrontPanel.lcd = lcd  # type: ignore[method-assign]


def recorder() -> None:
    right, portions = Recorder.take, iter(range(10**9))

    def take(self: Recorder, amounts: Sequence[int], squares: Sequence[int], inputs: Sequence[int]) -> None:
        if next(portions) % LOST_PORTION:
            right(self, amounts, squares, inputs)

    Recorder.take = take  # type: ignore[method-assign]


PLANTED = {"constant": constant, "register": register, "display": display, "recorder": recorder}


def main() -> None:
    fault = os.environ["FAULT"]
    PLANTED.get(fault, lambda: at_contacts(fault))()
    metering.main()


if __name__ == "__main__":
    main()
