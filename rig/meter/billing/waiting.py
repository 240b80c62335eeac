"""Commands that wait for their instants, in order of time: for milliseconds, or as long as the FPGA cannot be read.

Pulses of one input that come within the same CELL_NS are one command. Everything that a count of pulses is told apart
by falls on whole minutes of UTC, or is a command itself, past which none is moved. So 43 minutes of two inputs at ten
pulses a second are 520 commands, not 51 600, and fit into a save.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import replace

from rig.meter.billing.commands import Action, Command
from rig.meter.billing.time_units import SECOND_NS

CELL_NS = 10 * SECOND_NS


def add_waiting(waiting: list[Command], command: Command) -> None:
    """Put a command among those that wait, after what was asked for its instant before."""
    if command.action is Action.INPUT_PULSES and (place := _same_cell(waiting, command)) is not None:
        waiting[place] = replace(waiting[place], pulses=waiting[place].pulses + command.pulses)
    else:
        insort(waiting, command, key=lambda each: each.utc_ns)


def _same_cell(waiting: list[Command], command: Command) -> int | None:
    """Find pulses that came at the input in the same cell, with nothing but pulses since; None: there are none."""
    for place in range(len(waiting) - 1, -1, -1):
        each = waiting[place]
        if each.action is not Action.INPUT_PULSES or each.utc_ns // CELL_NS < command.utc_ns // CELL_NS:
            return None
        if each.utc_ns > command.utc_ns:
            continue
        if (each.value, each.source) == (command.value, command.source):
            return place
    return None
