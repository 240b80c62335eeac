"""Keeps apart what moves at most clocks and what mostly rests, so that the resting part can be passed over.

Statements that rarely have anything to do are put into groups, one a module, and a group is carried out only in a
clock after something it reads has changed. That is exact: to store again what was computed from the same values
does nothing new. Where a stored value itself changes at most clocks but the conditions around it rarely hold, the
conditions count as what is read, and carrying out such a *loud* statement makes its group come again.
Which registers change often is measured, on the netlist itself (profile in build.py); that decides about speed
only, never about what is computed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from gateware.compiler.expressions import Var
from gateware.compiler.places import Places, read_by
from gateware.compiler.statements import Assign, Block, Design, Group, If, Item, Load, Store

RESTING = 0.2
"""Share of the clocks in which something a statement reads may change, for the statement to count as resting."""

_BITS = 64

Source = Var | str
"""What a statement depends on: a register, an input, or a memory by its name."""


class Quiet:
    """The statements of `root` in groups; afterwards, what tells that a group has something to do.

    `activity` has the share of clocks in which each register changes and each block is entered, by their names; without
    it everything counts as busy. `bit` is what a register or memory sets when it changes, for those on which
    anything passed over depends.
    """

    def __init__(self, root: Block, design: Design, activity: Mapping[str, float] | None) -> None:
        self.watching = activity is None
        activity = activity or {}
        self._design = design
        self._activity = activity
        self._support: dict[Var, frozenset[Var]] = {}
        self._homes: dict[Source, Group] = {}
        self.loud: dict[Item, Source] = {}
        """Statements that make their group come again, and what that sets the bit of."""
        self._group(root)
        self.bit: dict[Source, int] = {}
        self._bits: dict[object, int] = {}
        self.cold: list[Var] = []
        """Cells of the outermost block that rest, to be computed together; see `settle`."""
        self.kept: set[Var] = set()
        self.mask = 0

    def _group(self, root: Block) -> None:
        groups: dict[str, Group] = {}
        items: list[Item] = []
        for item in root.items:
            reads, loud = self._needs(item)
            if not self._rests(reads) or sum(self._activity.get(b.name, 1.0) for b in set(loud.values())) > RESTING:
                items.append(item)
                continue
            name = _module(item, self._design)
            if name not in groups:
                groups[name] = Group(root.inner())
                items.append(groups[name])
            group = groups[name]
            group.reads |= reads
            if loud:
                group.reads.add(_again(name))
                self.loud |= dict.fromkeys(loud, _again(name))
            group.block.items.append(item)
            for inside in _inner(item):
                _move(inside, group.block)
        root.items = items
        for group in groups.values():
            for target in _written(group.block.items):
                self._homes[target] = group

    def settle(self, root: Block, places: Places) -> None:
        """Once the cells are placed: which of the outermost rest, and which bits tell of what."""
        self.cold = [var for var in root.cells if self._rests(self._of(var))]
        inside = set(places.within(self.cold))
        for var in places.cells:
            if var not in inside:
                self.kept |= self._design.read_by_cell(var) & inside
        blocks = [root]
        for block in blocks:
            for item in block.items:
                self.kept |= read_by(item) & inside
                blocks += _inner(item)
        for item in root.items:
            if isinstance(item, Group):
                item.mask = self._mask(item.reads)
        self.mask = self._mask({v for var in self.cold for v in self._of(var)})

    def _mask(self, sources: Iterable[Source]) -> int:
        mask = 0
        again = set(self.loud.values())
        for source in sorted(sources, key=lambda s: s if isinstance(s, str) else s.name):
            if source not in self.bit:
                # Those that a group writes share a bit, and the others of a module: all of them rest mostly.
                key = source if source in again else self._homes.get(source, _origin(source, self._design))
                self.bit[source] = 1 << self._bits.setdefault(key, len(self._bits)) % _BITS
            mask |= self.bit[source]
        return mask

    def _rests(self, reads: Iterable[Source]) -> bool:
        total = 0.0
        for source in reads:
            if isinstance(source, Var) and source.init is None:
                return False
            if isinstance(source, Var):
                total += self._activity.get(source.name, 1.0)
        return total <= RESTING

    def _of(self, var: Var) -> frozenset[Var]:
        """Registers and inputs that a variable comes from."""
        if var.cell is None:
            return frozenset((var,))
        if var not in self._support:
            self._support[var] = frozenset().union(*map(self._of, self._design.read_by_cell(var)))
        return self._support[var]

    def _needs(self, item: Item) -> tuple[set[Source], dict[Item, Block]]:
        """What must have changed for the item to do anything new, and its loud statements with their blocks."""
        found: set[Source] = set()
        for var in read_by(item):
            found |= self._of(var)
        if isinstance(item, Load | Store):  # a store has to be repeated when another has been to its place
            found.add(item.memory)
        if not isinstance(item, If):
            return found, {}
        loud: dict[Item, Block] = {}
        for block in _inner(item):
            for inner in block.items:
                more, louder = self._needs(inner)
                if isinstance(inner, If) or self._rests(more):
                    found |= more
                    loud |= louder
                else:
                    loud[inner] = block
        return found, loud


def _again(module: str) -> str:
    return f"again {module}"


def _inner(item: Item) -> list[Block]:
    if isinstance(item, If):
        return [item.then, item.otherwise]
    return [item.block] if isinstance(item, Group) else []


def _written(items: Iterable[Item]) -> set[Source]:
    found: set[Source] = set()
    for item in items:
        if isinstance(item, Assign | Load):
            found.add(item.target)
        elif isinstance(item, Store):
            found.add(item.memory)
        for block in _inner(item):
            found |= _written(block.items)
    return found


def _move(block: Block, parent: Block) -> None:
    block.parent, block.depth = parent, parent.depth + 1
    for item in block.items:
        for inside in _inner(item):
            _move(inside, block)


def _module(item: Item, design: Design) -> str:
    """The module that most of what an item writes belongs to."""
    counts: dict[str, int] = defaultdict(int)
    for target in _written([item]):
        counts[_origin(target, design)] += 1
    return max(sorted(counts), key=lambda name: counts[name], default="")


def _origin(source: Source, design: Design) -> str:
    """The module that a register or memory belongs to."""
    found = re.match(r"\W*flatten\\([^.]*)\.|\\?([^.]*)\.", design.origin(source))
    return (found[1] or found[2]) if found else ""
