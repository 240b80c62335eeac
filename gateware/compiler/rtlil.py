"""Reads the flattened RTLIL text of one module into wires, cells and single bits."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise

SigBit = int | tuple[str, int]
"""0, 1, or one bit of a wire: (name, index)."""

SigSpec = tuple[SigBit, ...]
"""Least significant first."""

_TOKEN = re.compile(r'\{|\}|\[[\d:]+\]|"(?:[^"\\]|\\.)*"|[^\s{}\[\]]+')
_CONSTANT = re.compile(r"(\d+)'s?([01xz-]*)$")


@dataclass
class Wire:
    width: int
    init: str | None = None
    direction: str | None = None


@dataclass
class Cell:
    type: str
    name: str
    parameters: dict[str, str] = field(default_factory=dict)
    ports: dict[str, SigSpec] = field(default_factory=dict)

    def number(self, parameter: str) -> int:
        return sum(int(bit == 1) << i for i, bit in enumerate(constant(self.parameters[parameter])))


@dataclass
class Netlist:
    wires: dict[str, Wire] = field(default_factory=dict)
    memories: dict[str, tuple[int, int]] = field(default_factory=dict)
    """name → (width, words)."""
    cells: list[Cell] = field(default_factory=list)
    connects: list[tuple[SigSpec, SigSpec]] = field(default_factory=list)


def parse(text: str) -> Netlist:
    """Parse one flat module, as `flatten; proc` leaves it. ValueError on anything else (a process, say)."""
    netlist = Netlist()
    init: str | None = None
    cell: Cell | None = None
    for line in text.splitlines():
        tokens = _TOKEN.findall(line)
        match tokens:
            case [] | ["autoidx", _] | ["module", _]:
                pass
            case ["#", *_]:
                pass
            case ["attribute", "\\init", value]:
                init = value
            case ["attribute", *_]:
                pass
            case ["wire", *options, name]:
                wire = Wire(1, init)
                for key, value in pairwise((*options, name)):
                    if key == "width":
                        wire.width = int(value)
                    elif key in ("input", "output"):
                        wire.direction = key
                netlist.wires[name] = wire
                init = None
            case ["memory", *options, name]:
                sizes = dict(zip(options[::2], options[1::2], strict=True))
                netlist.memories[name] = (int(sizes.get("width", 1)), int(sizes["size"]))
            case ["cell", kind, name]:
                cell = Cell(kind, name)
                netlist.cells.append(cell)
            case ["parameter", *_, key, value] if cell:
                cell.parameters[key.lstrip("\\")] = value
            case ["connect", port, *spec] if cell:
                (cell.ports[port.lstrip("\\")],) = _specs(spec, netlist)
            case ["connect", *spec]:
                left, right = _specs(spec, netlist)
                netlist.connects.append((left, right))
            case ["end"]:
                cell = None
            case _:
                raise ValueError(f"not flat RTLIL: {line.strip()!r}")
    return netlist


def constant(text: str) -> SigSpec:
    """Bits of a constant such as 4'01x0; undefined bits are 0, as the simulators start them."""
    if text.isdigit():
        return tuple(int(text) >> i & 1 for i in range(32))
    match = _CONSTANT.match(text)
    if not match:
        raise ValueError(f"not a constant: {text!r}")
    digits = match[2].rjust(int(match[1]), "0")
    return tuple(int(d == "1") for d in reversed(digits))


def _specs(tokens: list[str], netlist: Netlist) -> list[SigSpec]:
    """The signal specifications written one after another in a line."""
    found: list[SigSpec] = []
    outer: list[list[SigSpec]] = []
    for token in tokens:
        if token == "{":
            outer.append(found)
            found = []
        elif token == "}":
            joined = tuple(bit for part in reversed(found) for bit in part)
            found = outer.pop()
            found.append(joined)
        elif token.startswith("["):
            high, _, low = token[1:-1].partition(":")
            found[-1] = found[-1][int(low or high) : int(high) + 1]
        elif token in netlist.wires:
            found.append(tuple((token, i) for i in range(netlist.wires[token].width)))
        else:
            found.append(constant(token))
    return found
