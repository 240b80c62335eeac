"""The hardware as the service sees it: link, pins and clock, real or simulated behind one face."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from gpiozero.pins import Factory

from calibration.constants import Calibration, nominal
from calibration.constants_file import read_calibration
from calibration.errors import CalibrationError
from drivers.clock import Clock, Meanwhile, MonotonicClock
from drivers.link_start import started_link
from drivers.pins import open_pins
from drivers.pulse_inputs import EdgeSource, GpiodSource, GpiozeroSource
from drivers.spi_link import SpiLink, open_spidev
from rig.hardware.components_file import components_of
from rig.hardware.config import Config
from rig.meter.billing.inputs import InputId

NOMINAL_VOLTS = Fraction(1088)
"""Volts at code 2**19 of the reference front end: 850 V peak at 78 % density (89 % ones)."""

NOMINAL_CREST = Fraction(181, 40)
"""Amperes at code 2**19 over the current class: 2.5 times the sine's crest at 78 % density."""


class SwitchDriver(Protocol):
    """Simulated hands: they move switches, by name, at instants of the clock."""

    def operate(self, switch: str, at_ns: int) -> None: ...

    def let_go(self, switch: str, at_ns: int) -> None: ...

    def level(self, switch: str, at_ns: int, closed: bool) -> None:
        """One edge, without bounce."""
        ...


@dataclass(frozen=True)
class Hardware:
    """Hardware as the service needs it. `fidelity` is "board", or how it is simulated; `hands` are there if it
    is: on hardware they are a person's. `time_given`: the time of day is one that whoever simulates has chosen. `epoch`
    names the time for which clock and board go on, whatever process comes and goes, such as a boot of the computer; ""
    where they end with the process."""

    link: SpiLink
    pins: Factory
    clock: Clock
    calibration: Calibration
    fidelity: str
    hands: SwitchDriver | None = None
    epoch: str = ""
    time_given: bool = False

    @property
    def simulated(self) -> bool:
        return self.fidelity != "board"

    def meanwhile(self, act: Meanwhile) -> None:
        """Have `act` called while the answer to a frame is awaited. On hardware there is nothing to wait for: a frame
        takes its time on the wire."""

    def close(self) -> None:
        self.link.close()
        self.pins.close()


def pulse_source(hardware: Hardware, config: Config, id: InputId) -> EdgeSource:
    """Return the source of a pulse input's edges: the kernel, or simulated pins. Raises GpioError."""
    what, pin = f"pulse input {id.place + 1}", config.hardware.inputs[id]
    if hardware.simulated:
        return GpiozeroSource(what, pin, pins=hardware.pins)
    return GpiodSource(what, config.hardware.gpio_chip, pin)


def calibration_of(config: Config, current_class: int, utc_ns: int | None = None) -> Calibration:
    """The calibration file that the configuration names, or nominal constants, which count as UNCALIBRATED.

    As they are in force at a time of day, None: now. Raises CalibrationError for a file that is none, or of another
    front end or class.
    """
    if not config.meter.calibration:
        return nominal(NOMINAL_VOLTS, NOMINAL_CREST * current_class)
    path = Path(config.meter.calibration)
    calibration = read_calibration(path)
    try:
        calibration.check_use(front_end_of(config, current_class), current_class)
    except CalibrationError as error:
        raise CalibrationError(f"{path}: {error}") from None
    if config.hardware.temperature_c is not None:
        calibration = calibration.at(Fraction(str(config.hardware.temperature_c)))
    seconds = time.time() if utc_ns is None else utc_ns / 1e9
    return calibration.in_force(datetime.fromtimestamp(seconds, UTC).date().isoformat())


def front_end_of(config: Config, current_class: int) -> str:
    """The name of the front end, "" where it has none. Raises ConfigError."""
    if config.hardware.front_end is not None:
        return config.hardware.front_end
    components = None if config.hardware.kind == "pi" else components_of(config, current_class)
    return "" if components is None else components.identity


def raspberry_pi(config: Config, current_class: int) -> Hardware:
    """The FPGA board on this Raspberry Pi's SPI and its GPIO pins."""
    calibration = calibration_of(config, current_class)
    clock = MonotonicClock()
    link = started_link(open_spidev(config.hardware.spi_path, config.hardware.spi_hz), clock)
    pins = open_pins("lgpio", config.hardware.gpio_chip)
    return Hardware(link, pins, clock, calibration, "board", epoch=boot_id())


def boot_id() -> str:
    """Give what names this boot of the computer; "" where the system does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
