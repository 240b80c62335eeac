"""The registers of gateware.registers as flip-flops and a read multiplexer, and the way to those in memories."""

from __future__ import annotations

from functools import reduce
from operator import xor

from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gateware.registers import BLOCKS, REGISTERS, Capability


class RegisterFile(wiring.Component):
    """Writable registers keep their value and drive the member of their name; the others read theirs.

    `known` and `writable` say whether `address` exists in a build of these capabilities and may be written. A
    `read` strobe is answered by `value` in the clock after, while `address` stays. A `write` strobe stores `data`,
    cut to the register's width; the clock after, `<name>_written` is high for a register that is a command, not
    configuration. A block's memory is elsewhere: `<name>_index`, with `<name>_read` in the clock in which its read
    port is the host's and `<name>_data` in the next, and `<name>_write` with `data` where it is writable.
    `config_digest` is the digest of gateware.registers.configuration_digest over the present values.
    """

    def __init__(self, capabilities: Capability) -> None:
        self._registers = [r for r in REGISTERS if r.needs in capabilities]
        self._blocks = [b for b in BLOCKS if b.needs in capabilities]
        members = {
            "address": In(8),
            "known": Out(1),
            "writable": Out(1),
            "read": In(1),
            "value": Out(32),
            "write": In(1),
            "data": In(32),
            "config_digest": Out(32),
        }
        for r in self._registers:
            if r.writable:
                members[r.name] = Out(r.width, init=r.reset)
                if not r.config:
                    members[f"{r.name}_written"] = Out(1)
            else:
                members[r.name] = In(r.width)
        for b in self._blocks:
            members |= {f"{b.name}_index": Out(6), f"{b.name}_read": Out(1), f"{b.name}_data": In(32)}
            if b.writable:
                members[f"{b.name}_write"] = Out(1)
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        commands = [r for r in self._registers if r.writable and not r.config]
        m.d.sync += [getattr(self, f"{r.name}_written").eq(0) for r in commands]
        with m.If(self.write), m.Switch(self.address):
            for r in self._registers:
                if r.writable:
                    with m.Case(r.address):
                        m.d.sync += getattr(self, r.name).eq(self.data)
                        if r in commands:
                            m.d.sync += getattr(self, f"{r.name}_written").eq(1)
        with m.Switch(self.address):
            for r in self._registers:
                with m.Case(r.address):
                    m.d.comb += [self.value.eq(getattr(self, r.name)), self.known.eq(1), self.writable.eq(r.writable)]
        for b in self._blocks:
            m.d.comb += getattr(self, f"{b.name}_index").eq(self.address - b.address)
            inside = Signal(name=f"{b.name}_inside")
            m.d.comb += inside.eq((self.address >= b.address) & (self.address < b.addresses.stop))
            with m.If(inside):
                m.d.comb += [self.value.eq(getattr(self, f"{b.name}_data")), self.known.eq(1)]
                m.d.comb += [self.writable.eq(b.writable), getattr(self, f"{b.name}_read").eq(self.read)]
                if b.writable:
                    m.d.comb += getattr(self, f"{b.name}_write").eq(self.write)
        turned = []
        for r in REGISTERS:
            if r.config:
                wide = Signal(32, name=f"wide_{r.name}")
                m.d.comb += wide.eq(getattr(self, r.name) if r in self._registers else r.reset)
                turned.append(wide.rotate_left(r.address % 32))
        m.d.comb += self.config_digest.eq(reduce(xor, turned))
        return m
