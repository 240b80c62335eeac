"""Presence of a store's files: whether its names still stand for what is open, checked before each save (review H-4).

| what became of it                  | what is found                                                          |
|------------------------------------|------------------------------------------------------------------------|
| folder removed, or moved           | GONE: nothing is at its name                                           |
| moved, and a link to it left       | LINKED: the name leads to it still                                     |
| moved, and another put there       | REPLACED                                                               |
| file removed                       | "was removed"                                                          |
| file moved, and another put there  | "was replaced"                                                         |
| file moved, and a link put there   | "is a link now"                                                        |
| file emptied, or cut off           | "was cut off to 0 bytes"                                               |
| file given another name as well    | "has 2 names now"                                                      |
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from enum import Enum
from pathlib import Path


class FolderPlace(Enum):
    """Finding at the name of a store's folder."""

    THERE = "there"
    GONE = "gone"
    LINKED = "linked"
    REPLACED = "replaced"


def folder_place(folder: Path, folder_file: int, *, linked: bool) -> FolderPlace:
    """Say what is at a folder's name; `linked`: it was a link when it was opened."""
    try:
        found, followed = folder.lstat(), folder.stat()
    except OSError:
        return FolderPlace.GONE
    if not os.path.samestat(followed, os.fstat(folder_file)):
        return FolderPlace.REPLACED
    return FolderPlace.LINKED if stat.S_ISLNK(found.st_mode) and not linked else FolderPlace.THERE


def file_fault(path: Path, opened: os.stat_result, least: int = 0) -> str:
    """Say what became of a file that is open, in words that go on from its path; "" while its name stands for it.

    `opened` tells which file it is; `least` how many bytes it had.
    """
    try:
        found = path.lstat()
    except OSError:
        return "was removed"
    if stat.S_ISLNK(found.st_mode):
        return "is a link now"
    if not os.path.samestat(found, opened):
        return "was replaced"
    if found.st_size < least:
        return f"was cut off to {found.st_size} bytes"
    if found.st_nlink > 1:
        return f"has {found.st_nlink} names now"
    return ""


def set_aside(paths: Iterable[Path], stamp: str) -> list[str]:
    """Rename what stands at these paths, whatever it is, to names that nothing has; the new names. Raises OSError.

    A link is renamed, not what it leads to.
    """
    names = []
    for path in paths:
        if not os.path.lexists(path):
            continue
        number = 1
        while os.path.lexists(aside := path.with_name(f"{path.name}.strange-{stamp}-{number}")):
            number += 1
        path.rename(aside)
        names.append(aside.name)
    return names
