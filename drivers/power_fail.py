"""The power-fail input: a supervisor's open-drain output, low as soon as the supply begins to fail (S-3).

The pin is pulled up: a wire that is broken says that power is well, so a meter goes on as one without the input. It is
read, never waited for; whoever saves reads it at each poll.
"""

from __future__ import annotations

from gpiozero import InputDevice
from gpiozero.pins import Factory

from drivers.pins import Pin, claimed


class PowerFailInput:
    """One GPIO, from construction to `close`. Raises GpioError if it cannot be had."""

    def __init__(self, pin: Pin, *, pins: Factory) -> None:
        self._input = claimed("the power-fail input", pin, lambda: InputDevice(pin, pull_up=True, pin_factory=pins))

    @property
    def failing(self) -> bool:
        """True while the pin is low."""
        return bool(self._input.is_active)

    def close(self) -> None:
        """Let the pin go; what was closed before stays so."""
        self._input.close()
