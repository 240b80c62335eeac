"""The glossary: in order, each word once, each linked, and with the words that a technician must find."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in TEXT.splitlines() if line.startswith("| ")][
    1:
]
WORDS = [row[0].removesuffix("|").strip() for row in ROWS]

WANTED = {
    "demand interval", "element", "EOI", "fidelity", "form", "Kp", "Ks", "KYZ", "merged window", "record",
    "registration", "ring of states", "season", "self-read", "subinterval", "test mode", "tick", "UNCALIBRATED",
    "window",
}  # fmt: skip


def test_words_are_in_order_and_once() -> None:
    assert [word.casefold() for word in WORDS] == sorted({word.casefold() for word in WORDS})


def test_each_word_is_explained_and_linked() -> None:
    for word, meaning, link in ROWS:
        assert meaning.endswith((".", ".)")), word
        assert 2 <= len(meaning.split()) <= 45, word
        assert re.fullmatch(r"\[[^]]+\]\([^)]+\)", link.removesuffix("|").strip()), word


def test_the_words_to_be_found_are_there() -> None:
    assert set(WORDS) >= WANTED
    assert {"td (time delay)", "rms (of VA)"} <= set(WORDS)


def test_the_readme_leads_to_it() -> None:
    assert "](docs/glossary.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
