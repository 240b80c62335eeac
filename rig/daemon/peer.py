"""Peer at the other end of a Unix socket: which user it is, and whether that user is admitted (S-1)."""

from __future__ import annotations

import os
import pwd
import socket
import struct
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Peer:
    """A process as the kernel knew it when it connected."""

    pid: int
    uid: int
    gid: int

    @classmethod
    def of(cls, client: socket.socket) -> Peer:
        """Ask the kernel (SO_PEERCRED, unix(7))."""
        size = struct.calcsize("3i")
        return cls(*struct.unpack("3i", client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)))

    def may_connect(self, owner: int, group: int | None) -> bool:
        """Say whether it is the daemon's own user, root, or of the group that the configuration names."""
        if self.uid in (0, owner):
            return True
        return group is not None and (self.gid == group or group in _groups(self.uid, self.gid))


def _groups(uid: int, gid: int) -> list[int]:
    """Give the groups of a user, from the system's list of users."""
    try:
        return os.getgrouplist(pwd.getpwuid(uid).pw_name, gid)
    except KeyError:
        return []
