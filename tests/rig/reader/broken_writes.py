"""Programs written over a line that is lost on the way, by any protocol: the meter has the old one or the new (X-2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from cut_line import CutLine

from rig.program.build import Program, load_program
from rig.reader.meter_program import NotWritten


def loaded(folder: Path, text: str) -> tuple[Program, bytes]:
    """Give a program's text as a file of it is loaded, with its bytes."""
    path = folder / "program.toml"
    path.write_text(text)
    return load_program(path), path.read_bytes()


class Bench(Protocol):
    """A meter, a line that can be cut, and a programmer at it."""

    line: CutLine
    staged_at: int | None

    @property
    def digest(self) -> str: ...

    def write(self, program: Program, text: bytes) -> str: ...

    def restart_port(self) -> None: ...


class BrokenWrites:
    """Writes of one program over another, which `reset` puts into the meter before each."""

    def __init__(self, bench: Bench, folder: Path, old: str, new: str, reset: Callable[[], None]) -> None:
        self._bench, self._reset = bench, reset
        self._old = loaded(folder, old)[0]
        self._new = loaded(folder, new)

    def places(self) -> range:
        """Write it over a whole line. Give the bytes over the line from the first that is staged to the end."""
        self._reset()
        self._bench.line.passed = 0
        self._bench.write(*self._new)
        assert self._bench.staged_at is not None
        return range(self._bench.staged_at, self._bench.line.passed)

    def broken_at(self, places: Iterable[int], *, port_dies: bool) -> list[str]:
        """Give what the meter had in the end, and said, each time that the line was lost after so many bytes."""
        bench, (new, text), found = self._bench, self._new, []
        for place in places:
            self._reset()
            bench.line.on_cut = bench.restart_port if port_dies else lambda: None
            bench.line.left = place
            try:
                said = bench.write(new, text)
            except NotWritten as error:
                said = str(error)
                assert bench.digest == self._old.digest, f"byte {place}: {said}"
                assert "has the program that it had before" in said, f"byte {place}: {said}"
                found.append("old")
            else:
                assert bench.digest == new.digest, f"byte {place}: {said}"
                assert said.startswith("written and read back") or "has the new program" in said, (
                    f"byte {place}: {said}"
                )
                found.append("new")
        return found


def assert_one_turn(found: list[str]) -> None:
    """Check that up to some byte it was the old program each time, and from there on the new one."""
    turn = found.index("new")
    assert set(found[:turn]) == {"old"}
    assert set(found[turn:]) == {"new"}
