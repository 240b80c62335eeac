"""Starting a daemon: a process of its own, which outlives whoever starts it (C-3)."""

from __future__ import annotations

import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from rig.daemon.address import AddressError, beside
from rig.daemon.channel import ChannelClosed, MessageChannel, pair
from rig.daemon.startup import Begin, CouldNotRun, Ready, Start, ToStarter
from rig.errors import RigError
from rig.hardware.own_process import new_log, start_process

METERING = ("-m", "rig.daemon.metering")

GRACE_S = 20.0
"""A daemon that was told to end gets so long to let its pulses out and save."""


class StartError(RigError):
    """A daemon that could not run (`status` 2), or met what should not happen (1): one sentence."""

    def __init__(self, sentence: str, status: int = 2) -> None:
        super().__init__(sentence)
        self.status = status


class Launched:
    """A daemon that listens at its socket and meters from `begin` on. Let alone before that, it ends."""

    def __init__(self, start: Start, metering: tuple[str, ...] = METERING) -> None:
        """Start it and wait until it listens. Raises StartError with what kept it from running."""
        here, there = pair()
        self._log = beside(Path(start.socket), "log")
        with _written(self._log) as log:
            self.process = start_process(metering, [there.fileno()], log)
        there.close()
        self._begun = False
        self._channel: MessageChannel[ToStarter] = MessageChannel(here, ToStarter)
        try:
            self._channel.send(start)
            match self._channel.receive():
                case Ready():
                    return
                case CouldNotRun(sentence, status):
                    raise StartError(sentence, status)
        except ChannelClosed:
            raise StartError("the metering process has ended without a message, perhaps killed", 1) from None
        except BaseException:
            self._channel.close()
            self.process.wait()
            raise

    def begin(self) -> None:
        """Let it meter."""
        with suppress(ChannelClosed):  # it ends; why, its clients hear
            self._channel.send(Begin())
        self._begun = True
        self._channel.close()

    def abandon(self) -> None:
        """Let it end, if it has not begun; one that meters goes on."""
        if not self._begun:
            self._channel.close()
            self.wait()
        elif self.process.poll() is None:
            self.process.returncode = 0  # it is meant to outlive this process: nobody waits for it here

    def wait(self, seconds: float = GRACE_S) -> None:
        """Wait until it has ended; after so long it is killed. Raises StartError then."""
        deadline = time.monotonic() + seconds
        try:
            self._wait(deadline)
        finally:
            with suppress(FileNotFoundError):  # a daemon that ended by itself has removed it
                if not self._log.stat().st_size:
                    self._log.unlink()

    def _wait(self, deadline: float) -> None:
        while self.process.poll() is None:
            try:
                self.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise StartError("the metering process did not end and was killed", 1) from None


def _written(log: Path) -> BinaryIO:
    """Open the file of what the daemon says when nobody reads it, beside its socket."""
    try:
        return new_log(log)
    except OSError as error:
        raise AddressError(
            f"{log} cannot be written ({error.strerror}): give a --socket in a folder of yours"
        ) from None
