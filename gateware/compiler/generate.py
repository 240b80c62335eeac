"""Generates C++ from a flat netlist: `struct Netlist` does, each clock, only what that clock's enables ask for.

The passes: parse (rtlil.py), trace (design.py), turn multiplexers into branches (branches.py), gate what is idle
(gating.py), place the cells (placement.py), order and write (writer.py). docs/netlist-compiler.md explains each.
"""

from __future__ import annotations

from gateware.compiler.branches import ClockEdge
from gateware.compiler.design import Design
from gateware.compiler.expressions import Resolved, variables, word
from gateware.compiler.gating import Activity, Gating
from gateware.compiler.placement import Placement
from gateware.compiler.rtlil import Netlist, parse
from gateware.compiler.writer import Writer, array


def cpp(rtlil: str, activity: Activity | None = None, *, counted: bool = False) -> str:
    """C++ source of `struct Netlist`: the pins as members, clock() as one rising edge.

    `activity` is what profile.py measured; with None there is no activity gating, and every statement runs at every
    clock. `counted` adds the member `entered`, which counts how often each block is entered.
    """
    netlist = parse(rtlil)
    design = Design(netlist)
    edge = ClockEdge(design)
    gating = Gating(edge.root, design, activity)
    placement = Placement(edge.root, design)
    gating.assign_bits(edge.root, placement)
    outputs = _outputs(netlist, design)
    lines = [
        "#include <cstdint>",
        "template <int n> static inline int64_t sx(uint64_t x) { return (int64_t)(x << (64 - n)) >> (64 - n); }",
        "struct Netlist {",
        *(f"uint64_t {pin.name} = 0;" for pin in design.inputs),
        *(f"uint64_t {r.name} = {r.init}u;" for r in design.registers.values()),
        *(f"uint64_t {var.name} = 0;" for var in sorted(gating.held, key=lambda v: v.name)),
    ]
    if gating.any:
        lines.append("uint64_t dirty = ~0ull;")
    if counted:
        lines.append(f"struct {{ long {', '.join(f'{b.name} = 0' for b in edge.blocks)}; }} entered;")
    lines += [f"uint64_t {name} = {word(bits, {}) if bits else 0};" for name, bits in outputs.items()]
    for name, (width, size) in netlist.memories.items():
        words = design.memory_words.get(name, [0] * size)
        span = 1 << (size - 1).bit_length()
        values = ",".join(f"{w}u" for w in words)
        lines.append(f"{_kind(width)} {array(name)}[{span}] = {{{values}}};")
    lines.append("void clock() {")
    Writer(design, placement, gating, lines, counted=counted).clock(edge.root)
    if edge.reset:
        resets = " ".join(f"{r.name} = {r.init}u;" for r in edge.reset)
        lines.append(f"if (rst) {{ {resets} {'dirty = ~0ull; ' if gating.any else ''}}}")
    lines += [f"{name} = {word(bits, {})};" for name, bits in outputs.items()]
    lines += ["}", "};", ""]
    return "\n".join(lines)


def _outputs(netlist: Netlist, design: Design) -> dict[str, Resolved]:
    """The bits of each output by its name; ValueError where logic lies between a register and its pin."""
    outputs = {
        name.lstrip("\\"): design.resolve(tuple((name, i) for i in range(wire.width)))
        for name, wire in netlist.wires.items()
        if wire.direction == "output"
    }
    for name, bits in outputs.items():
        if any(var.cell is not None for var in variables(bits)):
            raise ValueError(f"output {name} is not a register")
    return outputs


def _kind(width: int) -> str:
    return next(f"uint{n}_t" for n in (8, 16, 32, 64) if width <= n)
