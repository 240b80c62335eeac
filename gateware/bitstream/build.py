"""Builds a board's bitstream, unless the very same one is there already."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gateware.bitstream import plan
from gateware.bitstream.figures import Figures, read
from gateware.bitstream.tools import BitstreamError, run
from gateware.boards import Board

ROOT = Path("build") / "gateware"
_RECORD = "build.json"
_STEPS = {
    "yosys": ("synthesis", f"{plan.NAME}.rpt"),
    "nextpnr-ice40": ("place and route", f"{plan.NAME}.tim"),
    "nextpnr-ecp5": ("place and route", f"{plan.NAME}.tim"),
    "icepack": ("bitstream", ""),
    "ecppack": ("bitstream", ""),
}


@dataclass(frozen=True)
class Build:
    """A bitstream on disk. `identity` is what its BUILD register reads, `tools` the versions that made it."""

    bitstream: Path
    identity: int
    sha256: str
    tools: dict[str, str]
    figures: Figures


def build(board: Board, root: Path = ROOT, progress: Callable[[str], None] = lambda step: None) -> tuple[Build, bool]:
    """The board's build of today's sources in `root`, and whether it had to be made.

    `progress` is told each step as it begins. A build appears whole or not at all: its folder is made elsewhere and
    then renamed. BitstreamError says what went wrong; after an interrupt nothing is left.
    """
    progress("netlist")
    wanted = plan.make(board)
    there = latest(board, root)
    if there is not None and there.identity == wanted.identity:
        return there, False
    try:
        root.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{board.key}-", dir=root))
    except OSError as error:
        raise BitstreamError(f"{root} cannot be written: {error.strerror}") from None
    try:
        _make(board, wanted, folder, progress)
        _replace(folder, root / board.key)
    except OSError as error:
        raise BitstreamError(f"{root} cannot be written: {error.strerror}") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    made = latest(board, root)
    assert made is not None, "a build that was just written is there and whole"
    return made, True


def latest(board: Board, root: Path = ROOT) -> Build | None:
    """The build that is there, whatever its sources; None without one, or when it is damaged."""
    folder = root / board.key
    bitstream = _bitstream(board, folder)
    try:
        record = json.loads((folder / _RECORD).read_text())
        there = Build(
            bitstream=bitstream,
            identity=int(record["identity"], 16),
            sha256=record["sha256"],
            tools=record["tools"],
            figures=Figures.from_json(record["figures"]),
        )
        return there if hashlib.sha256(bitstream.read_bytes()).hexdigest() == there.sha256 else None
    except (OSError, KeyError, TypeError, ValueError, AttributeError):
        return None


def _make(board: Board, wanted: plan.Plan, folder: Path, progress: Callable[[str], None]) -> None:
    for name, text in wanted.files.items():
        (folder / name).write_text(text)
    seconds = {}
    for command in wanted.commands:
        step, log = _STEPS[command[0]]
        progress(step)
        began = time.monotonic()
        run(command, folder, log)
        seconds[step] = round(time.monotonic() - began, 1)
    bitstream = _bitstream(board, folder)
    if not bitstream.exists():
        raise BitstreamError(f"{wanted.commands[-1][0]} ended well but left no {bitstream.name}: this tool is broken")
    record = {
        "board": board.name,
        "device": board.device,
        "identity": f"{wanted.identity:#010x}",
        "sha256": hashlib.sha256(bitstream.read_bytes()).hexdigest(),
        "tools": dict(wanted.tools),
        "seconds": seconds,
        "figures": read(folder / plan.REPORT, board).to_json(),
    }
    (folder / _RECORD).write_text(json.dumps(record, indent=2) + "\n")


def _replace(new: Path, target: Path) -> None:
    """Put a finished folder in the place of an older one."""
    old = new.with_name(f"{new.name}-old")
    if target.exists():
        target.rename(old)
    new.chmod(0o755)  # mkdtemp makes it private
    new.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def _bitstream(board: Board, folder: Path) -> Path:
    return folder / f"{plan.NAME}.{board.suffix}"
