"""Programs that a meter can have while it runs: those for the sensors fitted, that a save has room for."""

from __future__ import annotations

from rig.errors import RigError
from rig.program.build import Program
from rig.program.written import MOST_SAVED_BYTES, saved_size


class ProgramUnfit(RigError):
    """A program that this meter cannot have while it runs: one sentence."""


def check_fits(program: Program, present: Program) -> None:
    """Raise ProgramUnfit for a program that cannot follow the present one."""
    fitted, wanted = present.metering.current_class, program.metering.current_class
    if fitted != wanted:
        raise ProgramUnfit(
            f"meter.current_class is {wanted}, and the sensors fitted are of class {fitted}: "
            "write a program of that class, or restart the rig with the other sensors"
        )
    if (size := saved_size(program)) > MOST_SAVED_BYTES:
        raise ProgramUnfit(
            f"the program has {size} bytes as the meter saves it, which has room for {MOST_SAVED_BYTES}: give the "
            "days of tou.seasons fewer switches, or the display fewer items"
        )
