"""C++ expressions for the combinational cells of a netlist, on values kept in uint64_t with the upper bits 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateware.compiler.rtlil import Cell


@dataclass(eq=False)
class Var:
    """A value of up to 64 bits: an input, a register (with its initial value) or a cell's output."""

    name: str
    width: int
    init: int | None = None
    cell: Cell | None = None

    def __post_init__(self) -> None:
        if self.width > 64:
            raise ValueError(f"{self.name} has {self.width} bits; the generator takes 64")


Ref = tuple[Var, int]
Resolved = tuple[int | Ref, ...]
"""Bits traced to constants and variables, least significant first."""


def variables(bits: Resolved) -> set[Var]:
    """The variables among the sources of some bits."""
    return {bit[0] for bit in bits if not isinstance(bit, int)}


def whole(var: Var) -> Resolved:
    """All bits of a variable."""
    return tuple((var, i) for i in range(var.width))


Copies = Mapping[Var, str]
"""Registers that go by another name here, because their old value was copied."""


def _mask(bits: int) -> str:
    return f"{(1 << bits) - 1:#x}u"


def word(bits: Resolved, names: Copies) -> str:
    """The bits as one unsigned number."""
    own = _before_extension(bits)
    if own < len(bits):
        return f"((uint64_t){_extended(bits[:own], names)} & {_mask(len(bits))})"
    parts: list[str] = []
    constant = 0
    at = 0
    while at < len(bits):
        bit = bits[at]
        if isinstance(bit, int):
            constant |= bit << at
            at += 1
            continue
        var, start = bit
        run = 1
        while at + run < len(bits) and bits[at + run] == (var, start + run):
            run += 1
        text = names.get(var, var.name)
        if start:
            text = f"({text} >> {start})"
        if start + run < var.width:
            text = f"({text} & {_mask(run)})"
        parts.append(f"({text} << {at})" if at else text)
        at += run
    if constant or not parts:
        parts.append(f"{constant:#x}u")
    return parts[0] if len(parts) == 1 else f"({' | '.join(parts)})"


def _before_extension(bits: Resolved) -> int:
    """Number of bits before the last one is merely repeated."""
    own = len(bits)
    while own > 1 and bits[own - 1] == bits[own - 2] and not isinstance(bits[own - 1], int):
        own -= 1
    return own


def _extended(bits: Resolved, names: Copies) -> str:
    """The bits as a two's complement number, sign-extended to int64_t."""
    bits = bits[: _before_extension(bits)]
    return f"sx<{len(bits)}>({word(bits, names)})"


def combinational(var: Var, ports: Mapping[str, Resolved], names: Copies) -> str:
    """The value of a combinational cell's output."""
    cell = var.cell
    assert cell is not None
    kind = cell.type
    if kind == "$mux":
        select, a, b = (word(ports[p], names) for p in ("S", "A", "B"))
        return f"{select} ? {b} : {a}"
    if kind == "$pmux":
        text = word(ports["A"], names)
        for i, bit in reversed(list(enumerate(ports["S"]))):
            choice = word(ports["B"][i * var.width : (i + 1) * var.width], names)
            text = f"{word((bit,), names)} ? {choice} : ({text})"
        return text

    def operand(port: str) -> str:
        # Bits above the operand's own do not matter where the result has none of them.
        own = kind in ("$add", "$sub", "$mul", "$and", "$or", "$xor") and var.width <= _before_extension(ports[port])
        if cell.number(f"{port}_SIGNED") and not own:
            return f"(uint64_t){_extended(ports[port], names)}"
        return word(ports[port], names)

    if kind in _REDUCING:
        return _REDUCING[kind].format(a=word(ports["A"], names), mask=_mask(len(ports["A"])))
    if kind in ("$not", "$neg"):
        return f"({'~' if kind == '$not' else '-'}{operand('A')}) & {_mask(var.width)}"
    a, b = operand("A"), operand("B")
    if kind in _COMPARING:
        cast = "(int64_t)" if cell.number("A_SIGNED") and cell.number("B_SIGNED") else ""
        return f"{cast}({a}) {_COMPARING[kind]} {cast}({b})"
    if kind in _LOGICAL:
        return f"({a}) {_LOGICAL[kind]} ({b})"
    if kind in _ARITHMETIC:
        return f"(({a}) {_ARITHMETIC[kind]} ({b})) & {_mask(var.width)}"
    raise ValueError(f"{cell.name}: cells of type {kind} are not supported")


_ARITHMETIC = {"$add": "+", "$sub": "-", "$mul": "*", "$and": "&", "$or": "|", "$xor": "^"}
_COMPARING = {"$eq": "==", "$ne": "!=", "$lt": "<", "$le": "<=", "$gt": ">", "$ge": ">="}
_LOGICAL = {"$logic_and": "&&", "$logic_or": "||"}
_REDUCING = {
    "$logic_not": "!({a})",
    "$reduce_or": "({a}) != 0",
    "$reduce_bool": "({a}) != 0",
    "$reduce_and": "({a}) == {mask}",
    "$reduce_xor": "__builtin_parityll({a})",
}
