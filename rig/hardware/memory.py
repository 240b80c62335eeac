"""The FRAM and the power-fail input that the configuration names: what a store has beside its disk (S-3)."""

from __future__ import annotations

from pathlib import Path

from drivers.fram import Fram, FramError
from drivers.power_fail import PowerFailInput
from drivers.spi_link import SpiBus, open_spidev
from rig.hardware.config import Config
from rig.hardware.hardware import Hardware
from rig.store.fram_slots import FramSlots


def open_fram(config: Config) -> Fram:
    """The FRAM chip, on the board's SPI or simulated. Raises FramError or LinkError where it cannot be had."""
    bus = _bus(config)
    try:
        return Fram(bus, _name(config))
    except BaseException:
        bus.close()
        raise


def _name(config: Config) -> str:
    return config.hardware.fram_path if config.hardware.kind == "pi" else "the simulated bus"


def _bus(config: Config) -> SpiBus:
    if config.hardware.kind == "pi":
        return open_spidev(config.hardware.fram_path, config.hardware.fram_hz)
    from drivers.sim.fram_chip import FramChip

    file = config.simulation.fram_file
    try:
        return FramChip(None if file is None else Path(file))
    except OSError as error:
        raise FramError(
            f"simulation.fram_file {file} cannot be used ({error.strerror}): give a file that this user may write"
        ) from None


def fram_slots(config: Config) -> FramSlots | None:
    """Slots in the FRAM, which is opened when a store first needs it; None where the configuration names none."""
    return None if config.hardware.fram == "none" else FramSlots(_name(config), lambda: open_fram(config))


def power_fail_input(config: Config, hardware: Hardware) -> PowerFailInput | None:
    """The input that tells of failing power; None where the configuration names none. Raises GpioError."""
    pin = config.hardware.power_fail_pin
    return None if pin is None else PowerFailInput(pin, pins=hardware.pins)
