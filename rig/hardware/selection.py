"""From the configuration's word to a program and to hardware: real, or simulated, never one for the other."""

from __future__ import annotations

from pathlib import Path

from rig.files.strict_toml import ConfigError
from rig.hardware.config import Config
from rig.hardware.hardware import Hardware, raspberry_pi
from rig.program.build import Program, default_program, load_program


def program_of(config: Config) -> Program:
    """The program that the configuration names, or that of a plain meter. Raises ConfigError."""
    return load_program(Path(config.meter.program)) if config.meter.program else default_program()


def open_hardware(config: Config, current_class: int, *, paced: bool = True) -> Hardware:
    """What the configuration names, opened, or an error that says why not. Amperes are of a current class.

    `paced` holds a simulated rig to real time.
    """
    if config.hardware.kind == "pi":
        return raspberry_pi(config, current_class)
    try:
        from rig.hardware.simulation import demonstration
    except ModuleNotFoundError as error:
        raise ConfigError(
            f'hardware.kind is "sim", which needs {error.name}: install the extras [sim,gateware], or set kind = "pi"'
        ) from None
    return demonstration(config, current_class, paced=paced)
