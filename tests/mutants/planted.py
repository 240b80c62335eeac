"""A planted fault: one small change of one file of ours, kept in a list, and the tests that have to notice it.

Each TOML file in `faults/` lists those of one room:

    tests = ["tests/rig/billing/test_demand.py"]    # for those that name none of their own

    [[fault]]
    name = "demand: a block of 14 min"      # its own, in all lists
    file = "rig/meter/billing/demand.py"
    in = "def length"                       # optional: `old` is the first after the first line with this
    old = "15 * MINUTE_NS"                  # without `in`: it stands in the file once
    new = "14 * MINUTE_NS"
    tests = ["tests/rig/billing/test_maxima.py::test_x"]    # optional
    review = "I-3"                          # optional: the review's id
    unfound = "why no test can find it"     # only where none does

A list is read strictly: a fault whose text is no longer in its file is an error, since it would test nothing.
"""

from __future__ import annotations

import ast
import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LISTS = Path(__file__).parent / "faults"

_KEYS = {"name", "file", "in", "old", "new", "tests", "review", "unfound"}
_NEEDED = {"name", "file", "old", "new"}


class FaultListError(Exception):
    """What is wrong with a list, in one sentence that names the list and the fault."""


@dataclass(frozen=True)
class Fault:
    """One fault: `old` becomes `new` in `file`, a path from the project's root; `tests` are pytest's node ids."""

    room: str
    name: str
    file: str
    within: str
    old: str
    new: str
    tests: tuple[str, ...]
    review: str
    unfound: str

    def planted(self, root: Path = ROOT) -> str:
        """Give the file's text with the fault in it; FaultListError where `old` is not there exactly once."""
        try:
            text = (root / self.file).read_text(encoding="utf-8")
        except OSError as error:
            raise FaultListError(f"{self.room}: {self.name}: {self.file} cannot be read ({error.strerror})") from None
        start = 0
        if self.within:
            start = text.find(self.within)
            if start < 0:
                raise FaultListError(f"{self.room}: {self.name}: {self.file} has no {self.within!r} any more")
        where = text.find(self.old, start)
        if where < 0:
            raise FaultListError(f"{self.room}: {self.name}: {self.file} has no {self.old!r} any more")
        if not self.within and text.find(self.old, where + 1) >= 0:
            raise FaultListError(
                f"{self.room}: {self.name}: {self.file} has {self.old!r} more than once; say where, by in"
            )
        return text[:where] + self.new + text[where + len(self.old) :]

    def digest(self, found: str = "", root: Path = ROOT) -> str:
        """Tell whether a result still holds: of the file with the fault in it, and of the test that found it, "" for
        none: then of all the files of its tests."""
        digest = hashlib.sha256(self.planted(root).encode())
        for test in (found,) if found in _functions(root, found) else self.tests:
            digest.update(test.encode())
            path = root / test.split("::")[0]
            for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
                digest.update(_functions(root, found).get(found) or file.read_bytes())
        return digest.hexdigest()[:16]


def _functions(root: Path, test: str) -> dict[str, bytes]:
    """The source of a test function, by its node id; nothing for what is none."""
    file, _, name = test.partition("::")
    if not name or not (root / file).is_file():
        return {}
    text = (root / file).read_text(encoding="utf-8")
    name = name.split("[")[0].rsplit("::", 1)[-1]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return {test: (ast.get_source_segment(text, node) or "").encode()}
    return {}


def faults(lists: Path = LISTS) -> tuple[Fault, ...]:
    """Read all lists, in the order of their names; FaultListError for what is not as it should be."""
    found = [fault for path in sorted(lists.glob("*.toml")) for fault in _list(path)]
    names = [fault.name for fault in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise FaultListError(f"two faults are called {twice[0]!r}")
    return tuple(found)


def _list(path: Path) -> list[Fault]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise FaultListError(f"{path.name}: {error}") from None
    if odd := set(table) - {"tests", "fault"}:
        raise FaultListError(f"{path.name}: {min(odd)!r} is no key of a list")
    return [_fault(path.stem, entry, table.get("tests", [])) for entry in table.get("fault", [])]


def _fault(room: str, entry: dict[str, str | list[str]], tests: list[str]) -> Fault:
    name = entry.get("name", "a fault without a name")
    if odd := set(entry) - _KEYS:
        raise FaultListError(f"{room}: {name}: {min(odd)!r} is no key of a fault")
    if missing := _NEEDED - set(entry):
        raise FaultListError(f"{room}: {name}: {min(missing)!r} is missing")
    own = entry.get("tests", tests)
    for key in sorted(_KEYS - {"tests"}):
        if not isinstance(entry.get(key, ""), str):
            raise FaultListError(f"{room}: {name}: {key} is no text")
    if not isinstance(own, list) or not own or not all(isinstance(test, str) for test in own):
        raise FaultListError(f"{room}: {name}: no tests are named, neither by it nor by its list")
    for test in own:
        if not (ROOT / test.split("::")[0]).exists():
            raise FaultListError(f"{room}: {name}: {test} is not there")
    if entry["old"] == entry["new"]:
        raise FaultListError(f"{room}: {name}: old and new are the same")
    text = {key: str(value) for key, value in entry.items() if key != "tests"}
    return Fault(
        room,
        text["name"],
        text["file"],
        text.get("in", ""),
        text["old"],
        text["new"],
        tuple(map(str, own)),
        text.get("review", ""),
        text.get("unfound", ""),
    )
