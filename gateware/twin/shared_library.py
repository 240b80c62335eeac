"""C++ compiled to a shared library once, kept in the cache, and loaded."""

from __future__ import annotations

import ctypes
import hashlib
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from gateware.cache import cache_folder
from gateware.compiler.tools import ToolError, cxx, run

CannotCompile = ToolError
"""There is no C++ compiler, or it fails; the message says which."""

_FLAGS = ("-std=c++17", "-O3", "-ffp-contract=off", "-fwrapv", "-fPIC", "-shared", "-pthread", "-Wall", "-Wno-psabi")
"""Alike on every machine: products are rounded before they are added, and integers wrap."""


def keep(target: Path, make: Callable[[Path], Path]) -> None:
    """Have `make` write a library in a folder of its own, then put it in its place whole. Raises OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        make(Path(folder)).replace(target)


def load(library: Callable[[], Path]) -> ctypes.CDLL:
    """Load the library at the path that `library` gives, anew where it was cut short by a full disk, or made for
    another machine."""
    try:
        return ctypes.CDLL(str(library()))
    except OSError:
        library().unlink()
        return ctypes.CDLL(str(library()))


def compiled(source: Path) -> ctypes.CDLL:
    """Load what a C++ file becomes for this machine's processor. Raises CannotCompile."""
    return load(lambda: _library(source))


def _library(source: Path) -> Path:
    compiler = cxx()
    flags = (*_FLAGS, *_of_this_processor(compiler))
    text = source.read_text()
    parts = (text, _identity(compiler, flags), *flags)
    target = (
        cache_folder() / f"compiled-{source.stem}-{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:16]}.so"
    )

    def make(folder: Path) -> Path:
        shutil.copy(source, folder)
        run([compiler, *flags, source.name, "-o", target.name], folder, f"compiling {source.name}")
        return folder / target.name

    if not target.exists():
        try:
            keep(target, make)
        except OSError as error:
            raise ToolError(
                f"{source.name} cannot be kept compiled in {target.parent} ({error.strerror}): set RIG_CACHE"
            ) from None
    return target


@cache
def _of_this_processor(compiler: str) -> tuple[str, ...]:
    """The flag for all that this processor can do, where processors of its kind differ and the compiler knows it."""
    if platform.machine() not in ("x86_64", "AMD64"):
        return ()
    tried = subprocess.run(
        [compiler, "-march=native", "-E", "-x", "c++", "/dev/null"], capture_output=True, check=False
    )
    return () if tried.returncode else ("-march=native",)


@cache
def _identity(compiler: str, flags: tuple[str, ...]) -> str:
    """Return a compiler's identity and that of the processor it compiles for: what it defines before any source."""
    command = [compiler, *(flag for flag in flags if flag.startswith("-m")), "-dM", "-E", "-x", "c++", "/dev/null"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout
