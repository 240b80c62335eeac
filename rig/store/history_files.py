"""The files of a history before SQLite opens them: it follows links, waits at a FIFO, and blames the wrong file."""

from __future__ import annotations

import os
from pathlib import Path

from rig.files.own import ForeignFile, check_own
from rig.store.history import UnusableHistory

SUFFIXES = ("", "-wal", "-shm")
"""The database, its write-ahead log, and the index of that which its users share."""


class UnwritableFile(Exception):
    """A file of the history that may not be written. The text says of the history what is wrong with it."""


def check_files(path: Path) -> None:
    """Look over the files of the history at `path`, those that are there.

    Raises UnusableHistory for what is no file of ours and may be moved aside, UnwritableFile for what a person has to
    put right, and OSError.
    """
    for suffix in SUFFIXES:
        file = path.with_name(path.name + suffix)
        whose = f"its {file.name} " if suffix else ""
        try:
            check_own(file, file.lstat(), write=True)
        except FileNotFoundError:
            continue
        except ForeignFile as error:
            if error.replaceable or file.is_dir():
                what = str(error.strerror).removeprefix("it ")
                raise UnusableHistory(f"is no history ({whose or 'it '}{what})") from None
            raise UnwritableFile(f"cannot be written ({whose}{error.strerror}): give it to this user") from None
        if not os.access(file, os.R_OK | os.W_OK, effective_ids=True):
            raise UnwritableFile(f"cannot be written: this user may not write {file}; chmod u+rw it") from None
