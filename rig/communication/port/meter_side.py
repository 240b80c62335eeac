"""The meter, as a port has it: asked one thing after the other, or told; or away (C-3)."""

from __future__ import annotations

from typing import Protocol

from rig.communication.c1219.outcome import Outcome
from rig.daemon.protocol import Asked


class MeterAway(Exception):
    """The meter is not there, or does not answer: the session can only be dropped."""


class MeterSide(Protocol):
    """The meter, as a port needs it."""

    def begin(self) -> bool:
        """Get ready for a session; False: this meter does not have the port."""
        ...

    def ask(self, asked: Asked) -> Outcome:
        """Ask, and wait. Raises MeterAway."""
        ...

    def tell(self, asked: Asked) -> None:
        """Ask, and wait for nothing."""
        ...
