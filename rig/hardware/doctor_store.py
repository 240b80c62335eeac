"""`rig doctor` on what keeps a meter's state: the store's disk, the FRAM, the power-fail input (S-3)."""

from __future__ import annotations

import os
from pathlib import Path

from drivers.errors import DriverError
from drivers.pins import open_pins
from drivers.power_fail import PowerFailInput
from rig.hardware.config import Config
from rig.hardware.doctor import Check
from rig.hardware.memory import open_fram

LEAST_FREE = 16 << 20
"""Bytes that a store takes when it is made, and a history in its first months."""

_LAZY = "ext4"
"""The file system that is asked for `lazytime`, and knows it; others write times in ways of their own."""


def examine_store(config: Config) -> list[Check]:
    """Check what the configuration names, part by part: "store", "fram" and "power". What it does not name is left."""
    checks = []
    if config.meter.store is not None:
        checks += _disk(Path(config.meter.store))
    if config.hardware.fram != "none":
        checks.append(_fram(config))
    if config.hardware.power_fail_pin is not None and config.hardware.kind == "pi":
        checks.append(_power(config, config.hardware.power_fail_pin))
    return checks


def _disk(folder: Path) -> list[Check]:
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    may = there.is_dir() and os.access(there, os.W_OK) and not os.statvfs(there).f_flag & os.ST_RDONLY
    disk = os.statvfs(there)
    free = disk.f_bavail * disk.f_frsize
    checks = [
        Check("store", "store folder", may, str(folder), "" if may else f"give this user a writable folder: {there}"),
        Check(
            "store",
            "room for the store",
            free >= LEAST_FREE,
            f"{free / 1e6:.0f} MB free",
            "" if free >= LEAST_FREE else f"make room: {LEAST_FREE >> 20} MB are needed to begin",
        ),
    ]
    kind, options = mount_of(there)
    if kind in ("tmpfs", "ramfs"):
        checks.append(
            Check("store", "store outlives power", False, kind, "put the store on a disk: this folder is in memory")
        )
    elif kind == _LAZY:
        lazy = "lazytime" in options
        remedy = "" if lazy else "for less wear, add lazytime to the mount options in /etc/fstab, and reboot"
        checks.append(Check("store", "times written lazily", lazy, f"{kind}, {options}", remedy))
    return checks


def mount_of(path: Path, table: Path = Path("/proc/self/mountinfo")) -> tuple[str, str]:
    """Give the type of the file system that a path is on, and its options; empty where the system does not tell."""
    try:
        device = os.stat(path).st_dev
        lines = table.read_text(errors="replace").splitlines()
    except OSError:
        return "", ""
    wanted = f"{os.major(device)}:{os.minor(device)}"
    for line in reversed(lines):
        fields, _, rest = line.partition(" - ")
        kind, _, options = [*rest.split(" ", 2), "", ""][:3]
        if fields.split(" ")[2:3] == [wanted]:
            return kind, options
    return "", ""


def _fram(config: Config) -> Check:
    try:
        fram = open_fram(config)
        part = fram.part
        fram.close()
    except DriverError as error:
        return Check("fram", "FRAM", False, "none", str(error))
    where = "simulated" if config.hardware.kind == "sim" else f"at {config.hardware.fram_path}"
    return Check("fram", "FRAM", True, f"{part} {where}")


def _power(config: Config, pin: int) -> Check:
    try:
        pins = open_pins("lgpio", config.hardware.gpio_chip)
        try:
            wire = PowerFailInput(pin, pins=pins)
            failing = wire.failing
            wire.close()
        finally:
            pins.close()
    except DriverError as error:
        return Check("power", "power-fail input", False, "cannot be read", str(error))
    remedy = "check the supervisor and its wire: it reports a power failure now" if failing else ""
    return Check("power", "power-fail input", not failing, f"GPIO {pin} is {'low' if failing else 'high'}", remedy)
