"""Figures of a build, resources and fastest clock: read from nextpnr, limited, compared with the kept figures."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gateware.bitstream.tools import BitstreamError
from gateware.boards import SLACK, Board

KEPT = Path(__file__).parents[1] / "boards" / "figures.json"
TOLERANCE = 0.05
"""More cells, or less speed, than kept by this part is a regression (issue 3)."""

_UNCLOCKED = "$PACKER_GND_NET"
_MULTIPLY_NS = 8.1
_CARRY_NS = 4.0
"""Delays of an SB_MAC16 without registers, operand to product and sum to product: icestorm's timings_up5k.txt."""


@dataclass(frozen=True)
class Figures:
    """Cells used and available, by name, logic cells first; the clock and the fastest clock, MHz."""

    resources: Mapping[str, tuple[int, int]]
    clock_mhz: float
    fmax_mhz: float

    @property
    def slack(self) -> float:
        """Fastest clock over clock."""
        return self.fmax_mhz / self.clock_mhz

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Any) -> Figures:
        """KeyError, TypeError, ValueError when `data` is not what `to_json` gave."""
        resources = {str(name): (int(used), int(there)) for name, (used, there) in data["resources"].items()}
        return cls(resources, float(data["clock_mhz"]), float(data["fmax_mhz"]))


def read(report: Path, board: Board) -> Figures:
    """The figures in nextpnr's report."""
    data = json.loads(report.read_text())
    there = data["utilization"]
    resources = {
        name: (there[cell]["used"], there[cell]["available"]) for cell, name in board.resources.items() if cell in there
    }
    clock = float(board.chain.clock_hz / 1_000_000)
    ours = [name for name, f in data["fmax"].items() if abs(f["constraint"] / clock - 1) < 0.001]
    if len(ours) != 1:
        seen = ", ".join(f"{name} at {f['constraint']:.4g} MHz" for name, f in data["fmax"].items()) or "no clock"
        raise BitstreamError(f"nextpnr reports {seen}, not one clock of {clock:.4f} MHz: the PLL is not as planned")
    fastest = min(data["fmax"][ours[0]]["achieved"], _through_multipliers_mhz(data, ours[0]))
    return Figures(resources, clock, round(fastest, 2))


def _through_multipliers_mhz(data: Mapping[str, Any], clock: str) -> float:
    """A lower bound on the clock that paths through multipliers without registers allow; infinite without any.

    nextpnr takes an SB_MAC16 for registered, by a clock that is tied to ground, and so times the way to it and the
    way from it apart. Here the longest of each are added up, with one multiplier adding the product of another.
    """

    def longest(start: str, end: str) -> float:
        return max(
            (
                sum(part["delay"] for part in path["path"])
                for path in data["critical_paths"]
                if start in path["from"] and end in path["to"]
            ),
            default=0.0,
        )

    into, within, out = longest(clock, _UNCLOCKED), longest(_UNCLOCKED, _UNCLOCKED), longest(_UNCLOCKED, clock)
    if not (into and out):
        return float("inf")
    return 1000 / (into + _MULTIPLY_NS + (within + _CARRY_NS if within else 0.0) + out)


def broken_limits(figures: Figures, board: Board) -> list[str]:
    """A sentence for each limit of issue 3 that these figures break."""
    broken = []
    if figures.slack < SLACK:
        broken.append(
            f"{board.key}: runs at {figures.fmax_mhz:.1f} MHz at most, {figures.slack:.2f} times its clock of "
            f"{figures.clock_mhz:.3f} MHz, which must be {float(SLACK):g} times or more"
        )
    name, (used, there) = next(iter(figures.resources.items()))
    if used > board.most_cells * there:
        broken.append(
            f"{board.key}: {used} of {there} {name} are used, {used / there:.1%}, and {float(board.most_cells):.0%} is "
            "the limit"
        )
    return broken


def regressions(figures: Figures, kept: Figures, board: Board) -> list[str]:
    """A sentence for each figure that is worse than the kept one by more than TOLERANCE."""
    worse = []
    for name, (used, _) in figures.resources.items():
        before = kept.resources.get(name, (0, 0))[0]
        if used > before * (1 + TOLERANCE):
            worse.append(f"{board.key}: {used} {name}, {before} are kept: more by over {TOLERANCE:.0%}")
    if figures.fmax_mhz < kept.fmax_mhz * (1 - TOLERANCE):
        worse.append(
            f"{board.key}: runs at {figures.fmax_mhz:.1f} MHz at most, {kept.fmax_mhz:.1f} MHz are kept: "
            f"less by over {TOLERANCE:.0%}"
        )
    return worse


def kept(path: Path = KEPT) -> dict[str, Figures]:
    """The figures kept in the repository, by board. BitstreamError when the file cannot be read."""
    try:
        return {key: Figures.from_json(data) for key, data in json.loads(path.read_text()).items()}
    except FileNotFoundError:
        return {}
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise BitstreamError(f"{path} cannot be read ({error}): restore it, or write it anew with --keep") from None


def keep(key: str, figures: Figures, path: Path = KEPT) -> None:
    """Put a board's figures into the kept ones."""
    try:
        everything = kept(path)
    except BitstreamError:
        everything = {}
    everything[key] = figures
    text = json.dumps({k: everything[k].to_json() for k in sorted(everything)}, indent=2) + "\n"
    beside = path.with_suffix(".new")
    try:
        beside.write_text(text)
        os.replace(beside, path)
    except OSError as error:
        raise BitstreamError(f"{path} cannot be written: {error.strerror}") from None
