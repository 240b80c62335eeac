"""The self-test of a rig, part after part, on the hardware that a configuration names (C-4, C-5)."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from drivers.errors import DriverError
from rig.hardware.config import Config
from rig.hardware.hardware import Hardware
from rig.hardware.provenance import provenance_of, rig_toml_digest
from rig.hardware.selection import opened_for
from rig.program.build import Program
from rig.results.provenance import BOARD, Provenance, provenance_of_computation
from rig.selftest.contacts import contacts
from rig.selftest.display import display
from rig.selftest.fpga import build, phantom, ticks
from rig.selftest.outputs import outputs
from rig.selftest.part import Part, SelfTest, self_test


def run(config: Config, program: Program, builds: Collection[int]) -> SelfTest:
    """Test the rig; `builds` are the bitstreams that may answer, none for any.

    A board that does not answer is a part that has failed. Raises ConfigError for a rig that cannot be simulated here.
    """
    try:
        hardware = opened_for(config, program, paced=False)
    except DriverError as error:
        parts = [Part("FPGA", False, str(error)), display(config.display)]
        return self_test(parts, _unopened(config, program))
    try:
        return self_test(examine(hardware, config, builds), provenance_of(hardware, config, program.digest))
    finally:
        hardware.close()


def examine(hardware: Hardware, config: Config, builds: Collection[int]) -> list[Part]:
    """Test each part of hardware that is open and no meter uses."""
    link, pins, clock = hardware.link, hardware.pins, hardware.clock
    parts = [build(link, builds)]
    for name, test in (("clock", ticks), ("phantom load", phantom)):
        try:
            parts.append(test(link, clock))
        except DriverError as error:
            parts.append(Part(name, False, str(error)))
    parts += outputs(link, pins, clock, config.hardware)
    parts += contacts(config, pins, clock, hardware.hands)
    return [*parts, display(config.display)]


def _unopened(config: Config, program: Program) -> Provenance:
    simulated = config.hardware.kind != "pi"
    return msgspec.structs.replace(
        provenance_of_computation(config.simulation.fidelity if simulated else BOARD, program.digest),
        simulated=simulated,
        configuration=rig_toml_digest(config),
        calibrated=False,
    )
