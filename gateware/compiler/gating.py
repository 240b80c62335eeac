"""Activity gating: statements that are idle at most clocks run only after something they read has changed.

They form gated groups, one a module of the design. What a group reads sets a dirty bit when it changes, and the
group runs only in a clock that finds one of its dirty bits set; everything else always runs. That is exact: to
store again what was computed from the same values does nothing new.

Where a stored value is active, as it changes at most clocks, but the conditions around its statement rarely hold,
the conditions count as what is read, and running such an active statement sets a dirty bit that makes its group run
at the next clock again. Which registers change often is measured, on the netlist itself (profile.py); that decides
about speed only, never about what is computed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from gateware.compiler.design import Design
from gateware.compiler.expressions import Var
from gateware.compiler.placement import Placement
from gateware.compiler.statements import (
    Assign,
    GatedGroup,
    If,
    MemoryRead,
    MemoryWrite,
    Statement,
    StatementBlock,
    every_block,
    inner_blocks,
    read_by,
)

IDLE_SHARE = 0.2
"""Share of the clocks in which something that a statement reads may change, for the statement to count as idle."""

_DIRTY_BITS = 64

Dependency = Var | str
"""What a statement depends on: a register, an input, or a memory by its name."""

Activity = Mapping[str, float]
"""Share of the clocks in which each register changes and each block is entered, by their names (profile.py)."""


class Gating:
    """Puts the idle statements of `root` into gated groups; afterwards, which dirty bits tell that one has to run.

    `activity` is what was measured; with None nothing is gated. `dirty_bit` is what a register or memory sets when
    it changes, for those on which anything gated depends.
    """

    def __init__(self, root: StatementBlock, design: Design, activity: Activity | None) -> None:
        self._gated = activity is not None
        self._activity: Activity = activity or {}
        self._design = design
        self._support: dict[Var, frozenset[Var]] = {}
        self._written_by: dict[Dependency, GatedGroup] = {}
        self.active: dict[Statement, Dependency] = {}
        """Active statements in groups, and the source whose dirty bit each sets when it runs."""
        self.dirty_bit: dict[Dependency, int] = {}
        self._numbers: dict[object, int] = {}
        self.idle_cells: list[Var] = []
        """Cells of the outermost block that are idle, computed together when one of `idle_mask` is set."""
        self.idle_mask = 0
        self.held: set[Var] = set()
        """Idle cells that others read, which therefore keep their value from clock to clock."""
        if self._gated:
            self._group(root)

    @property
    def any(self) -> bool:
        """True if something is gated, so that dirty bits are needed at all."""
        return bool(self.dirty_bit)

    def _group(self, root: StatementBlock) -> None:
        groups: dict[str, GatedGroup] = {}
        items: list[Statement] = []
        for item in root.items:
            reads, active = self._needs(item)
            entered = sum(self._activity.get(block.name, 1.0) for block in set(active.values()))
            if not reads or not self._idle(reads) or entered > IDLE_SHARE:  # no reads, no dirty bit that would start it
                items.append(item)
                continue
            name = _module(item, self._design)
            if name not in groups:
                groups[name] = GatedGroup(root.inner())
                items.append(groups[name])
            group = groups[name]
            group.reads |= reads
            if active:
                group.reads.add(_rerun(name))
                self.active |= dict.fromkeys(active, _rerun(name))
            group.block.items.append(item)
            for inside in inner_blocks(item):
                _move(inside, group.block)
        root.items = items
        for group in groups.values():
            for target in _written(group.block.items):
                self._written_by[target] = group

    def assign_bits(self, root: StatementBlock, placement: Placement) -> None:
        """Once the cells are placed: which of the outermost are idle, and which dirty bits tell of what."""
        if not self._gated:
            return
        self.idle_cells = [var for var in root.cells if self._sources(var) and self._idle(self._sources(var))]
        inside = set(placement.within(self.idle_cells))
        for var in placement.cells:
            if var not in inside:
                self.held |= self._design.read_by_cell(var) & inside
        for block in every_block(root):
            for item in block.items:
                self.held |= read_by(item) & inside
        for item in root.items:
            if isinstance(item, GatedGroup):
                item.mask = self._mask(item.reads)
        self.idle_mask = self._mask({v for var in self.idle_cells for v in self._sources(var)})

    def _mask(self, sources: Iterable[Dependency]) -> int:
        mask = 0
        reruns = set(self.active.values())
        for source in sorted(sources, key=lambda s: s if isinstance(s, str) else s.name):
            if source not in self.dirty_bit:
                # Those that one group writes share a bit, and so do the others of a module: all are mostly idle.
                key = source if source in reruns else self._written_by.get(source, _origin(source, self._design))
                self.dirty_bit[source] = 1 << self._numbers.setdefault(key, len(self._numbers)) % _DIRTY_BITS
            mask |= self.dirty_bit[source]
        return mask

    def _idle(self, reads: Iterable[Dependency]) -> bool:
        total = 0.0
        for source in reads:
            if isinstance(source, Var) and source.init is None:
                return False
            if isinstance(source, Var):
                total += self._activity.get(source.name, 1.0)
        return total <= IDLE_SHARE

    def _sources(self, var: Var) -> frozenset[Var]:
        """Registers and inputs that a variable comes from."""
        if var.cell is None:
            return frozenset((var,))
        if var not in self._support:
            self._support[var] = frozenset().union(*map(self._sources, self._design.read_by_cell(var)))
        return self._support[var]

    def _needs(self, item: Statement) -> tuple[set[Dependency], dict[Statement, StatementBlock]]:
        """Sources whose change can give the item anything new to do, and its active statements with their blocks."""
        found: set[Dependency] = set()
        for var in read_by(item):
            found |= self._sources(var)
        if isinstance(item, MemoryRead | MemoryWrite):  # a store has to be repeated when another has been to its place
            found.add(item.memory)
        if not isinstance(item, If):
            return found, {}
        active: dict[Statement, StatementBlock] = {}
        for block in inner_blocks(item):
            for inner in block.items:
                reads, more = self._needs(inner)
                if isinstance(inner, If) or self._idle(reads):
                    found |= reads
                    active |= more
                else:
                    active[inner] = block
        return found, active


def _rerun(module: str) -> str:
    """The source that stands for an active statement of a module's group having run."""
    return f"rerun {module}"


def _written(items: Iterable[Statement]) -> set[Dependency]:
    found: set[Dependency] = set()
    for item in items:
        if isinstance(item, Assign | MemoryRead):
            found.add(item.target)
        elif isinstance(item, MemoryWrite):
            found.add(item.memory)
        for block in inner_blocks(item):
            found |= _written(block.items)
    return found


def _move(block: StatementBlock, parent: StatementBlock) -> None:
    block.parent, block.depth = parent, parent.depth + 1
    for item in block.items:
        for inside in inner_blocks(item):
            _move(inside, block)


def _module(item: Statement, design: Design) -> str:
    """The module that most of what an item writes belongs to."""
    counts: dict[str, int] = defaultdict(int)
    for target in _written([item]):
        counts[_origin(target, design)] += 1
    return max(sorted(counts), key=lambda name: counts[name], default="")


def _origin(source: Dependency, design: Design) -> str:
    """The module that a register or memory belongs to."""
    found = re.match(r"\W*flatten\\([^.]*)\.|\\?([^.]*)\.", design.origin(source))
    return (found[1] or found[2]) if found else ""
