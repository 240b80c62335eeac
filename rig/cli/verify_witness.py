"""`rig verify --witness`: pulses, registers, recorder and display of one load (docs/verification.md)."""

from __future__ import annotations

from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import typer

from rig.cli.json_output import print_json
from rig.cli.options import loaded_configuration, option_number
from rig.cli.verified_meter import verified_meter
from rig.failures import interrupted
from rig.plain_text import print_line

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
    from rig.files.whole import write_files
    from rig.hardware.selection import program_of
    from rig.meter.billing.quantity import NANO
    from rig.report.files import page_of, rendered
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
    with ExitStack() as stack:
        client, begin = stack.enter_context(verified_meter(config, chosen, socket, own=own, paced=False))
        show = stack.enter_context(share_shown("witnesses"))
        its = client.welcome.provenance
        display = program.display if its.program == program.digest else None
        witnessing = Witnessing(client, span, display, progress=show, begin=begin)
        try:
            witnessing.listen()
        except KeyboardInterrupt:
            raise typer.Exit(interrupted("without a verdict")) from None
        found = agreement(witnessing, its, setup_of(chosen, program, None, its, surroundings))
    contents = {junit: agreement_junit(found)} if junit is not None else {}
    if report is not None:
        contents[report] = rendered(page_of(found), report)
    write_files(contents)
    if json:
        print_json(found)
    else:
        for line in agreement_lines(found):
            print_line(line)
    return 0 if found.passed else 1
