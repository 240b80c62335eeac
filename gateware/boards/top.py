"""The gateware between a board's pins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amaranth import ClockDomain, Elaboratable, Module
from amaranth.lib import io
from amaranth.lib.wiring import Out

from gateware.chain import Chain
from gateware.metrology import Metrology


class Top(Elaboratable):
    """`Metrology` with a buffer at each pin, in the clock domain that `clock` makes.

    The platform has a resource of each port's name; a pin that is low when its signal is 1 says so itself (`PinsN`).
    MCLK leaves its flip-flop straight for the pin: a further register there would make it a clock late, and the
    lines would be taken 75 ns after its edges instead of 150, less than two isolators and a modulator may need.
    CIPO is released while CS is high, so that other chips can share the bus. Outputs in `held` stand at their level.
    """

    def __init__(
        self, chain: Chain, clock: Elaboratable, spram: bool = False, held: Mapping[str, int] | None = None
    ) -> None:
        self._chain = chain
        self._clock = clock
        self._spram = spram
        self._held = held or {}

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.domains.sync = ClockDomain()
        m.submodules.clock = self._clock
        m.submodules.metrology = metrology = Metrology(self._chain, spram=self._spram)
        for name, member in metrology.signature.members.items():
            outward = member.flow is Out
            buffer = io.Buffer("o" if outward else "i", platform.request(name, dir="-"))
            m.submodules[name] = buffer
            if outward:
                m.d.comb += buffer.o.eq(getattr(metrology, name))
            else:
                m.d.comb += getattr(metrology, name).eq(buffer.i)
            if name == "cipo":
                m.d.comb += buffer.oe.eq(~metrology.cs_n)
        for name, level in self._held.items():
            m.submodules[name] = output = io.Buffer("o", platform.request(name, dir="-"))
            m.d.comb += output.o.eq(level)
        return m
