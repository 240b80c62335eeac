"""A netlist as what one clock edge does: variables, and nested branches of assignments to registers and memories."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from gateware.compiler.expressions import Ref, Resolved, Var
from gateware.compiler.rtlil import Bit, Bits, Cell, Netlist, constant

CLOCK = "\\clk"
RESET = "rst"


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


@dataclass(eq=False)
class Group:
    """Statements to be passed over while nothing in `reads` has changed, as the bits of `mask` tell (quiet.py)."""

    block: Block
    reads: set[Var | str] = field(default_factory=set)
    mask: int = 0


Item = Assign | Load | Store | If | Group


@dataclass(eq=False)
class Block:
    """A branch: cells computed on entry, then items in order."""

    parent: Block | None = None
    depth: int = 0
    name: str = ""
    """By which a profile calls it; groups have none."""
    items: list[Item] = field(default_factory=list)
    branches: dict[Ref, If] = field(default_factory=dict)
    cells: list[Var] = field(default_factory=list)

    def inner(self) -> Block:
        """A new block within this one."""
        return Block(self, self.depth + 1)

    def branch(self, condition: Ref) -> If:
        """The one `if` on `condition` in this block."""
        if condition not in self.branches:
            self.branches[condition] = If(condition, self.inner(), self.inner())
            self.items.append(self.branches[condition])
        return self.branches[condition]


class Design:
    """The netlist with every bit traced to the input, register or cell it comes from."""

    def __init__(self, netlist: Netlist) -> None:
        self.netlist = netlist
        self.inputs: list[Var] = []
        self.registers: dict[str, Var] = {}
        self.reset: list[Var] = []
        """Registers that reset sets to their initial values; those that it leaves alone are not here."""
        self.memory_words: dict[str, list[int]] = {}
        self._drivers: dict[Bit, Bit | Ref] = {}
        self._operands: dict[Var, dict[str, Resolved]] = {}
        self._values: list[Var] = []
        self._names: dict[Var, str] = {}

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
            for used in {v for bits in self._operands[var].values() for v in variables(bits)}:
                self._users[used] += 1
        for cell in netlist.cells:
            if cell.type in _SEQUENTIAL:
                for port, bits in cell.ports.items():
                    if port not in ("Q", "CLK") and not (cell.type == "$memrd_v2" and port == "DATA"):
                        for used in variables(self.resolve(bits)):
                            self._users[used] += 1

    def _drive(self, bits: Bits, var: Var) -> None:
        self._drivers.update({bit: (var, i) for i, bit in enumerate(bits)})

    def _declare(self, number: int, cell: Cell) -> None:
        if cell.type in ("$dff", "$memrd_v2"):
            port = "Q" if cell.type == "$dff" else "DATA"
            if cell.number("CLK_POLARITY") != 1 or cell.ports["CLK"] != ((CLOCK, 0),):
                raise ValueError(f"{cell.name}: not on the rising edge of the one clock")
            if cell.type == "$memrd_v2":
                _check_plain(cell, "TRANSPARENCY_MASK", "COLLISION_X_MASK")
            bits = cell.ports[port]
            var = Var(f"r{number}_{_plain(bits)}", len(bits), init=self._initial(bits))
            self.registers[cell.name] = var
            self._names[var] = cell.name
            self._drive(bits, var)
        elif cell.type == "$meminit_v2":
            width, size = self.netlist.memories[memory_of(cell)]
            data = cell.ports["DATA"]
            first = sum(int(b == 1) << i for i, b in enumerate(cell.ports["ADDR"]))
            words = self.memory_words.setdefault(memory_of(cell), [0] * size)
            for k in range(cell.number("WORDS")):
                words[first + k] = sum(int(b == 1) << i for i, b in enumerate(data[k * width : (k + 1) * width]))
        elif cell.type == "$memwr_v2":
            _check_plain(cell, "PRIORITY_MASK")
        elif "Y" in cell.ports:
            var = Var(f"c{number}", len(cell.ports["Y"]), cell=cell)
            self._values.append(var)
            self._drive(cell.ports["Y"], var)
        else:
            raise ValueError(f"{cell.name}: cells of type {cell.type} are not supported")

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

    def origin(self, target: Var | str) -> str:
        """The netlist's name of what drives a register, or of a memory: it begins with its module's."""
        return target if isinstance(target, str) else self._names[target]

    def read_by_cell(self, var: Var) -> set[Var]:
        """What a cell's operands come from."""
        return {v for bits in self._operands[var].values() for v in variables(bits)}

    def statements(self) -> Block:
        """What one clock edge does, as nested branches."""
        root = Block()
        enables = [c.ports["EN"] for c in self.netlist.cells if c.type in ("$memrd_v2", "$memwr_v2")]
        self._shared = Counter(f for bits in enables for f in set(self._factors(self.resolve(bits)[0])))
        for cell in self.netlist.cells:
            if cell.type == "$dff":
                target = self.registers[cell.name]
                self._expand(root, target, self._without_reset(target, self.resolve(cell.ports["D"])))
            elif cell.type == "$memrd_v2":
                block = self._enabled(root, self.resolve(cell.ports["EN"]), cell)
                if block is not None:
                    load = Load(self.registers[cell.name], memory_of(cell), self.resolve(cell.ports["ADDR"]))
                    block.items.append(load)
            elif cell.type == "$memwr_v2":
                block = self._enabled(root, self.resolve(cell.ports["EN"]), cell)
                if block is not None:
                    data = self.resolve(cell.ports["DATA"])
                    block.items.append(Store(memory_of(cell), self.resolve(cell.ports["ADDR"]), data))
        self.blocks = [root]
        for number, block in enumerate(self.blocks):
            block.name = f"block_{number}"
            for item in block.items:
                self.blocks += [item.then, item.otherwise] if isinstance(item, If) else []
        return root

    def _without_reset(self, target: Var, value: Resolved) -> Resolved:
        """The value when there is no reset, which sets the register to its initial value whatever else it would."""
        source = value[0][0] if not isinstance(value[0], int) else None
        if source is None or source.cell is None or source.cell.type != "$mux" or value != _whole(source):
            return value
        ports = self._operands[source]
        select = ports["S"][0]
        initial = tuple(target.init >> i & 1 for i in range(target.width)) if target.init is not None else ()
        if isinstance(select, int) or select[0].name != RESET or self._users[source] > 1 or ports["B"] != initial:
            return value
        self.reset.append(target)
        return ports["A"]

    def _enabled(self, block: Block, enable: Resolved, cell: Cell) -> Block | None:
        if len(set(enable)) != 1:
            raise ValueError(f"{cell.name}: enables of single bits are not supported")
        if isinstance(enable[0], int):
            return block if enable[0] else None
        # The factor that most memories wait for is tested first: usually what says that a stage is active at all.
        for condition, holds in sorted(self._factors(enable[0]), key=lambda f: (-self._shared[f], f[0][0].name)):
            branch = block.branch(condition)
            block = branch.then if holds else branch.otherwise
        return block

    def _factors(self, bit: int | Ref) -> list[tuple[Ref, bool]]:
        """What must all hold, or not hold, for the bit to be 1."""
        if isinstance(bit, int):
            return []
        var = bit[0]
        kind = var.cell.type if var.cell is not None and var.width == 1 else None
        ports = self._operands.get(var, {})
        if kind in ("$and", "$logic_and") and len(ports["A"]) == len(ports["B"]) == 1:
            return self._factors(ports["A"][0]) + self._factors(ports["B"][0])
        if kind == "$mux" and not isinstance(ports["S"][0], int):
            if ports["A"] == (0,):
                return self._factors(ports["S"][0]) + self._factors(ports["B"][0])
            if ports["B"] == (0,):
                return [(ports["S"][0], False), *self._factors(ports["A"][0])]
        return [(bit, True)]

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


def _check_plain(cell: Cell, *masks: str) -> None:
    """A memory port that reads what was there before this clock, has no reset and no rank among others."""
    for mask in masks:
        if cell.number(mask):
            raise ValueError(
                f"{cell.name}: {mask.lower().replace('_', ' ')} is set: transparent ports are not supported"
            )
    for reset in ("ARST", "SRST"):
        if cell.ports.get(reset, (0,)) != (0,):
            raise ValueError(f"{cell.name}: a memory port with reset is not supported")


def memory_of(cell: Cell) -> str:
    return cell.parameters["MEMID"].strip('"').replace("\\\\", "\\")


def _plain(bits: Bits) -> str:
    name = next((str(b[0]) for b in bits if not isinstance(b, int)), "")
    return re.sub(r"\W+", "_", name).strip("_")


def _whole(var: Var) -> Resolved:
    return tuple((var, i) for i in range(var.width))


def variables(bits: Resolved) -> set[Var]:
    return {bit[0] for bit in bits if not isinstance(bit, int)}
