"""Compiles a flat netlist to C++ that does, each clock, only what that clock's enables ask for.

Stock simulators evaluate all logic at every clock. Here each register's next value is a tree of `if`s, made from
its multiplexers; trees with the same condition are merged (statements.py); every cell is computed in the innermost
branch that contains all its users (places.py); and what mostly rests is passed over until something it reads has
changed (quiet.py). Registers are then updated in place: a statement that reads a register comes before the one
that writes it, and where that is impossible the old value is copied first (writer.py).

The subset is what `flatten; proc` makes of an Amaranth design with one clock and values of at most 64 bits;
anything else is a ValueError. tests/gateware/test_twin.py holds the result against CXXRTL and Amaranth's simulator.
"""

from __future__ import annotations

from collections.abc import Mapping

from gateware.compiler.expressions import word
from gateware.compiler.places import Places
from gateware.compiler.quiet import Quiet
from gateware.compiler.rtlil import Netlist, parse
from gateware.compiler.statements import Block, Design, variables
from gateware.compiler.writer import Writer, array


def cpp(rtlil: str, activity: Mapping[str, float] | None = None) -> str:
    """C++ source of `struct Netlist`: the pins as members, clock() as one rising edge.

    `activity` is what `profile` found. Without it everything counts as busy, and the blocks entered
    are counted.
    """
    netlist = parse(rtlil)
    design = Design(netlist)
    return _source(netlist, design, design.statements(), activity)


def profile(rtlil: str) -> str:
    """C++ source of a program that prints how often each register changes and each block is entered in some clocks.

    The modulators' bits are random, the bus is idle.
    """
    design = Design(parse(rtlil))
    design.statements()
    registers = [var.name for var in design.registers.values()]
    watch = "\n".join(f"if (net.{n} != was.{n}) changes.{n}++;" for n in registers)
    tell = "\n".join(f'printf("{n} %ld\\n", changes.{n});' for n in registers)
    tell += "\n".join(f'printf("{b.name} %ld\\n", net.passed.{b.name});' for b in design.blocks)
    return f"""{cpp(rtlil)}
#include <cstdio>
#include <cstdlib>
static Netlist net, was;
static struct {{ long {", ".join(f"{n} = 0" for n in registers)}; }} changes;
int main(int, char** given) {{
net.cs_n = 1;
unsigned random = 1;
for (long k = 0; k < atol(given[1]); k++) {{
random = random * 1103515245u + 12345u;
net.lines = random >> 20;
net.rst = k < 2;
was = net;
net.clock();
{watch}
}}
{tell}
}}
"""


def _source(netlist: Netlist, design: Design, root: Block, activity: Mapping[str, float] | None) -> str:
    quiet = Quiet(root, design, activity)
    places = Places(root, design)
    quiet.settle(root, places)
    lines = [
        "#include <cstdint>",
        "template <int n> static inline int64_t sx(uint64_t x) { return (int64_t)(x << (64 - n)) >> (64 - n); }",
        "struct Netlist {",
        *(f"uint64_t {pin.name} = 0;" for pin in design.inputs),
        *(f"uint64_t {r.name} = {r.init}u;" for r in design.registers.values()),
        *(f"uint64_t {var.name} = 0;" for var in sorted(quiet.kept, key=lambda v: v.name)),
        "uint64_t changed = ~0ull;",
    ]
    if quiet.watching:
        lines.append(f"struct {{ long {', '.join(f'{b.name} = 0' for b in design.blocks)}; }} passed;")
    outputs = {
        name.lstrip("\\"): design.resolve(tuple((name, i) for i in range(wire.width)))
        for name, wire in netlist.wires.items()
        if wire.direction == "output"
    }
    for name, bits in outputs.items():
        if any(var.cell is not None for var in variables(bits)):
            raise ValueError(f"output {name} is not a register")
        lines.append(f"uint64_t {name} = {word(bits, {}) if bits else 0};")
    for name, (width, size) in netlist.memories.items():
        words = design.memory_words.get(name, [0] * size)
        span = 1 << (size - 1).bit_length()
        values = ",".join(f"{w}u" for w in words)
        lines.append(f"{_kind(width)} {array(name)}[{span}] = {{{values}}};")
    lines.append("void clock() {")
    Writer(design, places, quiet, lines).clock(root)
    if design.reset:
        resets = " ".join(f"{r.name} = {r.init}u;" for r in design.reset)
        lines.append(f"if (rst) {{ {resets} changed = ~0ull; }}")
    lines += [f"{name} = {word(bits, {})};" for name, bits in outputs.items()]
    lines += ["}", "};", ""]
    return "\n".join(lines)


def _kind(width: int) -> str:
    return next(f"uint{n}_t" for n in (8, 16, 32, 64) if width <= n)
