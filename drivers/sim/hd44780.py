"""A simulated character display: an HD44780 wired to a PCF8574, which is written byte by byte over I²C.

After the data sheets: Hitachi ADE-207-272 (instructions, memory, 8- and 4-bit transfers, initializing), NXP PCF8574.

- A byte to the PCF8574 sets its eight pins: P0 RS, P1 RW, P2 E, P3 backlight, P4…P7 DB4…DB7.
- The controller takes what stands on its pins when E falls. Before it is told to take halves it takes DB0…DB3 too,
  which are not connected and pulled up inside.
- Busy times are not simulated: every instruction is done at once. Nothing can be read: RW stays low.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping

_RS, _RW, _E, _LIGHT = 0x01, 0x02, 0x04, 0x08

_LINE = 40
"""Characters of memory in each of two lines; the second begins at 0x40."""
_SECOND = 0x40
_STARTS = (0x00, 0x40, 0x14, 0x54)


class SimulatedI2cBus:
    """A bus with chips by their addresses, as smbus2.SMBus has it."""

    def __init__(self, chips: Mapping[int, Pcf8574]) -> None:
        self.chips = dict(chips)
        self.writes = 0

    def write_byte(self, i2c_addr: int, value: int) -> None:
        """Raises OSError where no chip is, as the kernel does."""
        chip = self.chips.get(i2c_addr)
        if chip is None:
            raise OSError(errno.EREMOTEIO, os.strerror(errno.EREMOTEIO))
        self.writes += 1
        chip.write(value)

    def close(self) -> None:
        """Nothing to let go."""


class Pcf8574:
    """The backpack: eight outputs, of which seven go to the controller and one to the light."""

    def __init__(self, controller: Hd44780) -> None:
        self.controller = controller
        self.pins = 0xFF  # all high from power on

    @property
    def light(self) -> bool:
        """True while the backlight is on."""
        return bool(self.pins & _LIGHT)

    def write(self, value: int) -> None:
        """Set the pins; a falling E hands over what stood there."""
        falling = self.pins & _E and not value & _E
        if falling and not self.pins & _RW:
            self.controller.take(self.pins >> 4, data=bool(self.pins & _RS))
        self.pins = value


class Hd44780:
    """The controller with its glass of `columns` by `rows`."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns = columns
        self.rows = rows
        self.power_on()

    def power_on(self) -> None:
        """As its own reset leaves it."""
        self.memory = {address: 0x20 for start in (0, _SECOND) for address in range(start, start + _LINE)}
        self.on = False
        self.two_lines = False
        self._halves = False
        self._upper: int | None = None
        self._address = 0
        self._glyphs = False
        self._step = 1
        self._shifts = False
        self._shift = 0

    def codes(self) -> tuple[tuple[int, ...], ...]:
        """The character codes on the glass, row by row, whether it is on or not."""
        found = []
        for start in _STARTS[: self.rows]:
            line, first = (start & _SECOND, start & ~_SECOND)
            places = ((first + self._shift + k) % _LINE for k in range(self.columns))
            found.append(tuple(self.memory[line + place] for place in places))
        return tuple(found)

    def take(self, half: int, *, data: bool) -> None:
        """Take what stands on DB4…DB7 when E falls."""
        if not self._halves:
            self._run(half << 4 | 0x0F, data)
        elif self._upper is None:
            self._upper = half
        else:
            byte, self._upper = self._upper << 4 | half, None
            self._run(byte, data)

    def _run(self, byte: int, data: bool) -> None:
        if data:
            self._write(byte)
        else:
            self._instruct(byte)

    def _write(self, byte: int) -> None:
        if self._glyphs:
            self._address = (self._address + self._step) % 64
            return
        self.memory[self._address] = byte
        self._move(self._step)
        if self._shifts:
            self._shift += self._step

    def _move(self, step: int) -> None:
        """The address one on or back: from the end of one line to the beginning of the other."""
        addresses = list(self.memory)
        self._address = addresses[(addresses.index(self._address) + step) % len(addresses)]

    def _instruct(self, byte: int) -> None:
        """By the highest bit that is set. Raises ValueError for an address where there is no memory."""
        match byte.bit_length():
            case 8:
                if byte & 0x7F not in self.memory:
                    raise ValueError(f"the HD44780 has no memory at 0x{byte & 0x7F:02x}")
                self._address, self._glyphs = byte & 0x7F, False
            case 7:
                self._address, self._glyphs = byte & 0x3F, True
            case 6:
                halves = not byte & 0x10
                if halves != self._halves:
                    self._upper = None
                self._halves = halves
                self.two_lines = bool(byte & 0x08)
            case 5:
                step = 1 if byte & 0x04 else -1
                if byte & 0x08:
                    self._shift -= step
                else:
                    self._move(step)
            case 4:
                self.on = bool(byte & 0x04)
            case 3:
                self._step, self._shifts = (1 if byte & 0x02 else -1), bool(byte & 0x01)
            case 2:
                self._home()
            case 1:
                self.memory = dict.fromkeys(self.memory, 0x20)
                self._step = 1
                self._home()

    def _home(self) -> None:
        self._address, self._glyphs, self._shift = 0, False, 0
