"""The form in which the passes hand a netlist on: nested branches of assignments to registers and memories."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from gateware.compiler.expressions import Ref, Resolved, Var, variables


@dataclass(eq=False)
class Assign:
    """target := value."""

    target: Var
    value: Resolved


@dataclass(eq=False)
class MemoryRead:
    """target := memory[address]."""

    target: Var
    memory: str
    address: Resolved


@dataclass(eq=False)
class MemoryWrite:
    """memory[address] := data."""

    memory: str
    address: Resolved
    data: Resolved


@dataclass(eq=False)
class If:
    """A branch on one bit."""

    condition: Ref
    then: StatementBlock
    otherwise: StatementBlock


@dataclass(eq=False)
class GatedGroup:
    """Statements that run only after something in `reads` has changed, as the dirty bits of `mask` tell (gating.py)."""

    block: StatementBlock
    reads: set[Var | str] = field(default_factory=set)
    mask: int = 0


Statement = Assign | MemoryRead | MemoryWrite | If | GatedGroup


@dataclass(eq=False)
class StatementBlock:
    """A branch: cells computed on entry, then items in order."""

    parent: StatementBlock | None = None
    depth: int = 0
    name: str = ""
    """What the profile calls it; the blocks of groups have none."""
    items: list[Statement] = field(default_factory=list)
    branches: dict[Ref, If] = field(default_factory=dict)
    cells: list[Var] = field(default_factory=list)

    def inner(self) -> StatementBlock:
        """A new block within this one."""
        return StatementBlock(self, self.depth + 1)

    def branch(self, condition: Ref) -> If:
        """The one `if` on `condition` in this block."""
        if condition not in self.branches:
            self.branches[condition] = If(condition, self.inner(), self.inner())
            self.items.append(self.branches[condition])
        return self.branches[condition]


def inner_blocks(item: Statement) -> list[StatementBlock]:
    """The blocks within an item."""
    if isinstance(item, If):
        return [item.then, item.otherwise]
    return [item.block] if isinstance(item, GatedGroup) else []


def every_block(root: StatementBlock) -> Iterator[StatementBlock]:
    """The block and all within it, each before those inside it."""
    blocks = [root]
    for block in blocks:
        yield block
        for item in block.items:
            blocks += inner_blocks(item)


def read_by(item: Statement) -> set[Var]:
    """Variables that the item itself reads, not counting what is inside its branches."""
    if isinstance(item, Assign):
        return variables(item.value)
    if isinstance(item, MemoryRead):
        return variables(item.address)
    if isinstance(item, MemoryWrite):
        return variables(item.address) | variables(item.data)
    return {item.condition[0]} if isinstance(item, If) else set()
