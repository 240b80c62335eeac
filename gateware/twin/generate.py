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
from dataclasses import dataclass, field

from gateware.twin.expressions import Ref, Resolved, Var, combinational, word
from gateware.twin.rtlil import Bit, Bits, Cell, Netlist, constant, parse

CLOCK = "\\clk"


@dataclass(eq=False)
class Assign:
    """target := value."""

    target: Var
    value: Resolved


@dataclass(eq=False)
class Load:
    """target := memory[address]."""

    target: Var
    memory: str
    address: Resolved


@dataclass(eq=False)
class Store:
    """memory[address] := data."""

    memory: str
    address: Resolved
    data: Resolved


@dataclass(eq=False)
class If:
    condition: Ref
    then: Block
    otherwise: Block


Item = Assign | Load | Store | If


@dataclass(eq=False)
class Block:
    """A branch: cells computed on entry, then items in order."""

    parent: Block | None = None
    depth: int = 0
    items: list[Item] = field(default_factory=list)
    branches: dict[Ref, If] = field(default_factory=dict)
    cells: list[Var] = field(default_factory=list)

    def branch(self, condition: Ref) -> If:
        """The one `if` on `condition` in this block."""
        if condition not in self.branches:
            then, otherwise = Block(self, self.depth + 1), Block(self, self.depth + 1)
            self.branches[condition] = If(condition, then, otherwise)
            self.items.append(self.branches[condition])
        return self.branches[condition]


def cpp(rtlil: str) -> str:
    """C++ source of `struct Netlist`: the pins as members, clock() as one rising edge."""
    netlist = parse(rtlil)
    design = _Design(netlist)
    root = design.statements()
    _place(root, design)
    return _source(netlist, design, root)


# --- from cells to variables and statements -------------------------------------------------------------


class _Design:
    """The netlist with every bit traced to the input, register or cell it comes from."""

    def __init__(self, netlist: Netlist) -> None:
        self.netlist = netlist
        self.inputs: list[Var] = []
        self.registers: dict[str, Var] = {}
        self.memory_words: dict[str, list[int]] = {}
        self._drivers: dict[Bit, Bit | Ref] = {}
        self._operands: dict[Var, dict[str, Resolved]] = {}
        self._values: list[Var] = []

        for name, wire in netlist.wires.items():
            if wire.direction == "input" and name != CLOCK:
                pin = Var(name.lstrip("\\"), wire.width)
                self.inputs.append(pin)
                self._drive(tuple((name, i) for i in range(wire.width)), pin)
        for left, right in netlist.connects:
            self._drivers.update(zip(left, right, strict=True))
        for number, cell in enumerate(netlist.cells):
            self._declare(number, cell)
        self._users: dict[Var, int] = defaultdict(int)
        for var in self._values:
            assert var.cell is not None
            self._operands[var] = {k: self.resolve(b) for k, b in var.cell.ports.items() if k != "Y"}
            for used in {v for bits in self._operands[var].values() for v in _vars(bits)}:
                self._users[used] += 1
        for cell in netlist.cells:
            if cell.type in _SEQUENTIAL:
                for port, bits in cell.ports.items():
                    if port not in ("Q", "CLK") and not (cell.type == "$memrd_v2" and port == "DATA"):
                        for used in _vars(self.resolve(bits)):
                            self._users[used] += 1

    def _drive(self, bits: Bits, var: Var) -> None:
        self._drivers.update({bit: (var, i) for i, bit in enumerate(bits)})

    def _declare(self, number: int, cell: Cell) -> None:
        if cell.type in ("$dff", "$memrd_v2"):
            port = "Q" if cell.type == "$dff" else "DATA"
            if cell.number("CLK_POLARITY") != 1 or cell.ports["CLK"] != ((CLOCK, 0),):
                raise ValueError(f"{cell.name}: not on the rising edge of the one clock")
            bits = cell.ports[port]
            var = Var(f"r{number}_{_plain(bits)}", len(bits), init=self._initial(bits))
            self.registers[cell.name] = var
            self._drive(bits, var)
        elif cell.type == "$meminit_v2":
            width, size = self.netlist.memories[_memory(cell)]
            data = cell.ports["DATA"]
            first = sum(int(b == 1) << i for i, b in enumerate(cell.ports["ADDR"]))
            words = self.memory_words.setdefault(_memory(cell), [0] * size)
            for k in range(cell.number("WORDS")):
                words[first + k] = sum(int(b == 1) << i for i, b in enumerate(data[k * width : (k + 1) * width]))
        elif cell.type != "$memwr_v2":
            var = Var(f"c{number}", len(cell.ports["Y"]), cell=cell)
            self._values.append(var)
            self._drive(cell.ports["Y"], var)

    def _initial(self, bits: Bits) -> int:
        value = 0
        for i, bit in enumerate(bits):
            assert not isinstance(bit, int)
            init = self.netlist.wires[bit[0]].init
            if init is not None:
                value |= int(constant(init)[bit[1]] == 1) << i
        return value

    def resolve(self, bits: Bits) -> Resolved:
        """Trace each bit to a constant or to the variable that drives it."""
        found: list[int | Ref] = []
        for bit in bits:
            source: Bit | Ref = bit
            while not isinstance(source, int) and not isinstance(source[0], Var):
                if source not in self._drivers:
                    raise ValueError(f"nothing drives {source[0]} [{source[1]}]")
                source = self._drivers[source]
            found.append(source)
        return tuple(found)

    def operands(self, var: Var) -> dict[str, Resolved]:
        return self._operands[var]

    def statements(self) -> Block:
        """What one clock edge does, as nested branches."""
        root = Block()
        for cell in self.netlist.cells:
            if cell.type == "$dff":
                self._expand(root, self.registers[cell.name], self.resolve(cell.ports["D"]))
            elif cell.type == "$memrd_v2":
                block = self._enabled(root, self.resolve(cell.ports["EN"]), cell)
                if block is not None:
                    load = Load(self.registers[cell.name], _memory(cell), self.resolve(cell.ports["ADDR"]))
                    block.items.append(load)
            elif cell.type == "$memwr_v2":
                block = self._enabled(root, self.resolve(cell.ports["EN"]), cell)
                if block is not None:
                    data = self.resolve(cell.ports["DATA"])
                    block.items.append(Store(_memory(cell), self.resolve(cell.ports["ADDR"]), data))
        return root

    def _enabled(self, block: Block, enable: Resolved, cell: Cell) -> Block | None:
        if len(set(enable)) != 1:
            raise ValueError(f"{cell.name}: enables of single bits are not supported")
        if isinstance(enable[0], int):
            return block if enable[0] else None
        return block.branch(enable[0]).then

    def _expand(self, block: Block, target: Var, value: Resolved) -> None:
        """Assignment of `value`, with the multiplexers that only it uses turned into branches."""
        if value == _whole(target):
            return
        source = value[0][0] if not isinstance(value[0], int) else None
        kind = source.cell.type if source is not None and source.cell else None
        if source is None or value != _whole(source) or self._users[source] > 1 or kind not in ("$mux", "$pmux"):
            block.items.append(Assign(target, value))
            return
        ports = self._operands[source]
        choices = [ports["B"][i * target.width : (i + 1) * target.width] for i in range(len(ports["S"]))]
        exclusive = kind == "$pmux" and ports["A"] == _whole(target)
        for select, choice in zip(ports["S"], choices, strict=True):
            if isinstance(select, int):
                raise ValueError("a multiplexer with a constant select: run opt_expr")
            branch = block.branch(select)
            self._expand(branch.then, target, choice)
            if not exclusive:  # one select at most is true: without a default their order does not matter
                block = branch.otherwise
        if not exclusive:
            self._expand(block, target, ports["A"])


_SEQUENTIAL = ("$dff", "$memrd_v2", "$memwr_v2")


def _memory(cell: Cell) -> str:
    return cell.parameters["MEMID"].strip('"').replace("\\\\", "\\")


def _plain(bits: Bits) -> str:
    name = next((str(b[0]) for b in bits if not isinstance(b, int)), "")
    return re.sub(r"\W+", "_", name).strip("_")


def _whole(var: Var) -> Resolved:
    return tuple((var, i) for i in range(var.width))


def _vars(bits: Resolved) -> set[Var]:
    return {bit[0] for bit in bits if not isinstance(bit, int)}


# --- every cell into the innermost branch that contains its users ---------------------------------------


def _place(root: Block, design: _Design) -> None:
    homes: dict[Var, Block] = {}

    def use(var: Var, block: Block) -> None:
        homes[var] = _common(homes[var], block) if var in homes else block

    order: list[Var] = []
    seen: set[Var] = set()

    def visit(var: Var) -> None:
        if var not in seen and var.cell is not None:
            seen.add(var)
            for bits in design.operands(var).values():
                for operand in _vars(bits):
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
            for operand in _vars(bits):
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
        return _vars(item.value)
    if isinstance(item, Load):
        return _vars(item.address)
    if isinstance(item, Store):
        return _vars(item.address) | _vars(item.data)
    return {item.condition[0]}


# --- order, copies, text --------------------------------------------------------------------------------


def _source(netlist: Netlist, design: _Design, root: Block) -> str:
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
        if any(var.cell is not None for var in _vars(bits)):
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

    def __init__(self, design: _Design, lines: list[str]) -> None:
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
                            found |= {v for v in _vars(bits) if v.init is not None}
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
