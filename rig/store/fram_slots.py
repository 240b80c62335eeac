"""Slots in an FRAM: where each save goes that a card would not bear (rig/store/slots.py)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from drivers.errors import DriverError
from drivers.fram import SIZE, Fram
from rig.store.errors import StoreError

T = TypeVar("T")

SLOT = 4096


class FramSlots:
    """The whole of one chip, opened by `opened` when it is first needed, and again after it has failed.

    A write takes the bytes that it has and no more: what is left of an older save behind it does not matter.
    """

    padded = False
    count, size = SIZE // SLOT, SLOT

    def __init__(self, name: str, opened: Callable[[], Fram]) -> None:
        self.name = f"the FRAM on {name}"
        self._opened = opened
        self._fram: Fram | None = None

    def read(self) -> list[bytes]:
        """Read the whole chip."""
        return self._with(lambda fram: [fram.read(slot * SLOT, SLOT) for slot in range(self.count)])

    def write(self, slot: int, data: bytes) -> None:
        """Put `data` at the beginning of a slot; without any, make the slot empty."""
        self._with(lambda fram: fram.write(slot * SLOT, data or bytes(SLOT)))

    def clear(self) -> None:
        """Make all slots empty."""
        for slot in range(self.count):
            self.write(slot, b"")

    def close(self) -> None:
        """Let go of the chip."""
        if self._fram is not None:
            self._fram.close()
            self._fram = None

    def _with(self, action: Callable[[Fram], T]) -> T:
        """Do something with the chip; where it fails, let it go, so that the next time begins with who is there."""
        try:
            if self._fram is None:
                self._fram = self._opened()
            return action(self._fram)
        except DriverError as error:
            self.close()
            raise StoreError(str(error)) from None
