"""The hardware that a configuration names, opened: link, pins and clock, real or simulated behind one face."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from gpiozero.pins import Factory

from calibration.constants import Calibration, nominal, read_calibration
from drivers.clock import Clock, MonotonicClock
from drivers.gpio import open_pins
from drivers.spi_link import SpiLink, open_spidev
from rig.config import Config, ConfigError

NOMINAL_VOLTS = Fraction(1088)
"""Volts at code 2**19 of the reference front end: 850 V peak at 78 % density (89 % ones)."""

NOMINAL_CREST = Fraction(181, 40)
"""Amperes at code 2**19 over the current class: 2.5 times the sine's crest at 78 % density."""


@dataclass(frozen=True)
class Hardware:
    """What the service needs of the hardware. `fidelity` is "board", or how it is simulated."""

    link: SpiLink
    pins: Factory
    clock: Clock
    calibration: Calibration
    fidelity: str

    @property
    def simulated(self) -> bool:
        return self.fidelity != "board"

    def close(self) -> None:
        self.link.close()
        self.pins.close()


def calibration_of(config: Config) -> Calibration:
    """The calibration file that the configuration names, or nominal constants, which count as UNCALIBRATED."""
    if config.meter.calibration:
        return read_calibration(Path(config.meter.calibration))
    return nominal(NOMINAL_VOLTS, NOMINAL_CREST * config.meter.current_class)


def open_hardware(config: Config, *, paced: bool = True) -> Hardware:
    """The hardware of the configuration: a Raspberry Pi's, or the simulated rig with its lively load.

    Never one instead of the other: what the configuration names is opened, or an error says why not. `paced`
    holds a simulated rig to real time.
    """
    if config.hardware.kind == "sim":
        try:
            from rig.simulation import demonstration
        except ModuleNotFoundError as error:
            raise ConfigError(
                f'hardware.kind is "sim", which needs {error.name}: install the extra [sim], or set kind = "pi"'
            ) from None
        return demonstration(config, paced=paced)
    calibration = calibration_of(config)
    link = SpiLink(open_spidev(config.hardware.spi_path, config.hardware.spi_hz))
    return Hardware(link, open_pins("lgpio"), MonotonicClock(), calibration, "board")
