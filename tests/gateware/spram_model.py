"""SB_SPRAM256KA as Lattice describes it (FPGA-TN-02022, iCE40 SPRAM usage guide), for Amaranth's simulator.

16384 words of 16 bits, one address. A clock with CHIPSELECT reads, or with WREN writes the nibbles of MASKWREN. After a
write the output is undefined: here the complement of what was read last. Without CHIPSELECT nothing happens.
"""

from __future__ import annotations

from amaranth import Cat, Elaboratable, Module, Signal, Value
from amaranth.lib.memory import Memory

GARBAGE = 0xDEAD
"""What every word holds before it is written."""


class Spram(Elaboratable):
    """Takes the place of Amaranth's Instance, which no simulator runs."""

    def __init__(self, kind: str, **ports: Value) -> None:
        assert kind == "SB_SPRAM256KA"
        self._ports = ports

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p = {name: Value.cast(value) for name, value in self._ports.items()}
        m.submodules.memory = memory = Memory(shape=16, depth=1 << 14, init=[GARBAGE] * (1 << 14))
        read_port, write_port = memory.read_port(), memory.write_port(granularity=4)
        wrote = Signal()
        selected = p["i_CHIPSELECT"] & ~p["i_STANDBY"] & ~p["i_SLEEP"] & p["i_POWEROFF"]
        m.d.comb += [
            read_port.addr.eq(p["i_ADDRESS"]),
            read_port.en.eq(selected & ~p["i_WREN"]),
            write_port.addr.eq(p["i_ADDRESS"]),
            write_port.data.eq(p["i_DATAIN"]),
            write_port.en.eq(Cat(p["i_MASKWREN"][k] & selected & p["i_WREN"] for k in range(4))),
            p["o_DATAOUT"].eq(read_port.data ^ wrote.replicate(16)),
        ]
        with m.If(selected):
            m.d.sync += wrote.eq(p["i_WREN"])
        return m
