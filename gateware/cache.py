"""Where compiled things are kept between runs: netlists made into libraries, loops made into machine code."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path


def cache_folder() -> Path:
    """$RIG_CACHE, or this project's folder in the user's cache."""
    if "RIG_CACHE" in os.environ:
        return Path(os.environ["RIG_CACHE"])
    try:
        home = Path.home()
    except RuntimeError:  # an account without a home
        home = Path(tempfile.gettempdir())
    return Path(os.environ.get("XDG_CACHE_HOME", home / ".cache")) / "ae0764-rig"


def sources_folder(*packages: Path) -> str:
    """A folder in the cache for what is compiled from the Python sources of these packages, as they are now.

    numba's own cache looks at one file at a time and would keep machine code in which a constant of another
    file has its old value. Falls back to a temporary folder where the cache cannot be written.
    """
    digest = hashlib.sha256()
    for package in packages:
        for source in sorted(package.rglob("*.py")):
            digest.update(source.read_bytes())
    folder = cache_folder() / f"loops-{digest.hexdigest()[:16]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return str(folder)
    except OSError:
        return tempfile.mkdtemp(prefix="ae0764-rig-")
