"""The memory of the pulse counters: their words, the gate's, and the queue of changes, for three who want it."""

from __future__ import annotations

from amaranth import Cat, Const, Module, Mux
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gateware.contact_changes import QUEUE_LOG2


class CounterMemory(wiring.Component):
    """Words 0 to 63 are results and gate, by the host's index; from 128 on those of the queue.

    The host comes first, then the engine, then a pending change, which is `change_written` in the clock in which it
    finds the port free. The engine never meets another at the same word: a host's access makes it read again.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "data": Out(32),
                "host_index": In(6),
                "host_read": In(1),
                "host_write": In(1),
                "host_value": In(32),
                "engine_read": In(1),
                "engine_read_at": In(QUEUE_LOG2 + 1),
                "engine": In(1),  # the port is the engine's, whether it writes or not
                "engine_write": In(1),
                "engine_write_at": In(6),
                "engine_value": In(32),
                "change": In(1),
                "change_at": In(QUEUE_LOG2),
                "change_value": In(32),
                "change_written": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.memory = memory = Memory(shape=32, depth=1 << (QUEUE_LOG2 + 1), init=[])
        read_port, write_port = memory.read_port(), memory.write_port()
        queued_at = Cat(self.change_at, Const(1, 1))
        value = Mux(self.engine, self.engine_value, self.change_value)
        m.d.comb += [
            self.data.eq(read_port.data),
            read_port.en.eq(self.host_read | self.engine_read),
            read_port.addr.eq(Mux(self.host_read, self.host_index, self.engine_read_at)),
            write_port.en.eq(self.host_write | Mux(self.engine, self.engine_write, self.change)),
            write_port.addr.eq(
                Mux(self.host_write, self.host_index, Mux(self.engine, self.engine_write_at, queued_at))
            ),
            write_port.data.eq(Mux(self.host_write, self.host_value, value)),
            self.change_written.eq(self.change & ~self.host_write & ~self.engine),
        ]
        return m
