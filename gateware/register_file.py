"""The registers of `gateware.registers.REGISTERS` as flip-flops and a read multiplexer."""

from __future__ import annotations

from functools import reduce
from operator import xor

from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gateware.registers import REGISTERS


class RegisterFile(wiring.Component):
    """Writable registers keep their value and drive the member of their name; the others read theirs.

    `read` is combinational in `address`; `known` and `writable` say whether `address` exists and may be
    written. A `write` strobe stores `data`, cut to the register's width; the clock after, `<name>_written` is high
    for a register that is a command, not configuration.
    `config_digest` is the digest of gateware.registers.configuration_digest over the present values.
    """

    def __init__(self) -> None:
        members = {
            "address": In(8),
            "known": Out(1),
            "writable": Out(1),
            "read": Out(32),
            "write": In(1),
            "data": In(32),
            "config_digest": Out(32),
        }
        for r in REGISTERS:
            if r.writable:
                members[r.name] = Out(r.width, init=r.reset)
                if not r.config:
                    members[f"{r.name}_written"] = Out(1)
            else:
                members[r.name] = In(r.width)
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        commands = [r for r in REGISTERS if r.writable and not r.config]
        m.d.sync += [getattr(self, f"{r.name}_written").eq(0) for r in commands]
        with m.If(self.write), m.Switch(self.address):
            for r in REGISTERS:
                if r.writable:
                    with m.Case(r.address):
                        m.d.sync += getattr(self, r.name).eq(self.data)
                        if r in commands:
                            m.d.sync += getattr(self, f"{r.name}_written").eq(1)
        with m.Switch(self.address):
            for r in REGISTERS:
                with m.Case(r.address):
                    m.d.comb += [self.read.eq(getattr(self, r.name)), self.known.eq(1), self.writable.eq(r.writable)]
        turned = []
        for r in REGISTERS:
            if r.config:
                wide = Signal(32, name=f"wide_{r.name}")
                m.d.comb += wide.eq(getattr(self, r.name))
                turned.append(wide.rotate_left(r.address % 32))
        m.d.comb += self.config_digest.eq(reduce(xor, turned))
        return m
