"""iCEBreaker: iCE40UP5K, 12 MHz, three PMODs. Wiring: docs/boards.md."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from amaranth import ClockDomain, ClockSignal, Const, DomainRenamer, Elaboratable, Instance, Module, Signal
from amaranth.build import Attrs, Pins, PinsN, Resource
from amaranth.lib import wiring
from amaranth.lib.cdc import ResetSynchronizer
from amaranth.lib.wiring import In, Out
from amaranth_boards.icebreaker import ICEBreakerPlatform

from gateware.boards import Board
from gateware.chain import Chain
from gateware.registers import Capability

DEVICES = ("UP5K",)

CRYSTAL_HZ = 12_000_000
MULTIPLY, DIVIDE_LOG2, HALVED = 71, 5, 2
"""VCO 12 · 71 = 852 MHz (533 to 1066), PLL out 852 / 2⁵ = 26.625 MHz (16 to 275: FPGA-DS-02008), halved by a
flip-flop because the gateware's clock is below what the PLL is specified to give."""
CLOCK_HZ = Fraction(CRYSTAL_HZ * MULTIPLY, HALVED << DIVIDE_LOG2)  # 13.3125 MHz

SLOTS = 256
"""Records that the four large RAMs hold, of which one stays free: 4.25 s of 60 windows a second."""

_CAPABILITIES = (
    Capability.PRODUCTS | Capability.MEANS | Capability.DELAYED_PRODUCTS | Capability.PHASORS | Capability.EVENTS
)
"""What fits, by measurement: docs/boards.md, figures."""

_SELF_TEST = Capability.PRODUCTS | Capability.MEANS | Capability.PHASORS | Capability.PHANTOM_LOAD
"""For the self-test of the chain: with the phantom load there is room neither for events nor for pulse counters (5393
cells of 5280 with these alone beside products and phasors)."""

_IO = Attrs(IO_STANDARD="SB_LVCMOS")
_PULLED_UP = Attrs(IO_STANDARD="SB_LVCMOS", PULLUP=1)

_RESOURCES = [
    # PMOD1A, upper row in the order of a PMOD's SPI: the Pi.
    Resource("cs_n", 0, Pins("1", dir="i", conn=("pmod", 0)), _PULLED_UP),
    Resource("copi", 0, Pins("2", dir="i", conn=("pmod", 0)), _IO),
    Resource("cipo", 0, Pins("3", dir="o", conn=("pmod", 0)), _IO),
    Resource("sck", 0, Pins("4", dir="i", conn=("pmod", 0)), _IO),
    # PMOD1B, upper row: the modulators. A line nobody drives is pulled up, and reported dead.
    Resource("lines", 0, Pins("1 2 3", dir="i", conn=("pmod", 1)), _PULLED_UP),
    Resource("mclk", 0, Pins("4", dir="o", conn=("pmod", 1)), _IO),
    # Contacts to ground: the test LED, Y1 Z1 … Y4 Z4 on PMOD2, two spare ones beside the LED.
    Resource(
        "pulses",
        0,
        PinsN(
            "pmod_0:7 pmod_2:1 pmod_2:2 pmod_2:3 pmod_2:4 pmod_2:7 pmod_2:8 pmod_2:9 pmod_2:10 pmod_0:8 pmod_0:9",
            dir="i",
        ),
        _PULLED_UP,
    ),
]


class _Platform(ICEBreakerPlatform):
    resources = [*(r for r in ICEBreakerPlatform.resources if r.name == "clk12"), *_RESOURCES]  # noqa: RUF012


class HeldReset(wiring.Component):
    """`reset` until the PLL has been `locked` for 511 clocks (19 µs) on end.

    Block RAM of an iCE40 reads zeros for some 3 µs after configuration (icestorm issue 76).
    """

    def __init__(self) -> None:
        super().__init__({"locked": In(1), "reset": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        count = Signal(9)
        m.d.comb += self.reset.eq(~count.all())
        with m.If(~self.locked):
            m.d.sync += count.eq(0)
        with m.Elif(self.reset):
            m.d.sync += count.eq(count + 1)
        return m


class _Clock(Elaboratable):
    """12 MHz → PLL → ÷2 → `sync`."""

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.domains.pll = pll = ClockDomain(reset_less=True, local=True)
        locked = Signal()
        m.submodules.pll = Instance(
            "SB_PLL40_PAD",
            p_FEEDBACK_PATH="SIMPLE",
            p_PLLOUT_SELECT="GENCLK",
            p_DIVR=Const(0, 4),
            p_DIVF=Const(MULTIPLY - 1, 7),
            p_DIVQ=Const(DIVIDE_LOG2, 3),
            p_FILTER_RANGE=Const(1, 3),
            i_PACKAGEPIN=platform.request("clk12", dir="-").io,
            i_RESETB=Const(1),
            i_BYPASS=Const(0),
            o_PLLOUTGLOBAL=pll.clk,
            o_LOCK=locked,
        )
        half = Signal()
        m.d.pll += half.eq(~half)
        m.d.comb += ClockSignal("sync").eq(half)
        platform.add_clock_constraint(half, float(CLOCK_HZ))
        m.submodules.hold = hold = DomainRenamer("pll")(HeldReset())
        m.d.comb += hold.locked.eq(locked)
        m.submodules.reset = ResetSynchronizer(hold.reset, domain="sync")
        return m


def board(device: str) -> Board:
    return Board(
        name="icebreaker",
        device=device,
        key="icebreaker",
        chain=Chain(clock_hz=CLOCK_HZ, record_slots=SLOTS, capabilities=_CAPABILITIES),
        platform=_Platform,
        clock=_Clock,
        resources={
            "ICESTORM_LC": "logic cells",
            "ICESTORM_RAM": "block RAMs of 4 kbit",
            "ICESTORM_SPRAM": "RAMs of 256 kbit",
            "ICESTORM_DSP": "multipliers 16 × 16",
            "ICESTORM_PLL": "PLL",
            "SB_IO": "pins",
        },
        most_cells=Fraction(85, 100),
        loader="ice40_generic",
        suffix="bin",
        spram=True,
        options={"synth_opts": "-dsp"},
    )


def self_test(device: str) -> Board:
    """The build for `rig selftest`: with the phantom load, which the usual one has no room for."""
    usual = board(device)
    return replace(
        usual,
        key="icebreaker-selftest",
        chain=replace(usual.chain, capabilities=_SELF_TEST),
        most_cells=Fraction(90, 100),
    )
