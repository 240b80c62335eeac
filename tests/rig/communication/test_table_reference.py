"""docs/communication-tables.md is what the descriptions of tables make, and has every one of them (X-1)."""

from __future__ import annotations

import re
from pathlib import Path

from rig.communication.c1219.reference import document
from rig.communication.c1219.tables import TABLES

ROOT = Path(__file__).parents[3]


def test_the_document_is_made_from_the_tables() -> None:
    text = (ROOT / "docs" / "communication-tables.md").read_text(encoding="utf-8")
    made = "\n".join(document()) + "\n"
    assert text == made, "python -m rig.communication.c1219.reference > docs/communication-tables.md writes it"


def test_every_table_has_its_section_and_every_field_a_row() -> None:
    text = "\n".join(document())
    for table in TABLES.values():
        section = re.search(rf"^### {table.title}: .*?(?=^### |\Z)", text, re.DOTALL | re.MULTILINE)
        assert section is not None, table.title
        for field in table.layout.fields:
            assert f"| {field.name} |" in section[0]


def test_rows_have_the_cells_of_their_table() -> None:
    width = 0
    for line in document():
        if line.startswith("|---"):
            width = line.count("|")
        elif line.startswith("|") and width:
            assert line.count("|") == width, line
        elif not line.startswith("|"):
            width = 0
