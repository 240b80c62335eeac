"""A character display with an HD44780 behind a PCF8574 backpack on I²C, through luma.lcd (D-1).

    GPIO 2 SDA, 3 SCL ── PCF8574: P0 RS, P1 RW, P2 E, P3 backlight, P4…P7 D4…D7 ── HD44780, 20×4 or 16×2

Only what changed is written. The caller waits for it: some 1.5 ms a character at 100 kHz, and 0.7 s for setting up. So
the process that draws drives it, never the one that meters. After a crash the glass goes on showing the last it was
told. Lines come as text of ROM_A00's characters: rig/face/characters.py makes them.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from drivers.errors import DriverError

ADDRESSES = (*range(0x20, 0x28), *range(0x38, 0x40))
"""Where a PCF8574 (the first eight) or a PCF8574A can be."""

SIZES = ((20, 4), (16, 2))
"""Columns and rows."""

ROM_A00 = {chr(code): code for code in range(0x20, 0x7E) if code != 0x5C} | {"→": 0x7E, "←": 0x7F, "°": 0xDF, "█": 0xFF}
"""The characters we use of the controller's usual ROM, by text: ASCII but for \\ and ~, and four signs."""

_SET_ADDRESS = 0x80
_ROWS = (0x00, 0x40, 0x14, 0x54)
"""Where the rows begin in the controller's memory."""

_SILENT = (errno.EREMOTEIO, errno.EIO, errno.ENXIO, errno.ETIMEDOUT)


class LcdError(DriverError):
    """A display that cannot be used: one sentence with the remedy."""


class I2cBus(Protocol):
    """Part of an smbus2.SMBus that is used."""

    def write_byte(self, i2c_addr: int, value: int) -> None:
        """Write one byte to the chip at an address. Raises OSError if none answers."""

    def close(self) -> None:
        """Let the bus go."""


def open_bus(path: str = "/dev/i2c-1") -> I2cBus:
    """The I²C bus of this machine. Raises LcdError."""
    try:
        import smbus2
    except ImportError:
        raise _not_installed() from None
    try:
        bus: I2cBus = smbus2.SMBus(path)
    except FileNotFoundError:
        raise LcdError(f"{path} does not exist: enable I2C (`sudo raspi-config nonint do_i2c 0`) and reboot") from None
    except PermissionError:
        raise LcdError(f"no permission for {path}: add the user to the group i2c and log in again") from None
    except OSError as error:
        raise LcdError(f"{path} is no I2C bus ({error.strerror}): give one such as /dev/i2c-1") from None
    return bus


class CharacterLcd:
    """A display of `rows` by `columns` characters at an address of a bus, which stays the caller's.

    Raises LcdError if nothing answers there, or the library is missing; ValueError for a size that is not in SIZES.
    """

    def __init__(self, rows: int, columns: int, address: int, bus: I2cBus) -> None:
        if (columns, rows) not in SIZES:
            raise ValueError(f"a character display of {columns}×{rows} is none of {SIZES}")
        self.rows = rows
        self.columns = columns
        self.address = address
        self._bus = bus
        self._device: Any = None
        self._shown: list[str] = []
        self._set_up()

    def show(self, lines: Sequence[str]) -> int:
        """Show `rows` lines of `columns` characters each, and return how many characters were written for it.

        Raises LcdError if the display no longer answers: the next call sets it up anew and shows everything.
        Raises ValueError for lines of another shape, or with a character that is not in ROM_A00.
        """
        if len(lines) != self.rows or any(len(line) != self.columns for line in lines):
            raise ValueError(f"{list(lines)!r} are not {self.rows} lines of {self.columns} characters")
        codes = [_codes(line) for line in lines]
        if self._device is None:
            self._set_up()
        written = 0
        try:
            for row, line in enumerate(lines):
                for begin, end in _changes(self._shown[row], line):
                    self._device.command(_SET_ADDRESS | (_ROWS[row] + begin))
                    self._device.data(codes[row][begin:end])
                    written += end - begin
                self._shown[row] = line
        except _errors() as error:
            self._device = None
            raise self._lost(error) from None
        return written

    def close(self) -> None:
        """Clear the glass, put its light out; a display that does not answer is left as it is."""
        device, self._device = self._device, None
        if device is not None:
            try:
                device.cleanup()
            except _errors():
                pass
            device.persist = True  # else luma does so again when the program ends

    def _set_up(self) -> None:
        try:
            from luma.core.interface.serial import pcf8574
            from luma.lcd.device import hd44780
        except ImportError:
            raise _not_installed() from None
        try:
            self._bus.write_byte(self.address, 0)  # luma keeps what it makes until the program ends: ask first
            wires = pcf8574(bus=self._bus, address=self.address)
            self._device = hd44780(wires, width=self.columns, height=self.rows)
        except _errors() as error:
            raise self._lost(error) from None
        self._shown = [" " * self.columns] * self.rows

    def _lost(self, error: Exception) -> LcdError:
        if isinstance(error, OSError) and error.errno not in _SILENT:
            return LcdError(f"the display at address 0x{self.address:02x} cannot be written: {error.strerror}")
        return LcdError(
            f"no display answers at address 0x{self.address:02x}: check its wires and power, and give the address that "
            "`i2cdetect -y 1` shows, 0x27 with most PCF8574, 0x3f with most PCF8574A"
        )


def _not_installed() -> LcdError:
    return LcdError('luma.lcd is not installed: run `.venv/bin/pip install -e ".[lcd]"` in the project folder')


def _errors() -> tuple[type[Exception], ...]:
    """Return the errors that luma raises when a chip does not answer, and those of the kernel."""
    from luma.core.error import Error

    return (OSError, Error)


def _codes(line: str) -> list[int]:
    try:
        return [ROM_A00[character] for character in line]
    except KeyError as error:
        raise ValueError(f"{line!r} has {error}, which the display's ROM has not") from None


def _changes(old: str, new: str) -> Iterator[tuple[int, int]]:
    """Find where lines differ, as runs; a single character between two is cheaper written than stepped over."""
    places = [k for k, (a, b) in enumerate(zip(old, new, strict=True)) if a != b]
    while places:
        begin = end = places.pop(0)
        while places and places[0] - end <= 2:
            end = places.pop(0)
        yield begin, end + 1
