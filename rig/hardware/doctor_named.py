"""`rig doctor` on what the configuration names, part by part: SPI, FPGA, pins, display, socket, clock (review C-3).

Nothing is driven or written: a device is opened and read, a GPIO is looked at in the kernel's table of lines. While a
meter runs on this configuration its board and pins are left alone, and count as there.
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from drivers.errors import DriverError
from drivers.lcd import open_bus
from drivers.pins import open_pins
from drivers.spi_link import SpiLink, open_spidev
from rig.hardware.config import PTY, Config, PortConfig
from rig.hardware.doctor import Check
from rig.hardware.key_file import KeyFileError, load_des_key

_TIME_ERROR = 5
"""What adjtimex(2) returns while the clock is not synchronised."""

_MOST_ADDRESS = 107
"""Bytes that Linux takes for the address of a Unix socket (unix(7))."""

_CHIP_SELECTS = {"/dev/spidev0.0": 8, "/dev/spidev0.1": 7}
"""The header's GPIO of a chip select, by the device."""


def examine_named(config: Config, address: Path) -> list[Check]:
    """Check what a configuration names, but for the store; `address` is where its meter is found.

    Parts: "spi", "fpga" and "gpio" with kind = "pi", "lcd" with a display, "ports" with ports, "socket" and "clock"
    always.
    """
    runs = answers(address)
    checks = []
    if config.hardware.kind == "pi":
        checks += [*_spi(config, runs), *_gpio(config, runs)]
    if config.display.lcd != "none":
        checks.append(lcd(config.display.lcd_bus, config.display.lcd_address))
    checks += [serial_port(port) for port in config.ports]
    checks += [check for port in config.ports if (check := port_key(port)) is not None]
    return [*checks, _socket(address, runs), clock()]


def beside_named(checks: list[Check], config: Config) -> list[Check]:
    """Give the machine's checks but those of devices in general, where the devices that are named are checked."""
    general = {"SPI device", "SPI access", "GPIO chip", "GPIO access"} if config.hardware.kind == "pi" else set()
    general |= {"I²C device", "I²C access"} if config.display.lcd != "none" else set()
    return [check for check in checks if check.name not in general]


def answers(address: Path) -> bool:
    """Return whether a meter listens there."""
    with suppress(OSError), socket.socket(socket.AF_UNIX) as caller:
        caller.settimeout(1)
        caller.connect(str(address))
        return True
    return False


def _spi(config: Config, runs: bool) -> list[Check]:
    path, hz = config.hardware.spi_path, config.hardware.spi_hz
    target = os.path.realpath(path)
    shown = path if target == path else f"{path} → {target}"
    try:
        bus = open_spidev(path, hz)
    except DriverError as error:
        return [
            Check("spi", "SPI device", False, shown, str(error)),
            Check("fpga", "FPGA", False, "not asked", "fix the SPI device first"),
        ]
    checks = [Check("spi", "SPI device", True, f"{shown}, mode 0, {hz / 1e6:g} MHz"), *chip_select(target)]
    try:
        checks.append(_fpga(bus, runs))
    finally:
        bus.close()
    return checks


def _fpga(bus: Any, runs: bool) -> Check:
    if runs:
        return Check("fpga", "FPGA", True, "the running meter has it: rig watch")
    try:
        board = SpiLink(bus).identity
    except DriverError as error:
        return Check("fpga", "FPGA", False, "no identity", str(error))
    major, minor = board.version >> 16, board.version & 0xFFFF
    found = f"build {board.build:08x}, map {major}.{minor}, clock {float(board.clock_hz) / 1e6:.4f} MHz"
    return Check("fpga", "FPGA", True, found)


def chip_select(device: str, model: str | None = None, shown: str | None = None) -> list[Check]:
    """Check that a Pi 5 drives the chip select as a GPIO: its controller's own rises between words.

    `model` and `shown`, what `pinctrl get` prints of the pin, are this machine's where they are not given. Nothing is
    checked on other machines, for other devices, or without `pinctrl`.
    """
    if model is None:
        file = Path("/proc/device-tree/model")
        model = file.read_text(errors="replace") if file.is_file() else ""
    pin = _CHIP_SELECTS.get(device)
    if pin is None or "Raspberry Pi 5" not in model:
        return []
    if shown is None:
        tool = shutil.which("pinctrl")
        if tool is None:
            return []
        shown = subprocess.run([tool, "get", str(pin)], capture_output=True, text=True, check=False).stdout
    holds = re.match(rf"\s*{pin}: op\b", shown) is not None
    remedy = "" if holds else "sudo apt full-upgrade, or dtoverlay=spi0-1cs in /boot/firmware/config.txt; then reboot"
    return [Check("spi", "chip select", holds, shown.strip() or "pinctrl says nothing", remedy)]


class Lines(Protocol):
    """Part of a gpiod.Chip that is used."""

    def get_line_info(self, line: int) -> Any:
        """Give the kernel's entry of a line: `used` and `consumer` are read."""


def _gpio(config: Config, runs: bool) -> list[Check]:
    chip = config.hardware.gpio_chip
    if not runs:
        try:
            open_pins("lgpio", chip).close()
        except DriverError as error:
            return [Check("gpio", "GPIO chip", False, chip, str(error))]
    there = Check("gpio", "GPIO chip", os.path.exists(chip), chip, "" if os.path.exists(chip) else f"{chip} is gone")
    try:
        import gpiod

        lines = gpiod.Chip(chip)
    except (ImportError, AttributeError):
        return [there]  # the check of the library has its remedy
    except OSError as error:
        return [Check("gpio", "GPIO chip", False, chip, f"{chip} cannot be opened: {error.strerror}")]
    try:
        return [there, *pins(config, lines, runs)]
    finally:
        lines.close()


def pins(config: Config, lines: Lines, runs: bool) -> list[Check]:
    """Check each GPIO that the configuration names: it is on the chip, and nobody has it, or the running meter."""
    checks = []
    for key, pin in config.gpio.items():
        try:
            info = lines.get_line_info(pin)
        except (OSError, ValueError):
            checks.append(Check("gpio", key, False, f"GPIO {pin}", f"there is no line {pin}: give {key} another"))
            continue
        free = not info.used or runs
        found = f"GPIO {pin}, " + (f"used by {info.consumer or 'the kernel'}" if info.used else "free")
        remedy = f"free GPIO {pin} (a dtoverlay, or another program), or give {key} another GPIO"
        checks.append(Check("gpio", key, free, found, "" if free else remedy))
    return checks


def lcd(path: str, address: int) -> Check:
    """Check that a chip answers at the display's address: one byte is read of it, which changes nothing."""
    where = f"address 0x{address:02x} of {path}"
    try:
        bus: Any = open_bus(path)
    except DriverError as error:
        return Check("lcd", "display", False, where, str(error))
    try:
        bus.read_byte(address)
    except OSError:
        remedy = f"check its wires and power, and its address: i2cdetect -y {path.rpartition('-')[2]}"
        return Check("lcd", "display", False, f"none answers at {where}", remedy)
    finally:
        bus.close()
    return Check("lcd", "display", True, where)


def serial_port(port: PortConfig) -> Check:
    """Check that a port's device is there and may be opened; it is not, as who has it open reads what comes."""
    name, device = f"port {port.name}", port.device
    if device == PTY:
        return Check("ports", name, True, "a pseudo-terminal")
    if device.startswith("socket:"):
        return Check("ports", name, True, f"{device}, which is not connected to: a modem would take it for its meter")
    if not Path(device).is_char_device():
        remedy = "plug the adapter in, or give another ports.device: ls /dev/serial/by-id"
        return Check("ports", name, False, f"{device} is no device that is there", remedy)
    if not os.access(device, os.R_OK | os.W_OK):
        remedy = "sudo usermod -aG dialout $USER, then log in again"
        return Check("ports", name, False, f"{device} may not be opened by this user", remedy)
    return Check("ports", name, True, device)


def port_key(port: PortConfig) -> Check | None:
    """Check that a port's key can be read and used, None for a port without one."""
    if port.authentication is None:
        return None
    name, path = f"key of port {port.name}", port.authentication.key_file
    try:
        load_des_key(Path(path), "it")
    except KeyFileError as error:
        return Check("ports", name, False, path, str(error))
    return Check("ports", name, True, path)


def _socket(address: Path, runs: bool) -> Check:
    if runs:
        return Check("socket", "socket", True, f"a meter runs at {address}")
    if len(os.fsencode(address)) > _MOST_ADDRESS:
        remedy = f"give a path of at most {_MOST_ADDRESS} bytes as [daemon] socket"
        return Check("socket", "socket", False, f"{len(os.fsencode(address))} bytes", remedy)
    folder = next((each for each in address.absolute().parents if each.exists()), Path("/"))
    may = folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
    remedy = "" if may else f"give this user a writable folder, or another path as [daemon] socket: {folder}"
    return Check("socket", "socket", may, str(address), remedy)


def clock() -> Check:
    """Check that the time of day is synchronised, as adjtimex(2) has it; reading it changes nothing."""
    libc = ctypes.CDLL(None, use_errno=True)
    state = libc.adjtimex(ctypes.create_string_buffer(512))  # struct timex, with no modes: to read
    battery = Path("/dev/rtc0").exists()
    holds = state not in (-1, _TIME_ERROR)
    found = ("synchronised" if holds else "not synchronised") + (", clock chip" if battery else ", no clock chip")
    remedy = "sudo timedatectl set-ntp true; where there is no network, fit a clock chip (dtoverlay=i2c-rtc,ds3231)"
    return Check("clock", "time of day", holds, found, "" if holds else remedy)
