"""Changes of the pulse pins, each to be written with its tick to the queue that the counters' engine works off."""

from __future__ import annotations

from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from gateware.registers import PULSE_PINS

QUEUE_LOG2 = 7


class ContactChanges(wiring.Component):
    """Takes the pins at each `tick`; a change is `pending` until it is `written` to the queue's place `write_at`.

    The queue is full while the place after that is `read_at`, the oldest change that waits. A change that finds it full
    sets `overflow`, until `clear`, and the levels are taken at a later tick, when there is room.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "pulses": In(PULSE_PINS),
                "tick": In(1),
                "read_at": In(QUEUE_LOG2),
                "written": In(1),
                "clear": In(1),
                "levels": Out(PULSE_PINS),
                "pending": Out(1),
                "write_at": Out(QUEUE_LOG2),
                "overflow": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        settled = Signal(PULSE_PINS)
        m.submodules.sync = FFSynchronizer(self.pulses, settled)
        with m.If(self.tick & (settled != self.levels)):
            with m.If((self.write_at + 1)[:QUEUE_LOG2] == self.read_at):
                m.d.sync += self.overflow.eq(1)
            with m.Else():
                m.d.sync += [self.levels.eq(settled), self.pending.eq(1)]
        with m.If(self.written):
            m.d.sync += [self.pending.eq(0), self.write_at.eq(self.write_at + 1)]
        with m.If(self.clear):
            m.d.sync += self.overflow.eq(0)
        return m
