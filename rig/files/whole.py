"""Files written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from rig.errors import RigError


class FileError(RigError):
    """A file that cannot be written: one sentence naming it, why, and what would be right."""


def make_folder(path: Path) -> None:
    """Make a folder unless it is there, in one that is."""
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        why = "it is a file" if isinstance(error, FileExistsError) else error.strerror
        raise FileError(f"the folder {path} cannot be made ({why}): give another, in one that is there") from None


def check_free(paths: Sequence[Path], force: bool) -> None:
    """Refuse what exists already, unless forced, and folders that do not."""
    for path in paths:
        if not path.parent.is_dir():
            raise FileError(f"{path} cannot be written: the folder {path.parent} does not exist")
        try:
            there = path.exists()
        except OSError as error:  # a name that no file can have
            raise FileError(f"{path} cannot be written ({error.strerror}): choose another name") from None
        if there and not force:
            raise FileError(f"{path} exists: choose another name, or overwrite it with --force")


def write_files(contents: Mapping[Path, bytes]) -> None:
    """Write all the files and only then give them their names: a fault on the way leaves nothing."""
    temporary = {path: path.with_name(f".{path.name}.new") for path in contents}
    path = next(iter(contents), None)
    try:
        for path, content in contents.items():
            with temporary[path].open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for path in contents:
            temporary[path].replace(path)
    except BaseException as error:  # Ctrl-C too
        for new in temporary.values():
            with suppress(OSError):
                new.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        # A full disk names no file.
        named = error.filename or path
        raise FileError(f"{named} cannot be written ({error.strerror}): choose a writable folder with room") from None
