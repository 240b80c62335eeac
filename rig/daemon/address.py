"""Address of a meter's socket, and who has it (C-3): one daemon an address, found again by its configuration.

    | what is known                    | the socket                                             |
    |----------------------------------|--------------------------------------------------------|
    | --socket PATH                    | PATH                                                   |
    | [daemon] socket in rig.toml      | that, from the file's folder                           |
    | a rig.toml                       | RUNTIME/meter-HASH.sock, of the file's whole path      |
    | none                             | RUNTIME/meter.sock                                     |

RUNTIME is `$XDG_RUNTIME_DIR/ae0764-rig`, or where there is none `/tmp/ae0764-rig-UID`, of mode 0700.
"""

from __future__ import annotations

import grp
import hashlib
import os
import socket
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from rig.errors import RigError
from rig.files.claim import Claim, machine_folder
from rig.hardware.config import Config

MOST_PATH_BYTES = 107
"""What Linux takes for the address of a Unix socket (unix(7))."""

BACKLOG = 64


class AddressError(RigError):
    """A socket, or something else that one daemon has, that cannot be had: which, why, and what would be right."""


def runtime_folder() -> Path:
    """Give the folder of this user's sockets, made if it is not there. Raises AddressError for one that is not ours."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    uid = os.getuid()
    folder = Path(base) / "ae0764-rig" if base else Path(tempfile.gettempdir()) / f"ae0764-rig-{uid}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise AddressError(f"{folder} cannot be made ({error.strerror}): give a path with --socket") from None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid or found.st_mode & 0o022:
        raise AddressError(f"{folder} is not a folder of user {uid} alone: remove it, or give a path with --socket")
    return folder


def default_socket(configuration: Path | None) -> Path:
    """Give the socket of a configuration file, or of a rig without one."""
    if configuration is None:
        return runtime_folder() / "meter.sock"
    digest = hashlib.sha256(os.fsencode(configuration.resolve())).hexdigest()[:12]
    return runtime_folder() / f"meter-{digest}.sock"


def beside(socket: Path, what: str) -> Path:
    """Give a meter's file beside its socket: of meter.sock and "optical.log" meter.optical.log. Of a name that ends
    otherwise all of it stays: meter.north and meter.south have files of their own. Raises AddressError."""
    check_name(socket)
    return socket.with_name(f"{socket.name.removesuffix('.sock')}.{what}")


def check_name(socket: Path) -> None:
    """Raise AddressError for a path that ends in no name, such as a folder's."""
    if socket.name in ("", ".."):
        raise AddressError(f"{socket} is a folder, and no name for a socket: give a path such as meter.sock")


class Address:
    """A listening Unix socket of mode 0600, or with a group 0660, from construction to `close`.

    Raises AddressError: in use by another daemon, whose process is named; not free; not to be written.
    """

    def __init__(self, path: Path, group: str | None = None) -> None:
        check_name(path)
        if len(os.fsencode(path)) > MOST_PATH_BYTES:
            raise AddressError(
                f"{path} is too long for a socket, which takes {MOST_PATH_BYTES} bytes: give a shorter path"
            )
        self.path = path
        self.group = None if group is None else _group(group)
        self._claim = Claim(path.with_name(path.name + ".lock"), f"the socket {path}", passing=True)
        try:
            self.listener = self._listen()
        except BaseException:
            self._claim.close()
            raise
        self._bound = path.lstat()

    def _listen(self) -> socket.socket:
        path = self.path
        try:
            found = path.lstat()
        except FileNotFoundError:
            pass
        except OSError as error:
            raise AddressError(f"{path} cannot be a socket ({error.strerror}): give another path") from None
        else:
            if not stat.S_ISSOCK(found.st_mode):
                raise AddressError(f"{path} exists and is not a socket: give a free path")
            path.unlink(missing_ok=True)  # what a killed daemon left: the lock on it is ours
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        mask = os.umask(0o177)
        try:
            listener.bind(str(path))
            if self.group is not None:
                os.chown(path, -1, self.group)
                path.chmod(0o660)
            listener.listen(BACKLOG)
        except OSError as error:
            listener.close()
            raise AddressError(f"{path} cannot be a socket ({error.strerror}): give a path in your folder") from None
        finally:
            os.umask(mask)
        return listener

    def renew(self) -> bool:
        """Listen anew if nothing is left at the path, as where somebody cleared its folder; whether that was so.

        The listener has its descriptor still: who was given it before has the old one. What else stands there stays.
        """
        if os.path.lexists(self.path):
            return False
        try:
            listener = self._listen()
        except AddressError:  # the folder has gone: it may come again
            return False
        os.dup2(listener.fileno(), self.listener.fileno(), inheritable=False)
        listener.close()
        self._bound = self.path.lstat()
        return True

    def close(self) -> None:
        """Close the socket, and take its name away if it still is ours; what was closed before stays so."""
        if self.listener.fileno() < 0:
            return
        with suppress(OSError):  # while it is open, no other file has its inode
            if os.path.samestat(self.path.lstat(), self._bound):
                self.path.unlink()
        self.listener.close()
        self._claim.close()


def claim_pins(config: Config, folder: Path | None = None) -> Claim | None:
    """Claim the GPIO chip of a rig on hardware; None for a simulated one, whose pins are its own.

    The claim stands in `folder`, by default that of the system's locks, which every user may write. Raises
    AddressError.
    """
    if config.hardware.kind != "pi":
        return None
    folder = folder or machine_folder()
    chip = config.hardware.gpio_chip
    return Claim(folder / f"ae0764-rig-{Path(chip).name}.lock", f"the rig on {chip}")


def _group(name: str) -> int:
    try:
        return grp.getgrnam(name).gr_gid
    except (KeyError, ValueError):  # a NUL is in no name
        raise AddressError(f"daemon.group is {name!r}, there is no such group: give one of this system") from None
