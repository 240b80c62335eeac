"""The bit-exact model. Importing it tells numba where to keep compiled loops, drivers.sim's included."""

from pathlib import Path

import numba

from gateware.cache import sources_folder

if not numba.config.CACHE_DIR:
    _root = Path(__file__).parents[2]
    numba.config.CACHE_DIR = sources_folder(_root / "gateware", _root / "drivers")
