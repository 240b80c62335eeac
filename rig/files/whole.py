"""Files written whole or not at all."""

from __future__ import annotations

import os
import stat
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


ROOM_BYTES = 1 << 20
"""A disk without so much room is full: a report of a long series is about as large."""


def check_free(paths: Sequence[Path], force: bool) -> None:
    """Refuse what exists already, unless forced, what is no file, one name twice, and what cannot be written there:
    before anything is begun whose result goes there. Something is written beside each, and taken away again."""
    for path in paths:
        if not path.parent.is_dir():
            raise FileError(f"{path} cannot be written: the folder {path.parent} does not exist")
        try:
            there = path.exists()
            kind = path.stat().st_mode if there else stat.S_IFREG
        except OSError as error:  # a name that no file can have
            raise FileError(f"{path} cannot be written ({error.strerror}): choose another name") from None
        if not stat.S_ISREG(kind):
            what = "a folder" if stat.S_ISDIR(kind) else "no file, but a device or a pipe"
            raise FileError(f"{path} is {what}: choose another name")
        if there and not force:
            raise FileError(f"{path} exists: choose another name, or overwrite it with --force")
    places = [path.parent.resolve() / path.name for path in paths]
    if doubled := next((path for path in places if places.count(path) > 1), None):
        raise FileError(f"{doubled} is to be written twice: give each its own name")
    folders: set[Path] = set()
    for path, place in zip(paths, places, strict=True):
        _try_to_write(path, b"" if place.parent in folders else bytes(ROOM_BYTES))
        folders.add(place.parent)


def _try_to_write(path: Path, content: bytes) -> None:
    tried = path.with_name(f".{path.name}.try")
    try:
        tried.write_bytes(content)
    except OSError as error:
        raise _unwritable(path, error) from None
    except ValueError:
        raise FileError(f"{str(path)!r} is no name of a file: it contains a NUL") from None
    finally:
        with suppress(OSError, ValueError):
            tried.unlink(missing_ok=True)


def _unwritable(path: Path, error: OSError) -> FileError:
    return FileError(f"{path} cannot be written ({error.strerror}): choose a writable folder with room")


def write_files(contents: Mapping[Path, bytes]) -> None:
    """Write all the files and only then give them their names: a fault on the way leaves nothing."""
    temporary = {path: path.with_name(f".{path.name}.new") for path in contents}
    path = Path()
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
        raise _unwritable(path, error) from None
