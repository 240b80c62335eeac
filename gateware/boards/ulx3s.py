"""ULX3S: ECP5 of 25, 45 or 85 thousand LUTs, 25 MHz, two 40-pin headers. Wiring: docs/boards.md."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from typing import Any

from amaranth import ClockSignal, Const, Elaboratable, Instance, Module, Signal
from amaranth.build import Attrs, Pins, PinsN, Resource
from amaranth.lib import io
from amaranth.lib.cdc import ResetSynchronizer
from amaranth_boards import ulx3s

from gateware.boards import Board
from gateware.chain import Chain

DEVICES = ("25F", "45F", "85F")

CRYSTAL_HZ = 25_000_000
MULTIPLY, DIVIDE = 24, 45
"""Phase detector 25 MHz, VCO 25 · 24 = 600 MHz (400 to 800: FPGA-DS-02012), out 600 / 45."""
CLOCK_HZ = Fraction(CRYSTAL_HZ * MULTIPLY, DIVIDE)  # 13 1/3 MHz

SLOTS = {"25F": 80, "45F": 256, "85F": 256}
"""Slots of the records' ring: what block RAM the capture leaves, 1.3 s of 60 windows a second on the 25F; 4.25 s."""

_IO = Attrs(IO_TYPE="LVCMOS33")
_OUT = Attrs(IO_TYPE="LVCMOS33", DRIVE="4", SLEWRATE="SLOW")
_PULLED_UP = Attrs(IO_TYPE="LVCMOS33", PULLMODE="UP")

_RESOURCES = [
    # J1, GP0 to GP3: the Pi.
    Resource("cs_n", 0, Pins("0+", dir="i", conn=("gpio", 0)), _PULLED_UP),
    Resource("copi", 0, Pins("1+", dir="i", conn=("gpio", 0)), _IO),
    Resource("cipo", 0, Pins("2+", dir="o", conn=("gpio", 0)), _OUT),
    Resource("sck", 0, Pins("3+", dir="i", conn=("gpio", 0)), _IO),
    # J1, GP4 to GP7: the modulators. A line nobody drives is pulled up, and reported dead.
    Resource("lines", 0, Pins("4+ 5+ 6+", dir="i", conn=("gpio", 0)), _PULLED_UP),
    Resource("mclk", 0, Pins("7+", dir="o", conn=("gpio", 0)), _OUT),
    # J2, contacts to ground: the test LED on GP22; Y1 to Y4 on GP18 to GP21, Z1 to Z4 on the GN beside; two spare.
    Resource(
        "pulses",
        0,
        PinsN("22+ 18+ 18- 19+ 19- 20+ 20- 21+ 21- 23+ 23-", dir="i", conn=("gpio", 0)),
        _PULLED_UP,
    ),
    # GPIO0 of the ESP32, and SHUTDOWN of the power supply: sites of the board's ulx3s_v20.lpf.
    Resource("wifi_gpio0", 0, Pins("L2", dir="o"), _OUT),
    Resource("shutdown", 0, Pins("G16", dir="o"), _OUT),
]

_HELD = {"wifi_gpio0": 1, "shutdown": 0}
"""What the board wants of every design (its MANUAL.md and examples): the firmware that older boards have in their ESP32
loads another bitstream some seconds after GPIO0 goes low, and an unused pin is pulled low; SHUTDOWN high turns the
board off."""

_PLATFORMS: dict[str, Any] = {
    "25F": ulx3s.ULX3S_25F_Platform,
    "45F": ulx3s.ULX3S_45F_Platform,
    "85F": ulx3s.ULX3S_85F_Platform,
}


class _Clock(Elaboratable):
    """25 MHz → PLL → `sync`, in reset until the PLL is locked."""

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.crystal = crystal = io.Buffer("i", platform.request("clk25", dir="-"))
        locked = Signal()
        feedback = Signal()
        m.submodules.pll = Instance(
            "EHXPLLL",
            p_CLKI_DIV=1,
            p_CLKFB_DIV=1,
            p_FEEDBK_PATH="CLKOP",
            p_CLKOP_ENABLE="ENABLED",
            p_CLKOP_DIV=MULTIPLY,
            p_CLKOP_CPHASE=MULTIPLY - 1,
            p_CLKOS_ENABLE="ENABLED",
            p_CLKOS_DIV=DIVIDE,
            p_CLKOS_CPHASE=DIVIDE - 1,
            i_CLKI=crystal.i,
            i_CLKFB=feedback,
            i_RST=Const(0),
            i_STDBY=Const(0),
            i_PHASESEL0=Const(0),
            i_PHASESEL1=Const(0),
            i_PHASEDIR=Const(1),
            i_PHASESTEP=Const(1),
            i_PHASELOADREG=Const(1),
            i_PLLWAKESYNC=Const(0),
            i_ENCLKOP=Const(0),
            i_ENCLKOS=Const(0),
            o_CLKOP=feedback,
            o_CLKOS=ClockSignal("sync"),
            o_LOCK=locked,
        )
        m.submodules.reset = ResetSynchronizer(~locked, domain="sync")
        return m


def _platform(device: str) -> Any:
    made_by = _PLATFORMS[device]
    clock = [resource for resource in made_by.resources if resource.name == "clk25"]
    return type(f"Ulx3s{device}", (made_by,), {"resources": clock + _RESOURCES})()


def board(device: str) -> Board:
    return Board(
        name="ulx3s",
        device=device,
        key=f"ulx3s-{device.lower()}",
        chain=Chain(clock_hz=CLOCK_HZ, record_slots=SLOTS[device]),
        platform=partial(_platform, device),
        clock=_Clock,
        resources={
            "TRELLIS_COMB": "logic cells",
            "TRELLIS_FF": "flip-flops",
            "TRELLIS_RAMW": "distributed RAM",
            "DP16KD": "block RAMs of 18 kbit",
            "MULT18X18D": "multipliers 18 × 18",
            "EHXPLLL": "PLL",
            "TRELLIS_IO": "pins",
        },
        most_cells=Fraction(85, 100),
        loader="ulx3s",
        suffix="bit",
        held=_HELD,
    )
