"""The boards the gateware is built for: one file each, its clock, its pins, what its build contains.

Nothing of Amaranth is imported before a board's design is asked for, so that names and figures are there without it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from importlib import import_module
from typing import Any

from gateware.chain import Chain
from gateware.errors import GatewareError

NAMES = ("icebreaker", "ulx3s")

SLACK = Fraction(3, 2)
"""The clock a build must be able to run at, over the clock it does run at: issue 3, design contract."""


class BoardError(GatewareError):
    """There is no such board or device; the message names those there are."""


@dataclass(frozen=True)
class Board:
    """One board with one device, ready to be built.

    `key` names its builds and its kept figures. `platform` makes Amaranth's platform, whose resources are named like
    the ports of `Metrology`; `clock` makes the module that drives the domain `sync` with exactly `chain.clock_hz`, in
    reset until the clock is stable. `resources` gives nextpnr's cell types their names in reports, the logic cells
    first, of which a build may use the part `most_cells`. `spram` puts the ring of records into the single-port memory
    of an iCE40UP5K. `held` are further resources, outputs that the board wants at one level for good. `loader` is
    openFPGALoader's name of the board, `suffix` the bitstream's. `options` go to Amaranth's tool templates.
    """

    name: str
    device: str
    key: str
    chain: Chain
    platform: Callable[[], Any]
    clock: Callable[[], Any]
    resources: Mapping[str, str]
    most_cells: Fraction
    loader: str
    suffix: str
    spram: bool = False
    held: Mapping[str, int] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)


def board(name: str, device: str | None = None, *, self_test: bool = False) -> Board:
    """The board of this name, with its usual device or another that it is sold with; with `self_test` its build for
    that. BoardError otherwise, and where the usual build has all that a self-test needs."""
    if name not in NAMES:
        raise BoardError(f'there is no board "{name}": the boards are {" and ".join(NAMES)}')
    try:
        module = import_module(f"gateware.boards.{name}")
    except ModuleNotFoundError as error:
        raise BoardError(f"boards need the extra [gateware]: {error.name} is not installed") from None
    if device is not None and device not in module.DEVICES:
        raise BoardError(f'board {name} has no device "{device}": it comes with {", ".join(module.DEVICES)}')
    if self_test and not hasattr(module, "self_test"):
        raise BoardError(f"the usual build for {name} has all that the self-test needs: leave --self-test out")
    made: Board = (module.self_test if self_test else module.board)(device or module.DEVICES[0])
    return made
