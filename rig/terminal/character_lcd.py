"""The meter's display on a character LCD, written by whoever shows the run (D-1): on I²C it takes its time."""

from __future__ import annotations

from collections.abc import Callable

from drivers.lcd import CharacterLcd, I2cBus, LcdError
from rig.face.characters import character_lines
from rig.hardware.config import LcdConfig
from rig.meter.display.lcd import Lcd

AGAIN_NS = 3_000_000_000
"""A display that does not answer is asked again after so long."""

EACH_NS = 100_000_000
"""It is written at most so often: to change it all takes as long."""

OpenBus = Callable[[str], I2cBus]


class CharacterLcdClient:
    """The display that `settings` name, there and set up. Raises LcdError if it is not.

    Later it is `trouble`, a sentence, until the display answers again. Time is passed in, in ns.
    """

    def __init__(self, settings: LcdConfig, open_bus: OpenBus) -> None:
        assert settings.size is not None
        self._columns, self._rows = settings.size
        self._bus = open_bus(settings.lcd_bus)
        try:
            self._lcd = CharacterLcd(self._rows, self._columns, settings.lcd_address, self._bus)
        except BaseException:
            self._bus.close()
            raise
        self._wanted: Lcd | None = None
        self._shown: Lcd | None = None
        self._next_ns = 0
        self.trouble: str | None = None

    def show(self, lcd: Lcd) -> None:
        """This is to stand there."""
        self._wanted = lcd

    @property
    def next_due_ns(self) -> int | None:
        """Instant at which advance() is next needed; None while all stands there."""
        return None if self._wanted == self._shown and self.trouble is None else self._next_ns

    def advance(self, now_ns: int) -> bool:
        """Write what is due. Whether `trouble` has changed."""
        if self._wanted is None or (due_ns := self.next_due_ns) is None or now_ns < due_ns:
            return False
        before = self.trouble
        try:
            self._lcd.show(character_lines(self._wanted, self._columns, self._rows))
        except LcdError as error:
            self.trouble, self._next_ns = str(error), now_ns + AGAIN_NS
        else:
            self.trouble, self._shown, self._next_ns = None, self._wanted, now_ns + EACH_NS
        return self.trouble != before

    def close(self) -> None:
        """Leave the glass dark, let the bus go."""
        self._lcd.close()
        self._bus.close()
