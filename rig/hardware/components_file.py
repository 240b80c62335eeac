"""Components of a simulated front end as rig.toml has them: by a file, strict TOML, or a meter of a virtual lot."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from drivers.sim.components import Components, meter_of_lot
from rig.files.strict_toml import ConfigError, read
from rig.hardware.config import Config


def components_of(config: Config, current_class: int) -> Components | None:
    """The components that the configuration asks for, from a file or of a lot; None: its sensors are given as such.

    Raises ConfigError.
    """
    if config.simulation.components is not None:
        return read_components(Path(config.simulation.components))
    if (lot := config.simulation.lot) is not None:
        return meter_of_lot(lot.seed, lot.meter, current_class, lot.currents, lot.fault)
    return None


def read_components(path: Path) -> Components:
    """Read a file of components. Raises ConfigError."""
    components = read(path, Components, "with the components of a simulated front end (docs/calibration.md)")
    for name in ("v1", "v2", "v3", "i1", "i2", "i3"):
        currents = [each.amperes for each in getattr(components, name).curve]
        if any(low >= high for low, high in pairwise(currents)):
            raise ConfigError(f"{path}: {name}.curve has amperes {currents}, they must rise from point to point")
        if currents and name.startswith("v"):
            raise ConfigError(f"{path}: {name}.curve is of a current transformer: leave it out")
    return components
