"""From the configuration's word to a program and to hardware: real, or simulated, never one for the other."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from rig.files.strict_toml import ConfigError
from rig.hardware.config import Config
from rig.hardware.hardware import Hardware, raspberry_pi
from rig.hardware.remote_simulation import joined_simulation, own_simulation
from rig.load.connected import MeteringPoint
from rig.meter.billing.quantity import Quantity
from rig.meter.display.items import EnergyItem
from rig.program.build import Program, default_program, load_program


def program_of(config: Config) -> Program:
    """The program that the configuration names, or that of a plain meter. Raises ConfigError."""
    return load_program(Path(config.meter.program)) if config.meter.program else default_program()


def metering_point(program: Program) -> MeteringPoint:
    """Return what a load must know of the meter of a program."""
    metering = program.metering
    received = (Quantity.KWH_RECEIVED, Quantity.KWH_NET)
    shown = any(isinstance(i.what, EnergyItem) and i.what.quantity in received for i in program.display.normal)
    return MeteringPoint(metering.current_class, metering.form.name, metering.service, shown)


def opened_for(config: Config, program: Program, *, paced: bool = True) -> Hardware:
    """Open what the configuration names, for the meter of a program. Raises what `open_hardware` raises."""
    return open_hardware(config, program.metering.current_class, paced=paced, point=metering_point(program))


def open_hardware(
    config: Config, current_class: int, *, paced: bool = True, point: MeteringPoint | None = None
) -> Hardware:
    """Open what the configuration names, or raise an error that says why not. Amperes are of a current class.

    A simulated load is connected to `point`, by default to a plain meter of that class.

    `paced` holds a simulated rig to real time, its board in a process of its own: one that lives on, where
    simulation.board names it, else a child.
    """
    point = point or MeteringPoint(current_class)
    if config.hardware.kind == "pi":
        return raspberry_pi(config, current_class)
    if paced and config.simulation.board is not None:
        return joined_simulation(config, current_class)
    if paced and _installed():
        return own_simulation(config, point)
    try:
        from rig.hardware.simulation import loaded
    except ModuleNotFoundError as error:
        raise ConfigError(
            f'hardware.kind is "sim", which needs {error.name}: install the extras [sim,gateware], or set kind = "pi"'
        ) from None
    return loaded(config, point)


def _installed() -> bool:
    """Return whether what is simulated with is there; else the import says what is not."""
    return all(find_spec(name) for name in ("numba", "numpy"))
