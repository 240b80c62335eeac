"""Multiplexers become branches: a register's next value turns into a tree of `if`s, and equal conditions merge."""

from __future__ import annotations

from collections import Counter

from gateware.compiler.design import RESET, Design, memory_of
from gateware.compiler.expressions import Ref, Resolved, Var, whole
from gateware.compiler.rtlil import Cell
from gateware.compiler.statements import Assign, MemoryRead, MemoryWrite, StatementBlock, every_block


class ClockEdge:
    """Everything that one clock edge does: `root`, its outermost block, and `reset`, the registers that reset sets.

    Registers that reset leaves alone are not in `reset`; their initial value is that of power-up.
    """

    def __init__(self, design: Design) -> None:
        self.root = StatementBlock()
        self.reset: list[Var] = []
        self._design = design
        enables = [c.ports["EN"] for c in design.netlist.cells if c.type in ("$memrd_v2", "$memwr_v2")]
        self._shared = Counter(f for bits in enables for f in set(self._factors(design.resolve(bits)[0])))
        for cell in design.netlist.cells:
            self._add(cell)
        self.blocks = list(every_block(self.root))
        for number, block in enumerate(self.blocks):
            block.name = f"block_{number}"

    def _add(self, cell: Cell) -> None:
        resolve = self._design.resolve
        if cell.type == "$dff":
            target = self._design.registers[cell.name]
            self._expand(self.root, target, self._without_reset(target, resolve(cell.ports["D"])))
        elif cell.type == "$memrd_v2":
            block = self._enabled(resolve(cell.ports["EN"]), cell)
            if block is not None:
                load = MemoryRead(self._design.registers[cell.name], memory_of(cell), resolve(cell.ports["ADDR"]))
                block.items.append(load)
        elif cell.type == "$memwr_v2":
            block = self._enabled(resolve(cell.ports["EN"]), cell)
            if block is not None:
                data = resolve(cell.ports["DATA"])
                block.items.append(MemoryWrite(memory_of(cell), resolve(cell.ports["ADDR"]), data))

    def _without_reset(self, target: Var, value: Resolved) -> Resolved:
        """The value when there is no reset, which sets the register to its initial value whatever else it would."""
        source = value[0][0] if not isinstance(value[0], int) else None
        if source is None or source.cell is None or source.cell.type != "$mux" or value != whole(source):
            return value
        ports = self._design.operands(source)
        select = ports["S"][0]
        initial = tuple(target.init >> i & 1 for i in range(target.width)) if target.init is not None else ()
        shared = self._design.users[source] > 1
        if isinstance(select, int) or select[0].name != RESET or shared or ports["B"] != initial:
            return value
        self.reset.append(target)
        return ports["A"]

    def _enabled(self, enable: Resolved, cell: Cell) -> StatementBlock | None:
        """The block that a memory port with this enable belongs in; None for a port that is never enabled."""
        if len(set(enable)) != 1:
            raise ValueError(f"{cell.name}: enables of single bits are not supported")
        block = self.root
        if isinstance(enable[0], int):
            return block if enable[0] else None
        # The factor that most memories wait for is tested first: usually what says that a stage is active at all.
        for condition, holds in sorted(self._factors(enable[0]), key=lambda f: (-self._shared[f], f[0][0].name)):
            branch = block.branch(condition)
            block = branch.then if holds else branch.otherwise
        return block

    def _factors(self, bit: int | Ref) -> list[tuple[Ref, bool]]:
        """The conditions that must all hold, or not hold, for the bit to be 1."""
        if isinstance(bit, int):
            return []
        var = bit[0]
        kind = var.cell.type if var.cell is not None and var.width == 1 else None
        ports = self._design.operands(var) if kind else {}
        if kind in ("$and", "$logic_and") and len(ports["A"]) == len(ports["B"]) == 1:
            return self._factors(ports["A"][0]) + self._factors(ports["B"][0])
        if kind == "$mux" and not isinstance(ports["S"][0], int):
            if ports["A"] == (0,):
                return self._factors(ports["S"][0]) + self._factors(ports["B"][0])
            if ports["B"] == (0,):
                return [(ports["S"][0], False), *self._factors(ports["A"][0])]
        return [(bit, True)]

    def _expand(self, block: StatementBlock, target: Var, value: Resolved) -> None:
        """Assign `value`, with the multiplexers that only it uses turned into branches."""
        if value == whole(target):
            return
        source = value[0][0] if not isinstance(value[0], int) else None
        kind = source.cell.type if source is not None and source.cell else None
        shared = source is not None and self._design.users[source] > 1
        if source is None or value != whole(source) or shared or kind not in ("$mux", "$pmux"):
            block.items.append(Assign(target, value))
            return
        ports = self._design.operands(source)
        choices = [ports["B"][i * target.width : (i + 1) * target.width] for i in range(len(ports["S"]))]
        exclusive = kind == "$pmux" and ports["A"] == whole(target) and 1 not in ports["S"]
        for select, choice in zip(ports["S"], choices, strict=True):
            if isinstance(select, int):  # what opt_expr leaves of a case that always or never holds
                if select:
                    self._expand(block, target, choice)
                    return
                continue
            branch = block.branch(select)
            self._expand(branch.then, target, choice)
            if not exclusive:  # one select at most is true: without a default their order does not matter
                block = branch.otherwise
        if not exclusive:
            self._expand(block, target, ports["A"])
