"""Cache of compiled things between runs: netlists made into libraries, loops made into machine code.

What is in a cache is run. So a folder counts only if nobody else can have put anything there (review H-10):

    | the folder, or one above it                     | what is done                                              |
    |-------------------------------------------------|-----------------------------------------------------------|
    | is ours, and nobody else may write it           | taken; made with mode 0700 where it is not there          |
    | is root's, and only root may write it           | taken as one above                                        |
    | is sticky, as /tmp is, and anybody may write it | taken as one above, since what is ours in it stays ours   |
    | is reached by a link of ours, or of root's      | judged by where that leads                                |
    | is anybody else's, or open to others            | not taken: a private temporary folder, gone at the end    |
    | is the project's own, and was open to others    | closed to them, and what was in it compiled anew          |
    | cannot be made, as there is no home             | not taken: the same                                       |
"""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import stat
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def cache_folder() -> Path:
    """Give $RIG_CACHE, or this project's folder in the user's cache, if only we can have put anything there.

    Else a temporary folder of this process's own: what is compiled into it is compiled again next time.
    """
    wanted = _wanted()
    if wanted is not None and "RIG_CACHE" not in os.environ:
        _close_to_others(wanted)
    return wanted if wanted is not None and is_private(wanted) else _temporary()


def sources_folder(*packages: Path) -> str:
    """A folder in the cache for what is compiled from the Python sources of these packages, as they are now.

    numba's own cache looks at one file at a time and would keep machine code in which a constant of another
    file has its old value.
    """
    digest = hashlib.sha256()
    for package in packages:
        for source in sorted(package.rglob("*.py")):
            digest.update(source.read_bytes())
    name = f"loops-{digest.hexdigest()[:16]}"
    folder = cache_folder() / name
    if not is_private(folder):
        folder = _temporary() / name
        folder.mkdir(mode=0o700, exist_ok=True)
    return str(folder)


def is_private(folder: Path) -> bool:
    """Make a folder and those above it, mode 0700, where they are not there; whether only we can write in it."""
    try:
        for level in reversed((folder.absolute(), *folder.absolute().parents)):
            if not os.path.lexists(level):
                level.mkdir(mode=0o700)
            if level.is_symlink() and level.lstat().st_uid not in (os.getuid(), 0):
                return False
        folder = folder.resolve()
        if not all(_is_safe(level.lstat(), above=level != folder) for level in (folder, *folder.parents)):
            return False
        with tempfile.TemporaryFile(dir=folder):
            return True
    except (OSError, ValueError):
        return False


def _is_safe(found: os.stat_result, *, above: bool) -> bool:
    """Return whether nobody else can put something into a folder, or, `above` it, something else in its place."""
    if not stat.S_ISDIR(found.st_mode):
        return False
    if found.st_uid not in ((os.getuid(), 0) if above else (os.getuid(),)):
        return False
    return not found.st_mode & OTHERS_WRITE or (above and bool(found.st_mode & stat.S_ISVTX))


def _close_to_others(folder: Path) -> None:
    """Let nobody else write in the project's own folder, as an older version with a loose umask made it."""
    with suppress(OSError):
        found = folder.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and found.st_mode & OTHERS_WRITE:
            folder.chmod(0o700)
            for made in (made for kind in ("loops", "twin", "compiled") for made in folder.glob(f"{kind}-*")):
                shutil.rmtree(made) if made.is_dir() and not made.is_symlink() else made.unlink()


def _wanted() -> Path | None:
    if os.environ.get("RIG_CACHE"):
        return Path(os.environ["RIG_CACHE"])
    if os.environ.get("XDG_CACHE_HOME"):
        return Path(os.environ["XDG_CACHE_HOME"]) / "ae0764-rig"
    try:
        return Path.home() / ".cache" / "ae0764-rig"
    except RuntimeError:  # an account without a home
        return None


@cache
def _temporary() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="ae0764-rig-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
