"""An SPI FRAM of two megabits as non-volatile memory: Fujitsu/RAMXEED MB85RS2MT and MB85RS2MTA (S-3).

Commands and rules are those of the data sheets (DS501-00023, DS501-00032). The write enable latch (WEL) is clear after
power-on and after each WRITE and WRSR as chip select rises, so every write is preceded by WREN. A byte is in the memory
once its eighth bit has come: there is no erasing, no waiting, and some 10^13 writes to each byte.
"""

from __future__ import annotations

from drivers.errors import DriverError
from drivers.spi_link import SpiBus

SIZE = 1 << 18
"""Bytes: 256 KiB."""

IDS = {bytes((0x04, 0x7F, 0x28, 0x03)): "MB85RS2MT", bytes((0x04, 0x7F, 0x48, 0x03)): "MB85RS2MTA"}
"""What RDID gives: manufacturer 04H, its continuation code 7FH, the density of two megabits, the product."""

WRSR, WRITE, READ, WRDI, RDSR, WREN, RDID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x9F

WEL = 1 << 1
PROTECTED = 0b11 << 2
"""The status register's write enable latch, and its bits BP1 and BP0: of what part writes are ignored."""

CHUNK = 1024
"""Data bytes in one transfer; with the command and its address well inside spidev's 4096."""

_NOTHING = (bytes(4), b"\xff" * 4)


class FramError(DriverError):
    """An FRAM that is not there, is another, or does not keep what is written; one sentence with what to check."""


class Fram:
    """One chip behind one chip select. `name` is for sentences; `part` is its type, from RDID.

    The constructor asks who is there, and takes the block protection away if somebody has set it. Raises FramError.
    """

    def __init__(self, bus: SpiBus, name: str) -> None:
        self.name = name
        self._bus = bus
        found = self._transfer(RDID, bytes(4))
        if found not in IDS:
            there = "nothing answers" if found in _NOTHING else f"a chip answers with the identity {found.hex(' ')}"
            raise FramError(
                f"the FRAM on {name} is not there: {there}, it must be {' or '.join(IDS.values())}; "
                "check the wiring and hardware.fram_path"
            )
        self.part = IDS[found]
        if self.status & PROTECTED:
            self._enable()
            self._transfer(WRSR, bytes(1))
            if self.status & PROTECTED:
                raise FramError(f"the FRAM on {name} is write-protected: connect its WP pin to 3.3 V")

    @property
    def status(self) -> int:
        """The status register: WPEN in bit 7, BP1 and BP0 in bits 3 and 2, WEL in bit 1."""
        return self._transfer(RDSR, bytes(1))[0]

    def read(self, address: int, count: int) -> bytes:
        """Read `count` bytes from `address` on. ValueError beyond the chip."""
        _check(address, count)
        parts = [
            self._transfer(READ, bytes(min(CHUNK, address + count - at)), at)
            for at in range(address, address + count, CHUNK)
        ]
        return b"".join(parts)

    def write(self, address: int, data: bytes) -> None:
        """Write `data` from `address` on, in order, and read it back. ValueError beyond the chip.

        Raises FramError where the chip does not take it, or has something else then: some of it may be there.
        """
        _check(address, len(data))
        for at in range(0, len(data), CHUNK):
            self._enable()
            self._transfer(WRITE, data[at : at + CHUNK], address + at)
        if self.read(address, len(data)) != data:
            raise FramError(f"the FRAM on {self.name} does not keep what is written: check its supply and the wiring")

    def close(self) -> None:
        """Let go of the bus."""
        self._bus.close()

    def _enable(self) -> None:
        self._transfer(WREN, b"")
        if not self.status & WEL:
            raise FramError(
                f"the FRAM on {self.name} takes no writes (WREN is ignored): check its supply and the wiring"
            )

    def _transfer(self, command: int, data: bytes, address: int | None = None) -> bytes:
        """One command, with chip select low from first to last bit; what came while `data` went out."""
        head = bytes((command,)) if address is None else bytes((command,)) + address.to_bytes(3, "big")
        try:
            reply = self._bus.xfer2(list(head + data))
        except OSError as error:
            raise FramError(f"the FRAM on {self.name} cannot be reached: {error.strerror}") from None
        return bytes(reply[len(head) :])


def _check(address: int, count: int) -> None:
    if not 0 <= address <= address + count <= SIZE:
        raise ValueError(f"{count} bytes at {address} are not in an FRAM of {SIZE} bytes")
