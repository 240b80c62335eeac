"""Blocks as C++ text: statements in an order in which each reads what was there before the clock."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from gateware.compiler.expressions import Var, combinational, word
from gateware.compiler.places import Places, read_by
from gateware.compiler.quiet import Quiet
from gateware.compiler.statements import Assign, Block, Design, Group, If, Item, Load, Store

_WORTH_A_BRANCH = 3
"""Cells that a multiplexer's choice must need for itself to be computed only when it is taken."""


def array(memory: str) -> str:
    """The member that holds a memory."""
    return "m_" + re.sub(r"\W+", "_", memory).strip("_")


class Writer:
    """Writes blocks as text; `names` in its methods maps registers that were copied to the copies."""

    def __init__(self, design: Design, places: Places, quiet: Quiet, lines: list[str]) -> None:
        self._design = design
        self._places = places
        self._quiet = quiet
        self._lines = lines
        self._reads: dict[Item, set[object]] = {}
        self._writes: dict[Item, set[object]] = {}
        self._resting = set(quiet.cold)

    def clock(self, root: Block) -> None:
        """What one clock does."""
        self._lines += ["const uint64_t fresh = changed;", "changed = 0;"]
        self._block(root, {})

    def _block(self, block: Block, names: dict[Var, str]) -> None:
        if self._quiet.watching:
            self._lines.append(f"passed.{block.name}++;")
        order, copied = self._order(block.items, set(names))
        names = dict(names)
        for var in sorted(copied, key=lambda v: v.name):
            self._lines.append(f"const uint64_t {var.name}_old = {var.name};")
            names[var] = f"{var.name}_old"
        if block.parent is None and self._quiet.cold:
            self._lines.append(f"if (fresh & {self._quiet.mask:#x}u) {{")
            self._cells(self._quiet.cold, names)
            self._lines.append("}")
            self._cells([var for var in block.cells if var not in self._resting], names)
        else:
            self._cells(block.cells, names)
        for item in order:
            self._item(item, names)
        again = 0
        for item in block.items:
            if item in self._quiet.loud:
                again |= self._quiet.bit[self._quiet.loud[item]]
        if again:
            self._lines.append(f"changed |= {again:#x}u;")

    def _cells(self, cells: Iterable[Var], names: dict[Var, str]) -> None:
        write = self._lines.append
        for var in cells:
            blocks = self._places.choices.get(var, [])
            ports = self._design.operands(var)
            kept = var in self._quiet.kept
            if max((self._places.weight(b.cells) for b in blocks), default=0) < _WORTH_A_BRANCH:
                for block in blocks:
                    self._cells(block.cells, names)
                write(f"{'' if kept else 'const uint64_t '}{var.name} = {combinational(var, ports, names)};")
                continue
            if not kept:
                write(f"uint64_t {var.name};")
            values = [ports["B"][i * var.width : (i + 1) * var.width] for i in range(len(ports["S"]))]
            for i, (block, value) in enumerate(zip(blocks, [*values, ports["A"]], strict=True)):
                condition = f"if ({word(ports['S'][i : i + 1], names)}) " if i < len(values) else ""
                write(f"{'} else ' if i else ''}{condition}{{")
                self._cells(block.cells, names)
                write(f"{var.name} = {word(value, names)};")
            write("}")

    def _set(self, place: str, value: str, bit: int | None) -> None:
        """Store a value; if anything is passed over that depends on it, tell when it changes."""
        if bit is None:
            self._lines.append(f"{place} = {value};")
        else:
            told = f"changed |= {bit:#x}u;"
            self._lines.append(f"if (const uint64_t next = {value}; next != {place}) {{ {place} = next; {told} }}")

    def _item(self, item: Item, names: dict[Var, str]) -> None:
        write, bit = self._lines.append, self._quiet.bit
        if isinstance(item, Assign):
            self._set(item.target.name, word(item.value, names), bit.get(item.target))
        elif isinstance(item, Load):
            value = f"{array(item.memory)}[{word(item.address, names)}]"
            self._set(item.target.name, value, bit.get(item.target))
        elif isinstance(item, Store):
            place = f"{array(item.memory)}[{word(item.address, names)}]"
            self._set(place, word(item.data, names), bit.get(item.memory))
        elif isinstance(item, Group):
            write(f"if (fresh & {item.mask:#x}u) {{")
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
            found: set[object] = {v for v in read_by(item) if v.init is not None}
            if isinstance(item, Load):
                found.add(item.memory)
            if isinstance(item, If | Group):
                for block in (item.then, item.otherwise) if isinstance(item, If) else (item.block,):
                    for inner in block.items:
                        found |= self._read(inner)
                    for var in self._places.within(block.cells):
                        found |= {v for v in self._design.read_by_cell(var) if v.init is not None}
            self._reads[item] = found
        return self._reads[item]

    def _written(self, item: Item) -> set[object]:
        if item not in self._writes:
            if isinstance(item, If | Group):
                inner = [*item.then.items, *item.otherwise.items] if isinstance(item, If) else item.block.items
                self._writes[item] = set().union(*(self._written(i) for i in inner))
            else:
                self._writes[item] = {item.memory if isinstance(item, Store) else item.target}
        return self._writes[item]


def _filled(block: Block) -> bool:
    return any(not isinstance(item, If) or _filled(item.then) or _filled(item.otherwise) for item in block.items)
