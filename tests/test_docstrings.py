"""Docstrings begin with a verb or a noun that names their subject (review C-13, G), and none as a question does."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("gateware", "drivers", "calibration", "rig")

RIDDLE = re.compile(
    r"(?:(?:Of|By|To|From|For|With|In|At|On) )?(?:what|whatever|who|whoever|whom|whose|where|wherever|how|whether|when|"
    r"whenever|which|whichever|why)\b",
    re.IGNORECASE,
)
"""Of one that begins so a reader must guess the subject: "What a store holds of a meter."."""


def riddles(source: str) -> Iterator[tuple[int, str]]:
    """Line and beginning of each docstring of a module, class or function that begins so."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text and RIDDLE.match(text):
                yield node.body[0].lineno, text.splitlines()[0]


@pytest.mark.parametrize("room", ROOMS)
def test_docstrings_name_their_subject(room: str) -> None:
    paths = sorted((ROOT / room).rglob("*.py"))
    assert paths
    found = [f"{path.relative_to(ROOT)}:{at}: {text}" for path in paths for at, text in riddles(path.read_text())]
    assert not found, "\n".join(found)


def test_riddles_are_found_wherever_they_stand() -> None:
    source = '"""Whether so."""\nclass A:\n    """Of what it is."""\n    async def f(self):\n        """how many."""\n'
    assert [at for at, _ in riddles(source)] == [1, 3, 5]
    assert not list(riddles('"""State of a meter."""\ndef f():\n    """Return whether it is so."""\n'))
    assert not list(riddles('"""Whole cycles of the line; however many."""\n'))
