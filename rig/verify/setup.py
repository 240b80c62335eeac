"""Setup of a verification, as its report states it: the meter's nameplate, the rig, what the surroundings were."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import metadata

from rig.hardware.config import Config, HardwareConfig
from rig.hardware.provenance import rig_toml_digest
from rig.meter.contacts.outputs import OutputId
from rig.program.build import Program
from rig.results.provenance import Provenance
from rig.verify.errors import VerifyError
from rig.verify.result import Setup

MOST_ENTRIES = 40
MOST_CHARACTERS = 200


def setup_of(
    config: Config, program: Program, output: OutputId | None, provenance: Provenance, environment: Mapping[str, str]
) -> Setup:
    """Give the setup of a count of `output`, None for all, on a meter of `provenance`, which may be of another
    configuration than the one here, or have another program: then only what is known of it is stated."""
    if rig_toml_digest(config) != provenance.configuration:
        return Setup({}, _software() | {"rig.toml": "another than here: only its digest is known"}, dict(environment))
    found = _configuration(config, output) | _software()
    if program.digest != provenance.program:  # one that was written to the meter since
        found |= {"program": f"{provenance.program}, not {program.digest}, which rig.toml names: written to the meter"}
        return Setup({}, found, dict(environment))
    return Setup(dict(program.nameplate.rows()), found, dict(environment))


def read_environment(entries: Sequence[str]) -> dict[str, str]:
    """Read `name=value`, each once, such as "temperature=22.8 °C". Raises VerifyError."""
    found: dict[str, str] = {}
    for entry in entries:
        name, equals, value = (part.strip() for part in entry.partition("="))
        if not (name and equals and value):
            raise VerifyError(f'--environment is {entry!r}, it must be a name and a value: "temperature=22.8 °C"')
        if name in found:
            raise VerifyError(f"--environment has {name!r} twice: give it once")
        found[name] = value
    check_environment(found, "--environment")
    return found


def check_environment(found: Mapping[str, str], place: str) -> None:
    """Refuse more than a report has room for. Raises VerifyError."""
    if len(found) > MOST_ENTRIES:
        raise VerifyError(f"{place} has {len(found)} entries, it must have at most {MOST_ENTRIES}")
    for name, value in found.items():
        if max(len(name), len(value)) > MOST_CHARACTERS:
            raise VerifyError(f"{place}: {name[:20]!r} has more than {MOST_CHARACTERS} characters: shorten it")


def _configuration(config: Config, output: OutputId | None) -> dict[str, str]:
    hardware, simulation = config.hardware, config.simulation
    if hardware.kind == "pi":
        found = {
            "hardware": f"Raspberry Pi, FPGA at {hardware.spi_path}, {hardware.spi_hz} Hz",
            "pins": "; ".join(
                ", ".join(f"GPIO {pin}" for pin in _pins(hardware, each))
                for each in (OutputId if output is None else (output,))
            ),
        }
    else:
        load = ", ".join(f"{name} {getattr(simulation.load, name)}" for name in simulation.load.given)
        found = {
            "hardware": f"simulated, {simulation.fidelity}, {simulation.front_end}, seed {simulation.seed}",
            "load": load or "by the meter's form (docs/load.md)",
        }
    files = {"program": config.meter.program, "calibration": config.meter.calibration, "store": config.meter.store}
    return found | {name: path for name, path in files.items() if path is not None}


def _pins(hardware: HardwareConfig, output: OutputId) -> list[int]:
    return [hardware.led_pin] if output is OutputId.TEST_LED else list(hardware.contacts(output))


def _software() -> dict[str, str]:
    found = {"computer": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"}
    with suppress(metadata.PackageNotFoundError):
        found["PyVISA"] = metadata.version("pyvisa")
    return found
