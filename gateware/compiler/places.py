"""Where each cell of a netlist is computed: in the innermost branch that contains all its users."""

from __future__ import annotations

from collections.abc import Iterable

from gateware.compiler.expressions import Resolved, Var
from gateware.compiler.statements import Assign, Block, Design, Group, If, Item, Load, Store, variables

Choices = dict[Var, list[Block]]
"""Of each multiplexer, a block for every value it can take: what only that one needs is computed in it."""


class Places:
    """Puts each cell that something in `root` needs into the `cells` of its block, operands first."""

    def __init__(self, root: Block, design: Design) -> None:
        self._design = design
        self._homes: dict[Var, Block] = {}
        self._order: list[Var] = []
        self._seen: set[Var] = set()
        self.choices: Choices = {}
        self._walk(root)
        for var in reversed(self._order):
            home = self._homes[var]
            for bits, block in self._uses(var, home):
                for operand in variables(bits):
                    if operand.cell is not None:
                        self._use(operand, block)
        for var in self._order:
            self._homes[var].cells.append(var)

    def _uses(self, var: Var, home: Block) -> list[tuple[Resolved, Block]]:
        """The operands of a cell, each with the block that needs it."""
        ports = self._design.operands(var)
        assert var.cell is not None
        if var.cell.type not in ("$mux", "$pmux"):
            return [(bits, home) for bits in ports.values()]
        selects = ports["S"]
        blocks = self.choices[var] = [home.inner() for _ in range(len(selects) + 1)]
        values = [ports["B"][i * var.width : (i + 1) * var.width] for i in range(len(selects))]
        return [(selects, home), *zip([*values, ports["A"]], blocks, strict=True)]

    def _use(self, var: Var, block: Block) -> None:
        self._homes[var] = _common(self._homes[var], block) if var in self._homes else block

    def _visit(self, var: Var) -> None:
        if var not in self._seen and var.cell is not None:
            self._seen.add(var)
            for bits in self._design.operands(var).values():
                for operand in variables(bits):
                    self._visit(operand)
            self._order.append(var)

    def _walk(self, block: Block) -> None:
        for item in block.items:
            for var in read_by(item):
                self._use(var, block)
                self._visit(var)
            if isinstance(item, If):
                self._walk(item.then)
                self._walk(item.otherwise)
            elif isinstance(item, Group):
                self._walk(item.block)

    @property
    def cells(self) -> list[Var]:
        """All cells that are placed, operands first."""
        return self._order

    def within(self, cells: Iterable[Var]) -> list[Var]:
        """These cells and all in their choices."""
        found = []
        for var in cells:
            found.append(var)
            for block in self.choices.get(var, ()):
                found += self.within(block.cells)
        return found

    def weight(self, cells: Iterable[Var]) -> int:
        """How many these are with all in their choices."""
        return len(self.within(cells))


def _common(a: Block, b: Block) -> Block:
    while a is not b:
        if a.depth >= b.depth:
            assert a.parent is not None
            a = a.parent
        else:
            assert b.parent is not None
            b = b.parent
    return a


def read_by(item: Item) -> set[Var]:
    """Variables the item itself reads, not counting what is inside its branches."""
    if isinstance(item, Assign):
        return variables(item.value)
    if isinstance(item, Load):
        return variables(item.address)
    if isinstance(item, Store):
        return variables(item.address) | variables(item.data)
    return {item.condition[0]} if isinstance(item, If) else set()
