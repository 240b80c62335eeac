"""Plan of a build: netlist, constraints and commands of a board, and the number they are known by."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from gateware.bitstream.tools import BitstreamError, versions
from gateware.boards import Board

NAME = "metrology"
REPORT = f"{NAME}.report.json"
SEED = 1

# Timing is judged by our own report, so that a build too slow still shows its figures.
_NEXTPNR = f"--seed {SEED} --timing-allow-fail --report {REPORT}"

# Where a word is read in the very clock that writes it, the value need not be the old one: yosys would otherwise build
# registers and comparators around each memory to see to that. Why this is so, and not for the events' memory:
# docs/decisions/018-memories-read-and-written.md.
_AFTER_READ = "setparam -set COLLISION_X_MASK 1'1 t:$memrd_v2 r:COLLISION_X_MASK=1'0 %i *.events/* %d"


@dataclass(frozen=True)
class Plan:
    """Files by name, the commands that make a bitstream of them, the tools' versions, and the plan's identity."""

    files: Mapping[str, str]
    commands: tuple[tuple[str, ...], ...]
    tools: Mapping[str, str]
    identity: int


def make(board: Board) -> Plan:
    """The plan for a board, its identity in the netlist as the value of register BUILD.

    The identity is 32 bits of the digest of everything else: netlist (with 0 in that register), constraints,
    commands with their options, versions of Amaranth and of the tools. Nothing about this machine is in it.
    """
    files, commands = _files(board, 0)
    tools = versions(commands)
    digest = hashlib.sha256(json.dumps([files, commands, tools], sort_keys=True).encode())
    identity = int.from_bytes(digest.digest()[:4], "big")
    files, commands = _files(board, identity)
    return Plan(files, commands, tools, identity)


def _files(board: Board, build: int) -> tuple[dict[str, str], tuple[tuple[str, ...], ...]]:
    try:
        from gateware.boards.top import Top
    except ModuleNotFoundError as error:
        raise BitstreamError(f"bitstreams need the extra [gateware]: {error.name} is not installed") from None
    top = Top(replace(board.chain, build=build), board.clock(), board.spram, board.held)
    plan = board.platform().prepare(
        top, NAME, emit_src=False, nextpnr_opts=_NEXTPNR, script_after_read=_AFTER_READ, **board.options
    )
    files = {name: text for name, text in plan.files.items() if not name.startswith("build_")}
    commands = json.loads(plan.files[f"build_{NAME}.json"])["commands"]
    return files, tuple(tuple(command) for command in commands)
