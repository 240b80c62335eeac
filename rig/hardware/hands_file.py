"""Hands recorded: every raw edge of a meter's switches and inputs, as CSV (T-2, Q-5).

    # rig hands 1
    # fidelity: SIMULATED (exact)
    # rig: 3f2a90c1b7de
    # program: 1c0ffee5ca1e
    # begun: 2026-11-27T14:29:00+00:00
    ns,contact,closed,verdict
    0,cover,1,found
    1204000411,scroll,1,accepted
    1204381411,scroll,0,bounce
    1204790411,scroll,1,bounce

The first line says what it is, and of which version. Other lines that begin with # are for people: on what it was
recorded. `ns` are whole nanoseconds from the run's begin, never less than in the line before; what was done while the
meter started stands at 0. `closed` is 1 from then on, or 0. `verdict`:

    found       no edge: so the contact was found when the meter started. Others were found open
    accepted    the first edge of a burst after which the contact had changed
    bounce      any other edge

While it is recorded the file is called FILE.part, and always has what was written so far; in the end it is renamed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from drivers.switches import RawEdge
from rig.files.bounded import TooLongError, read_bounded
from rig.files.strict_toml import ConfigError, shown
from rig.files.text import NotUtf8Error, utf8_text
from rig.hardware.config import SWITCHES
from rig.meter.billing.inputs import InputId

TITLE = "rig hands"
VERSION = 1

MOST_BYTES = 1 << 24
"""Of a recording: some half a million movements of a hand."""

COLUMNS = "ns,contact,closed,verdict"
CONTACTS = (*SWITCHES, *(each.value for each in InputId))
_NS = re.compile(r"\d{1,18}", re.ASCII)
_VERDICTS = ("found", "accepted", "bounce")


@dataclass(frozen=True)
class Recorded:
    """Contacts found closed at the begin, and edges in order, in ns from the begin."""

    found: frozenset[str]
    edges: tuple[RawEdge, ...]


class HandsWriter:
    """Writes FILE.part as edges come, FILE in the end. Raises ConfigError where it cannot, or where one is there."""

    def __init__(self, path: Path, *, force: bool = False) -> None:
        self._path, self._part = path, path.with_name(path.name + ".part")
        self.edges = 0
        self._begun = False
        if path.exists() and not path.is_file():
            raise ConfigError(f"{path} is a folder, a device or a pipe: choose another name")
        if path.exists() and not force:
            raise ConfigError(f"{path} exists: choose another name, or overwrite it with --force")
        if self._part.exists() and not force:
            raise ConfigError(
                f"{self._part} exists, left by an interrupted recording: rename it, or overwrite it with --force"
            )
        try:
            self._file = self._part.open("wb", buffering=0)
        except OSError as error:
            raise ConfigError(
                f"{path} cannot be written ({error.strerror}): give a file in a writable folder"
            ) from None

    def begin(self, notes: Mapping[str, str], found: Sequence[str]) -> None:
        """Write what it is recorded on, and the contacts found closed."""
        lines = [f"# {TITLE} {VERSION}", *(f"# {name}: {said}" for name, said in notes.items()), COLUMNS]
        self._append([*lines, *(f"0,{contact},1,found" for contact in found)])
        self._begun = True

    def write(self, edges: Sequence[RawEdge]) -> None:
        """More edges, in order, none before those already written."""
        self._append([_row(edge) for edge in edges])
        self.edges += len(edges)

    def close(self) -> None:
        """All has come: the file gets its name."""
        with self._file:
            os.fsync(self._file.fileno())
        self._part.replace(self._path)

    def __enter__(self) -> HandsWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """After an error what was written stays, as FILE.part."""
        if kind is None:
            self.close()
            return
        self._file.close()
        if not self._begun:
            self._part.unlink()

    def _append(self, lines: Sequence[str]) -> None:
        left = memoryview("".join(f"{line}\n" for line in lines).encode())
        try:
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            raise ConfigError(f"{self._part} cannot be extended ({error.strerror}): make room for it") from None


def _row(edge: RawEdge) -> str:
    return f"{edge.at_ns},{edge.switch},{edge.operated:d},{'accepted' if edge.accepted else 'bounce'}"


def read_hands(path: Path) -> Recorded:
    """A whole file. Raises ConfigError, which names file, line, value and what would be right."""
    try:
        text = utf8_text(read_bounded(path, MOST_BYTES))
    except (TooLongError, NotUtf8Error) as error:
        raise ConfigError(f"{path} {error}, or give a file that `rig record` wrote") from None
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist: give a file that `rig record` wrote") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}): give a file that `rig record` wrote") from None
    try:
        return _parsed(text)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def _parsed(text: str) -> Recorded:
    lines = text.split("\n")
    whole = lines.pop() == ""
    title = re.fullmatch(rf"# {TITLE} (\d+)", lines[0] if lines else text)
    if title is None:
        raise ConfigError(f"line 1 is {shown(text[:80].partition(chr(10))[0])}, it must be '# {TITLE} {VERSION}'")
    if int(title[1]) != VERSION:
        raise ConfigError(f"line 1 says version {title[1]}, it must be {VERSION}: use the rig's version that wrote it")
    found: list[str] = []
    edges: list[RawEdge] = []
    columns = False
    for number, line in enumerate(lines if whole else [*lines, text.rpartition("\n")[2]], 1):
        if line.startswith("#"):
            continue
        if not columns:
            if line != COLUMNS:
                raise ConfigError(f"line {number} is {shown(line)}, it must name the columns: {COLUMNS}")
            columns = True
            continue
        if number > len(lines):
            raise ConfigError(f"line {number} is {shown(line)} and is incomplete: remove it, or complete it")
        edge, verdict = _edge(line, number)
        if verdict != "found":
            if edges and edge.at_ns < edges[-1].at_ns:
                raise ConfigError(
                    f"line {number} is at {edge.at_ns} ns, before the line above it: put lines in order of time"
                )
            edges.append(edge)
            continue
        if edges or edge.at_ns or not edge.operated or edge.switch in found:
            raise ConfigError(
                f"line {number} is {shown(line)}, it must stand once, before all edges, at 0 ns and closed: "
                f"0,{edge.switch},1,found"
            )
        found.append(edge.switch)
    if not columns:
        raise ConfigError(f"the line that names the columns is missing: {COLUMNS}")
    return Recorded(frozenset(found), tuple(edges))


def _edge(line: str, number: int) -> tuple[RawEdge, str]:
    cells = line.split(",")
    if len(cells) != 4:
        raise ConfigError(f"line {number} is {shown(line)}, it must have 4 cells: {COLUMNS}")
    ns, contact, closed, verdict = cells
    for name, value, right, rule in (
        ("ns", ns, _NS.fullmatch(ns), "a whole number of ns from the run's begin"),
        ("contact", contact, contact in CONTACTS, f"one of {', '.join(CONTACTS)}"),
        ("closed", closed, closed in ("0", "1"), "1, or 0 for open"),
        ("verdict", verdict, verdict in _VERDICTS, f"one of {', '.join(_VERDICTS)}"),
    ):
        if not right:
            raise ConfigError(f"line {number}: {name} is {shown(value)}, it must be {rule}")
    return RawEdge(int(ns), contact, closed == "1", verdict == "accepted"), verdict
