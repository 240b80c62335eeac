"""From the configuration's word to hardware: a Raspberry Pi's, or the simulated rig; never one for the other."""

from __future__ import annotations

from rig.config import Config, ConfigError
from rig.hardware import Hardware, raspberry_pi


def open_hardware(config: Config, *, paced: bool = True) -> Hardware:
    """What the configuration names, opened, or an error that says why not.

    `paced` holds a simulated rig to real time.
    """
    if config.hardware.kind == "pi":
        return raspberry_pi(config)
    try:
        from rig.simulation import demonstration
    except ModuleNotFoundError as error:
        raise ConfigError(
            f'hardware.kind is "sim", which needs {error.name}: install the extra [sim], or set kind = "pi"'
        ) from None
    return demonstration(config, paced=paced)
