"""docs/display.md has every item, annunciator and diagnostic there is, and no other."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

from rig.meter.billing.maxima import PEAKS
from rig.meter.billing.tariff import Rate
from rig.meter.display.lcd import Annunciator
from rig.meter.installation.diagnostics import Diagnostic
from rig.program.display_items import items
from rig.program.names import Names

DOCUMENT = (Path(__file__).parents[3] / "docs" / "display.md").read_text(encoding="utf-8")

NAMES = Names()
WORDS = {
    "ENERGY": list(NAMES.energies),
    "DEMAND": list(NAMES.demands),
    "RATE": [rate.name for rate in Rate],
    "PHASE": ["A", "B", "C"],
    "PLACE": [str(place) for place in range(1, PEAKS + 1)],
}


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table under a heading."""
    section = DOCUMENT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = re.findall(r"^\| (.*) \|$", section, re.MULTILINE)
    return [re.split(r" *\| *", line) for line in lines[1:] if not line.startswith("-")]


def expanded(pattern: str) -> list[str]:
    """Every name that a pattern with WORDS in it stands for."""
    parts = [WORDS.get(part, [part]) for part in pattern.split()]
    return [" ".join(parts) for parts in product(*parts)]


def test_every_item_is_in_the_table_once() -> None:
    named = [
        name for row in rows("Items") for pattern in re.findall(r"`([^`]+)`", row[0]) for name in expanded(pattern)
    ]
    assert len(named) == len(set(named))
    assert set(named) == set(items(NAMES))


def test_every_annunciator_is_in_the_table() -> None:
    named = [word for row in rows("The glass") for word in re.findall(r"`([^`]+)`", row[0])]
    assert sorted(named) == sorted(a.value for a in Annunciator)


def test_every_diagnostic_is_in_the_table_in_its_own_words() -> None:
    said = " ".join(row[1] for row in rows("Errors"))
    out = {"PHASE_A_OUT", "PHASE_B_OUT", "PHASE_C_OUT"}
    for diagnostic in Diagnostic:
        assert diagnostic.name in out or diagnostic.value in said
    assert "phase A, B or C has lost its voltage" in said
    assert len(rows("Errors")) == len(Diagnostic) - len(out) + 2
