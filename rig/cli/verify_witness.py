"""`rig verify --witness`: pulses, registers, recorder and display of one load (docs/verification.md)."""

from __future__ import annotations

from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import typer

from rig.cli.options import loaded_configuration, option_number
from rig.cli.result_output import output_result
from rig.cli.verified_meter import verified_meter
from rig.failures import interrupted

SECONDS = 60.0
"""Long enough for a usual display to show its registers twice."""


def witnessed(
    seconds: str | None,
    energy: str | None,
    load: str | None,
    config: Path | None,
    socket: Path | None,
    *,
    report: Path | None,
    junit: Path | None,
    surroundings: dict[str, str],
    json: bool,
) -> int:
    """Hear the witnesses on the meter that runs or one of our own; the exit status."""
    from rig.hardware.selection import program_of
    from rig.meter.billing.quantity import NANO
    from rig.terminal.verify_view import share_shown
    from rig.terminal.witness_view import agreement_lines
    from rig.verify.agreement import agreement
    from rig.verify.errors import VerifyError
    from rig.verify.junit import agreement_junit
    from rig.verify.setup import setup_of
    from rig.verify.witnessing import Span, Witnessing

    if seconds is not None and energy is not None:
        raise VerifyError("--seconds and --energy both say how long: give one of them")
    if energy is not None:
        span = Span(nwh=Fraction(option_number("--energy", energy, positive=True)) * NANO)
    else:
        span = Span(SECONDS if seconds is None else float(option_number("--seconds", seconds, positive=True)))
    chosen = loaded_configuration(config, load)
    program = program_of(chosen)
    own = "a load" if load is not None else None
    try:
        with ExitStack() as stack:
            client, begin = stack.enter_context(verified_meter(config, chosen, socket, own=own, paced=False))
            show = stack.enter_context(share_shown("witnesses"))
            its = client.welcome.provenance
            display = program.display if its.program == program.digest else None
            witnessing = Witnessing(client, span, display, progress=show, begin=begin)
            witnessing.listen()
            found = agreement(witnessing, its, setup_of(chosen, program, None, its, surroundings))
    except KeyboardInterrupt:
        raise typer.Exit(interrupted("without a verdict")) from None
    output_result(found, agreement_lines(found), json=json, report=report, junit=junit, cases=agreement_junit(found))
    return 0 if found.passed else 1
