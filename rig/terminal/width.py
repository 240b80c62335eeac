"""Width of the output in columns: decided here, for tables, pictures and help alike."""

from __future__ import annotations

import os
from collections.abc import Mapping

LEAST_COLUMNS, USUAL_COLUMNS, MOST_COLUMNS = 40, 80, 1000
"""Columns: fewer are taken for 40, and the terminal breaks lines; without a terminal there are 80."""


def columns(environment: Mapping[str, str] = os.environ) -> int:
    """COLUMNS where it is a number from 1, else the width of the terminal at the command's output, errors or input."""
    wanted = environment.get("COLUMNS", "")
    width = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 10 else 0
    return min(max(LEAST_COLUMNS, width or _terminal() or USUAL_COLUMNS), MOST_COLUMNS)


def _terminal() -> int:
    """The terminal's own width; 0 where there is none, or it does not know."""
    for descriptor in (1, 2, 0):
        try:
            return os.get_terminal_size(descriptor).columns
        except OSError:
            continue
    return 0
