"""`rig doctor`: what this machine has for the rig, and the remedy for what it lacks."""

from __future__ import annotations

import typer

from rig.cli.json_output import print_json
from rig.cli.options import ConfigOption, JsonOption, configuration, configuration_file, meter_socket


def doctor(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Check what this machine has for the simulated rig and for a Raspberry Pi, with a remedy for each thing missing.

    With a rig.toml also what it names: SPI, FPGA, GPIO, display, store, socket, clock. Exit status 0 when the rig that
    it names can run here, without one when any could; 1 when not. Edges in time and the clock are advice.
    """
    from rig.hardware.doctor import able, examine
    from rig.hardware.doctor_named import answers, beside_named, examine_named
    from rig.hardware.doctor_publishing import examine_publishing
    from rig.hardware.doctor_store import examine_store
    from rig.terminal.console import output_console
    from rig.terminal.listing import Listing

    named = configuration(config) if configuration_file(config) is not None else None
    checks = examine()
    if named is not None:
        address = meter_socket(config, named, None)
        about = [*examine_named(named, address), *examine_store(named)]
        about += examine_publishing(named, answers(address))
        checks = [*beside_named(checks, named), *about]
    if json:
        print_json(checks)
    else:
        rows = [(check.part, "✓" if check.holds else "✗", check.name, check.found, check.remedy) for check in checks]
        output_console().print(Listing(("for", "", "what", "found", "remedy"), rows))
    if not able(checks, named):
        raise typer.Exit(1)
