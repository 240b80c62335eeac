"""The netlist with every bit traced to what drives it, and everything outside the subset refused."""

from __future__ import annotations

import re
from collections import defaultdict

from gateware.compiler.expressions import Ref, Resolved, Var, variables
from gateware.compiler.rtlil import Cell, Netlist, SigBit, SigSpec, constant

CLOCK = "\\clk"
RESET = "rst"

_SEQUENTIAL = ("$dff", "$memrd_v2", "$memwr_v2")


class Design:
    """Inputs, registers and cells as variables, and what each cell's operands come from.

    `users` has how many cells, registers and memory ports read a variable.
    """

    def __init__(self, netlist: Netlist) -> None:
        self.netlist = netlist
        self.inputs: list[Var] = []
        self.registers: dict[str, Var] = {}
        self.memory_words: dict[str, list[int]] = {}
        self.users: dict[Var, int] = defaultdict(int)
        self._drivers: dict[SigBit, SigBit | Ref] = {}
        self._operands: dict[Var, dict[str, Resolved]] = {}
        self._values: list[Var] = []
        self._origins: dict[Var, str] = {}

        for name, wire in netlist.wires.items():
            if wire.direction == "input" and name != CLOCK:
                pin = Var(name.lstrip("\\"), wire.width)
                self.inputs.append(pin)
                self._drive(tuple((name, i) for i in range(wire.width)), pin)
        for left, right in netlist.connects:
            self._drivers.update(zip(left, right, strict=True))
        for number, cell in enumerate(netlist.cells):
            self._declare(number, cell)
        self._count_users()

    def _drive(self, bits: SigSpec, var: Var) -> None:
        self._drivers.update({bit: (var, i) for i, bit in enumerate(bits)})

    def _declare(self, number: int, cell: Cell) -> None:
        if cell.type in ("$dff", "$memrd_v2"):
            port = "Q" if cell.type == "$dff" else "DATA"
            if cell.number("CLK_POLARITY") != 1 or cell.ports["CLK"] != ((CLOCK, 0),):
                raise ValueError(f"{cell.name}: not on the rising edge of the one clock")
            if cell.type == "$memrd_v2":
                _check_plain(cell, "TRANSPARENCY_MASK", "COLLISION_X_MASK")
            bits = cell.ports[port]
            var = Var(f"r{number}_{_plain(bits)}", len(bits), init=self._initial(bits))
            self.registers[cell.name] = var
            self._origins[var] = cell.name
            self._drive(bits, var)
        elif cell.type == "$meminit_v2":
            width, size = self.netlist.memories[memory_of(cell)]
            data = cell.ports["DATA"]
            first = sum(int(b == 1) << i for i, b in enumerate(cell.ports["ADDR"]))
            words = self.memory_words.setdefault(memory_of(cell), [0] * size)
            for k in range(cell.number("WORDS")):
                words[first + k] = sum(int(b == 1) << i for i, b in enumerate(data[k * width : (k + 1) * width]))
        elif cell.type == "$memwr_v2":
            _check_plain(cell, "PRIORITY_MASK")
        elif "Y" in cell.ports:
            var = Var(f"c{number}", len(cell.ports["Y"]), cell=cell)
            self._values.append(var)
            self._drive(cell.ports["Y"], var)
        else:
            raise ValueError(f"{cell.name}: cells of type {cell.type} are not supported")

    def _count_users(self) -> None:
        for var in self._values:
            assert var.cell is not None
            self._operands[var] = {k: self.resolve(b) for k, b in var.cell.ports.items() if k != "Y"}
            for used in self.read_by_cell(var):
                self.users[used] += 1
        for cell in self.netlist.cells:
            if cell.type in _SEQUENTIAL:
                for port, bits in cell.ports.items():
                    if port not in ("Q", "CLK") and not (cell.type == "$memrd_v2" and port == "DATA"):
                        for used in variables(self.resolve(bits)):
                            self.users[used] += 1

    def _initial(self, bits: SigSpec) -> int:
        value = 0
        for i, bit in enumerate(bits):
            assert not isinstance(bit, int)
            init = self.netlist.wires[bit[0]].init
            if init is not None:
                value |= int(constant(init)[bit[1]] == 1) << i
        return value

    def resolve(self, bits: SigSpec) -> Resolved:
        """Trace each bit to a constant or to the variable that drives it."""
        found: list[int | Ref] = []
        for bit in bits:
            source: SigBit | Ref = bit
            while not isinstance(source, int) and not isinstance(source[0], Var):
                if source not in self._drivers:
                    raise ValueError(f"nothing drives {source[0]} [{source[1]}]")
                source = self._drivers[source]
            found.append(source)
        return tuple(found)

    def operands(self, var: Var) -> dict[str, Resolved]:
        """A cell's operands by port."""
        return self._operands[var]

    def origin(self, target: Var | str) -> str:
        """The netlist's name of what drives a register, or of a memory: it begins with its module's."""
        return target if isinstance(target, str) else self._origins[target]

    def read_by_cell(self, var: Var) -> set[Var]:
        """Variables that a cell's operands come from."""
        return {v for bits in self._operands[var].values() for v in variables(bits)}


def memory_of(cell: Cell) -> str:
    """The name of the memory that a port belongs to."""
    return cell.parameters["MEMID"].strip('"').replace("\\\\", "\\")


def _check_plain(cell: Cell, *masks: str) -> None:
    """Refuse a memory port that reads what this clock writes, has a reset, or a rank among others."""
    for mask in masks:
        if cell.number(mask):
            raise ValueError(
                f"{cell.name}: {mask.lower().replace('_', ' ')} is set: transparent ports are not supported"
            )
    for reset in ("ARST", "SRST"):
        if cell.ports.get(reset, (0,)) != (0,):
            raise ValueError(f"{cell.name}: a memory port with reset is not supported")


def _plain(bits: SigSpec) -> str:
    name = next((str(b[0]) for b in bits if not isinstance(b, int)), "")
    return re.sub(r"\W+", "_", name).strip("_")
