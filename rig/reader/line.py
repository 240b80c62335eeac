"""The line to a meter, of whatever device: a serial port, and its errors as sentences (X-2)."""

from __future__ import annotations

import errno
import os
import select
import stat
import termios
import time
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import serial

from rig.errors import RigError

READ_BYTES = 4096
LONGEST_WRITE_S = 30.0
"""A device that takes nothing for so long is stuck."""

_PTS = "/dev/pts/"


class MeterLineError(RigError):
    """A line that cannot be had, or has gone: one sentence with the device, and what would be right."""


class MeterLine(Protocol):
    """A line that conversations go over."""

    def now_ns(self) -> int:
        """Give the time."""
        ...

    def write(self, data: bytes) -> None:
        """Write all of it. Raises MeterLineError."""
        ...

    def read(self, until_ns: int) -> bytes:
        """Give what comes, once something does; nothing by `until_ns`. Raises MeterLineError for one that went."""
        ...

    def set_baud(self, baud: int) -> None:
        """Change the speed once all that was written has gone. Raises MeterLineError."""
        ...

    def clear(self) -> None:
        """Forget what has come."""
        ...


class OpenLine(MeterLine, Protocol):
    """A line that was opened."""

    @property
    def simulated(self) -> bool:
        """True if there is no meter behind it."""
        ...

    def close(self) -> None:
        """Let it go."""
        ...


class SerialPort:
    """A serial port: an optical head, RS-232, RS-485 by an adapter, or a pseudo-terminal."""

    def __init__(self, device: str, baud: int) -> None:
        """Open it, for us alone. Raises MeterLineError."""
        self.device = device
        try:
            mode = os.stat(device).st_mode
            if stat.S_ISDIR(mode) or not stat.S_ISCHR(mode):
                what = "a folder" if stat.S_ISDIR(mode) else "no device"
                raise MeterLineError(f"{device} is {what}: give a serial port, such as /dev/ttyUSB0, or a port's link")
            self._serial = serial.Serial(device, baud, timeout=0, write_timeout=LONGEST_WRITE_S, exclusive=True)
        except MeterLineError:
            raise
        except (OSError, ValueError, termios.error) as error:
            number = getattr(error, "errno", None)
            if number in (errno.EAGAIN, errno.EBUSY):
                raise MeterLineError(
                    f"{device} cannot be had (another program has it): end that, or give another device"
                ) from None
            why = os.strerror(number) if number else "it is no serial port"
            raise MeterLineError(
                f"{device} cannot be had ({why}): plug the adapter in, join the group dialout, or give another device"
            ) from None

    @property
    def simulated(self) -> bool:
        """True for a pseudo-terminal: there is no meter behind one."""
        return os.path.realpath(self.device).startswith(_PTS)

    def now_ns(self) -> int:
        return time.monotonic_ns()

    def write(self, data: bytes) -> None:
        try:
            self._serial.write(data)
        except (OSError, serial.SerialException, termios.error):
            raise self._gone() from None

    def read(self, until_ns: int) -> bytes:
        descriptor = self._serial.fileno()
        try:
            seconds = max(0.0, (until_ns - time.monotonic_ns()) / 1e9)
            if not select.select([descriptor], [], [], seconds)[0]:
                return b""
            data = os.read(descriptor, READ_BYTES)
        except BlockingIOError:
            return b""
        except OSError:
            raise self._gone() from None
        if not data:
            raise self._gone()
        return data

    def set_baud(self, baud: int) -> None:
        try:
            self._serial.flush()
            self._serial.baudrate = baud
        except (OSError, ValueError, termios.error):
            raise MeterLineError(f"{self.device} has no {baud} baud: give --baud 9600") from None

    def clear(self) -> None:
        with suppress(OSError, termios.error):
            self._serial.reset_input_buffer()

    def close(self) -> None:
        """Let it go."""
        with suppress(OSError, termios.error):
            self._serial.close()

    def _gone(self) -> MeterLineError:
        there = "" if Path(self.device).exists() else ", it is not there any more"
        return MeterLineError(f"the line {self.device} is lost{there}: plug it in, and give the same command again")
