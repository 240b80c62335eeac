"""Compiles a flat netlist to C++ that does, each clock, only what that clock's enables ask for.

Stock simulators evaluate all logic at every clock. Here each register's next value is a tree of `if`s, made from
its multiplexers; trees with the same condition are merged; and every cell is computed in the innermost branch
that contains all its users. Registers are then updated in place: a statement that reads a register comes before
the one that writes it, and where that is impossible the old value is copied first.

The subset is what `flatten; proc` makes of an Amaranth design with one clock and values of at most 64 bits;
anything else is a ValueError. tests/gateware/test_twin.py holds the result against CXXRTL and Amaranth's simulator.
"""

from __future__ import annotations

import re
from collections import defaultdict

from gateware.twin.expressions import Var, combinational, word
from gateware.twin.rtlil import Netlist, parse
from gateware.twin.statements import Assign, Block, Design, If, Item, Load, Store, variables


def cpp(rtlil: str) -> str:
    """C++ source of `struct Netlist`: the pins as members, clock() as one rising edge."""
    netlist = parse(rtlil)
    design = Design(netlist)
    root = design.statements()
    _place(root, design)
    return _source(netlist, design, root)


# --- every cell into the innermost branch that contains its users ---------------------------------------


def _place(root: Block, design: Design) -> None:
    homes: dict[Var, Block] = {}

    def use(var: Var, block: Block) -> None:
        homes[var] = _common(homes[var], block) if var in homes else block

    order: list[Var] = []
    seen: set[Var] = set()

    def visit(var: Var) -> None:
        if var not in seen and var.cell is not None:
            seen.add(var)
            for bits in design.operands(var).values():
                for operand in variables(bits):
                    visit(operand)
            order.append(var)

    def walk(block: Block) -> None:
        for item in block.items:
            for var in _read_by(item):
                use(var, block)
                visit(var)
            if isinstance(item, If):
                walk(item.then)
                walk(item.otherwise)

    walk(root)
    for var in reversed(order):
        for bits in design.operands(var).values():
            for operand in variables(bits):
                if operand.cell is not None:
                    use(operand, homes[var])
    for var in order:
        homes[var].cells.append(var)


def _common(a: Block, b: Block) -> Block:
    while a is not b:
        if a.depth >= b.depth:
            assert a.parent is not None
            a = a.parent
        else:
            assert b.parent is not None
            b = b.parent
    return a


def _read_by(item: Item) -> set[Var]:
    """Variables the item itself reads, not counting what is inside its branches."""
    if isinstance(item, Assign):
        return variables(item.value)
    if isinstance(item, Load):
        return variables(item.address)
    if isinstance(item, Store):
        return variables(item.address) | variables(item.data)
    return {item.condition[0]}


# --- order, copies, text --------------------------------------------------------------------------------


def _source(netlist: Netlist, design: Design, root: Block) -> str:
    lines = [
        "#include <cstdint>",
        "template <int n> static inline int64_t sx(uint64_t x) { return (int64_t)(x << (64 - n)) >> (64 - n); }",
        "struct Netlist {",
        *(f"uint64_t {pin.name} = 0;" for pin in design.inputs),
        *(f"uint64_t {r.name} = {r.init}u;" for r in design.registers.values()),
    ]
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
        lines.append(f"{_kind(width)} {_array(name)}[{span}] = {{{values}}};")
    lines.append("void clock() {")
    _Writer(design, lines).block(root, {})
    lines += [f"{name} = {word(bits, {})};" for name, bits in outputs.items()]
    lines += ["}", "};", ""]
    return "\n".join(lines)


def _kind(width: int) -> str:
    return next(f"uint{n}_t" for n in (8, 16, 32, 64) if width <= n)


def _array(memory: str) -> str:
    return "m_" + re.sub(r"\W+", "_", memory).strip("_")


class _Writer:
    """Writes blocks as text; `names` in its methods maps registers that were copied to the copies."""

    def __init__(self, design: Design, lines: list[str]) -> None:
        self._design = design
        self._lines = lines
        self._reads: dict[Item, set[object]] = {}
        self._writes: dict[Item, set[object]] = {}

    def block(self, block: Block, names: dict[Var, str]) -> None:
        order, copied = self._order(block.items, set(names))
        names = dict(names)
        for var in sorted(copied, key=lambda v: v.name):
            self._lines.append(f"const uint64_t {var.name}_old = {var.name};")
            names[var] = f"{var.name}_old"
        for var in block.cells:
            text = combinational(var, self._design.operands(var), names)
            self._lines.append(f"const uint64_t {var.name} = {text};")
        for item in order:
            self._item(item, names)

    def _item(self, item: Item, names: dict[Var, str]) -> None:
        write = self._lines.append
        if isinstance(item, Assign):
            write(f"{item.target.name} = {word(item.value, names)};")
        elif isinstance(item, Load):
            write(f"{item.target.name} = {_array(item.memory)}[{word(item.address, names)}];")
        elif isinstance(item, Store):
            write(f"{_array(item.memory)}[{word(item.address, names)}] = {word(item.data, names)};")
        else:
            condition = word((item.condition,), names)
            if _filled(item.then):
                write(f"if ({condition}) {{")
                self.block(item.then, names)
                if _filled(item.otherwise):
                    write("} else {")
                    self.block(item.otherwise, names)
            else:
                write(f"if (!({condition})) {{")
                self.block(item.otherwise, names)
            write("}")

    def _order(self, items: list[Item], safe: set[Var]) -> tuple[list[Item], set[Var]]:
        """Readers before writers; returns the order and the registers to copy because of circles.

        `safe` registers have been copied further out already and bind nothing.
        """
        items = [i for i in items if not isinstance(i, If) or _filled(i.then) or _filled(i.otherwise)]
        writers: dict[object, list[Item]] = defaultdict(list)
        for item in items:
            for what in self._written(item):
                writers[what].append(item)
        waits: dict[Item, dict[object, set[Item]]] = {item: defaultdict(set) for item in items}
        for item in items:  # a writer waits for every other item that reads what it writes
            for what in self._read(item) - safe:
                for writer in writers.get(what, ()):
                    if writer is not item:
                        waits[writer][what].add(item)
        order: list[Item] = []
        copied: set[Var] = set()
        remaining = list(items)
        while remaining:
            free = [i for i in remaining if not any(waits[i].values())]
            if not free:
                # Break the circle where the fewest copies do it; a memory cannot be copied.
                blocking = {i: {what for what, readers in waits[i].items() if readers} for i in remaining}
                breakable = [i for i in remaining if all(isinstance(what, Var) for what in blocking[i])]
                if not breakable:
                    raise ValueError("a memory is read after it is written in the same clock")
                item = min(breakable, key=lambda i: len(blocking[i]))
                copied |= {what for what in blocking[item] if isinstance(what, Var)}
                for other in remaining:
                    for what in copied:
                        waits[other].pop(what, None)
                free = [item]
            for item in free:
                order.append(item)
                remaining.remove(item)
                for other in remaining:
                    for readers in waits[other].values():
                        readers.discard(item)
        return order, copied

    def _read(self, item: Item) -> set[object]:
        """Registers and memories read by an item, its branches and the cells in them."""
        if item not in self._reads:
            found: set[object] = {v for v in _read_by(item) if v.init is not None}
            if isinstance(item, Load):
                found.add(item.memory)
            if isinstance(item, If):
                for block in (item.then, item.otherwise):
                    for inner in block.items:
                        found |= self._read(inner)
                    for var in block.cells:
                        for bits in self._design.operands(var).values():
                            found |= {v for v in variables(bits) if v.init is not None}
            self._reads[item] = found
        return self._reads[item]

    def _written(self, item: Item) -> set[object]:
        if item not in self._writes:
            if isinstance(item, If):
                inner = [*item.then.items, *item.otherwise.items]
                self._writes[item] = set().union(*(self._written(i) for i in inner))
            else:
                self._writes[item] = {item.memory if isinstance(item, Store) else item.target}
        return self._writes[item]


def _filled(block: Block) -> bool:
    return any(not isinstance(item, If) or _filled(item.then) or _filled(item.otherwise) for item in block.items)
