"""Do the comparisons see what they are for? Small faults put into the gateware are each found against the model."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from amaranth import Cat, Module, Signal
from amaranth.lib.wiring import Component, In
from gateware_bench import Host, Netlist, Source, noise, steady

from gateware import fir, metrology
from gateware.bit_delay import BitDelay
from gateware.chain import TAPS, Chain
from gateware.fir import Fir
from gateware.twin import build
from gateware.twin.behind_bus import ModelBehindBus

CHAIN = Chain()


def pass_through(m: Module, outer: Component, inner: Component, but: str) -> None:
    """Connect every member of `inner` to that of `outer`, except one."""
    for name, member in outer.signature.members.items():
        ours, its = getattr(outer, name), getattr(inner, name)
        if name != but:
            for a, b in zip(ours, its, strict=True) if member.dimensions else [(ours, its)]:
                m.d.comb += b.eq(a) if member.flow is In else a.eq(b)


class NarrowCic(Chain):
    """The CIC and what follows it one bit narrower: full scale turns its sign."""

    @property
    def cic_bits(self) -> int:
        return super().cic_bits - 1


class DroppingFir(Fir):
    """The third sample set goes missing."""

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.inner = inner = Fir(self._chain)
        pass_through(m, self, inner, but="sample")
        seen = Signal(2)
        with m.If(inner.sample & (seen != 3)):
            m.d.sync += seen.eq(seen + 1)
        m.d.comb += self.sample.eq(inner.sample & (seen != 2))
        return m


class SwappingDelay(BitDelay):
    """V2 and V3 change places."""

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.inner = inner = BitDelay()
        pass_through(m, self, inner, but="bits")
        m.d.comb += inner.bits.eq(Cat(self.bits[0], self.bits[2], self.bits[1], self.bits[3:]))
        return m


def compare(gateware: Chain, source: Source) -> None:
    """Three records of the netlist of `gateware` against the model of the chain as it should be."""
    host = Host(CHAIN, source, Netlist(gateware), ModelBehindBus(CHAIN))
    host.write("WINDOW_MAX", 3)
    for _ in range(3):
        host.run(5 * CHAIN.ticks_per_sample)
        host.record()


def patched(name: str, replacement: object, module: object = metrology) -> Callable[[pytest.MonkeyPatch], Chain]:
    def patch(monkeypatch: pytest.MonkeyPatch) -> Chain:
        monkeypatch.setattr(module, name, replacement)
        return CHAIN

    return patch


MUTATIONS: dict[str, tuple[Callable[[pytest.MonkeyPatch], Chain], Callable[[], Source]]] = {
    "CIC one bit narrower": (lambda _: NarrowCic(), lambda: steady(0b111111)),
    "a sample dropped": (patched("Fir", DroppingFir), lambda: noise(1)),
    "two channels swapped": (patched("BitDelay", SwappingDelay), lambda: noise(1)),
    "one tap one more": (patched("TAPS", (TAPS[0] + 1, *TAPS[1:]), fir), lambda: noise(1)),
}


@pytest.mark.parametrize(
    "mutation",
    [pytest.param(name, marks=[pytest.mark.slow] if number else []) for number, name in enumerate(MUTATIONS)],
)
def test_a_fault_is_found(mutation, monkeypatch):
    patch, source = MUTATIONS[mutation]
    compare(CHAIN, source())
    gateware = patch(monkeypatch)
    monkeypatch.setattr(build, "netlist", build.netlist.__wrapped__)  # not the one kept in memory
    with pytest.raises(AssertionError, match="replies"):
        compare(gateware, source())
