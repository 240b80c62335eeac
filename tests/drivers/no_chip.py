"""gpiozero's factory for lgpio where there is no gpiochip, and lgpio's functions recorded instead of called."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

lgpio = pytest.importorskip("lgpio", reason="needs the wheel lgpio")
library = pytest.importorskip("gpiozero.pins.lgpio", reason="needs the wheel lgpio")

RASPBERRY_PI_4 = 0xC03111
CALLS = (
    "group_claim_output", "group_write", "group_free", "gpio_free",
    "gpio_claim_input", "gpio_claim_alert", "gpio_get_mode", "gpio_read", "gpio_set_debounce_micros",
)  # fmt: skip


class NoChip(library.LGPIOFactory):
    """The factory with a handle to a chip that is not there."""

    def __init__(self) -> None:
        super(library.LGPIOFactory, self).__init__()
        self._handle = 0
        self._chip = 0
        self.pin_class = library.LGPIOPin

    def _get_revision(self) -> int:
        return RASPBERRY_PI_4

    def close(self) -> None:
        self._handle = None

    def forget(self) -> None:
        """Leave nothing behind: gpiozero's local factories share pins and reservations."""
        self.close()
        self.pins.clear()
        self._reservations.clear()


class Callback:
    """What lgpio.callback gives, without the thread that would wait for the chip."""

    def __init__(self, handle: int, gpio: int, edge: int = 1, func: Any = None) -> None:
        self.func = func

    def cancel(self) -> None:
        self.func = None


def record(monkeypatch: pytest.MonkeyPatch) -> list[tuple]:
    """The calls of lgpio, each bound to the real function's signature, and answered as a chip would that agrees."""
    made: list[tuple] = []
    for name in CALLS:
        signature = inspect.signature(getattr(lgpio, name))

        def answer(*args, name=name, signature=signature, **kwargs) -> int:
            bound = signature.bind(*args, **kwargs)
            made.append((name, *list(bound.arguments.values())[1:]))
            return int(name == "gpio_read")  # pulled up

        monkeypatch.setattr(lgpio, name, answer)
    monkeypatch.setattr(lgpio, "callback", Callback)
    return made
