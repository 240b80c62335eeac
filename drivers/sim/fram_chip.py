"""A simulated MB85RS2MTA behind spidev's face: its command set and its rules of writing, from DS501-00032.

    | command | code | what it does                                                                             |
    |---------|------|------------------------------------------------------------------------------------------|
    | WREN    | 06H  | sets WEL                                                                                 |
    | WRDI    | 04H  | clears WEL                                                                               |
    | RDSR    | 05H  | gives the status register, again and again                                               |
    | WRSR    | 01H  | with WEL: writes bits 7 to 2 of the status register; clears WEL as chip select rises     |
    | READ    | 03H  | gives bytes from a 24-bit address on, of which 18 count; after the last comes the first  |
    | WRITE   | 02H  | with WEL: takes bytes, each as its eighth bit comes, likewise; clears WEL as CS rises    |
    | RDID    | 9FH  | gives 04H 7FH 48H 03H                                                                    |
    | SLEEP   | B9H  | sleeps from the rise of chip select on, until it has fallen and 400 µs have passed       |

Other codes do nothing. BP1 and BP0 of the status register keep writes from the upper quarter, the upper half, or all of
the memory. WPEN keeps WRSR from writing while the pin WP is low. WEL is clear after power-on; all else outlives power.
"""

from __future__ import annotations

import os
from pathlib import Path

WREN, WRDI, RDSR, WRSR, READ, WRITE, RDID, SLEEP = 0x06, 0x04, 0x05, 0x01, 0x03, 0x02, 0x9F, 0xB9
SIZE = 1 << 18
IDENTITY = bytes((0x04, 0x7F, 0x48, 0x03))
_WEL, _WRITABLE = 0x02, 0xFC
_PROTECTED_FROM = {0: SIZE, 1: SIZE * 3 // 4, 2: SIZE // 2, 3: 0}


class PowerLost(BaseException):
    """Power failed while a command came in."""


class FramChip:
    """The chip. `memory` and `status` are what it holds. `power_left` is after how many more bytes on the bus its power
    fails, with PowerLost; None: it stays.

    With `path` its cells are a file's, where they outlive the process with each command. `wp` is the level of the pin
    WP. Raises OSError for a file that cannot be had.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.memory = bytearray(SIZE)
        self.status = 0
        self.wp = True
        self.power_left: int | None = None
        self._asleep = False
        self._file: int | None = None
        if path is not None:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
            content = os.pread(self._file, SIZE + 1, 0).ljust(SIZE + 1, b"\0")
            self.memory[:], self.status = content[:SIZE], content[SIZE] & _WRITABLE

    def power_on(self) -> None:
        """Power comes back, and stays."""
        self.power_left = None
        self.status &= ~_WEL
        self._asleep = False

    def xfer2(self, data: list[int]) -> list[int]:
        """One command: chip select falls, the bytes are exchanged one by one, chip select rises."""
        if self._asleep:
            self._asleep = False  # it wakes, too late for this one
            return [0xFF] * len(data)
        command, there = data[0] if data else 0, len(data)
        if self.power_left is not None:
            there = min(there, self.power_left)
            self.power_left -= there
        reply = self._exchange(command, data, there)
        if there < len(data):
            raise PowerLost
        if (command in (WRITE, WRSR) and len(data) > 0) or command == WRDI:
            self.status &= ~_WEL
        elif command == WREN:
            self.status |= _WEL
        self._asleep = command == SLEEP
        if self._file is not None and command in (WRITE, WRSR):
            self._keep(self._file, command, data)
        return reply

    def close(self) -> None:
        """Let go of the file, if there is one."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _keep(self, file: int, command: int, data: list[int]) -> None:
        """Put what a command changed into the file."""
        begin = int.from_bytes(bytes(data[1:4]), "big") % SIZE
        end = begin + len(data) - 4
        if command == WRITE and end <= SIZE:
            os.pwrite(file, self.memory[begin:end], begin)
        else:
            os.pwrite(file, bytes(self.memory) + bytes((self.status & _WRITABLE,)), 0)

    def _exchange(self, command: int, data: list[int], there: int) -> list[int]:
        """The first `there` bytes of a command; what goes out meanwhile."""
        begin = int.from_bytes(bytes(data[1:4]), "big") % SIZE
        if command == READ and there > 4 and begin + there - 4 <= SIZE:
            return [0xFF] * 4 + list(self.memory[begin : begin + there - 4])
        return [self._byte(command, place, byte, data) for place, byte in enumerate(data[:there])]

    def _byte(self, command: int, place: int, byte: int, data: list[int]) -> int:
        """One byte of a command comes in; what goes out meanwhile."""
        if place == 0:
            return 0xFF
        if command == RDSR:
            return self.status
        if command == RDID:
            return IDENTITY[(place - 1) % 4]
        if command == WRSR and place == 1 and self.status & _WEL and (self.wp or not self.status & 0x80):
            self.status = byte & _WRITABLE | self.status & _WEL
        if command in (READ, WRITE) and place >= 4:
            cell = (int.from_bytes(bytes(data[1:4]), "big") + place - 4) % SIZE
            if command == READ:
                return self.memory[cell]
            if self.status & _WEL and cell < _PROTECTED_FROM[self.status >> 2 & 3]:
                self.memory[cell] = byte
        return 0xFF
