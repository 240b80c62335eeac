"""docs/conformance.md: every requirement once, an honest status, and nothing named that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "docs" / "conformance.md"
REQUIREMENTS = ROOT.parent / "shared" / "REQUIREMENTS.md"

IDS = [
    f"{letter}-{number}"
    for letter, count in (("C", 5), ("M", 8), ("Q", 6), ("T", 4), ("D", 7), ("P", 6), ("X", 4), ("S", 3))
    for number in range(1, count + 1)
]
STATUSES = {"works", "partly", "not yet"}


def rows() -> list[list[str]]:
    """The cells of each requirement's row: id, requirement, modules, tests, status, remark."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if re.match(r"\| [A-Z]-\d", line)]


def test_every_requirement_has_its_row() -> None:
    assert [row[0] for row in rows()] == IDS


def test_the_ids_are_those_of_the_requirements() -> None:
    if not REQUIREMENTS.is_file():
        pytest.skip("the requirements (../shared/REQUIREMENTS.md) exist only where the project is developed")
    assert re.findall(r"^\| ([A-Z]-\d+) \|", REQUIREMENTS.read_text(encoding="utf-8"), re.MULTILINE) == IDS


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_a_row_names_what_is_there(row: list[str]) -> None:
    requirement, _, modules, tests, status, remark = row
    assert status in STATUSES
    for cell, folders in ((modules, ("gateware", "drivers", "calibration", "rig")), (tests, ("tests",))):
        paths = re.findall(r"`([^`]+)`", cell)
        assert bool(paths) == (status != "not yet"), f"{requirement} is {status} and names {cell}"
        for path in paths:
            assert path.split("/")[0] in folders
            assert (ROOT / path).exists(), f"{requirement} names {path}, which does not exist"
    assert remark or status != "partly", f"{requirement} is partly done: say what is missing"
