"""Self-test of the character display that the configuration names: every dot, then a text that a person can read."""

from __future__ import annotations

from drivers.errors import DriverError
from drivers.lcd import CharacterLcd, I2cBus, open_bus
from rig.hardware.config import LcdConfig
from rig.selftest.part import Part

TEXT = "SELF-TEST"


def display(config: LcdConfig, bus: I2cBus | None = None) -> Part:
    """Write the display; `bus` in place of the one that is configured stays the caller's."""
    size = config.size
    if size is None:
        return Part("LCD", None, "not tested: rig.toml names none")
    columns, rows = size
    opened = bus
    try:
        opened = bus if bus is not None else open_bus(config.lcd_bus)
        lcd = CharacterLcd(rows, columns, config.lcd_address, opened)
        written = lcd.show(["█" * columns] * rows)
        written += lcd.show([TEXT.center(columns), *[" " * columns] * (rows - 1)])
    except DriverError as error:
        return Part("LCD", False, str(error))
    finally:
        if opened is not None and bus is None:
            opened.close()
    where = f"{columns}×{rows} at 0x{config.lcd_address:02x}"
    return Part("LCD", True, f"{where} took {written} characters, and now shows {TEXT}")
