"""`rig scope`: the six waveforms around a trigger, shown and written."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rig.cli.json_output import print_json
from rig.cli.options import (
    ConfigOption,
    CtRatioOption,
    ForceOption,
    JsonOption,
    LengthOption,
    VtRatioOption,
    configuration,
    option_number,
)
from rig.failures import refuse
from rig.files.strict_toml import ConfigError

USUAL_CYCLES = 4


def scope(
    trigger: Annotated[
        str,
        typer.Option(
            "--trigger", help="now, v1:rising:0V, i2:falling:-3.5A, event:sag:96V (volts rms), event:overload, …"
        ),
    ] = "v1:rising:0V",
    cycles: Annotated[
        float | None,
        typer.Option("--cycles", min=0.01, max=1e6, help=f"Length in cycles of 60 Hz; else {USUAL_CYCLES}."),
    ] = None,
    seconds: LengthOption = None,
    wait: Annotated[float, typer.Option("--wait", min=0, max=1e6, help="Seconds to wait for the trigger.")] = 5.0,
    comtrade: Annotated[Path | None, typer.Option("--comtrade", help="Write a COMTRADE .cfg and its .dat.")] = None,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write a CSV file.")] = None,
    force: ForceOption = False,
    vt_ratio: VtRatioOption = "1",
    ct_ratio: CtRatioOption = "1",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Capture the six waveforms around a trigger and show them. Exit status 1 when the trigger does not come."""
    from datetime import UTC, datetime, timedelta

    from rig.files.whole import check_free, write_files
    from rig.hardware.provenance import provenance_of
    from rig.hardware.selection import opened_for, program_of
    from rig.scope import files
    from rig.scope.capture import NOMINAL_HZ, capture, parse_trigger
    from rig.terminal.console import output_console
    from rig.terminal.scope_view import scope_view

    if cycles is not None and seconds is not None:
        raise ConfigError("--cycles and --seconds both say how long: give one of them")
    parse_trigger(trigger)
    vt = option_number("--vt-ratio", vt_ratio, positive=True)
    ct = option_number("--ct-ratio", ct_ratio, positive=True)
    length_s = (USUAL_CYCLES if cycles is None else cycles) / NOMINAL_HZ
    if seconds is not None:
        length_s = float(option_number("--seconds", seconds, positive=True))
    check_free([*(files.comtrade_pair(comtrade) if comtrade else ()), *([csv] if csv else ())], force)
    chosen = configuration(config)
    program = program_of(chosen)
    hardware = opened_for(chosen, program, paced=False)
    try:
        provenance = provenance_of(hardware, chosen, program.digest)
        shot = capture(hardware, trigger, length_s, wait, vt, ct, provenance=provenance)
    finally:
        hardware.close()
    if shot is None:
        refuse(f"the trigger {trigger} did not come in {wait:g} s: nothing captured; --wait gives it longer")
        raise typer.Exit(1)
    when = datetime.now(UTC) - timedelta(seconds=shot.age_s)
    contents: dict[Path, bytes] = {}
    if comtrade:
        contents |= files.comtrade(shot, comtrade, when, files.PrimaryRatios(float(vt), float(ct)))
    if csv:
        contents |= files.csv(shot, csv, when)
    write_files(contents)
    if json:
        print_json(shot)
    else:
        console = output_console()
        console.print(scope_view(shot, console.width))
