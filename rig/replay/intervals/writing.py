"""Notation of a load record as a person gives it, where the file does not show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Writing:
    """Notation of a file: columns by key (columns.py), the stamps' format, the decimal sign, and which meter of
    several; whether its values are readings of registers. Of a Green Button feed only the series of a column, and which
    usage point."""

    columns: Mapping[str, str] = field(default_factory=dict)
    time_format: str | None = None
    decimal: str | None = None
    meter: str | None = None
    registers: bool = False
