"""Placement: each cell is computed in the innermost branch that contains all its users."""

from __future__ import annotations

from collections.abc import Iterable

from gateware.compiler.design import Design
from gateware.compiler.expressions import Resolved, Var, variables
from gateware.compiler.statements import StatementBlock, inner_blocks, read_by

Choices = dict[Var, list[StatementBlock]]
"""A block for every value that a multiplexer can take, by multiplexer: cells that only that one needs go into it."""


class Placement:
    """Puts each cell that something in `root` needs into the `cells` of its block, operands first."""

    def __init__(self, root: StatementBlock, design: Design) -> None:
        self._design = design
        self._placed_in: dict[Var, StatementBlock] = {}
        self._order: list[Var] = []
        self._seen: set[Var] = set()
        self.choices: Choices = {}
        self._walk(root)
        for var in reversed(self._order):
            for bits, block in self._uses(var, self._placed_in[var]):
                for operand in variables(bits):
                    if operand.cell is not None:
                        self._use(operand, block)
        for var in self._order:
            self._placed_in[var].cells.append(var)

    def _uses(self, var: Var, home: StatementBlock) -> list[tuple[Resolved, StatementBlock]]:
        """The operands of a cell, each with the block that needs it."""
        ports = self._design.operands(var)
        assert var.cell is not None
        if var.cell.type not in ("$mux", "$pmux"):
            return [(bits, home) for bits in ports.values()]
        selects = ports["S"]
        blocks = self.choices[var] = [home.inner() for _ in range(len(selects) + 1)]
        values = [ports["B"][i * var.width : (i + 1) * var.width] for i in range(len(selects))]
        return [(selects, home), *zip([*values, ports["A"]], blocks, strict=True)]

    def _use(self, var: Var, block: StatementBlock) -> None:
        self._placed_in[var] = _common(self._placed_in[var], block) if var in self._placed_in else block

    def _visit(self, var: Var) -> None:
        if var not in self._seen and var.cell is not None:
            self._seen.add(var)
            for bits in self._design.operands(var).values():
                for operand in _in_order(variables(bits)):
                    self._visit(operand)
            self._order.append(var)

    def _walk(self, block: StatementBlock) -> None:
        for item in block.items:
            for var in _in_order(read_by(item)):
                self._use(var, block)
                self._visit(var)
            for inner in inner_blocks(item):
                self._walk(inner)

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
        """Count these cells with all in their choices."""
        return len(self.within(cells))


def _in_order(found: Iterable[Var]) -> list[Var]:
    """Variables by name, so that the same netlist gives the same text every time."""
    return sorted(found, key=lambda var: var.name)


def _common(a: StatementBlock, b: StatementBlock) -> StatementBlock:
    while a is not b:
        if a.depth >= b.depth:
            assert a.parent is not None
            a = a.parent
        else:
            assert b.parent is not None
            b = b.parent
    return a
