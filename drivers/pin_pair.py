"""Two output pins that change together: one write for both contacts of a form-C output.

gpiozero has no such write. On a Raspberry Pi both lines are one group of lgpio's, which the kernel is told in one
call; the lines then follow each other within microseconds, far less than an opto-FET takes to close. The reservation
stays gpiozero's, so whoever else wants one of the pins is refused. On other pins (the simulated ones) the two writes
fall in the same instant, the one that opens first.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from functools import partial
from typing import Protocol

from gpiozero import Device, OutputDevice
from gpiozero.pins import Factory

from drivers.pins import GpioError, Pin, claimed


class PinPair(Protocol):
    """Both pins are outputs, at given levels, from the first moment on. Inputs without a pull after close()."""

    @property
    def closed(self) -> bool: ...

    def write(self, first: bool, second: bool) -> None:
        """Set both levels."""
        ...

    def close(self) -> None:
        """Both low, then let go."""
        ...


def open_pair(
    names: Sequence[str], pins_of_pair: Sequence[Pin], pins: Factory, levels: tuple[bool, bool] = (False, False)
) -> PinPair:
    """The pair of these two pins, at `levels` from the first moment on. `names` are for GpioError, which says which of
    them cannot be had."""
    library = sys.modules.get("gpiozero.pins.lgpio")  # there, if `pins` can be of its kind
    if library is not None and isinstance(pins, library.LGPIOFactory):
        return LineGroup(names, pins_of_pair, pins, levels)
    return TwoPins(names, pins_of_pair, pins, levels)


class TwoPins:
    """A pair on pins whose time stands still between two writes. Made by open_pair()."""

    def __init__(
        self, names: Sequence[str], pins_of_pair: Sequence[Pin], pins: Factory, levels: tuple[bool, bool]
    ) -> None:
        self._outputs: list[OutputDevice] = []
        try:
            # What opens goes first, so that never both are closed.
            for name, pin, high in sorted(zip(names, pins_of_pair, levels, strict=True), key=lambda each: each[2]):
                make = partial(OutputDevice, pin, initial_value=high, pin_factory=pins)
                self._outputs.append(claimed(name, pin, make))
            if levels[0] and not levels[1]:
                self._outputs.reverse()
        except GpioError:
            self.close()
            raise

    @property
    def closed(self) -> bool:
        return all(output.closed for output in self._outputs)

    def write(self, first: bool, second: bool) -> None:
        y, z = self._outputs
        if first:  # what opens goes first
            z.value = second
            y.value = first
        else:
            y.value = first
            z.value = second

    def close(self) -> None:
        for output in self._outputs:
            if not output.closed:
                output.off()
        for output in self._outputs:
            output.close()


class LineGroup(Device):
    """A pair as a group of lgpio's lines. Made by open_pair()."""

    def __init__(
        self, names: Sequence[str], pins_of_pair: Sequence[Pin], pins: Factory, levels: tuple[bool, bool]
    ) -> None:
        self._levels = levels
        self._lines: list[int] = []
        super().__init__(pin_factory=pins)
        try:
            for name, pin in zip(names, pins_of_pair, strict=True):
                claimed(name, pin, partial(self._reserve, pin))
            claimed(" and ".join(names), " and ".join(map(str, pins_of_pair)), self._claim)
        except GpioError:
            self._lines = []
            pins.release_all(self)
            raise

    @property
    def closed(self) -> bool:
        return not self._lines

    @property
    def value(self) -> tuple[int, ...]:
        """The levels, as gpiozero's composite devices give theirs."""
        import lgpio

        return tuple(lgpio.gpio_read(self.pin_factory._handle, line) for line in self._lines)

    def write(self, first: bool, second: bool) -> None:
        import lgpio

        lgpio.group_write(self.pin_factory._handle, self._lines[0], first | second << 1, 0b11)

    def close(self) -> None:
        import lgpio

        if getattr(self, "_lines", None):
            handle = self.pin_factory._handle
            if handle is not None:  # else the factory was closed before, and the lines are free
                self.write(False, False)
                lgpio.group_free(handle, self._lines[0])
                for line in self._lines:
                    lgpio.gpio_claim_input(handle, line, lgpio.SET_PULL_NONE)
            self._lines = []
            self.pin_factory.release_all(self)
        super().close()

    def _reserve(self, pin: Pin) -> None:
        found = [info for _, info in self.pin_factory.board_info.find_pin(pin) if "gpio" in info.interfaces]
        if len(found) != 1:
            raise ValueError("it names no GPIO" if not found else "it names several")
        (info,) = found
        self.pin_factory.reserve_pins(self, info.name)
        self._lines.append(int(info.name.removeprefix("GPIO")))

    def _claim(self) -> None:
        import lgpio

        handle = self.pin_factory._handle
        for line in self._lines:
            # gpiozero keeps a line as an input after its device is closed, and a group takes only free ones.
            with contextlib.suppress(lgpio.error):
                lgpio.gpio_free(handle, line)
        lgpio.group_claim_output(handle, self._lines, [int(high) for high in self._levels])
