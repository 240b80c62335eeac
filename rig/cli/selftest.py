"""`rig selftest`: each part of the rig, passed or failed with a sentence (docs/verification.md)."""

from __future__ import annotations

import json as plain_json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rig.cli.options import (
    ConfigOption,
    ForceOption,
    JsonOption,
    ReportOption,
    SocketOption,
    configuration,
    meter_socket,
)
from rig.cli.result_output import output_result

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rig.hardware.config import Config
    from rig.selftest.part import SelfTest

BUILDS = Path("build") / "gateware"
"""Where rig gateware build leaves bitstreams."""


def selftest(
    config: ConfigOption = None,
    build: Annotated[
        str | None,
        typer.Option("--build", help="BUILD that the FPGA must have, hexadecimal; else those built here."),
    ] = None,
    report: ReportOption = None,
    force: ForceOption = False,
    socket: SocketOption = None,
    json: JsonOption = False,
) -> None:
    """Test each part of the rig: build, clock, phantom load, outputs and counters, switches, inputs, display.

    Outputs are moved, so disconnect what must not see it. Exit status 0: no part failed. 1: one did. 2: could not run,
    as while a meter runs.
    """
    from rig.errors import RigError
    from rig.files.whole import check_free
    from rig.hardware.doctor_named import answers
    from rig.hardware.selection import program_of
    from rig.report.files import check_kind
    from rig.selftest.run import run

    if report is not None:
        check_free([report], force)
        check_kind("--report", report)
    chosen = configuration(config)
    if answers(there := meter_socket(config, chosen, socket)):
        raise RigError(f"a meter runs at {there}, which has the board and the pins: end it with rig stop first")
    found = run(chosen, program_of(chosen), _builds(chosen, build))
    output_result(found, _lines(found), json=json, report=report)
    raise typer.Exit(0 if found.passed else 1)


def _lines(found: SelfTest) -> Iterator[str]:
    """Give the result for people."""
    if found.provenance.mark:
        yield found.provenance.mark
    for part in found.parts:
        verdict = {True: "passed", False: "FAILED", None: "-"}[part.passed]
        yield f"{part.part:<14}{verdict:<8}{part.sentence}"
    yield "PASSED" if found.passed else "FAILED"


def _builds(config: Config, build: str | None) -> list[int]:
    """Give the identities that may answer."""
    from rig.files.strict_toml import ConfigError

    if build is not None:
        try:
            wanted = int(build, 16)
        except ValueError:
            wanted = -1
        if not 0 <= wanted < 1 << 32:
            raise ConfigError(f"--build is {build!r}, it must be up to 8 hexadecimal digits, such as c17abafc")
        return [wanted]
    if config.hardware.kind != "pi":
        from gateware.chain import Chain

        return [Chain().digest]
    found = []
    for record in sorted(BUILDS.glob("*/build.json")):
        try:
            found.append(int(plain_json.loads(record.read_text(encoding="utf-8"))["identity"], 16))
        except (OSError, ValueError, KeyError, TypeError):
            continue  # a build that is not whole is none
    return found
