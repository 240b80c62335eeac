"""`rig simulate`: the simulated board, in a process of its own that lives on whoever meters on it."""

from __future__ import annotations

from pathlib import Path

from rig.cli.options import ConfigOption, LoadOption, loaded_configuration
from rig.errors import RigError
from rig.plain_text import print_error


class SimulateRefused(RigError):
    """A board that is not to be simulated: one sentence."""


def simulate(config: ConfigOption = None, load: LoadOption = None) -> None:
    """Run the simulated board until Ctrl-C, as a real one runs while it has power.

    Meters on it are started with the same rig.toml, which says in simulation.board where it is. When one ends, or is
    killed, the board goes on: the next takes over what it summed meanwhile.
    """
    chosen = loaded_configuration(config, load, board=True)
    if chosen.hardware.kind != "sim" or chosen.simulation.board is None:
        raise SimulateRefused(
            'rig simulate needs a rig.toml with hardware.kind = "sim" and simulation.board, a path such as "board.sock"'
        )
    from rig.hardware.board_process import simulate as run
    from rig.hardware.selection import metering_point, program_of

    path = Path(chosen.simulation.board)

    def ready() -> None:
        print_error(f"rig: the simulated board runs at {path}, until Ctrl-C")

    run(chosen, metering_point(program_of(chosen)), path, ready=ready)
