"""Blocks as C++ text: statements in an order in which each reads what was there before the clock."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from gateware.compiler.design import Design
from gateware.compiler.expressions import Var, combinational, word
from gateware.compiler.gating import Gating
from gateware.compiler.placement import Placement
from gateware.compiler.statements import (
    Assign,
    GatedGroup,
    If,
    MemoryRead,
    MemoryWrite,
    Statement,
    StatementBlock,
    inner_blocks,
    read_by,
)

_WORTH_A_BRANCH = 3
"""Cells that a multiplexer's choice must need for itself to be computed only when it is taken."""


def array(memory: str) -> str:
    """The member that holds a memory."""
    return "m_" + re.sub(r"\W+", "_", memory).strip("_")


class Writer:
    """Writes blocks as text; `names` in its methods maps registers that were copied to the copies.

    `counted` blocks count how often they are entered, in the member `entered`, for profile.py.
    """

    def __init__(
        self, design: Design, placement: Placement, gating: Gating, lines: list[str], *, counted: bool = False
    ) -> None:
        self._design = design
        self._placement = placement
        self._gating = gating
        self._lines = lines
        self._counted = counted
        self._reads: dict[Statement, set[object]] = {}
        self._writes: dict[Statement, set[object]] = {}
        self._idle = set(gating.idle_cells)

    def clock(self, root: StatementBlock) -> None:
        """Write everything that one clock does."""
        if self._gating.any:
            self._lines += ["const uint64_t found_dirty = dirty;", "dirty = 0;"]
        self._block(root, {})

    def _block(self, block: StatementBlock, names: dict[Var, str]) -> None:
        if self._counted:
            self._lines.append(f"entered.{block.name}++;")
        order, copied = self._order(block.items, set(names))
        names = dict(names)
        for var in sorted(copied, key=lambda v: v.name):
            self._lines.append(f"const uint64_t {var.name}_old = {var.name};")
            names[var] = f"{var.name}_old"
        if block.parent is None and self._idle:
            self._lines.append(f"if (found_dirty & {self._gating.idle_mask:#x}u) {{")
            self._cells(self._gating.idle_cells, names)
            self._lines.append("}")
            self._cells([var for var in block.cells if var not in self._idle], names)
        else:
            self._cells(block.cells, names)
        for item in order:
            self._item(item, names)
        rerun = 0
        for item in block.items:
            if item in self._gating.active:
                rerun |= self._gating.dirty_bit[self._gating.active[item]]
        if rerun:
            self._lines.append(f"dirty |= {rerun:#x}u;")

    def _cells(self, cells: Iterable[Var], names: dict[Var, str]) -> None:
        write = self._lines.append
        for var in cells:
            blocks = self._placement.choices.get(var, [])
            ports = self._design.operands(var)
            held = var in self._gating.held
            if max((self._placement.weight(b.cells) for b in blocks), default=0) < _WORTH_A_BRANCH:
                for block in blocks:
                    self._cells(block.cells, names)
                write(f"{'' if held else 'const uint64_t '}{var.name} = {combinational(var, ports, names)};")
                continue
            if not held:
                write(f"uint64_t {var.name};")
            values = [ports["B"][i * var.width : (i + 1) * var.width] for i in range(len(ports["S"]))]
            for i, (block, value) in enumerate(zip(blocks, [*values, ports["A"]], strict=True)):
                condition = f"if ({word(ports['S'][i : i + 1], names)}) " if i < len(values) else ""
                write(f"{'} else ' if i else ''}{condition}{{")
                self._cells(block.cells, names)
                write(f"{var.name} = {word(value, names)};")
            write("}")

    def _set(self, place: str, value: str, bit: int | None) -> None:
        """Store a value; if anything gated depends on it, set its dirty bit when it changes."""
        if bit is None:
            self._lines.append(f"{place} = {value};")
        else:
            marked = f"dirty |= {bit:#x}u;"
            self._lines.append(f"if (const uint64_t next = {value}; next != {place}) {{ {place} = next; {marked} }}")

    def _item(self, item: Statement, names: dict[Var, str]) -> None:
        write, bit = self._lines.append, self._gating.dirty_bit
        if isinstance(item, Assign):
            self._set(item.target.name, word(item.value, names), bit.get(item.target))
        elif isinstance(item, MemoryRead):
            value = f"{array(item.memory)}[{word(item.address, names)}]"
            self._set(item.target.name, value, bit.get(item.target))
        elif isinstance(item, MemoryWrite):
            place = f"{array(item.memory)}[{word(item.address, names)}]"
            self._set(place, word(item.data, names), bit.get(item.memory))
        elif isinstance(item, GatedGroup):
            write(f"if (found_dirty & {item.mask:#x}u) {{")
            self._block(item.block, names)
            write("}")
        else:
            condition = word((item.condition,), names)
            if _filled(item.then):
                write(f"if ({condition}) {{")
                self._block(item.then, names)
                if _filled(item.otherwise):
                    write("} else {")
                    self._block(item.otherwise, names)
            else:
                write(f"if (!({condition})) {{")
                self._block(item.otherwise, names)
            write("}")

    def _order(self, items: list[Statement], safe: set[Var]) -> tuple[list[Statement], set[Var]]:
        """Readers before writers; returns the order and the registers to copy because of circles.

        `safe` registers have been copied further out already and bind nothing.
        """
        items = [i for i in items if not isinstance(i, If) or _filled(i.then) or _filled(i.otherwise)]
        writers: dict[object, list[Statement]] = defaultdict(list)
        for item in items:
            for what in self._written(item):
                writers[what].append(item)
        waits: dict[Statement, dict[object, set[Statement]]] = {item: defaultdict(set) for item in items}
        for item in items:  # a writer waits for every other item that reads what it writes
            for what in self._read(item) - safe:
                for writer in writers.get(what, ()):
                    if writer is not item:
                        waits[writer][what].add(item)
        order: list[Statement] = []
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

    def _read(self, item: Statement) -> set[object]:
        """Registers and memories read by an item, its branches and the cells in them."""
        if item not in self._reads:
            found: set[object] = {v for v in read_by(item) if v.init is not None}
            if isinstance(item, MemoryRead):
                found.add(item.memory)
            for block in inner_blocks(item):
                for inner in block.items:
                    found |= self._read(inner)
                for var in self._placement.within(block.cells):
                    found |= {v for v in self._design.read_by_cell(var) if v.init is not None}
            self._reads[item] = found
        return self._reads[item]

    def _written(self, item: Statement) -> set[object]:
        """Registers and memories written by an item and its branches."""
        if item not in self._writes:
            found = set().union(*(self._written(inner) for block in inner_blocks(item) for inner in block.items))
            if isinstance(item, MemoryWrite):
                found.add(item.memory)
            elif isinstance(item, Assign | MemoryRead):
                found.add(item.target)
            self._writes[item] = found
        return self._writes[item]


def _filled(block: StatementBlock) -> bool:
    return any(not isinstance(item, If) or _filled(item.then) or _filled(item.otherwise) for item in block.items)
