"""Ring memory of one port: block RAM, or the four large RAMs of an iCE40UP5K."""

from __future__ import annotations

from amaranth import ClockSignal, Const, Instance, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

SPRAM_WORDS = 1 << 14
"""Words of 64 bits that the four SB_SPRAM256KA of an iCE40UP5K hold side by side (FPGA-TN-02022)."""


class RingMemory(wiring.Component):
    """`words` words of 64 bits, read or written, never both in a clock; `data` is valid in the clock after `read`.

    With `spram` it is four SB_SPRAM256KA, which have one address and which yosys does not infer from a memory with
    initial contents, and an Amaranth memory always has them.
    """

    def __init__(self, words: int, spram: bool) -> None:
        self._words = words
        self._spram = spram
        assert not spram or words <= SPRAM_WORDS, f"an SB_SPRAM256KA has {SPRAM_WORDS} words"
        super().__init__(
            {
                "write": In(1),
                "write_word": In(range(words)),
                "value": In(64),
                "read": In(1),
                "read_word": In(range(words)),
                "data": Out(64),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        if not self._spram:
            memory = Memory(shape=64, depth=self._words, init=[])
            m.submodules.memory = memory
            read_port, write_port = memory.read_port(), memory.write_port()
            m.d.comb += [
                read_port.addr.eq(self.read_word),
                read_port.en.eq(self.read),
                self.data.eq(read_port.data),
                write_port.addr.eq(self.write_word),
                write_port.data.eq(self.value),
                write_port.en.eq(self.write),
            ]
            return m
        address = Signal(range(SPRAM_WORDS))
        m.d.comb += address.eq(Mux(self.write, self.write_word, self.read_word))
        for k in range(4):
            part = slice(16 * k, 16 * k + 16)
            m.submodules[f"spram_{k}"] = Instance(
                "SB_SPRAM256KA",
                i_CLOCK=ClockSignal(),
                i_ADDRESS=address,
                i_DATAIN=self.value[part],
                i_MASKWREN=Const(0xF, 4),
                i_WREN=self.write,
                i_CHIPSELECT=self.write | self.read,
                i_STANDBY=Const(0),
                i_SLEEP=Const(0),
                i_POWEROFF=Const(1),  # active low
                o_DATAOUT=self.data[part],
            )
        return m
