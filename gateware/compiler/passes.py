"""The whole way from hierarchical RTLIL to C++: Yosys flattens, a profile is measured, the generator writes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gateware.compiler.generate import cpp
from gateware.compiler.profile import measure
from gateware.compiler.tools import yosys

_FLATTEN = (
    "read_rtlil netlist.il; flatten; proc; opt_expr; opt_merge; opt_clean; wreduce; opt_expr; opt_merge; "
    "opt_clean -purge; write_rtlil flat.il"
)


def flatten(rtlil: str, folder: Path) -> str:
    """One flat module without processes; leaves netlist.il and flat.il in `folder`."""
    (folder / "netlist.il").write_text(rtlil)
    yosys(_FLATTEN, folder)
    return (folder / "flat.il").read_text()


def translate(rtlil: str, folder: Path, steady: Mapping[str, int], *, gated: bool = True) -> str:
    """C++ source of a netlist, made in `folder`.

    `gated` code runs idle statements only when something they read has changed (gating.py), by a profile in which the
    inputs in `steady` keep that value; code that is not gated runs every statement at every clock.
    """
    flat = flatten(rtlil, folder)
    return cpp(flat, measure(flat, folder, steady) if gated else None)
