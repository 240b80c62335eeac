"""Messages between a daemon and its starter, until it meters (rig/daemon/channel.py)."""

from __future__ import annotations

import msgspec

from rig.hardware.config import Config


class Start(msgspec.Struct, frozen=True, tag="start"):
    """The order: meter for so many seconds, or until told to stop, and be found at `socket`.

    `paced` holds a simulated rig to real time. `hands` is a file of recorded edges for a simulated rig to have again.
    `digest` is the configuration's. `starter` is the process that it is started by and for: with it, however that ends,
    the daemon ends too; None: it outlives whoever starts it.
    """

    config: Config
    socket: str
    seconds: float | None = None
    paced: bool = True
    hands: str | None = None
    starter: int | None = None


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The daemon listens at its socket, and begins to meter when told to."""


class Begin(msgspec.Struct, frozen=True, tag="begin"):
    """Permission to begin: the starter has connected."""


class CouldNotRun(msgspec.Struct, frozen=True, tag="could not run"):
    """The last word of a daemon that could not run: the sentence, and the exit status."""

    sentence: str
    status: int = 2


FromStarter = Start | Begin
ToStarter = Ready | CouldNotRun
