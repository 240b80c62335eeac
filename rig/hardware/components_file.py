"""The file of a simulated front end's components, strict TOML: simulation.components in rig.toml."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from drivers.sim.components import Components
from rig.files.strict_toml import ConfigError, read


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
