"""`rig doctor`: what this machine has for the rig, and the remedy for what it lacks."""

from __future__ import annotations

import typer

from rig.cli.json_output import print_json
from rig.cli.options import ConfigOption, JsonOption, configuration


def doctor(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Check what this machine has for the simulated rig and for a Raspberry Pi, and say how to mend it.

    What the configuration names for the store, an FRAM and a power-fail input is checked, too. Exit status 1 when
    neither could run.
    """
    from rig.hardware.doctor import able, examine
    from rig.hardware.doctor_store import examine_store
    from rig.terminal.console import output_console
    from rig.terminal.listing import Listing

    checks = [*examine(), *examine_store(configuration(config))]
    if json:
        print_json(checks)
    else:
        rows = [(check.part, "✓" if check.holds else "✗", check.name, check.found, check.remedy) for check in checks]
        output_console().print(Listing(("for", "", "what", "found", "remedy"), rows))
    if not able(checks):
        raise typer.Exit(1)
