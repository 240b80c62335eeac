"""Our own files opened: regular files with one name, to write this user's. Nothing else is (reviews H-4, H-9).

A link would lead to somewhere else, and a FIFO or a device could hold up a start for ever.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

_KINDS = {
    stat.S_IFLNK: "a symbolic link, which is not followed",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}


class ForeignFile(OSError):
    """Error of a path at which a file stands that is not ours. `strerror` says what it is.

    `replaceable`: its name can be given to another file, and nobody loses anything.
    """

    def __init__(self, path: Path, what: str, replaceable: bool = True) -> None:
        super().__init__(0, what, str(path))
        self.replaceable = replaceable


def check_own(path: Path, found: os.stat_result, *, write: bool) -> None:
    """Raise ForeignFile unless `found`, what stands at `path`, is a regular file with one name; to write, our own."""
    kind = stat.S_IFMT(found.st_mode)
    if kind != stat.S_IFREG:
        raise ForeignFile(path, f"it is {_KINDS.get(kind, 'no regular file')}", kind != stat.S_IFDIR)
    if found.st_nlink > 1:
        raise ForeignFile(path, f"it is one file with {found.st_nlink} names (hard links)")
    if write and found.st_uid != os.geteuid():
        raise ForeignFile(path, f"it belongs to user {found.st_uid}, and this is user {os.geteuid()}", False)


def open_own(path: Path, *, write: bool) -> int:
    """Open a regular file with one name, never following, never waiting. Raises OSError, ForeignFile among them.

    It is looked at before, as even opening a device can have effects, and again once it is open.
    """
    check_own(path, path.lstat(), write=write)
    access = os.O_RDWR if write else os.O_RDONLY
    file = os.open(path, access | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        check_own(path, os.fstat(file), write=write)
    except BaseException:
        os.close(file)
        raise
    return file


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file of anybody's to read it, links followed, such as a secret that is mounted: nothing is waited
    for. Raises OSError, ForeignFile among them."""
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    kind = stat.S_IFMT(os.fstat(file).st_mode)
    if kind != stat.S_IFREG:
        os.close(file)
        raise ForeignFile(path, f"it is {_KINDS.get(kind, 'no regular file')}", replaceable=False)
    return os.fdopen(file, "rb")


def open_to_read(path: Path) -> BinaryIO:
    """Open such a file to read it. Raises OSError, ForeignFile among them."""
    return os.fdopen(open_own(path, write=False), "rb")
