"""The GPIO pins of this machine: opening them, and the sentences for those that cannot be had."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable
from typing import TypeVar

from gpiozero import GPIOPinInUse, GPIOZeroError
from gpiozero.pins import Factory

from drivers.errors import DriverError

Pin = int | str
"""A GPIO number, or any name of a pin that gpiozero knows, such as "GPIO17" or "BOARD11"."""

T = TypeVar("T")


class GpioError(DriverError):
    """Pins that cannot be used: one sentence with the remedy."""


CHIP = "/dev/gpiochip0"
"""The header's GPIO on every Raspberry Pi; kernels before 6.6.45 have it as gpiochip4 on a Pi 5."""


def open_pins(factory: str, chip: str = CHIP) -> Factory:
    """The header's pins through the named library: "lgpio" is the only one that works on every Pi.

    `chip` is the kernel's device. Close the result when done. Raises GpioError if the library or the chip is missing,
    if the chip is not the header's, or if the environment asks for pins of another kind: whoever set that expects it
    to be obeyed, and a meter on mock pins would do nothing.
    """
    if factory != "lgpio":
        raise GpioError(
            f'pins through "{factory}" are not known: set "lgpio" for a Raspberry Pi, or choose the simulated hardware'
        )
    number = re.fullmatch(r"/dev/gpiochip(\d{1,3})", chip)
    if number is None:
        raise GpioError(f'no GPIO chip is called {chip}: set hardware.gpio_chip to "{CHIP}", or another number')
    asked = os.environ.get("GPIOZERO_PIN_FACTORY", factory)
    if asked != factory:
        raise GpioError(
            f"GPIOZERO_PIN_FACTORY is {asked!r} in the environment, a Raspberry Pi's pins are had through {factory} "
            'alone: unset it, or set hardware.kind = "sim" for the simulated rig'
        )
    # lgpio keeps a pipe in its working directory, by default the current one, which a service may not write.
    os.environ.setdefault("LG_WD", tempfile.gettempdir())
    try:
        import lgpio
        from gpiozero.pins.lgpio import LGPIOFactory
    except ImportError:
        raise GpioError(
            "lgpio is not installed: on a Raspberry Pi run `sudo apt install python3-lgpio` and make the "
            "virtual environment with --system-site-packages"
        ) from None
    try:
        pins = LGPIOFactory(chip=int(number[1]))
    except (lgpio.error, GPIOZeroError, OSError) as error:
        reason = str(error).strip("'")
        raise GpioError(
            f"no GPIO can be opened ({reason}): run on a Raspberry Pi with {chip}, as a user in the group gpio"
        ) from None
    label = lgpio.gpio_get_chip_info(pins._handle)[3]
    if not label.startswith("pinctrl-"):
        pins.close()
        raise GpioError(
            f"{chip} is {label}, not the header's GPIO: set hardware.gpio_chip to the chip that `gpiodetect` "
            "calls pinctrl-bcm… or pinctrl-rp1"
        )
    return pins


def keep_levels(pins: Factory) -> bool:
    """Return whether outputs keep their levels when the process driving them dies, so that the next can read them."""
    return bool(getattr(pins, "keep_levels", False))


def claimed(what: str, pin: Pin, claim: Callable[[], T]) -> T:
    """Return what `claim` gives; its errors as a GpioError that says for `what` function `pin` was wanted."""
    try:
        return claim()
    except GPIOPinInUse:
        raise GpioError(f"{what} cannot have pin {pin}, another function has it: give each its own pin") from None
    except Exception as error:  # lgpio's own error, for a pin the kernel holds, derives from Exception alone
        raise GpioError(
            f"{what} cannot use pin {pin} ({error}): give the number of a free GPIO on the header, 2 to 27"
        ) from None
