"""The rooms of `rig/` as its imports draw them: `python -m tests.rooms` prints floors, arrows and circles.

A room is a folder, with the files directly in it. An arrow is an import between two rooms, wherever in a file it
stands. A room's floor is one above the highest it imports from; rooms in one circle share a floor.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]

Arrows = Mapping[str, frozenset[str]]


def modules(*packages: str) -> dict[str, Path]:
    """Give every module of some top-level packages, dotted name → file."""
    found = {}
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(path: Path, known: Iterable[str]) -> set[str]:
    """Give the modules among `known` that a file imports; `from package import module` is package.module."""
    known = set(known)
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= (inner & known) or {node.module}
    return names & known


def arrows(*packages: str) -> dict[str, frozenset[str]]:
    """Give, for each room of some packages, the other rooms it imports from."""
    found = modules(*packages)
    rooms: dict[str, set[str]] = {}
    for path in found.values():
        here = _room(path)
        into = {_room(found[other]) for other in imported(path, found)}
        rooms.setdefault(here, set()).update(into - {here})
    return {room: frozenset(into) for room, into in rooms.items()}


def circles(graph: Arrows) -> list[list[str]]:
    """Give the rooms that reach themselves, circle by circle (Tarjan's strongly connected components)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(room: str) -> None:
        index[room] = low[room] = len(index)
        stack.append(room)
        for other in sorted(graph[room]):
            if other not in index:
                visit(other)
                low[room] = min(low[room], low[other])
            elif other in stack:
                low[room] = min(low[room], index[other])
        if low[room] == index[room]:
            circle = stack[stack.index(room) :]
            del stack[stack.index(room) :]
            if len(circle) > 1:
                found.append(sorted(circle))

    for room in sorted(graph):
        if room not in index:
            visit(room)
    return found


def floors(graph: Arrows) -> dict[str, int]:
    """Give each room's floor, from 1."""
    together = {room: circle for circle in circles(graph) for room in circle}
    done: dict[str, int] = {}

    def floor(room: str) -> int:
        if room not in done:
            mates = together.get(room, [room])
            below = {other for mate in mates for other in graph[mate]} - set(mates)
            level = 1 + max(map(floor, below), default=0)
            done.update(dict.fromkeys(mates, level))
        return done[room]

    return {room: floor(room) for room in graph}


def _room(path: Path) -> str:
    return str(path.parent.relative_to(ROOT))


def main() -> None:
    """Print the rooms of `rig/` from the top floor down, and what they add up to."""
    graph = arrows("rig")
    level = floors(graph)
    for room in sorted(graph, key=lambda r: (-level[r], r)):
        lines = sum(len(p.read_text().splitlines()) for p in (ROOT / room).glob("*.py"))
        print(f"floor {level[room]:2}  {room:26} {lines:5} lines  → {', '.join(sorted(graph[room])) or 'nothing'}")
    found = circles(graph)
    product = sum(
        len(p.read_text().splitlines())
        for package in ("gateware", "drivers", "calibration", "rig")
        for p in (ROOT / package).rglob("*.py")
    )
    print(
        f"{len(graph)} rooms, {max(level.values())} floors, {sum(map(len, graph.values()))} arrows, "
        f"{len(found)} circles{''.join(f' ({chr(44).join(c)})' for c in found)}; {product} lines of product"
    )


if __name__ == "__main__":
    main()
