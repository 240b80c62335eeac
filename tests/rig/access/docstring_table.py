"""Tables of docstrings, for the tests of the door."""

from __future__ import annotations

from types import ModuleType


def rows(module: ModuleType, first: str) -> list[list[str]]:
    """A table of a module's docstring, from the line that begins with `first` on; cells are two blanks apart."""
    assert module.__doc__ is not None
    lines = module.__doc__.splitlines()
    begin = next(k for k, line in enumerate(lines) if line.strip().startswith(first))
    end = next(k for k in range(begin, len(lines)) if not lines[k].strip())
    return [[cell.strip() for cell in line.strip().split("  ") if cell.strip()] for line in lines[begin:end]]
