"""Serial lines and pseudo-terminals, neither of which ever holds up who uses them (X-1)."""

from __future__ import annotations

import errno
import fcntl
import os
import select
import termios
import tty
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import serial
from serial.rs485 import RS485Settings

from rig.daemon.address import beside
from rig.errors import RigError
from rig.files.claim import Claim, ClaimError, ClaimHeld
from rig.hardware.config import PTY, PortConfig

READ_BYTES = 4096

PTYS = "/dev/pts/"
"""Folder of the system's pseudo-terminals (pts(4)): no link to anything else is a port's."""

_ABSENT = {errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.EIO, errno.EACCES, errno.EBUSY, errno.EAGAIN}
"""Of an adapter that is not plugged in, whose rules udev has not carried out yet, or that somebody else has."""

MOST_WAITING = 1 << 15
"""Bytes that may wait for a line that takes none; more are lost, as on any line that nobody is at."""


class LineError(RigError):
    """A line that cannot be had, or has gone: one sentence with the port, its device, and what would be right."""


class LineAbsent(LineError):
    """A line whose device is not there, or is somebody else's: either may change."""


class Line(Protocol):
    """A line: what has come, what is to go."""

    where: str
    """Where a client finds it."""

    def fileno(self) -> int:
        """Give the descriptor, for select."""
        ...

    @property
    def waiting(self) -> bool:
        """True while something that was written has not gone to the system yet."""
        ...

    def read(self) -> bytes:
        """Give what has come, without waiting. Raises LineError for a line that has gone."""
        ...

    def write(self, data: bytes = b"") -> None:
        """Write this, after what still waits, as far as the system takes it. Raises LineError."""
        ...

    def set_baud(self, baud: int) -> None:
        """Change the speed, once all that was written has gone. Raises LineError."""
        ...

    def close(self) -> None:
        """Let it go."""
        ...

    def renew_link(self) -> bool:
        """Make the link anew by which clients find a pty, if somebody has removed it; whether that was so."""
        ...

    @property
    def carrier(self) -> bool | None:
        """Return the modem's carrier wire; None: there is no such wire."""
        ...

    def set_dtr(self, on: bool) -> bool:
        """Set the DTR wire; False: there is no such wire."""
        ...


class _Descriptor:
    """A line on a descriptor that does not block."""

    def __init__(self, port: PortConfig, descriptor: int, where: str) -> None:
        self._port, self._descriptor = port, descriptor
        self.where = where
        self._waiting = bytearray()
        os.set_blocking(descriptor, False)

    def fileno(self) -> int:
        return self._descriptor

    @property
    def waiting(self) -> bool:
        return bool(self._waiting)

    def read(self) -> bytes:
        try:
            data = os.read(self._descriptor, READ_BYTES)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise self._gone(error) from None
        if not data and self._hung_up:  # of a serial port nothing can also mean that nothing has come
            raise self._gone(None)
        return data

    def write(self, data: bytes = b"") -> None:
        self._waiting += data
        try:
            while self._waiting:
                del self._waiting[: os.write(self._descriptor, self._waiting)]
        except BlockingIOError:
            del self._waiting[MOST_WAITING:]
        except OSError as error:
            raise self._gone(error) from None

    def renew_link(self) -> bool:
        return False

    @property
    def carrier(self) -> bool | None:
        return None

    def set_dtr(self, on: bool) -> bool:
        return False

    @property
    def _hung_up(self) -> bool:
        poll = select.poll()
        poll.register(self._descriptor, 0)
        return bool(poll.poll(0))

    def _gone(self, error: OSError | None) -> LineError:
        why = "" if error is None else f" ({error.strerror})"
        return LineError(f"port {self._port.name} has lost {self._port.device}{why}: plug it in again")


class SerialLine(_Descriptor):
    """A serial port: USB optical head, UART, RS-232, RS-485.

    Of an RS-485 transceiver the driver must be off while this meter is silent, as others share the pair. `direction`
    says who switches it: the adapter by itself; the kernel, by RTS as its driver for the UART can; or this, by RTS, a
    packet at a time, which holds the port up until the packet has gone.
    """

    def __init__(self, port: PortConfig, baud: int) -> None:
        try:
            self._serial = serial.Serial(port.device, baud, timeout=0, write_timeout=0, exclusive=True)
        except (OSError, ValueError) as error:
            number = getattr(error, "errno", None)
            why = os.strerror(number) if number else "it is no serial port, or somebody has it"
            raise (LineAbsent if number in _ABSENT else LineError)(
                f"port {port.name} cannot have {port.device} ({why}): plug the adapter in, or give another device"
            ) from None
        super().__init__(port, self._serial.fileno(), port.device)
        try:
            if port.direction == "kernel":
                self._serial.rs485_mode = RS485Settings()
            elif port.direction == "rts":
                self._serial.rts = False
        except (OSError, ValueError, termios.error):
            self._serial.close()
            raise LineError(
                f"port {port.name}: {port.device} cannot switch its direction by {port.direction}: give "
                'ports.direction "adapter" for an adapter that does so by itself, or another device'
            ) from None

    @property
    def carrier(self) -> bool | None:
        try:
            return bool(self._serial.cd)
        except (OSError, termios.error):
            return None

    def set_dtr(self, on: bool) -> bool:
        try:
            self._serial.dtr = on
        except (OSError, termios.error):
            return False
        return True

    def write(self, data: bytes = b"") -> None:
        """Write, the driver being on until the last bit has gone."""
        if self._port.direction != "rts" or not data:
            super().write(data)
            return
        try:
            self._serial.rts = True
            self._serial.write_timeout = None
            self._serial.write(data)
            termios.tcdrain(self._serial.fileno())
        except (OSError, termios.error) as error:
            raise LineError(f"port {self._port.name} has lost {self._port.device} ({error}): plug it in") from None
        finally:
            with suppress(OSError, termios.error):
                self._serial.rts = False

    def set_baud(self, baud: int) -> None:
        try:
            self._serial.flush()
            self._serial.baudrate = baud
        except (OSError, ValueError, termios.error) as error:
            raise LineError(
                f"port {self._port.name} cannot set {self._port.device} to {baud} baud ({error}): lower most_baud"
            ) from None

    def close(self) -> None:
        with suppress(OSError):
            self._serial.close()


class SocketLine(_Descriptor):
    """A modem, or a serial port, that is reached by TCP, such as the simulated modem; it has no wires but the two."""

    def __init__(self, port: PortConfig) -> None:
        try:
            self._serial = serial.serial_for_url(port.device, timeout=0)
        except (OSError, ValueError) as error:
            raise LineAbsent(f"port {port.name} cannot reach {port.device}: start what listens there") from error
        super().__init__(port, self._serial.fileno(), port.device)

    def read(self) -> bytes:
        data = super().read()
        if not data:
            raise self._gone(None)
        return data

    def set_baud(self, baud: int) -> None:
        """Do nothing: the other end has the speed."""

    def close(self) -> None:
        with suppress(OSError):
            self._serial.close()


class PtyLine(_Descriptor):
    """A pseudo-terminal, found by a link in the file system. Its speed is a number that nothing keeps to."""

    def __init__(self, port: PortConfig, link: Path) -> None:
        try:
            self._claim = Claim(link.with_name(f"{link.name}.lock"), f"port {port.name}", passing=True)
        except ClaimHeld as error:
            raise LineError(str(error)) from None
        except ClaimError as error:
            raise LineError(f"port {port.name}: {error}: give ports.link another path") from None
        ours, theirs = os.openpty()
        self._theirs = theirs
        """Open as long as ours: else each client that leaves would end the line."""
        tty.setraw(theirs)
        name = os.ttyname(theirs)
        self._link = link
        try:
            if link.is_symlink() and os.readlink(link).startswith(PTYS):  # what a port that was killed left
                link.unlink()
            link.symlink_to(name)
        except OSError as error:
            os.close(ours)
            os.close(theirs)
            self._claim.close()
            raise LineError(
                f"port {port.name}: {link} cannot be made a link to {name} ({error.strerror}): "
                "give ports.link another path"
            ) from None
        self._target = name
        fcntl.fcntl(ours, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
        super().__init__(port, ours, str(link))

    def set_baud(self, baud: int) -> None:
        """Do nothing: on a pseudo-terminal each byte is there at once."""

    def renew_link(self) -> bool:
        """Make it anew where nothing is left of it, as where /tmp is cleaned; what somebody else put there stays."""
        if os.path.lexists(self._link):
            return False
        try:
            self._link.symlink_to(self._target)
        except OSError:
            return False
        return True

    def close(self) -> None:
        with suppress(OSError):
            if os.readlink(self._link) == self._target:
                self._link.unlink()
        for descriptor in (self._descriptor, self._theirs):
            with suppress(OSError):
                os.close(descriptor)
        self._claim.close()


def open_line(port: PortConfig, socket: Path, baud: int) -> Line:
    """Open a port's line; `socket` is the meter's, beside which a pty is found. Raises LineError."""
    if port.device == PTY:
        return PtyLine(port, pty_link(port, socket))
    return SocketLine(port) if port.device.startswith("socket:") else SerialLine(port, baud)


def pty_link(port: PortConfig, socket: Path) -> Path:
    """Return where the pseudo-terminal of a port is found."""
    return Path(port.link) if port.link is not None else beside(socket, f"{port.name}.pty")
