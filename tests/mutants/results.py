"""What came of each fault, in a file beside the lists: found by which test, at how many CPU seconds.

A result counts for as long as its digest is that of the faulty file and of the test that found the fault, or where
none did, of the test files it was run against; other changes of the tree do not make it old. `--again` tries all anew.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tests.mutants.planted import Fault

RESULTS = Path(__file__).parent / "results.json"


@dataclass(frozen=True)
class Result:
    """`found` is the first test that failed, "time limit" where the tests no longer ended, "" where all passed.

    `held`: that test was seen to pass without the fault.
    """

    found: str
    cpu_s: float
    digest: str
    held: bool = False


class Results:
    """The results, by fault, written with each new one."""

    def __init__(self, path: Path = RESULTS) -> None:
        self._path = path
        self.by_name: dict[str, Result] = {}
        if path.exists():
            read = json.loads(path.read_text(encoding="utf-8"))
            self.by_name = {name: Result(**result) for name, result in read.items()}

    def hold_for(self, fault: Fault) -> bool:
        """Whether there is a result of a fault as it and its tests are now."""
        result = self.by_name.get(fault.name)
        return result is not None and result.digest == fault.digest(result.found)

    def add(self, name: str, result: Result) -> None:
        self.by_name[name] = result
        self._write()

    def hold(self, failing: set[str]) -> list[str]:
        """Mark what was found by tests that pass without a fault; drop, and give, what was found by others."""
        unsound = [name for name, result in self.by_name.items() if not result.held and result.found in failing]
        for name in unsound:
            del self.by_name[name]
        self.by_name = {name: replace(result, held=True) for name, result in self.by_name.items()}
        self._write()
        return unsound

    def only(self, names: set[str]) -> None:
        """Drop the results of faults that are in no list any more."""
        if old := set(self.by_name) - names:
            for name in old:
                del self.by_name[name]
            self._write()

    def _write(self) -> None:
        lines = [f"{json.dumps(name)}: {json.dumps(asdict(self.by_name[name]))}" for name in sorted(self.by_name)]
        new = self._path.with_suffix(".new")
        new.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
        os.replace(new, self._path)
