"""A pytest plugin (`-p tests.mutants.failures`): writes the tests that fail into the file $FAILURES, a line each.

Its hypothesis profile has the suite's examples and does not look for smaller ones: that one failed is enough here.
Slow proofs come last: most faults are found before them.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import Phase, settings

PROFILE = "planted"
settings.register_profile(PROFILE, deadline=None, derandomize=True, phases=(Phase.explicit, Phase.generate))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)


def _note(node: str) -> None:
    with Path(os.environ["FAILURES"]).open("a", encoding="utf-8") as file:
        file.write(node + "\n")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.failed:
        _note(report.nodeid)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.failed:
        _note(report.nodeid)
