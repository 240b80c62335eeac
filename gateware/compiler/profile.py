"""Measures how active a netlist is: its registers and blocks are counted while it runs on random input."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gateware.compiler.branches import ClockEdge
from gateware.compiler.design import RESET, Design
from gateware.compiler.gating import Activity
from gateware.compiler.generate import cpp
from gateware.compiler.rtlil import parse
from gateware.compiler.tools import cxx, run

CLOCKS = 40_000


def measure(rtlil: str, folder: Path, steady: Mapping[str, int]) -> Activity:
    """The share of CLOCKS clocks in which each register changes and each block is entered.

    Inputs in `steady` keep that value, the others are random; reset holds for the first two clocks.
    """
    (folder / "profile.cpp").write_text(program(rtlil, steady))
    run([cxx(), "-std=c++17", "-O1", "profile.cpp", "-o", "profile"], folder, "compiling the profile")
    printed = run(["./profile", str(CLOCKS)], folder, "profiling the netlist")
    return {name: int(count) / CLOCKS for name, count in (line.split() for line in printed.splitlines())}


def program(rtlil: str, steady: Mapping[str, int]) -> str:
    """C++ source of the program that runs as many clocks as its argument says and prints a count a line."""
    design = Design(parse(rtlil))
    registers = [var.name for var in design.registers.values()]
    compare = "\n".join(f"if (net.{n} != was.{n}) changes.{n}++;" for n in registers)
    report = "\n".join(f'printf("{n} %ld\\n", changes.{n});' for n in registers)
    report += "\n".join(f'printf("{b.name} %ld\\n", net.entered.{b.name});' for b in ClockEdge(design).blocks)
    hold = "\n".join(f"net.{name} = {value};" for name, value in steady.items())
    moving = [pin for pin in design.inputs if pin.name not in steady and pin.name != RESET]
    move = "\n".join(f"net.{pin.name} = bits({pin.width});" for pin in moving)
    reset = f"net.{RESET} = k < 2;" if any(pin.name == RESET for pin in design.inputs) else ""
    return f"""{cpp(rtlil, counted=True)}
#include <cstdio>
#include <cstdlib>
static Netlist net, was;
static struct {{ long {", ".join(f"{n} = 0" for n in registers)}; }} changes;
static uint64_t bits(int width) {{
static uint64_t random = 1;
random = random * 6364136223846793005u + 1442695040888963407u;
return random >> (64 - width);
}}
int main(int, char** given) {{
{hold}
for (long k = 0; k < atol(given[1]); k++) {{
{move}
{reset}
was = net;
net.clock();
{compare}
}}
{report}
}}
"""
