"""What a proof measured, with its limits: the rows of the table that `make proof` ends with."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import pytest

PROPERTY = "figure"
"""The name under which a test's report carries a figure."""


@dataclass(frozen=True)
class Figure:
    """One thing measured. Met while its magnitude is no more than the limit; without a limit it only informs."""

    what: str
    value: float
    limit: float | None
    unit: str

    @property
    def met(self) -> bool:
        return self.limit is None or abs(self.value) <= self.limit


class Figures:
    """What one test measured."""

    def __init__(self, node: pytest.Item) -> None:
        self._node = node
        self._missed: list[Figure] = []

    def add(self, what: str, value: float, limit: float | None, unit: str) -> None:
        """Put a figure into the table."""
        figure = Figure(what, value, limit, unit)
        self._node.user_properties.append((PROPERTY, asdict(figure)))
        if not figure.met:
            self._missed.append(figure)

    def check(self) -> None:
        """Fail if one of them is beyond its limit."""
        assert not self._missed
