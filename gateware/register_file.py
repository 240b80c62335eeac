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
    written. A `write` strobe stores `data`, cut to the register's width, and pulses `<name>_written`.
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
                members[f"{r.name}_written"] = Out(1)
            else:
                members[r.name] = In(r.width)
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for r in REGISTERS:
            value = getattr(self, r.name)
            if r.writable:
                written = getattr(self, f"{r.name}_written")
                m.d.sync += written.eq(self.write & (self.address == r.address))
                with m.If(self.write & (self.address == r.address)):
                    m.d.sync += value.eq(self.data)
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
