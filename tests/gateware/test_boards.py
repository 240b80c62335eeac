"""The boards: clocks within the PLLs' limits, pins that are there and used once, a reset that ends."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest
from amaranth.sim import Simulator

from gateware.bitstream.plan import NAME, _files
from gateware.boards import NAMES, BoardError, board, icebreaker, ulx3s
from gateware.registers import PULSE_PINS, Capability

PINS = {"lines": 3, "mclk": 1, "cs_n": 1, "sck": 1, "copi": 1, "cipo": 1, "pulses": PULSE_PINS}
HELD = {"icebreaker": {}, "ulx3s": {"wifi_gpio0": ("L2", 1), "shutdown": ("G16", 0)}}
"""Site and level of what a board wants driven: ulx3s_v20.lpf and MANUAL.md of the ULX3S; the iCEBreaker's schematic has
pull-ups of its own at all that configuration uses, and unused pins of an iCE40 are pulled up, LEDs off."""
DOCUMENT = Path(__file__).parents[2] / "docs" / "boards.md"


@cache
def plan_files(name: str, device: str | None = None) -> dict[str, str]:
    files, _ = _files(board(name, device), 0)
    return files


@cache
def constraints(name: str, device: str | None = None) -> dict[str, str]:
    """Package pin by port bit, as the tools are told it."""
    files = plan_files(name, device)
    text = files.get(f"{NAME}.pcf") or files[f"{NAME}.lpf"]
    found = re.findall(r'(?:set_io (\S+) (\S+)|LOCATE COMP "(\S+)" SITE "(\S+)")', text)
    return {(a or c): (b or d) for a, b, c, d in found}


def test_icebreaker_clock_is_within_the_pll_limits() -> None:
    """FPGA-DS-02008, sysCLOCK PLL timing; the same as icepll checks."""
    vco = icebreaker.CRYSTAL_HZ * icebreaker.MULTIPLY
    assert 10e6 <= icebreaker.CRYSTAL_HZ <= 133e6  # phase detector
    assert 533e6 <= vco <= 1066e6
    assert 16e6 <= vco / 2**icebreaker.DIVIDE_LOG2 <= 275e6
    assert board("icebreaker").chain.clock_hz == Fraction(13_312_500)


def test_ulx3s_clock_is_within_the_pll_limits() -> None:
    """FPGA-DS-02012, sysCLOCK PLL timing; the same as ecppll checks."""
    assert 10e6 <= ulx3s.CRYSTAL_HZ <= 400e6  # phase detector
    assert 400e6 <= ulx3s.CRYSTAL_HZ * ulx3s.MULTIPLY <= 800e6
    assert 3.125e6 <= ulx3s.CLOCK_HZ <= 400e6
    assert max(ulx3s.MULTIPLY, ulx3s.DIVIDE) <= 128
    assert board("ulx3s").chain.clock_hz == Fraction(40_000_000, 3)


@pytest.mark.parametrize("name", NAMES)
def test_modulator_clock_is_q1s(name: str) -> None:
    assert float(board(name).chain.tick_hz) == pytest.approx(3.33e6, rel=2e-3)


@pytest.mark.parametrize("name", NAMES)
def test_every_port_has_its_pins_and_no_pin_two_ports(name: str) -> None:
    placed = constraints(name)
    assert len(set(placed.values())) == len(placed)
    for port, width in PINS.items():
        bits = [bit for bit in placed if bit.startswith(f"{port}_0__io")]
        assert len(bits) == width, f"{port} of {name}"
    assert len(placed) == sum(PINS.values()) + 1 + len(HELD[name])  # and the crystal


@pytest.mark.parametrize(
    ("name", "device"),
    [
        ("icebreaker", None),
        ("ulx3s", "25F"),
        *(pytest.param("ulx3s", each, marks=pytest.mark.slow) for each in ulx3s.DEVICES if each != "25F"),
    ],
)
def test_what_the_board_wants_driven_is_driven_in_every_top(name: str, device: str | None) -> None:
    """Review B-2: without GPIO0 high an older ESP32 firmware loads another bitstream after some seconds."""
    assert set(board(name, device).held) == set(HELD[name])
    placed, netlist = constraints(name, device), plan_files(name, device)[f"{NAME}.il"]
    for port, (site, level) in HELD[name].items():
        assert placed[f"{port}_0__io"] == site
        module = netlist.split(f"\nmodule \\{NAME}.{port}\n", 1)[1].split("\nmodule ", 1)[0]
        (outer,) = re.findall(r"connect \\o\$1 (\S+)\n", module)  # the level at the pin, behind a PinsN's inversion
        (enable,) = re.findall(r"\nconnect \\oe (\S+)\n", module)
        assert (outer, enable) == (f"1'{level}", "1'1")
        buffer = netlist.split(f"\nmodule \\{NAME}.{port}.buf\n", 1)[1].split("\nmodule ", 1)[0]
        assert re.findall(r"cell \\(\S+) ", buffer) == ["OBZ"]
        assert f"connect \\O \\{port}_0__io [0]" in buffer


@pytest.mark.parametrize("name", NAMES)
def test_the_wiring_table_names_every_package_pin(name: str) -> None:
    heading = {"icebreaker": "## iCEBreaker", "ulx3s": "## ULX3S"}[name]
    section = DOCUMENT.read_text().split(heading, 1)[1].split("\n## ", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    listed = {pin for row in rows for pin in row.split("|")[3].split()}
    placed = {pin for bit, pin in constraints(name).items() if not bit.startswith("clk")}
    assert listed == placed


@pytest.mark.parametrize("name", NAMES)
def test_contacts_are_pulled_up_and_closed_is_one(name: str) -> None:
    platform = board(name).platform()
    pulses = platform.lookup("pulses")
    assert pulses.ios[0].invert
    assert pulses.attrs.get("PULLUP") == 1 or pulses.attrs.get("PULLMODE") == "UP"


@pytest.mark.parametrize(("name", "heading"), [("icebreaker", "## iCEBreaker"), ("ulx3s", "## ULX3S")])
def test_pulse_wires_that_lead_nowhere_are_told_where_they_are_drawn(name: str, heading: str) -> None:
    """Review C-7: a build without counters says so in the rows of its wiring table."""
    section = DOCUMENT.read_text().split(heading, 1)[1].split("\n## ", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("| `pulses`")]
    counts = Capability.PULSE_COUNTERS in board(name).chain.capabilities
    assert rows
    assert all(("(not counted)" in row) is not counts for row in rows)


def test_reset_ends_511_clocks_after_the_lock_and_comes_back() -> None:
    hold = icebreaker.HeldReset()
    seen = []

    async def bench(ctx) -> None:  # type: ignore[no-untyped-def]
        for locked, clocks in ((0, 20), (1, 100), (0, 1), (1, 511), (1, 5), (0, 1), (1, 3)):
            ctx.set(hold.locked, locked)
            for _ in range(clocks):
                await ctx.tick()
            seen.append(ctx.get(hold.reset))

    simulator = Simulator(hold)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert seen == [1, 1, 1, 0, 0, 1, 1]


def test_a_board_or_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(BoardError, match=r'no board "nexys": the boards are icebreaker and ulx3s'):
        board("nexys")
    with pytest.raises(BoardError, match=r'board ulx3s has no device "12F": it comes with 25F, 45F, 85F'):
        board("ulx3s", "12F")


@pytest.mark.parametrize("device", ulx3s.DEVICES)
def test_every_device_has_its_own_key_and_platform(device: str) -> None:
    made = board("ulx3s", device)
    assert made.key == f"ulx3s-{device.lower()}"
    assert made.platform().device == f"LFE5U-{device}"
